"""The soak bench: marks that are found again, and figures whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live.soak.faults import FaultRecord
from benchmarks.live.soak.figures import (
    Observed,
    clock_figures,
    judge,
    memory_figures,
    recovery_figures,
    window_figures,
)
from benchmarks.live.soak.marks import (
    event_time,
    events_between,
    find_clicks,
    find_flash,
    find_pulses,
    mark_eeg,
    mark_picture,
    mark_sound,
    nearest_event,
)
from benchmarks.live.soak.sender import Trouble
from eav_offline.core.window import FaceFrame


@pytest.mark.parametrize("n_chunk", [7, 500, 4000])
def test_pulses_and_clicks_are_found_where_they_were_put(n_chunk: int) -> None:
    """Whatever the chunks; a mark is at the first sample at or after its moment."""
    for mark, find, width, rate in (
        (mark_eeg, find_pulses, 30, 500.0),
        (mark_sound, find_clicks, 1, 16_000.0),
    ):
        times = 1234.5 + np.arange(round(4 * rate)) / rate
        values = np.zeros((len(times), width), np.float32)
        for start in range(0, len(times), n_chunk):
            part = slice(start, start + n_chunk)
            mark(values[part], times[part], rate)
        late = np.array(find(times, values)) - events_between(times[0], times[-1])
        assert (late >= -1e-6).all()
        assert (late < 1 / rate).all()


def test_a_kept_frame_tells_when_its_flash_began() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    box = np.zeros(4, np.float32)
    found = []
    for time in 777.0 + np.arange(40) * 0.2:  # as frames are kept
        mark_picture(image, time)
        begun = find_flash(FaceFrame(time, image, box, False))
        if begun is not None:
            event = nearest_event(begun)
            assert event is not None
            assert abs(begun - event_time(event)) < 0.001
            found.append(event)
    assert len(set(found)) >= 18  # of about 20


def test_random_bytes_are_no_flash() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert find_flash(FaceFrame(1.0, image, np.zeros(4), False)) is None


def test_a_burst_holds_everything_back_and_loses_nothing() -> None:
    trouble = Trouble(np.random.default_rng(0))
    trouble.begin("burst", 1.0, 10.0)
    chunks = [(np.full((2, 1), i), np.array([i, i + 0.5])) for i in range(3)]
    assert trouble.spoil(*chunks[0]) == []
    assert trouble.spoil(*chunks[1]) == []
    assert trouble.ends(11.0)
    assert trouble.spoil(*chunks[2]) == chunks


def test_windows_due_made_late_and_dropped_are_counted() -> None:
    seen = Observed(begun=0.0, ended=10.0, hop=0.5)
    seen.windows = [(0.5 * i, 0.1) for i in range(1, 21) if i not in (7, 8, 9)]
    seen.windows[0] = (0.5, 0.7)
    faults = [FaultRecord("eeg", "paused", 3.2, 4.0, 4.2, 4.6)]
    figures = window_figures(seen, faults)
    assert (figures["windows_due"], figures["windows_made"]) == (20, 17)
    assert (figures["windows_late"], figures["windows_dropped"]) == (1, 3)
    assert figures["windows_made_without_fault"] == 16
    assert figures["windows_due_without_fault"] == 16
    assert figures["age_p50_s"] == pytest.approx(0.1)


def test_the_slope_of_memory_ignores_warming_up_and_one_step() -> None:
    times = np.arange(0.0, 1200.0, 2.0)
    size = 1e9 + np.where(times < 60, times * 1e7, 6e8) + 36e6 * times / 3600
    size[times > 900] += 5e6
    slope = memory_figures(list(zip(times, size, strict=True)))["memory_slope_mb_per_h"]
    assert slope == pytest.approx(36, abs=8)


def test_clocks_are_compared_where_stamps_are_true() -> None:
    onsets = {
        "eeg": {i: event_time(i) for i in range(100)},
        "audio": {i: event_time(i) + 0.004 for i in range(100)},
        "video": {i: event_time(i) + (0.1 if i >= 50 else 0) for i in range(100)},
    }
    jump = FaultRecord("video", "ahead", event_time(51), 30.0, 30.0, 100.0)
    figures = clock_figures(onsets, [jump])
    assert figures["clock_events"] == 50  # of 51: the last was seen after the jump
    assert figures["clock_error_ms"] == pytest.approx(4.0)
    assert figures["clock_error_false_stamps_ms"] == pytest.approx(100.0)
    assert figures["clock_error_by_stream_ms"]["audio"] == pytest.approx(4.0)


def test_a_fault_without_recovery_fails_the_soak() -> None:
    good = FaultRecord("eeg", "killed", 1.0, 3.0, 3.5, 8.5)
    bad = FaultRecord("eeg", "paused", 20.0, 22.0, None, None, missed=True)
    figures = recovery_figures([good, bad])
    assert (figures["faults"], figures["recoveries"]) == (2, 1)
    assert figures["recovery_max_s"] == 5.5
    figures |= {"error": None, "clock_events": 200, "clock_error_ms": 2.0}
    assert judge(figures) == ["1 faults remained"]


@pytest.mark.slow
@pytest.mark.lsl
@pytest.mark.timeout(400)
def test_a_minute_of_faults_is_survived(tmp_path: Path) -> None:
    from benchmarks.__main__ import main

    path = tmp_path / "soak.json"
    main(["soak", "--minutes", "1", "--json", str(path)])
    figures = json.loads(path.read_text())
    assert figures["faults"] > 2
    assert figures["recoveries"] == figures["faults"]
    assert figures["error"] is None
