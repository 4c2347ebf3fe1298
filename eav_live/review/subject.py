"""A subject in EAV layout as a session that was recorded: its trials one after another.

Trial n begins at `TRIAL_STEP * (n - 1)` seconds, whichever files are there, so that
notes stay in their places. Nothing was recognized in it, and no faces were found.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from eav_live.review.estimates import Trial
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.window import FaceFrame
from eav_offline.data.eav.files import TRIAL_SECONDS
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.media import packet_times
from eav_offline.data.recording import Recording
from eav_offline.data.sessions.session import (
    FRAME_COLUMNS,
    FRAMES_NAME,
    Marker,
    Opening,
    SessionFile,
)
from eav_offline.data.sessions.xdf import XdfFile, XdfStream
from eav_offline.preprocess.face import FRAME_GAP_SECONDS, FaceTracker, FrameThinner

TRIAL_STEP = TRIAL_SECONDS + 1.0  # so that their ends are seen
_FRAME, _BEGINS = FRAME_COLUMNS.index("frame"), FRAME_COLUMNS.index("begins")


@dataclass(frozen=True)
class SubjectSession(SessionFile):
    """trials: in order. clips: the files of frames, by the number of their stream."""

    trials: tuple[Trial, ...] = ()
    clips: Mapping[int, Path] = field(default_factory=dict)

    def clip(self, opening: Opening) -> Path:
        return self.clips[opening.stream.number]


class FaceFinder:
    """Finds faces in the frames that are looked at, in whatever order."""

    def __init__(self) -> None:
        self._tracker = FaceTracker()
        self._last = -np.inf

    def __call__(self, image: np.ndarray, t: float) -> FaceFrame:
        """The frame (height, width, 3) uint8 RGB of the moment `t`, seconds."""
        if not 0 < t - self._last <= FRAME_GAP_SECONDS:
            self._tracker.reset()
        self._last = t
        # This picture, though the face may still be where it was in an earlier one.
        return replace(self._tracker.update(image, t), image=image)


def subject_session(path: Path) -> SubjectSession:
    """Read a subject, but for its pictures. Raises InputRefused."""
    subject = open_subject(path)
    about = {"eav_replay": "synthetic"} if subject.synthetic else {}
    openings: dict[str, list[Opening]] = {m: [] for m in MODALITIES}
    trials, markers, clips = [], [], {}
    for number in range(1, subject.n_trials + 1):
        recording = subject.recording(number)
        begin = TRIAL_STEP * (number - 1)
        assert recording.emotion is not None
        emotion = EMOTIONS[recording.emotion]
        trials.append(Trial(begin, begin + recording.seconds, emotion))
        said = {"trial": number, "task": recording.task, "emotion": emotion}
        markers.append(Marker(begin, json.dumps(said), "Trials"))
        for opening in _openings(recording, number, begin, about):
            openings[opening.modality].append(opening)
        if recording.video is not None:
            clips[number] = recording.video
    opened = {m: _counted(found) for m, found in openings.items()}
    streams = tuple(o.stream for found in opened.values() for o in found)
    return SubjectSession(
        file=XdfFile(path, streams, {}, truncated=False),
        settings={},
        person=subject.person,
        openings=opened,
        markers=markers,
        trials=tuple(trials),
        clips=clips,
    )


def _openings(
    recording: Recording, number: int, begin: float, about: Mapping[str, str]
) -> Iterator[Opening]:
    """What one trial has of each modality."""
    if recording.eeg_uv is not None:
        channels = tuple(Channel(name, "EEG", "uV") for name in recording.channels)
        montage = json.dumps(map_channels(channels).as_values())
        values, rate = recording.eeg_uv.T, recording.eeg_rate
        stamps = begin + np.arange(len(values)) / rate
        says = {**about, "eav_montage": montage}
        stream = XdfStream(
            number, "EEG", "EEG", rate, channels, values, stamps, about=says
        )
        yield Opening("eeg", stream, 0, values, stamps)
    if recording.audio is not None:
        values, rate = recording.audio[:, None], recording.audio_rate
        stamps = begin + np.arange(len(values)) / rate
        mono = (Channel("mono", "Audio"),)
        stream = XdfStream(
            number, "Voice", "Audio", rate, mono, values, stamps, about=about
        )
        yield Opening("audio", stream, 0, values, stamps)
    if recording.video is not None:
        times = np.array(packet_times(recording.video)[0])
        times -= times[:1].sum()
        within = times < recording.seconds
        thinner = FrameThinner()
        kept = np.flatnonzero([thinner.keep(t) for t in times[within].tolist()])
        rows = np.full((len(kept), len(FRAME_COLUMNS)), np.nan)  # no boxes
        rows[:, _FRAME], rows[:, _BEGINS] = kept, np.arange(len(kept)) == 0
        rows[:, FRAME_COLUMNS.index("found")] = 0
        # Of the stream all frames of the clip, in which the opening's have their index.
        stream = XdfStream(
            number, FRAMES_NAME, "Frames", 0.0, (), rows, begin + times, about=about
        )
        yield Opening("video", stream, 0, rows, begin + times[kept])


def _counted(openings: list[Opening]) -> list[Opening]:
    """Each says how much came before it."""
    before, found = 0, []
    for opening in openings:
        found.append(replace(opening, first=before))
        before += len(opening.stamps)
    return found
