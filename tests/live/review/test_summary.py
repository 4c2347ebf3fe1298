"""A session on one page: its figures are those of the recording."""

import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import T0, FakeSession, eeg_arrival, recorder
from reviewed import Recorded, write_recording

from eav_live import cli
from eav_live.recording.forgetting import Trace, traces_of
from eav_live.review.reader import SessionReader
from eav_live.review.summary import NOT, decided, events, latency, page, stream_rows
from eav_offline.core.labels import EMOTIONS


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return write_recording(tmp_path_factory.mktemp("summary") / "s.xdf")


@pytest.fixture(scope="module")
def reader(recorded: Recorded) -> Iterator[SessionReader]:
    with SessionReader(recorded.path) as opened:
        yield opened


@pytest.fixture(scope="module")
def text(reader: SessionReader) -> str:
    return page(reader)


def test_the_shares_of_decisions_are_those_recorded(
    recorded: Recorded, reader: SessionReader
) -> None:
    counts = Counter(one.label for one in recorded.said)
    shares = decided(reader)
    assert list(shares) == [*EMOTIONS, "none"]
    for emotion in EMOTIONS:
        assert shares[emotion] == pytest.approx(counts[emotion] / len(recorded.said))
    assert shares["none"] == 0


def test_latency_is_that_of_the_recorded_estimates(
    recorded: Recorded, reader: SessionReader
) -> None:
    found = latency(reader)
    assert found is not None
    ages = [one.age_s for one in recorded.said]
    assert found.age[0] == pytest.approx(np.median(ages), abs=1e-5)
    assert found.age[1] == pytest.approx(np.percentile(ages, 95), abs=1e-5)
    assert found.infer == pytest.approx((0.05, 0.05))
    assert found.pause == pytest.approx(0.5)


def test_streams_are_told_with_their_losses_and_their_use(
    reader: SessionReader,
) -> None:
    eeg, voice, face = stream_rows(reader)
    assert (eeg.name, eeg.sender, eeg.rate) == ("EEG", "Amp", 250)
    assert eeg.losses == voice.losses == 1
    assert eeg.lost_s == pytest.approx(1.0, abs=0.02)
    assert face.losses == 0
    assert (eeg.used, voice.used, face.used) == (1.0, 0.0, 1.0)
    assert voice.why == "no speech (14)"
    assert face.rate == pytest.approx(5, rel=0.1)


def test_events_are_in_order_of_time(reader: SessionReader) -> None:
    found = events(reader)
    times = [event.since_s for event in found]
    assert times == sorted(times)
    kinds = [event.kind for event in found]
    assert "EEG lost" in kinds
    assert kinds.count("marker") == 2


def test_the_page_has_its_figures_and_says_what_it_is_not(text: str) -> None:
    assert text.count("data:image/svg+xml;base64,") == 3
    for line in NOT:
        assert line.replace("'", "&#39;") in text
    for said in ("14 windows recognized by tester", "trial start 1 Anger", "no speech"):
        assert said in text
    assert "synthetic" in text  # the model is of synthetic people


def test_the_page_needs_nothing_from_elsewhere(text: str) -> None:
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text


def test_what_was_recorded_is_never_read_as_html(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session) as made:
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 500), "f4"), T0))
        made.mark({"text": "<b>bold</b>"}, T0 + 0.5)
    with SessionReader(tmp_path / "s.xdf") as opened:
        text = page(opened)
    assert "&lt;b&gt;bold" in text
    assert "<b>bold" not in text
    assert "Nothing was recognized" in text


def test_the_command_writes_the_page_for_its_owner(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.html"
    assert cli.main(["review", str(recorded.path), "--summary", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    wrong = str(tmp_path / "s.pdf")
    assert cli.main(["review", str(recorded.path), "--summary", wrong]) == 2


def test_the_page_is_forgotten_with_its_person_and_no_other_page_is(
    text: str, tmp_path: Path
) -> None:
    mine, other = tmp_path / "renamed.htm", tmp_path / "other.html"
    mine.write_text(text)
    other.write_text(text.partition("\n")[2])
    assert traces_of("P01", tmp_path) == [Trace(mine, "estimates")]
    assert not traces_of("P0", tmp_path)
    assert other.read_text().startswith("<!DOCTYPE html>")


def test_without_a_screen_the_page_is_pointed_to(
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("eav_live.doctor.display.sys.platform", "linux")
    assert cli.main(["review", str(recorded.path)]) == 2
    assert "--summary FILE.html" in capsys.readouterr().err
