"""The dashboard's panels at one moment of a recording."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from eav_live.recognition.predictions import Prediction
from eav_live.review.reader import SessionReader
from eav_live.ui.panels.card import Card, fill
from eav_live.ui.panels.emotion_view import EmotionView
from eav_live.ui.panels.face_view import FaceView
from eav_live.ui.panels.sound_view import SoundView
from eav_live.ui.panels.traces import TracesView
from eav_live.ui.words import emotion_name, later, said, stream_name, tr

if TYPE_CHECKING:
    from eav_live.review.anew import AnewResult

_LOST = later("nothing came at this moment")


class MomentView(QWidget):
    """EEG, face, voice and estimate.

    anew: what another model said, if it was asked. foremost: that is shown, and what
    was recorded is mentioned where it differs.
    """

    def __init__(self, reader: SessionReader) -> None:
        super().__init__()
        self._reader = reader
        self.anew: AnewResult | None = None
        self.foremost = False
        self.traces, self.sound, self.face = TracesView(), SoundView(), FaceView()
        self.face.picture.setToolTip("")
        self.emotion = EmotionView(reader.knows)
        self.cards: tuple[Card, ...] = (
            *(self.traces, self.sound, self.face),
            self.emotion,
        )
        self._senses = fill(QVBoxLayout(), (self.face, 50), (self.sound, 50))
        parts = ((self.traces, 42), (self._senses, 24), (self.emotion, 34))
        self._row = fill(QHBoxLayout(self), *parts, margins=False)
        self._name_absent()

    def show_moment(self, t: float, jumped: bool) -> None:
        """Show the moment `t`, seconds. jumped: it does not follow the one before."""
        reader = self._reader
        reader.show(t)
        estimate = reader.recorded.at(t)
        interpolated = () if estimate is None else estimate.interpolated
        self.traces.refresh(reader.eeg.ring, interpolated, t)
        self.sound.refresh(reader.sound.ring, t)
        if jumped and reader.sound.ring is not None:
            self.sound.settle()
        lost = {loss.modality for loss in reader.losses if loss.first < t < loss.last}
        self.traces.set_quality({}, tr(_LOST) if "eeg" in lost else "")
        self.sound.set_note(tr(_LOST) if "audio" in lost else "")
        self._show_frame(t)
        self._show_estimate(t, estimate)

    def set_scale(self, scale: float) -> None:
        for card in self.cards:
            card.set_scale(scale)
        self._row.setSpacing(round(9 * scale))
        self._senses.setSpacing(round(9 * scale))

    def lay_out(self, large: bool) -> None:
        """Put the panels beside each other, or where letters are large below."""
        way = QBoxLayout.Direction
        self._row.setDirection(way.BottomToTop if large else way.LeftToRight)
        self._senses.setDirection(way.LeftToRight if large else way.TopToBottom)
        for k, share in enumerate((46, 22, 28) if large else (42, 24, 34)):
            self._row.setStretch(k, share)

    def _show_frame(self, t: float) -> None:
        if not self._reader.spans["video"]:
            return
        frame = self._reader.frames.at(t)
        if frame is not None:
            self.face.picture.show_frame(frame)
        self.face.set_message("" if frame is not None else tr("no frame here"))

    def _show_estimate(self, t: float, recorded: Prediction | None) -> None:
        other = None if self.anew is None else self.anew.lane.at(t)
        shown, beside, who = recorded, other, tr("anew")
        name, self.emotion.panel.knows = tr("as recorded"), self._reader.knows
        if self.foremost and self.anew is not None:
            shown, beside, who = other, recorded, tr("recorded")
            name = tr("anew by {model}", model=self.anew.model)
            self.emotion.panel.knows = self.anew.knows
        if shown is None:
            self.emotion.panel.show_waiting(self._waiting())
        else:
            self.emotion.panel.show_prediction(shown)
        self.emotion.legend.setText(name)
        note = ""
        if shown is not None and beside is not None and shown.label != beside.label:
            told = tr("No estimate")
            if beside.label is not None:
                told = emotion_name(beside.label)
            note = f"{who}: {told}"
        self.emotion.set_note(note)

    def _waiting(self) -> str:
        if self.anew is None and not self._reader.recorded.estimates:
            return tr("Nothing was recognized\nR recognizes it now")
        return tr("No estimate at this moment")

    def _name_absent(self) -> None:
        cards = {"eeg": self.traces, "audio": self.sound, "video": self.face}
        for modality, card in cards.items():
            if not self._reader.spans[modality]:
                why = self._reader.eeg_fault if modality == "eeg" else ""
                text = tr("{name}: not in this recording", name=stream_name(modality))
                card.set_message(f"{text}\n{said(why)}".rstrip())
