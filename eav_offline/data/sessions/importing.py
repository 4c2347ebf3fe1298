"""Recorded sessions as a subject in EAV layout, ready to be prepared and trained on.

EEG that was recorded at 500 Hz, and sound, are copied sample for sample; EEG of another
rate is resampled. Of the kept frames each of the 100 times of a trial gets the nearest,
as a live window does, and the video repeats it six times for EAV's 30 frames a second,
in H.264 without loss. IMPORTED.json says where everything came from.

The trials of a recorded session, from its markers.

Markers are JSON objects. A session that shows cues writes
    {"event": "trial_start", "trial": 1, "task": "speaking", "emotion": "happiness"}
and "trial_end"; "trial_repeat" says that the last attempt at a trial does not count.
A replay writes {"trial": 2, "task": "speaking", "emotion": "anger", "seconds": 20};
where cues were shown, what a replay played beside them says nothing of the trials.
"""

import json
import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
import scipy
import soundfile
from scipy.io import savemat

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions, private_files
from eav_offline.core.labels import EMOTIONS, TASKS, encode_label_rows, media_name
from eav_offline.core.window import FRAME_PERIOD, FRAME_RATE
from eav_offline.data.dataset import IMPORTED_FILE, MARKER_NAME
from eav_offline.data.eav.files import (
    KEPT_FRAMES,
    TRIAL_EEG_RATE,
    TRIAL_EEG_SAMPLES,
    TRIAL_SECONDS,
    TRIAL_VIDEO_RATE,
)
from eav_offline.data.sessions.session import (
    Marker,
    SessionFile,
    Stretch,
    eeg_stretches,
    read_session,
    stretches,
)

log = logging.getLogger(__name__)
_REPEATS = round(TRIAL_VIDEO_RATE / FRAME_RATE)  # 6
_MARGIN_SECONDS = 1.0  # around a trial, for the resampler
_ENCODER = {"preset": "ultrafast", "qp": "0"}  # of libx264rgb: without loss
# A clock ticks between cue and marker; so much less than a whole trial is one.
_SLACK_SECONDS = 0.1


class ImportRefused(InputRefused):
    """The recordings make no subject; the message says what to do."""


@dataclass
class ImportSummary:
    """What became of the recordings.

    folder: the subject. trials: for each, where it came from. left_out: why a trial of
    a recording was not taken, by "file, trial N". without: what a trial lacks.
    """

    folder: Path
    person: str | None
    synthetic: bool
    trials: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder)}


@private_files()
def import_sessions(
    recordings: Sequence[Path], root: Path, number: int
) -> ImportSummary:
    """Write the recordings of one person as `root`/subjectN, for its owner only.

    Raises ImportRefused if the folder is there already, if the recordings are of
    several people, or if none holds a whole trial; XdfError if one cannot be read.
    """
    folder = root / f"subject{number}"
    if folder.exists():
        raise ImportRefused(
            f"{folder} is there already, and nothing is overwritten; give another "
            "--subject or --out"
        )
    sessions = [read_session(path) for path in recordings]
    people = {session.person for session in sessions}
    if len(people) > 1:
        raise ImportRefused(
            f"the recordings are of several people ({', '.join(map(str, people))}); "
            "import each of them as a subject"
        )
    summary = ImportSummary(folder, people.pop(), any(s.synthetic for s in sessions))
    taken: list[tuple[SessionFile, MarkedTrial, np.ndarray]] = []
    for session in sessions:
        taken += [(session, *item) for item in _whole_trials(session, summary)]
    if not taken:
        why = "; ".join(f"{k}: {v}" for k, v in summary.left_out.items())
        raise ImportRefused(
            "no whole trial was found in "
            f"{', '.join(path.name for path in recordings)} ({why or 'no markers'}). A "
            "trial lasts 20 s between the markers trial_start and trial_end, with EEG"
        )
    _write(summary, taken, number)
    return summary


@dataclass(frozen=True)
class MarkedTrial:
    """One trial: its number in the session, classes, and when it was.

    end: infinite while it runs.
    """

    number: int
    task: int
    emotion: int
    begin: float
    end: float = math.inf

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


def _whole_trials(
    session: SessionFile, summary: ImportSummary
) -> Iterator[tuple[MarkedTrial, np.ndarray]]:
    """Trials with their EEG (10000, 30) float32 µV; the others are said."""
    name = session.file.path.name
    trials, left_out = marked_trials(session.markers, TRIAL_SECONDS)
    summary.left_out |= {f"{name}, trial {n}": why for n, why in left_out.items()}
    eeg = eeg_stretches(session.openings["eeg"])
    for trial in trials:
        values = _trial_eeg(eeg, trial.begin)
        if values is None:
            why = "its EEG is missing or has a gap"
        elif not np.isfinite(values).all():
            n_bad = int((~np.isfinite(values).all(axis=0)).sum())
            why = f"{n_bad} electrodes sent values that are no numbers"
        else:
            yield trial, values
            continue
        summary.left_out[f"{name}, trial {trial.number}"] = why


def _trial_eeg(stretches: list[Stretch], begin: float) -> np.ndarray | None:
    for stretch in stretches:
        exact = stretch.cut(begin, TRIAL_SECONDS)
        if exact is None:
            continue
        if stretch.rate == TRIAL_EEG_RATE:
            return stretch.values[exact]
        wider = stretch.cut(begin, TRIAL_SECONDS, _MARGIN_SECONDS)
        assert wider is not None
        ratio = Fraction(TRIAL_EEG_RATE / stretch.rate).limit_denominator(1000)
        values = stretch.values[wider].astype(np.float64)
        # Around its first sample, so that the electrodes' offsets make no edge.
        resampled = values[0] + scipy.signal.resample_poly(
            values - values[0], ratio.numerator, ratio.denominator, axis=0
        )
        skip = round((exact.start - wider.start) * ratio)
        return resampled[skip : skip + TRIAL_EEG_SAMPLES].astype(np.float32)
    return None


def _write(
    summary: ImportSummary,
    taken: list[tuple[SessionFile, MarkedTrial, np.ndarray]],
    number: int,
) -> None:
    folder = summary.folder
    folder.mkdir(parents=True)
    # Before anything else: whose these are, and whether they are real, must be known.
    summary.trials = [
        {
            "trial": i,
            "recording": session.file.path.name,
            "recorded_as": trial.number,
            "t": trial.begin,
            "task": TASKS[trial.task],
            "emotion": EMOTIONS[trial.emotion],
        }
        for i, (session, trial, _) in enumerate(taken, 1)
    ]
    about = {
        "person": summary.person,
        "recordings": sorted({s.file.path.name for s, _, _ in taken}),
        "trials": summary.trials,
        "left_out": summary.left_out,
        "versions": package_versions(),
    }
    _write_json(folder / IMPORTED_FILE, about)
    if summary.synthetic:
        _write_json(folder / MARKER_NAME, {"synthetic": True, "imported": True})
    for name in ("Video", "Audio", "EEG"):
        (folder / name).mkdir()
    eeg = np.stack([values for _, _, values in taken], axis=2)
    stem = folder / "EEG" / f"subject{number:02d}_eeg"
    savemat(f"{stem}.mat", {"seg1": eeg}, do_compression=True)
    tasks = np.array([trial.task for _, trial, _ in taken])
    emotions = np.array([trial.emotion for _, trial, _ in taken])
    label = encode_label_rows(emotions, tasks).astype(np.float64)
    savemat(f"{stem}_label.mat", {"label": label})
    numbered = enumerate(taken, 1)
    for _, group in groupby(numbered, key=lambda one: id(one[1][0])):
        own = list(group)  # those of one session follow each other
        session = own[0][1][0]
        trials = [(i, trial) for i, (_, trial, _) in own]
        _write_sound(summary, session, trials)
        _write_video(summary, session, trials)


def _write_sound(
    summary: ImportSummary, session: SessionFile, trials: list[tuple[int, MarkedTrial]]
) -> None:
    found = [s for opening in session.openings["audio"] for s in stretches(opening)]
    for i, trial in trials:
        if TASKS[trial.task] != "speaking":
            continue  # EAV's listening trials have none
        cut = ((s, s.cut(trial.begin, TRIAL_SECONDS)) for s in found)
        stretch, part = next((one for one in cut if one[1] is not None), (None, None))
        if stretch is None:
            _lacks(summary, i, "sound")
            continue
        name = media_name(i, trial.task, trial.emotion, "audio")
        path = summary.folder / "Audio" / name
        soundfile.write(
            path, stretch.values[part], round(stretch.rate), subtype="FLOAT"
        )


def _write_video(
    summary: ImportSummary, session: SessionFile, trials: list[tuple[int, MarkedTrial]]
) -> None:
    """Write every trial's clip in one pass over the recorded frames."""
    stamps, ordinals = _frame_times(session)
    wanted: dict[int, list[tuple[int, int]]] = {}  # frame -> (trial, slot)
    clips: dict[int, _Clip] = {}
    for i, trial in trials:
        chosen = _nearest(stamps, trial.begin)
        if chosen is None:
            _lacks(summary, i, "video")
            continue
        name = media_name(i, trial.task, trial.emotion, "video")
        clips[i] = _Clip(summary.folder / "Video" / name)
        for slot, k in enumerate(chosen.tolist()):
            wanted.setdefault(int(ordinals[k]), []).append((i, slot))
    for opening, row, image in session.frames():
        for i, slot in wanted.get(opening.first + row, ()):
            clips[i].add(image, slot)
    for i, clip in clips.items():
        if not clip.finish():
            _lacks(summary, i, "video")


def _frame_times(session: SessionFile) -> tuple[np.ndarray, np.ndarray]:
    """Stamps of all frames, ascending, and the place of each in the recording."""
    openings = session.openings["video"]
    if not openings:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    stamps = np.concatenate([o.stamps for o in openings])
    ordinals = np.concatenate([o.first + np.arange(len(o.stamps)) for o in openings])
    order = np.argsort(stamps, kind="stable")
    return stamps[order], ordinals[order]


def _nearest(stamps: np.ndarray, begin: float) -> np.ndarray | None:
    """Which frames are nearest to the 100 times of a trial; None if one has none."""
    if not len(stamps):
        return None
    times = begin + FRAME_PERIOD * np.arange(KEPT_FRAMES)
    right = np.searchsorted(stamps, times).clip(0, len(stamps) - 1)
    left = (right - 1).clip(0)
    nearer = np.abs(stamps[left] - times) <= np.abs(stamps[right] - times)
    chosen = np.where(nearer, left, right)
    if np.abs(stamps[chosen] - times).max() > FRAME_PERIOD:
        return None
    return chosen


class _Clip:
    """One trial's video, begun with its first frame."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n = 0
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)

    def add(self, image: np.ndarray, slot: int) -> None:
        """The frame (height, width, 3) of the next slot; others are not taken."""
        height, width = image.shape[:2]
        if self._container is None and slot == 0:
            self._container = av.open(str(self._path), "w")
            self._stream = self._container.add_stream(
                "libx264rgb", rate=round(TRIAL_VIDEO_RATE), options=_ENCODER
            )
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt = "rgb24"
            self._size = (width, height)
        if self._container is None or slot != self._n or self._size != (width, height):
            return
        for k in range(_REPEATS):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = slot * _REPEATS + k
            self._container.mux(self._stream.encode(frame))
        self._n += 1

    def finish(self) -> bool:
        """End the file; False, and no file, if frames were missing."""
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        if self._n == KEPT_FRAMES:
            return True
        self._path.unlink(missing_ok=True)
        return False


def _lacks(summary: ImportSummary, trial: int, what: str) -> None:
    key = f"trial {trial}"
    before = summary.without.get(key)
    summary.without[key] = what if before is None else f"{before}, {what}"
    log.warning("Trial %d has no unbroken %s; its windows will lack it", trial, what)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def marked_trials(
    markers: Iterable[Marker], at_least: float
) -> tuple[list[MarkedTrial], dict[int, str]]:
    """The trials of a session in order of time, and why others are left out.

    markers: in order of time. at_least: seconds that a trial must last. Of several
    attempts at one trial the last whole one counts.
    """
    trials: dict[int, MarkedTrial] = {}
    left_out: dict[int, str] = {}
    running: MarkedTrial | None = None
    said_of_each = [(marker, marker.as_object()) for marker in markers]
    cued = any(said.get("event") == "trial_start" for _, said in said_of_each)

    def end(trial: MarkedTrial, stamp: float) -> None:
        whole = replace(trial, end=stamp)
        if whole.seconds < at_least - _SLACK_SECONDS:
            why = f"it lasted {whole.seconds:.1f} s of {at_least:g} s"
            left_out.setdefault(trial.number, why)
            return
        left_out.pop(trial.number, None)
        # Last in the order of time, whatever attempts there were.
        trials.pop(trial.number, None)
        trials[trial.number] = whole

    for marker, said in said_of_each:
        number, event = said.get("trial"), said.get("event")
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        if cued and event is None:
            continue
        if event == "trial_repeat":
            trials.pop(number, None)
            left_out[number] = "it was to be repeated"
            running = None
        elif event == "trial_end":
            if running is not None and running.number == number:
                end(running, marker.stamp)
            running = None
        elif event == "trial_start" or (event is None and "seconds" in said):
            if running is not None:
                left_out.setdefault(running.number, "it has no end")
            running = _classes(number, said, marker.stamp)
            if running is None:
                left_out.setdefault(number, "its task or emotion is unknown")
            elif event is None and isinstance(said["seconds"], int | float):
                end(running, marker.stamp + said["seconds"])
                running = None
    if running is not None:
        left_out.setdefault(running.number, "it has no end")
    for number in trials:
        left_out.pop(number, None)
    return list(trials.values()), dict(sorted(left_out.items()))


def _classes(number: int, said: dict[str, Any], begin: float) -> MarkedTrial | None:
    task = str(said.get("task")).casefold()
    emotion = str(said.get("emotion")).casefold()
    if task not in TASKS or emotion not in EMOTIONS:
        return None
    return MarkedTrial(number, TASKS.index(task), EMOTIONS.index(emotion), begin)
