"""The EEG of a recorded session as MNE's Raw: one even grid, and what was noted on it.

Gaps hold zeros under `BAD_ACQ_SKIP`, MNE's own word for them, which its filters and
epochs pass over. Annotations lie at the sample that was taken at their moment, so that
an amplifier whose clock drifts moves none of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, TASKS
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.sessions.importing import marked_trials
from eav_offline.data.sessions.session import (
    EVENTS_NAME,
    SessionFile,
    Stretch,
    eeg_stretches,
    on_one_grid,
)

if TYPE_CHECKING:
    import mne

_VOLTS = 1e-6  # a microvolt
# Of `eav-live collect`; the trial that they bound is an annotation of its own.
_BOUNDS = ("trial_start", "trial_end")


@dataclass(frozen=True)
class Note:
    """What goes on at `stamp`, seconds on the session's clock, and for how long."""

    stamp: float
    seconds: float
    text: str


def mne_raw(session: SessionFile, estimates: bool = True) -> "mne.io.BaseRaw":
    """The 30 electrodes in volts, with montage and annotations; see `RecordedSession`.

    Raises InputRefused if there is no EEG, or if its rate changed; XdfError if the
    recording does not say which channel is which electrode.
    """
    import mne

    name = session.file.path.name
    found = eeg_stretches(session.openings["eeg"])
    if not found:
        raise InputRefused(
            f"{name} holds no EEG; arrays() and predictions() give what it holds"
        )
    eeg_uv, begins = on_one_grid(found, f"{name}: the EEG")
    info = mne.create_info(list(EEG_CHANNELS), found[0].rate, "eeg")
    raw = mne.io.RawArray(eeg_uv.T * _VOLTS, info, verbose="error")
    raw.set_montage("standard_1005", verbose="error")
    raw.info["bads"] = _computed(session)
    raw.info["description"] = _description(session)
    if session.person is not None:
        raw.info["subject_info"] = {"his_id": session.person}
    raw.set_meas_date(_begun(session, float(found[0].times[0])))
    notes = [*_trials(session), *_markers(session)]
    notes += _decisions(session) if estimates else []
    placed = [(_onset(n.stamp, found, begins), n.seconds, n.text) for n in notes]
    placed += _breaks(found, begins)
    # MNE would drop with a warning what lies before the EEG or after it, and cut with
    # another what reaches beyond it, as a trial does that the recording's end cut.
    end = raw.n_times / found[0].rate
    inside = [(b, min(s, end - b), t) for b, s, t in placed if 0 <= b <= raw.times[-1]]
    raw.set_annotations(_annotations(inside, raw))
    return raw


def _annotations(
    placed: Sequence[tuple[float, float, str]], raw: "mne.io.BaseRaw"
) -> "mne.Annotations":
    import mne

    onsets, seconds, texts = zip(*placed, strict=True) if placed else ((), (), ())
    date = raw.info["meas_date"]
    return mne.Annotations(onsets, seconds, texts, orig_time=date)


def _breaks(
    stretches: Sequence[Stretch], begins: Sequence[int]
) -> Iterator[tuple[float, float, str]]:
    """Where samples are missing, or follow each other that do not belong together."""
    ends = (b + len(s.times) for b, s in zip(begins, stretches, strict=True))
    for end, begin in zip(ends, begins[1:], strict=False):
        rate = stretches[0].rate
        text = "BAD_ACQ_SKIP" if begin > end else "EDGE boundary"
        yield end / rate, (begin - end) / rate, text


def _onset(stamp: float, stretches: Sequence[Stretch], begins: Sequence[int]) -> float:
    """Seconds into the Raw of a moment on the session's clock."""
    started = [i for i, s in enumerate(stretches) if s.times[0] <= stamp]
    i = started[-1] if started else 0
    times, rate = stretches[i].times, stretches[i].rate
    outside = min(0.0, stamp - times[0]) + max(0.0, stamp - times[-1])
    within = float(np.interp(stamp, times, np.arange(len(times))))
    return (begins[i] + within) / rate + float(outside)


def _trials(session: SessionFile) -> list[Note]:
    trials, _ = marked_trials(session.markers, 0.0)
    return [
        Note(t.begin, t.seconds, f"trial/{TASKS[t.task]}/{EMOTIONS[t.emotion]}")
        for t in trials
    ]


def _markers(session: SessionFile) -> Iterator[Note]:
    """Markers but those that bound trials: what JSON names, else the text."""
    for marker in session.markers:
        said = marker.as_object()
        event = said.get("event")
        if event in _BOUNDS or (event is None and "trial" in said):
            continue
        text = str(event or said.get("mark") or said.get("note") or marker.text)
        if text:
            yield Note(marker.stamp, 0.0, text)


def _decisions(session: SessionFile) -> Iterator[Note]:
    for prediction in session.predictions:
        if prediction.label is not None:
            yield Note(prediction.t, 0.0, f"estimate/{prediction.label}")


def _computed(session: SessionFile) -> list[str]:
    """Electrodes that the amplifier lacked, in the order of the models."""
    lacking = {n for o in session.openings["eeg"] for n in o.montage().interpolated}
    return [name for name in EEG_CHANNELS if name in lacking]


def _description(session: SessionFile) -> str:
    who = "A synthetic person, replayed. " if session.synthetic else ""
    return f"{who}Recorded by EAV-Live; estimates are a model's guesses."


def _begun(session: SessionFile, first: float) -> datetime | None:
    """When the first sample was taken, by the computer's calendar; None if not said."""
    try:
        opened = datetime.fromisoformat(session.file.said("datetime")).astimezone(UTC)
    except ValueError:
        return None
    events = [s for s in session.file.named(EVENTS_NAME) if len(s.stamps)]
    since = first - float(events[0].stamps[0]) if events else 0.0
    return opened + timedelta(seconds=since)
