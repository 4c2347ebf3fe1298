"""A small recording to be reviewed, all of which is known: see `write_recording`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from recorded import (
    T0,
    FakeSession,
    audio_arrival,
    eeg_arrival,
    frame_arrival,
    recorder,
)

from eav_live.recognition.predictions import Prediction, StreamState
from eav_offline.core.labels import EMOTIONS, MODALITIES

SECONDS = 12.0
EEG_RATE, SOUND_RATE = 250.0, 4000.0
GAP = (T0 + 7.0, T0 + 8.0)  # in the EEG and the sound
HOP = 0.5


@dataclass(frozen=True)
class Recorded:
    """path: FILE.xdf. eeg_uv: (30, n). sound: (n,). said: the estimates, in order."""

    path: Path
    eeg_uv: np.ndarray
    sound: np.ndarray
    frame_times: np.ndarray
    said: tuple[Prediction, ...]


def estimate(t: float, number: int, **more: object) -> Prediction:
    """One whose probabilities no other has."""
    p = np.random.default_rng(number).dirichlet(np.ones(5))
    label = EMOTIONS[int(p.argmax())]
    states = dict.fromkeys(MODALITIES, StreamState.LIVE)
    more = {"truth": "anger" if number > 6 else None, "backend": "eager", **more}
    alone = {"eeg": p, "audio": None, "video": p}
    reasons = {"audio": "no speech"}
    return Prediction(
        t,
        p,
        p,
        alone,
        ("eeg", "video"),
        states,
        label,
        age_s=0.1 + number / 1000,
        infer_s=0.05,
        hop_s=HOP,
        reasons=reasons,
        **more,  # type: ignore[arg-type]
    )


def gray(number: int) -> int:
    """How bright the frame of that number is."""
    return 3 * number + 10


def write_recording(path: Path, estimates: bool = True) -> Recorded:
    """Twelve seconds of noise, with a second lost, frames, estimates and markers."""
    rng = np.random.default_rng(5)
    eeg = rng.normal(0, 20, (30, round(SECONDS * EEG_RATE))).astype("f4")
    sound = rng.uniform(-0.5, 0.5, round(SECONDS * SOUND_RATE)).astype("f4")
    frame_times = T0 + np.arange(0, SECONDS, 0.2)
    said = tuple(
        estimate(T0 + t, number)
        for number, t in enumerate(np.arange(5.0, SECONDS, HOP).tolist())
    )
    session = FakeSession()
    settings = {
        "model": {"name": "tester", "knows": list(EMOTIONS), "demo": True},
        "hop_s": HOP,
        "smoothing_s": 0.0,
    }
    with recorder(path, session, settings) as made:
        for number, t in enumerate(frame_times.tolist()):
            image = np.full((48, 64, 3), gray(number), np.uint8)
            session.sources["video"].offer(frame_arrival(image, t, number == 0))
        for first, last in ((T0, GAP[0]), (GAP[1], T0 + SECONDS)):
            part = _part(first, last, EEG_RATE)
            session.sources["eeg"].offer(eeg_arrival(eeg[:, part], first, EEG_RATE))
            part = _part(first, last, SOUND_RATE)
            session.sources["audio"].offer(
                audio_arrival(sound[part], first, SOUND_RATE)
            )
        made.mark({"event": "trial_start", "trial": 1, "emotion": "Anger"}, T0 + 2)
        made.mark({"event": "trial_end", "trial": 1, "emotion": "Anger"}, T0 + 10)
        for one in said if estimates else ():
            session.say(one)
    return Recorded(path, eeg, sound, frame_times, said)


def _part(first: float, last: float, rate: float) -> slice:
    return slice(round((first - T0) * rate), round((last - T0) * rate))
