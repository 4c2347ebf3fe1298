"""A recording recognized anew by a real model, in a thread, and compared."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded import T0
from reviewed import SECONDS, Recorded, write_recording

from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_live.recording.repredicting import repredict
from eav_live.review.anew import Anew, every_hop
from eav_live.review.reader import SessionReader


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return write_recording(tmp_path_factory.mktemp("anew") / "s.xdf")


def run(work: Anew) -> None:
    over = threading.Event()
    work.start(lambda: over.set() if work.result or work.error else None)
    assert over.wait(60)


def test_another_model_has_a_line_of_its_own(recorded: Recorded) -> None:
    with SessionReader(recorded.path) as reader:
        work = Anew(reader, asset(DEMO_MODEL))
        run(work)
        result = work.result
        assert result is not None
        assert work.done == work.total == len(recorded.said)
        assert result.demo
        assert (result.model, result.backend) == ("demo", "eager")
        recognizer = Recognizer.load(asset(DEMO_MODEL))
        expected = list(repredict(reader.session, recognizer))
    assert any(one.now["fused"] is not None for one in expected)
    for one, found in zip(expected, result.lane.estimates, strict=True):
        fused = one.now["fused"]
        assert found.t == one.recorded.t
        assert (found.fused is None) == (fused is None)
        if fused is not None and found.fused is not None:
            np.testing.assert_allclose(found.fused, fused, atol=1e-4)
    apart = {
        before.t
        for before, now in zip(recorded.said, result.lane.estimates, strict=True)
        if now.label is not None and now.label != before.label
    }
    covered = {t for t in apart for a, b in result.apart if a <= t <= b}
    assert apart
    assert covered == apart


def test_what_was_not_recognized_is_recognized_at_every_hop(tmp_path: Path) -> None:
    write_recording(tmp_path / "s.xdf", estimates=False)
    with SessionReader(tmp_path / "s.xdf") as reader:
        assert not reader.recorded.estimates
        reader.hop = 1.0
        windows = list(every_hop(reader))
        assert [w.t for w in windows] == pytest.approx(
            np.arange(T0 + 5, T0 + SECONDS - 0.01, 1.0)
        )
        assert windows[0].counts == {"eeg": 1250, "audio": 20_000, "video": 25}
        reader.hop = 0.5
        assert Anew(reader, asset(DEMO_MODEL)).total == 14


def test_what_is_short_of_a_window_is_not_said_to_have_been_read(
    recorded: Recorded,
) -> None:
    with SessionReader(recorded.path) as reader:
        work = Anew(reader, asset(DEMO_MODEL))
        whole = reader.session.predictions[-1]
        counts = {m: n // 8 for m, n in whole.counts.items()}
        work._windows = [replace(whole, t=T0 + 1.0, counts=counts, reasons={})]
        run(work)
    assert work.result is not None
    (found,) = work.result.lane.estimates
    assert found.fused is None
    assert found.present == ()
    assert set(found.reasons.values()) == {"no 5 s at one go"}


def test_a_model_that_is_none_is_said(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"nothing")
    with SessionReader(recorded.path) as reader:
        work = Anew(reader, tmp_path / "m.safetensors")
        run(work)
    assert "m.safetensors" in work.error
    assert work.result is None


def test_it_can_be_given_up(recorded: Recorded) -> None:
    with SessionReader(recorded.path) as reader:
        work = Anew(reader, asset(DEMO_MODEL))
        begun = threading.Event()
        work.start(begun.set)
        assert begun.wait(60)
        work.stop()
        work.stop()
        work._thread.join(10)
    assert not work.running
    assert work.result is None
    assert 0 < work.done < work.total
