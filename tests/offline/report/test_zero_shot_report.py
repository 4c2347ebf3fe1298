"""Zero-shot EEG on the page, at the command line, and measured by its bench."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from planted_cache import quick_config, write_cache
from report_runs import write_run

from benchmarks.offline.zero_shot import (
    _passed,
    shared_data,
    shared_windows,
    small_config,
)
from eav_offline.cli import main
from eav_offline.commands.zero_shot import parse_unseen
from eav_offline.config import to_toml
from eav_offline.report import write_report
from eav_offline.report.zero_shot import read_zero_shot
from eav_offline.zero_shot.engine import learn_zero_shot


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves for one person and two sets."""
    folder = tmp_path_factory.mktemp("zero")
    cache = write_cache(folder / "cache", [1])
    config = folder / "quick.toml"
    config.write_text(to_toml(quick_config()))
    words = [
        "zero-shot",
        "--data",
        cache,
        "--subject",
        "1",
        "--unseen",
        "anger,Calmness",
    ]
    words += ["--out", folder / "out", "--config", config, "--device", "cpu"]
    assert main([str(word) for word in words]) == 0
    return folder / "out"


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [v for k, v in attrs if k in ("src", "href") and v]


def test_the_command_leaves_figures_beside_its_numbers(study: Path) -> None:
    run = study / "subject01" / "seed0"
    names = {path.name for path in run.iterdir()}
    assert {
        "zero_shot.json",
        "maps.npz",
        "config.toml",
        "confusion_anger+calmness.svg",
        "spaces_anger+calmness.svg",
    } <= names
    assert json.loads((study / "zero_shot_study.json").read_text())["n_subjects"] == 1


def test_unseen_windows_are_stars_on_the_map(study: Path) -> None:
    svg = (study / "subject01/seed0/spaces_anger+calmness.svg").read_text()
    assert svg.startswith("<?xml")
    assert "EEG, joint space" in svg


def test_zero_shot_runs_alone_make_a_page_of_their_own(
    study: Path, tmp_path: Path
) -> None:
    written = write_report([study], tmp_path / "report.html")
    html = written.page.read_text()
    assert written.n_runs == 1
    assert "Cross-modal transfer: 1 subject, 1 run" in html
    assert "Synthetic people" in html
    page = _Addresses()
    page.feed(html)
    assert page.found
    assert all(a.startswith("data:image/svg") for a in page.found)


def test_zero_shot_is_a_section_beside_training_runs(
    study: Path, tmp_path: Path
) -> None:
    write_run(tmp_path / "runs" / "one", quick_config())
    write_report([tmp_path / "runs", study], tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    assert 'href="#zero-shot"' in html
    assert html.count('<section id="zero-shot">') == 1


def test_a_page_without_zero_shot_runs_does_not_name_it(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "one", quick_config())
    write_report([tmp_path / "runs"], tmp_path / "report.html")
    assert "zero-shot" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 9}', '{"format": 1, "held_out": {"a": {}}}']
)
def test_a_damaged_run_is_named_and_left_out(
    study: Path, tmp_path: Path, content: str
) -> None:
    broken = tmp_path / "broken" / "subject09" / "seed0"
    broken.mkdir(parents=True)
    (broken / "zero_shot.json").write_text(content)
    runs, unreadable = read_zero_shot([study, tmp_path / "broken"])
    assert (len(runs), len(unreadable)) == (1, 1)
    assert unreadable[0].name == "broken/subject09/seed0"


# Synthetic people with and without a shared structure


def test_both_kinds_of_person_have_the_same_sounds_and_faces() -> None:
    one, other = (shared_windows(3, shared, 1) for shared in (True, False))
    np.testing.assert_allclose(one.log_mel, other.log_mel, atol=1e-5)
    assert np.abs(one.faces.astype(int) - other.faces).max() <= 1
    assert np.array_equal(one.places, one.eeg_places)
    assert not np.array_equal(other.places, other.eeg_places)
    assert not np.allclose(one.eeg, other.eeg)


def test_an_unseen_pair_is_told_apart_where_structure_is_shared() -> None:
    """Ten pairs of one person; the bench has many people, and those without it."""
    learned = learn_zero_shot(
        shared_data(4, True, 6), parse_unseen("pairs")[::3], small_config(4), maps=False
    )
    found = learned.results["held_out"].values()
    accuracy = [one["rules"]["nearest"]["conventional"] for one in found]
    assert np.mean(accuracy) > 0.6


def test_the_bench_fails_where_people_without_structure_beat_guessing() -> None:
    def arms(shared: tuple[float, float], apart: tuple[float, float]) -> object:
        return {
            arm: {"nearest": {"pair": {"conventional": {"interval": list(interval)}}}}
            for arm, interval in (("shared", shared), ("not_shared", apart))
        }

    more = {"nearest": {"unseen": {"interval": [0.1, 0.3]}}}
    assert _passed(arms((0.7, 0.9), (0.4, 0.6)), more)  # type: ignore[arg-type]
    assert not _passed(arms((0.7, 0.9), (0.55, 0.7)), more)  # type: ignore[arg-type]
    assert not _passed(arms((0.45, 0.9), (0.4, 0.6)), more)  # type: ignore[arg-type]
