"""Trials as a live session's gates see them, one after another, and what is left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from eav_live.windows.cut import Rings
from eav_live.windows.quality import QualityWatch
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.window import N_CHANNELS, FaceFrame
from eav_offline.data.recording import Recording, cut
from eav_offline.preprocess import Inputs, prepare

ENDS = np.arange(7.5, 20.1, 2.5)  # seconds, of a trial's windows
PARTS = {"eeg": "eeg", "audio": "log_mel", "video": "faces"}  # of `Inputs`
_LOOKS_SECONDS = 1.0  # between two looks of the gates, as live


@dataclass(frozen=True)
class Trial:
    """A spoken trial as it came in, with the faces that were found in it."""

    recording: Recording
    faces: list[FaceFrame]
    person: int

    @property
    def emotion(self) -> int:
        """Its class."""
        assert self.recording.emotion is not None
        return self.recording.emotion


def there(window: Inputs) -> tuple[str, ...]:
    """The modalities that a window has."""
    return tuple(m for m, part in PARTS.items() if getattr(window, part) is not None)


def gated_windows(
    trial: Trial,
    checkpoint: Checkpoint,
    watch: QualityWatch | None,
    begin: float,
    only: tuple[str, ...],
) -> Iterator[Inputs]:
    """What a live session makes of a trial at `ENDS`, prepared.

    watch: the gates of the session, of which the trial begins at `begin`, s; None
    without any. only: modalities that there are at all.
    """
    rings = rings_of(trial, begin)
    for t in np.arange(_LOOKS_SECONDS, ENDS[-1] + 1e-6, _LOOKS_SECONDS / 2):
        judged = watch.judge(rings, begin + float(t)) if watch else {}
        if not np.isclose(ENDS, t).any():
            continue
        bad = {m for m, quality in judged.items() if not quality.good}
        raw = cut(trial.recording, trial.faces, float(t))
        yield prepare(
            replace(
                raw,
                eeg_uv=raw.eeg_uv if "eeg" in only and "eeg" not in bad else None,
                audio=raw.audio if "audio" in only and "audio" not in bad else None,
                frames=raw.frames if "video" in only and "video" not in bad else None,
            ),
            checkpoint.preprocess,
        )


def rings_of(trial: Trial, begin: float = 0.0) -> Rings:
    """The trial in rings, from `begin` on, which are asked for what lies before."""
    there = trial.recording
    assert there.eeg_uv is not None
    assert there.audio is not None
    eeg = SampleRing(there.eeg_rate, N_CHANNELS, 30.0)
    times = begin + np.arange(there.eeg_uv.shape[1]) / there.eeg_rate
    eeg.extend(times, there.eeg_uv.T)
    audio = SampleRing(there.audio_rate, 1, 30.0)
    times = begin + np.arange(len(there.audio)) / there.audio_rate
    audio.extend(times, there.audio[:, None])
    video = FrameRing(30.0)
    for i, face in enumerate(trial.faces):
        video.append(replace(face, time=begin + face.time), i == 0)
    return Rings(eeg, audio, video)
