"""What a soak is judged by: windows, ages, memory, recoveries, clocks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.live.soak.faults import TRUE_STAMPS, FaultRecord
from benchmarks.live.soak.marks import FADE_SECONDS, event_time

MAX_CLOCK_ERROR_MS = 10.0
SETTLE_SECONDS = 5.0  # after stamps were wrong, the smoothing remembers them
# Seconds of memory that are not judged: rings of 40 s fill, libraries are loaded.
MIN_WARM_UP, MAX_WARM_UP = 60.0, 300.0


@dataclass
class Observed:
    """What was seen of a session, seconds on its clock.

    begun, ended: of the time that is judged. windows: (put out, age) of each window.
    memory: (time, resident bytes). onsets: by stream, event -> stamp in the ring.
    """

    begun: float
    ended: float
    hop: float
    windows: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    onsets: dict[str, dict[int, float]] = field(default_factory=dict)


def window_figures(
    seen: Observed, faults: Sequence[FaultRecord]
) -> dict[str, int | float]:
    """Windows due, made, late and dropped, and ages.

    One is due every hop. dropped: due and not made. late: made, and older than a hop
    when it was put out.
    """
    out = np.array([t for t, _ in seen.windows if seen.begun <= t <= seen.ended])
    ages = np.array([a for t, a in seen.windows if seen.begun <= t <= seen.ended])
    due = math.floor((seen.ended - seen.begun) / seen.hop)
    made = min(len(out), due)
    instants = seen.begun + seen.hop * np.arange(1, due + 1)
    disturbed = np.zeros(due, dtype=bool)
    quiet = np.ones(len(out), dtype=bool)
    for fault in faults:
        end = fault.recovered if fault.recovered is not None else seen.ended
        disturbed |= (instants >= fault.begun) & (instants <= end + seen.hop)
        quiet &= ~((out >= fault.begun) & (out <= end + seen.hop))
    quiet_due = int(np.count_nonzero(~disturbed))
    figures: dict[str, int | float] = {
        "windows_due": due,
        "windows_made": made,
        "windows_late": int(np.count_nonzero(ages > seen.hop)),
        "windows_dropped": due - made,
        "windows_due_without_fault": quiet_due,
        "windows_made_without_fault": min(int(np.count_nonzero(quiet)), quiet_due),
    }
    for name, part in (("age", ages), ("age_without_fault", ages[quiet])):
        for percent in (50, 95, 99):
            figures[f"{name}_p{percent}_s"] = _percentile(part, percent)
    return figures


def memory_figures(memory: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Slope of the resident memory after a warm-up, MB an hour, by Theil and Sen.

    The median slope of all pairs: one step, such as a library that is loaded late,
    does not tilt it. low, high: its 95 % interval.
    """
    times = np.array([t for t, _ in memory])
    size = np.array([b for _, b in memory]) / 1e6
    if len(times) == 0:
        return {}
    length = times[-1] - times[0]
    warm = times[0] + min(max(MIN_WARM_UP, length / 3), MAX_WARM_UP)
    after = times >= warm
    figures = {"memory_mb": float(size[-1]), "memory_judged_s": float(times[-1] - warm)}
    if np.count_nonzero(after) < 3:
        return figures | {"memory_slope_mb_per_h": math.nan}
    slope, _, low, high = stats.theilslopes(size[after], times[after] / 3600)
    return figures | {
        "memory_slope_mb_per_h": float(slope),
        "memory_slope_low_mb_per_h": float(low),
        "memory_slope_high_mb_per_h": float(high),
        "memory_start_mb": float(np.median(size[after][:10])),
        "memory_end_mb": float(np.median(size[after][-10:])),
    }


def clock_figures(
    onsets: Mapping[str, Mapping[int, float]], faults: Sequence[FaultRecord]
) -> dict[str, Any]:
    """How far apart the streams show the same event, ms.

    Of each event that was found in all streams: the latest stamp minus the earliest.
    By stream: from the moment that the sender meant, at the 95th percentile.
    Events near a fault that falsifies stamps or loses samples are counted apart.
    """
    common = sorted(set.intersection(*map(set, onsets.values()))) if onsets else []
    stamps = np.array([[of[event] for of in onsets.values()] for event in common])
    stamps = stamps.reshape(len(common), len(onsets))
    first, last = stamps.min(axis=1), stamps.max(axis=1)
    false = np.zeros(len(common), dtype=bool)
    for fault in faults:
        if fault.kind not in TRUE_STAMPS:
            # A flash is seen, and its frame stamped, up to so long after its moment.
            begun = fault.begun - 2 * FADE_SECONDS
            over = (fault.recovered or fault.over or math.inf) + SETTLE_SECONDS
            false |= (begun <= last) & (first <= over)
    apart = 1e3 * (last - first)
    meant = np.array([event_time(event) for event in common])
    off = 1e3 * np.abs(stamps - meant[:, None])[~false]
    return {
        "clock_events": int(np.count_nonzero(~false)),
        "clock_error_median_ms": _percentile(apart[~false], 50),
        "clock_error_ms": _percentile(apart[~false], 95),
        "clock_error_by_stream_ms": {
            name: _percentile(off[:, i], 95) for i, name in enumerate(onsets)
        },
        "clock_events_false_stamps": int(np.count_nonzero(false)),
        "clock_error_false_stamps_ms": _percentile(apart[false], 95),
    }


def recovery_figures(faults: Sequence[FaultRecord]) -> dict[str, Any]:
    """How many faults there were, from how many the session recovered, how fast."""
    kinds = sorted({f.kind for f in faults})
    return {
        **_recoveries(faults),
        "by_kind": {k: _recoveries([f for f in faults if f.kind == k]) for k in kinds},
        "fault_log": [
            {
                "stream": f.stream,
                "kind": f.kind,
                "lasted_s": None if f.over is None else f.over - f.begun,
                "back_s": f.back_s,
                "recovery_s": f.recovery_s,
                "seen": f.seen,
            }
            for f in faults
        ],
    }


def _recoveries(faults: Sequence[FaultRecord]) -> dict[str, float]:
    back = np.array([f.back_s for f in faults if f.back_s is not None])
    recovered = np.array([f.recovery_s for f in faults if f.recovery_s is not None])
    return {
        "faults": len(faults),
        "recoveries": len(recovered),
        "back_median_s": _percentile(back, 50),
        "back_max_s": _percentile(back, 100),
        "recovery_median_s": _percentile(recovered, 50),
        "recovery_max_s": _percentile(recovered, 100),
    }


def judge(figures: Mapping[str, Any]) -> list[str]:
    """What is not as it should be; empty if all is well."""
    failures = []
    if figures["error"]:
        failures.append(f"the session ended: {figures['error']}")
    if figures["recoveries"] < figures["faults"]:
        failures.append(f"{figures['faults'] - figures['recoveries']} faults remained")
    if figures["clock_events"] == 0:
        failures.append("no event was found in all streams")
    elif figures["clock_error_ms"] > MAX_CLOCK_ERROR_MS:
        failures.append(
            f"clocks {figures['clock_error_ms']:.1f} ms apart, more than "
            f"{MAX_CLOCK_ERROR_MS:g}"
        )
    return failures


def _percentile(values: np.ndarray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else math.nan
