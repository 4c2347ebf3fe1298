"""Windows of synthetic people without the detour over files.

The same generators, face tracker and `prepare` as for files, but only the frames that
are kept: a person takes minutes instead of a quarter of an hour.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from eav_offline.common.opencv import cv2
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import EEG_CHANNELS, FRAME_PERIOD
from eav_offline.data.dataset import LabeledWindows
from eav_offline.data.recording import Recording, cut, window_ends
from eav_offline.data.synthetic.eeg import RECORDED_RATE, trial_eeg
from eav_offline.data.synthetic.plan import (
    ORDINARY,
    TRIAL_SECONDS,
    Evidence,
    SessionPlan,
    plan_session,
)
from eav_offline.data.synthetic.video import VIDEO_RATE, render_frames
from eav_offline.data.synthetic.voice import SOUND_RATE, voice
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker

_COLUMNS = ("eeg", "log_mel", "faces", "trial", "position", "emotion")
_STEP = round(FRAME_PERIOD * VIDEO_RATE)  # frames from one that is kept to the next


def drawn_windows(
    file: Path,
    seed: int,
    subject: int,
    n_trials: int,
    evidence: Evidence = ORDINARY,
    strangeness: float = 0.0,
    held: int = 1,
) -> LabeledWindows:
    """A person's speaking trials, kept in `file` (.npz) and taken from there if it is.

    The recordings are those that `synth` writes, but for the sensor's noise and the
    codecs' loss. held: of so many frames the first is drawn and kept; faces are
    (n, 25 / held, ...).
    """
    if not file.is_file():
        cv2.setNumThreads(1)  # processes share the cores already
        plan = plan_session(seed, subject, n_trials, evidence=evidence)
        tracker = FaceTracker()
        rows = []
        for trial in range(2, n_trials + 1, 2):
            rows += _trial(plan, seed, subject, trial, tracker, strangeness, held)
        columns = zip(*rows, strict=True)
        arrays = {n: np.stack(c) for n, c in zip(_COLUMNS, columns, strict=True)}
        arrays["faces"] = arrays["faces"][:, ::held]
        unfinished = file.with_suffix(".unfinished.npz")
        np.savez(unfinished, **arrays)  # type: ignore[arg-type]  # numpy's stub
        unfinished.replace(file)
    with np.load(file) as arrays:
        present = np.ones((len(arrays["trial"]), len(MODALITIES)), dtype=bool)
        return LabeledWindows(
            subject=subject, present=present, synthetic=True, **dict(arrays)
        )


def _trial(
    plan: SessionPlan,
    seed: int,
    subject: int,
    trial: int,
    tracker: FaceTracker,
    strangeness: float,
    held: int,
) -> list[tuple[object, ...]]:
    """The windows of one trial, each the values of `_COLUMNS`."""
    shown = {m: plan.expressed[m][trial - 1] for m in MODALITIES}
    cue = {m: plan.cue[m][trial - 1] for m in MODALITIES}
    who = (seed, subject, trial)
    recording = Recording(
        name=f"subject{subject} trial {trial:03d}",
        seconds=TRIAL_SECONDS,
        eeg_uv=trial_eeg(*who, shown["eeg"], cue["eeg"], strangeness),
        eeg_rate=float(RECORDED_RATE),
        channels=EEG_CHANNELS,
        audio=voice(*who, shown["audio"], cue["audio"], strangeness),
        audio_rate=float(SOUND_RATE),
        video=None,
    )
    tracker.reset()
    kept = []
    pictures = render_frames(
        *who, shown["video"], True, cue["video"], held * _STEP, strangeness
    )
    for i, picture in enumerate(pictures):
        found = tracker.update(picture, i * held * FRAME_PERIOD)
        times = (i * held + np.arange(held)) * FRAME_PERIOD
        kept += [replace(found, time=time) for time in times.tolist()]
    rows: list[tuple[object, ...]] = []
    for position, end in enumerate(window_ends(TRIAL_SECONDS)):
        inputs = prepare(cut(recording, kept, end), PreprocessSettings())
        parts = (inputs.eeg, inputs.log_mel, inputs.faces)
        rows.append((*parts, trial, position, int(plan.emotion[trial - 1])))
    return rows
