"""Which devices a session is to have: live lists, and what is wrong with each.

Another process looks for them, so that no driver can hold up the window.
"""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QProcess, Qt, Signal
from PySide6.QtGui import QImage, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton

from eav_live.options import SessionOptions
from eav_live.options.config import EegStream, LiveConfig
from eav_live.options.presets import save_preset
from eav_live.streams.mapping import mapping_settings
from eav_live.ui.offers import (
    camera_choices,
    eeg_choices,
    file_choices,
    lsl_choices,
    microphone_choices,
    off,
)
from eav_live.ui.panels.card import button, fill, label
from eav_live.ui.panels.choices import ChoiceCard
from eav_live.ui.panels.electrodes_card import ElectrodesCard
from eav_live.ui.panels.file_card import FileCard
from eav_live.ui.panels.flow import ElidedLabel, Flow
from eav_live.ui.window import SessionWindow
from eav_live.ui.words import later, said, tr
from eav_offline.common.errors import InputRefused

_TICK_SECONDS = 1.0
_HEIGHT = 240  # pixels of the lists at scale 1, where letters are large
_COMMAND = "from eav_live.cli import main; main(['devices', '--watch'])"
_HINT = later("Tab and arrows choose")
_MEDIA = later(
    "Sound and pictures (*.mp4 *.mov *.mkv *.avi *.webm *.mpg *.wav *.flac *.mp3 *.m4a)"
)
_NOTHING: Mapping[str, Any] = {
    **{"streams": [], "microphones": [], "cameras": []},
    **{"microphones_error": "", "cameras_error": ""},
}  # before it has been looked


class PickerPage(SessionWindow):
    """session: options of the one to open. left: back to where it came from.

    model: None is the embedded one. command: of the process that looks.
    """

    session = Signal(object)
    left = Signal()

    def __init__(
        self, model: Path | None = None, command: list[str] | None = None
    ) -> None:
        super().__init__(tr("EAV-Live: devices"))
        self.model = model
        self._found: Mapping[str, Any] = _NOTHING
        self._asked: Mapping[str, Any] = {}  # the stream whose electrodes are asked for
        self._files: list[Mapping[str, Any]] = []
        self._places: dict[str, dict[str, int]] = {}  # of streams that were mapped
        self._settings: dict[str, dict[str, Any]] = {}  # what that has a session read
        self._listening: int | None = None
        self._watching: str | None = None
        self._make_parts()
        self._lay_out()
        self._keys: list[QShortcut] = [
            self.bind(key, action)
            for key, action in (
                ("Return", self._enter),
                ("Enter", self._enter),
                ("S", self.save.click),
                ("E", self.electrodes.click),
                ("F", self.file.click),
                ("Esc", self._back),
            )
        ]
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._lost)
        program = command or [sys.executable, "-c", _COMMAND]
        self._process.start(program[0], program[1:])
        self._begin(_TICK_SECONDS)
        self.eeg.list.setFocus()

    @property
    def options(self) -> SessionOptions:
        """What is chosen now."""
        stream = self.eeg.chosen.option
        mapping = dict(self._settings.get(stream, {}))
        max_missing = mapping.pop("max_missing", None)
        return SessionOptions(
            eeg_stream=stream,
            audio=self.voice.chosen.option,
            video=self.face.chosen.option,
            model=self.model,
            max_missing=max_missing,
            config=LiveConfig(eeg=EegStream(**mapping)),
        )

    def refresh(self) -> None:
        """See `SessionWindow`."""

    def tell(self, words: str) -> None:
        """Say what could not be used."""
        self.why.setText(said(words))

    def show_found(self, found: Mapping[str, Any]) -> None:
        """Bring the lists up to date with what `eav-live devices --watch` said."""
        if "microphone" in found:
            self.voice.set_level(found.get("level_db"), said(found.get("fault", "")))
        elif "video" in found:
            self._show_picture(found)
        elif "file" in found:
            self._show_file(found)
        else:
            self._found = found
            self._show_lists()
            self.status.setText(tr(_HINT))

    def _show_lists(self) -> None:
        found, files = self._found, self._files
        streams = [self._as_mapped(stream) for stream in found["streams"]]
        self.eeg.show_choices([off(), *eeg_choices(streams)])
        voices = microphone_choices(found["microphones"])
        voices += lsl_choices(streams, "audio") + file_choices(files, "voice")
        self.voice.show_choices([off(), *voices], said(found["microphones_error"]))
        faces = camera_choices(found["cameras"]) + lsl_choices(streams, "videoraw")
        faces += file_choices(files, "face")
        self.face.show_choices([off(), *faces], said(found["cameras_error"]))
        self._judge()

    def _as_mapped(self, stream: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is known of a stream, unless it was mapped otherwise meanwhile."""
        wanted = self._settings.get(stream["handle"])
        if wanted == stream["mapping"]:
            return stream
        return {**stream, "electrodes": None, "fault": "", "notice": ""}

    def _show_picture(self, found: Mapping[str, Any]) -> None:
        if found["video"] == self._watching:  # and not the one before
            data = base64.b64decode(found["jpeg"])
            image = QImage.fromData(data) if data else None
            self.face.show_picture(image, said(found["fault"]))

    def _show_file(self, found: Mapping[str, Any]) -> None:
        self._files = [f for f in self._files if f["file"] != found["file"]] + [found]
        self._show_lists()
        for card, fault in ((self.voice, found["voice"]), (self.face, found["face"])):
            if not fault or found["voice"] and found["face"]:
                card.choose(f"file:{found['file']}")

    def _make_parts(self) -> None:
        self.eeg = ChoiceCard(
            "EEG", [off()], tr("No EEG stream is seen on the network")
        )
        self.voice = ChoiceCard(tr("Voice"), [off()], tr("No microphone is seen"))
        self.face = ChoiceCard(tr("Face"), [off()], tr("No camera is seen"))
        self.cards = (self.eeg, self.voice, self.face)
        for card in self.cards:
            card.changed.connect(self._judge)
        self.status = ElidedLabel(tr("Looking for devices\u2026"))
        self.why = label("", "warning")
        self.why.setWordWrap(True)
        about = tr("Model: the embedded one, which reads voice and face, no EEG")
        if self.model is not None:
            about = tr("Model: {name}", name=self.model.name)
        self.about = label(about)
        self.about.setWordWrap(True)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("name of the preset, then Enter"))
        self.name.setAccessibleName(tr("Name of the preset"))
        self.name.hide()
        self.files = FileCard(self)
        self.mapping = ElectrodesCard(self)
        self.mapping.mapped.connect(self._map)
        for asked in (self.files, self.mapping):
            asked.asking.connect(self._give_keys)
        self.electrodes = _words(tr("Electrodes (E)"), self._ask_for_electrodes)
        self.electrodes.setEnabled(False)
        self.file = _words(tr("A file (F)"), self._ask_for_file)
        self.start = _words(tr("Start (Enter)"), self._start)
        self.save = _words(tr("Save as a preset (S)"), self._ask_for_name)
        self.back = _words(tr("Back (Esc)"), self._back)
        self.start.setEnabled(False)

    def _lay_out(self) -> None:
        self._columns = QHBoxLayout()
        for card in self.cards:
            self._columns.addWidget(card, 1)
        buttons = (self.start, self.electrodes, self.file, self.save)
        last = (self.name, self.back, (self.status, 1))
        self._buttons = fill(Flow(), *buttons, *last)
        heading = label(tr("Which devices?"), "heading")
        rows = (heading, self.about, (self._columns, 1), self.why, self._buttons)
        self._rows = fill(self._column(), *rows)

    def _rescale(self, scale: float) -> None:
        margin = round(20 * scale)
        self._rows.setContentsMargins(margin, margin, margin, margin)
        for layout in (self._rows, self._columns, self._buttons):
            layout.setSpacing(round(12 * scale))
        for card in (*self.cards, self.files, self.mapping):
            card.set_scale(scale)
        for card in self.cards:
            card.setMinimumHeight(round(_HEIGHT * scale) if self.large else 0)
        self.name.setFixedWidth(round(260 * scale))

    def _judge(self) -> None:
        """Whether a session can be opened with what is chosen; listen to the voice."""
        bad = [card for card in self.cards if card.chosen.fault]
        faults = [
            tr("{name}: {choice} cannot be used.", name=c.name, choice=c.chosen.title)
            for c in bad
        ]
        if all(card.chosen.option == "none" for card in self.cards):
            faults = [tr("Choose at least one stream or device.")]
        self.why.setText("   ".join(faults))
        self.start.setEnabled(not faults)
        self.save.setEnabled(not faults)
        self.electrodes.setEnabled(bool(self._chosen_stream().get("labels")))
        self._listen()
        self._watch()

    def _chosen_stream(self) -> Mapping[str, Any]:
        """What is known of the EEG stream that is chosen; nothing of none."""
        option = self.eeg.chosen.option
        return next((s for s in self._found["streams"] if s["handle"] == option), {})

    def _listen(self) -> None:
        microphone = self.voice.chosen.microphone
        if microphone != self._listening:
            self._listening = microphone
            self.voice.set_level(None, "")
            self._ask(microphone)

    def _watch(self) -> None:
        chosen = self.face.chosen
        watched = chosen.option if chosen.seen and not chosen.fault else None
        if watched != self._watching:
            self._watching = watched
            self.face.show_picture(None)
            self._ask({"show": watched})

    def _ask(self, what: object) -> None:
        """Have the other process do something."""
        self._process.write(f"{json.dumps(what)}\n".encode())

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                found = json.loads(line)
            except ValueError:
                continue  # no line of ours: a driver said something
            self.show_found(found)

    def _lost(self) -> None:
        heard = bytes(self._process.readAllStandardError().data()).decode(
            errors="replace"
        )
        last = (heard.strip().splitlines() or [tr("it gave no reason")])[-1]
        self.status.setText(
            tr("Devices are no longer looked for: {why}", why=said(last))
        )

    def _start(self) -> None:
        try:
            options = self.options
        except InputRefused as refusal:  # a file that has gone since
            self.tell(str(refusal))
            return
        self._stop()  # lets go of the microphone before the session wants it
        self.session.emit(options)

    def _enter(self) -> None:
        if self.name.isVisible():
            self._keep()
        else:
            self.start.click()

    def _ask_for_name(self) -> None:
        self.name.show()
        self.name.setFocus()

    def _keep(self) -> None:
        name = self.name.text().strip()
        try:
            save_preset(name, self.options)
        except (InputRefused, OSError) as error:
            text = said(str(error))
            self.why.setText(text.replace("--save-preset ", tr("The name ")))
            return
        self.name.hide()
        self.eeg.list.setFocus()
        self.status.setText(
            tr("Kept as {name}: it is on the start page from now on.", name=name)
        )

    def _ask_for_electrodes(self) -> None:
        self._asked = stream = self._chosen_stream()
        before = self._places.get(stream["handle"])
        title = tr("Which channel of {name} is which electrode?", name=stream["name"])
        self.mapping.ask(title, stream["labels"], before)

    def _map(self, places: dict[str, int]) -> None:
        stream = self._asked  # also if it has gone and another is chosen meanwhile
        handle = stream["handle"]
        self._places[handle] = places
        self._settings[handle] = mapping_settings(stream["labels"], places)
        self._ask({"map": handle, "settings": self._settings[handle]})
        self._show_lists()

    def _ask_for_file(self) -> None:
        self.files.ask(
            tr("A file in place of devices"),
            tr(_MEDIA),
            lambda path: self._ask({"file": str(path)}),
        )

    def _give_keys(self, away: bool) -> None:
        """Leave the keys to what lies over the page, or take them back."""
        for key in self._keys:
            key.setEnabled(not away)

    def _back(self) -> None:
        if self.name.isVisible():
            self.name.hide()
            self.eeg.list.setFocus()
        else:
            self.left.emit()

    def _stop(self) -> None:
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._process.finished.disconnect(self._lost)
            self._process.closeWriteChannel()
            if not self._process.waitForFinished(300):
                self._process.kill()
                self._process.waitForFinished(1000)

    def _end(self) -> None:
        self._stop()


def _words(text: str, action: Any) -> QPushButton:
    made = button(text, action)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made
