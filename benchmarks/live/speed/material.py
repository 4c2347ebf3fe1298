"""What a speed bench recognizes: the demo's person without pauses, or real recordings.

Everything is held in memory, so that the same windows can be recognized in several
ways, one after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np

from benchmarks.offline.prepare import kept_frames
from eav_live.replay.files import recording_from_files
from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.data.recording import Recording

_LONGEST_CLIP = 20.0  # seconds; pictures are held unpacked, 4.6 MB a second at 640x480
_MISSING = 30 - 19  # electrodes that a recording may lack; they are interpolated
SEGMENT_SECONDS = 12.0  # of each trial: a window, the change, and time to follow it
CHUNK_SECONDS = 0.02  # in which samples come, as from most amplifiers


@dataclass(frozen=True)
class Material:
    """Streams without a gap that begin together; times count from there, seconds.

    eeg_uv: (30, samples) float32 µV; interpolated: electrodes that were computed.
    audio: (samples,) float32. frames: time and (height, width, 3) uint8 RGB of the
    frames that a session keeps, five a second.
    course: when each emotion begins, and which (an index into `EMOTIONS`). All repeat
    after `seconds`.
    """

    name: str
    seconds: float
    eeg_uv: np.ndarray
    eeg_rate: float
    audio: np.ndarray
    audio_rate: float
    frames: tuple[tuple[float, np.ndarray], ...]
    interpolated: tuple[str, ...] = ()
    course: tuple[tuple[float, int], ...] = ()

    @property
    def changes(self) -> tuple[tuple[float, int], ...]:
        """When another emotion begins, and which."""
        return self.course[1:]


def demo_material(subject: Path) -> Material:
    """The Speaking trials of the demo's person, one of each emotion, without pauses.

    12 s of each at a time, in an order in which every emotion follows every other once:
    20 changes in 252 s.
    """
    from eav_offline.data.eav.subject import open_subject

    person = open_subject(subject)
    parts: dict[int, Recording] = {}
    for trial in person.trials("speaking"):
        recording = person.recording(trial)
        if recording.emotion is not None:
            parts.setdefault(recording.emotion, recording)
    if len(parts) < N_EMOTIONS:
        raise InputRefused(
            f"{subject} has Speaking trials of {len(parts)} emotions; one of each of "
            f"{', '.join(EMOTIONS)} is needed"
        )
    pictures = {emotion: _kept_frames(part) for emotion, part in parts.items()}
    order = every_change(sorted(parts))
    first = parts[order[0]]
    frames = [
        (i * SEGMENT_SECONDS + at, image)
        for i, emotion in enumerate(order)
        for at, image in pictures[emotion]
    ]
    eeg_uv = {e: one.eeg_uv for e, one in parts.items() if one.eeg_uv is not None}
    audio = {e: one.audio for e, one in parts.items() if one.audio is not None}
    # The first 12 s; every trial of EAV has 20.
    n_eeg = round(SEGMENT_SECONDS * first.eeg_rate)
    n_audio = round(SEGMENT_SECONDS * first.audio_rate)
    return Material(
        name="the demo's synthetic person, without pauses",
        seconds=len(order) * SEGMENT_SECONDS,
        eeg_uv=np.concatenate([eeg_uv[e][:, :n_eeg] for e in order], axis=1),
        eeg_rate=first.eeg_rate,
        audio=np.concatenate([audio[e][:n_audio] for e in order]),
        audio_rate=first.audio_rate,
        frames=tuple(frames),
        course=tuple((i * SEGMENT_SECONDS, e) for i, e in enumerate(order)),
    )


def recorded_material(eeg: Path, media: Path) -> Material:
    """Real recordings: EEG that MNE reads beside a video with sound, both repeated.

    Electrodes that the EEG lacks are interpolated. Raises ReplayRefused or InputRefused
    if one of the three streams is missing.
    """
    recording, kinds = recording_from_files(eeg, media, loop=True)
    uv, audio, rate = recording.eeg_uv, recording.audio, recording.eeg_rate
    if uv is None or audio is None or recording.video is None:
        raise InputRefused(
            f"{eeg} and {media} do not hold EEG, sound and pictures together; give "
            "--media a video with sound"
        )
    channels = [
        Channel(label, kind, "microvolts")
        for label, kind in zip(recording.channels, kinds, strict=True)
    ]
    montage = map_channels(channels, max_missing=_MISSING, stream=str(eeg))
    ends = (len(audio) / recording.audio_rate, uv.shape[1] / rate, _LONGEST_CLIP)
    seconds = min(ends)
    return Material(
        name=recording.name,
        seconds=seconds,
        eeg_uv=np.ascontiguousarray(montage.apply(uv.T).T[:, : round(seconds * rate)]),
        eeg_rate=rate,
        audio=audio[: round(seconds * recording.audio_rate)],
        audio_rate=recording.audio_rate,
        frames=tuple(_kept_frames(recording, seconds)),
        interpolated=montage.interpolated,
    )


def every_change(emotions: Sequence[int]) -> list[int]:
    """An order in which each of `emotions` follows each other exactly once.

    An Eulerian circuit (Hierholzer) of the graph whose edges are the changes.
    """
    ways = {a: [b for b in emotions if b != a] for a in emotions}
    path, order = [emotions[0]], []
    while path:
        if ways[path[-1]]:
            path.append(ways[path[-1]].pop())
        else:
            order.append(path.pop())
    return order[::-1]


def _kept_frames(
    recording: Recording, seconds: float = SEGMENT_SECONDS
) -> list[tuple[float, np.ndarray]]:
    assert recording.video is not None
    timed = ((at, image) for at, image, _ in kept_frames(recording.video))
    return list(takewhile(lambda one: one[0] < seconds - 1e-6, timed))
