"""What adaptation and calibration are worth to people a model does not know.

Every constant was chosen on RAVDESS's actors 1 to 6 and on synthetic people of other
seeds, who are not reported on; docs/new-person.md names the one exception.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.offline.new_person import synthetic
from benchmarks.offline.new_person.eeg import bench_real_eeg
from benchmarks.offline.new_person.voices import bench_real_voices
from eav_offline.common.files import package_versions


def bench_new_person(
    parts: Sequence[str], seeds: int = 5, work: Path | None = None, jobs: int = 2
) -> dict[str, Any]:
    """Figures for JSON by part. seeds, work, jobs: of the synthetic people."""
    figures: dict[str, Any] = {}
    if "real_voices" in parts:
        figures["real_voices"] = bench_real_voices()
    if "real_eeg" in parts:
        figures["real_eeg"] = bench_real_eeg()
    if "synthetic" in parts:
        figures["synthetic"] = synthetic.bench_synthetic_people(seeds, work, jobs)
    return figures | {"versions": package_versions()}
