"""What adaptation and calibration are worth to people a model does not know.

Every constant was chosen on RAVDESS's actors 1 to 6 and on synthetic people of other
seeds, who are not reported on; docs/new-person.md names the one exception.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.offline.new_person.eeg import bench_real_eeg
from benchmarks.offline.new_person.synthetic import bench_synthetic_people
from benchmarks.offline.new_person.trial import table_of
from benchmarks.offline.new_person.voices import bench_real_voices
from eav_offline.common.files import package_versions

PARTS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "real_voices": bench_real_voices,
    "real_eeg": bench_real_eeg,
    "synthetic": bench_synthetic_people,
}


def bench_new_person(parts: Sequence[str], full: bool) -> dict[str, Any]:
    """Figures for JSON by part. full: with more synthetic people."""
    figures: dict[str, Any] = {name: PARTS[name](full) for name in parts}
    return figures | {"versions": package_versions()}


def table(figures: Mapping[str, Any]) -> Iterable[str]:
    """The figures as lines to read."""
    for part in PARTS:
        for name, one in figures.get(part, {}).items():
            if isinstance(one, dict) and "ways" in one:
                yield from table_of(f"{part}: {name}", one)
