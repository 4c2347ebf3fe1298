"""A recording at any moment `t`: its EEG, sound, frame and estimate, and what happened.

A subject in EAV layout is read as one too, see `eav_live.review.subject`.

    with SessionReader(find_recording(path)) as reader:
        reader.show(t)                # rings as the live panels read them
        reader.frames.at(t)
        reader.recorded.at(t)         # the newest estimate whose window had ended

`t` is on the recording's clock, seconds, from `begin` to `end`. XDF is read whole into
memory; frames stay on disk.
"""

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from eav_live.review.annotations import Annotations
from eav_live.review.estimates import (
    Lane,
    Trial,
    as_prediction,
    differences,
    labels_between,
)
from eav_live.review.frames import FindFace, FrameTrack
from eav_live.review.samples import EegTrack, SampleTrack, SoundTrack, Span
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.data.eav.files import scan_subject
from eav_offline.data.sessions.session import Marker, SessionFile, read_session

LOSS_SECONDS = 1.0  # at a stream's end: what is shorter is how recordings end
_NAMES = ("mark", "note", "label", "name", "text")  # of a marker, as JSON
_HOP = 0.5  # seconds, where the recording does not say


@dataclass(frozen=True)
class Loss:
    """A stretch in which a stream, of `MODALITIES`, brought nothing, seconds."""

    modality: str
    first: float
    last: float


@dataclass(frozen=True)
class Mark:
    """A moment with a name, from a marker stream or a note."""

    t: float
    text: str


class SessionReader:
    """A recorded session, read for review. Close it, or use it in a `with` statement.

    begin, end: seconds. eeg_fault: why the EEG cannot be shown, "" if it can. trials:
    of a subject, with their labels. faces: whether any were found when it was recorded.
    """

    def __init__(self, path: Path) -> None:
        """path: FILE.xdf, or a subject's folder in EAV layout.

        Raises InputRefused if it cannot be read or is empty.
        """
        self.path = path
        self.session, self.trials, find = _read(path)
        self.faces = find is None
        settings = self.session.settings
        model = settings.get("model")
        self.model: dict[str, object] = model if isinstance(model, dict) else {}
        self.hop = _hop(settings.get("hop_s"))
        openings = self.session.openings
        self.eeg_fault = ""
        try:
            self.eeg = EegTrack(openings["eeg"])
        except InputRefused as error:
            self.eeg, self.eeg_fault = EegTrack([]), str(error)
        self.sound = SoundTrack(openings["audio"])
        self.frames = FrameTrack(openings["video"], self.session.clip, find)
        self.recorded = Lane(
            [
                as_prediction(one, self.hop, self.demo)
                for one in self.session.predictions
            ],
            self.hop,
        )
        self.marks = [Mark(m.stamp, marker_text(m)) for m in self.session.markers]
        self.spans: dict[str, list[Span]] = {
            "eeg": self.eeg.spans(),
            "audio": self.sound.spans(),
            "video": self.frames.spans(),
        }
        self.begin, self.end = self._limits()
        self.losses = [loss for m in MODALITIES for loss in self._losses(m)]
        self.losses.sort(key=lambda loss: loss.first)
        self.annotations = Annotations(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def demo(self) -> bool:
        """Whether the model that was used knows synthetic people only."""
        return bool(self.model.get("demo"))

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions that the model could tell."""
        said = self.model.get("knows")
        known = tuple(e for e in EMOTIONS if isinstance(said, list) and e in said)
        return known or EMOTIONS

    @property
    def model_name(self) -> str:
        """What the model was called; "" if nothing was recognized."""
        return str(self.model.get("name") or "")

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.end - self.begin

    @property
    def has_truth(self) -> bool:
        """Whether it is known what any of it was labeled."""
        return bool(self.trials) or self.recorded.has_truth

    def truths(self, edges: np.ndarray) -> np.ndarray:
        """Index (n,) of the emotion labeled between edges (n + 1,); -1 for none."""
        if self.trials:
            return labels_between(self.trials, edges)
        return self.recorded.truths(edges)

    def trial_at(self, t: float) -> int | None:
        """Which trial a window that ends at `t` is of, counted from 0; None of none."""
        begins = [trial.begin for trial in self.trials]
        number = bisect_left(begins, t) - 1
        if number < 0 or t > self.trials[number].end + 1e-6:
            return None
        return number

    def show(self, t: float) -> None:
        """Bring the rings of `eeg` and `sound` to the moment `t`."""
        for track in self._tracks.values():
            track.show(t)

    def untrue(self) -> list[Span]:
        """When the recorded decision was not the label of the replayed trial."""
        said = self.recorded.estimates
        labels, truths = [p.label for p in said], [p.truth for p in said]
        return differences(self.recorded, labels, truths)

    def close(self) -> None:
        """Let go of the files of frames."""
        self.frames.close()

    @property
    def _tracks(self) -> dict[str, SampleTrack]:
        return {"eeg": self.eeg, "audio": self.sound}

    def _limits(self) -> Span:
        edges = [t for spans in self.spans.values() for span in spans for t in span]
        edges += self.recorded.times.tolist() + [mark.t for mark in self.marks]
        edges += [trial.end for trial in self.trials]
        if not edges and self.eeg_fault:
            raise InputRefused(f"{self.path} cannot be shown: {self.eeg_fault}")
        if not edges:
            raise InputRefused(
                f"{self.path} holds no EEG, sound, frames, estimates or markers; give "
                "a recording of eav-live --record or of LabRecorder"
            )
        return min(edges), max(edges)

    def _losses(self, modality: str) -> list[Loss]:
        spans = self.spans[modality]
        if not spans or self.trials:  # between trials nothing is lost
            return []
        edges = [*spans, (self.end, self.end)]
        found = [
            Loss(modality, before[1], after[0])
            for before, after in zip(edges[:-1], edges[1:], strict=True)
        ]
        if found[-1].last - found[-1].first <= LOSS_SECONDS:
            found.pop()
        return found


def find_recording(path: Path) -> Path:
    """FILE.xdf itself or the only one in a folder, or a subject's folder itself.

    Raises InputRefused.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.xdf"))
    if len(found) == 1:
        return found[0]
    laid_out = scan_subject(path)
    if not found and (laid_out.eeg or laid_out.labels):  # whole or not
        return path.resolve()  # "." has no name, which notes beside it need
    names = ", ".join(one.name for one in found[:5]) or "none"
    raise InputRefused(
        f"{path} holds {len(found)} recordings ({names}); name one FILE.xdf, or the "
        "folder of a subject in EAV layout"
    )


def marker_text(marker: Marker) -> str:
    """A marker in a few words: what it says of itself, or its text."""
    said = marker.as_object()
    parts = [
        str(said[key]).replace("_", " ")
        for key in ("event", "trial", "task", "emotion", *_NAMES)
        if said.get(key) is not None
    ]
    return " ".join(parts) or marker.text


def _read(path: Path) -> tuple[SessionFile, tuple[Trial, ...], FindFace | None]:
    if not path.is_dir():
        return read_session(path), (), None
    from eav_live.review.subject import FaceFinder, subject_session  # torch

    session = subject_session(path)
    return session, session.trials, FaceFinder()


def _hop(value: object) -> float:
    good = isinstance(value, int | float) and np.isfinite(value) and value > 0
    return float(value) if good else _HOP  # type: ignore[arg-type]
