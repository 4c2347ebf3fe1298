"""Which devices a session is to have: live lists, and what is wrong with each.

Another process looks for them, so that no driver can hold up the window.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QProcess, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from eav_live.options import SessionOptions
from eav_live.presets import save_preset
from eav_live.ui.panels.card import ElidedLabel, label
from eav_live.ui.panels.choices import Choice, ChoiceCard
from eav_live.ui.window import SessionWindow
from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused

_TICK_SECONDS = 1.0
_COMMAND = "from eav_live.cli import main; main(['devices', '--watch'])"
OFF = Choice("none", "None", "this is left out")
_HINT = "Tab, arrows: choose     Enter: start     S: save as a preset     Esc: back"


class PickerPage(SessionWindow):
    """session: options of the one to open. left: back to where it came from.

    model: None is the embedded one. command: of the process that looks.
    """

    session = Signal(object)
    left = Signal()

    def __init__(
        self, model: Path | None = None, command: list[str] | None = None
    ) -> None:
        super().__init__("EAV-Live: devices")
        self.model = model
        self._microphones: list[dict[str, Any]] = []
        self._listening: int | None = None
        self._make_parts()
        self._lay_out()
        for key in ("Return", "Enter"):
            self.bind(key, self._enter)
        self.bind("S", self.save.click)
        self.bind("Esc", self._back)
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
        return SessionOptions(
            eeg_stream=self.eeg.chosen.option,
            audio=self.voice.chosen.option,
            video=self.face.chosen.option,
            model=self.model,
        )

    def refresh(self) -> None:
        """See `SessionWindow`."""

    def tell(self, words: str) -> None:
        """Say what could not be used."""
        self.why.setText(words)

    def show_found(self, found: Mapping[str, Any]) -> None:
        """Bring the lists up to date with what `eav-live devices --watch` said."""
        if "microphone" in found:
            self.voice.set_level(found.get("level_db"), found.get("fault", ""))
            return
        streams, self._microphones = found["streams"], found["microphones"]
        self.eeg.show_choices([OFF, *eeg_choices(streams)])
        voices = microphone_choices(self._microphones) + lsl_choices(streams, "audio")
        self.voice.show_choices([OFF, *voices], found["microphones_error"])
        faces = camera_choices(found["cameras"]) + lsl_choices(streams, "videoraw")
        self.face.show_choices([OFF, *faces])
        self.status.setText(_HINT)
        self._judge()

    def _make_parts(self) -> None:
        self.eeg = ChoiceCard("EEG", [OFF], "No EEG stream is seen on the network")
        self.voice = ChoiceCard("Voice", [OFF], "No microphone is seen")
        self.face = ChoiceCard("Face", [OFF], "No camera is seen")
        self.cards = (self.eeg, self.voice, self.face)
        for card in self.cards:
            card.changed.connect(self._judge)
        self.status = ElidedLabel("Looking for devices\u2026")
        self.why = label("", "warning")
        self.why.setWordWrap(True)
        name = "the embedded one" if self.model is None else self.model.name
        self.about = label(
            f"Model: {name}"
            + (", which reads voice and face, no EEG" if self.model is None else "")
        )
        self.name = QLineEdit()
        self.name.setPlaceholderText("name of the preset, then Enter")
        self.name.setAccessibleName("Name of the preset")
        self.name.hide()
        self.start = _words("Start (Enter)", self._start)
        self.save = _words("Save as a preset (S)", self._ask_for_name)
        self.back = _words("Back (Esc)", self._back)
        self.start.setEnabled(False)

    def _lay_out(self) -> None:
        self._columns = QHBoxLayout()
        for card in self.cards:
            self._columns.addWidget(card, 1)
        self._buttons = QHBoxLayout()
        for part in (self.start, self.save, self.name, self.back):
            self._buttons.addWidget(part)
        self._buttons.addWidget(self.status, 1)
        self._rows = QVBoxLayout(self)
        self._rows.addWidget(label("Which devices?", "heading"))
        self._rows.addWidget(self.about)
        self._rows.addLayout(self._columns, 1)
        self._rows.addWidget(self.why)
        self._rows.addLayout(self._buttons)

    def _rescale(self, scale: float) -> None:
        margin = round(20 * scale)
        self._rows.setContentsMargins(margin, margin, margin, margin)
        for layout in (self._rows, self._columns, self._buttons):
            layout.setSpacing(round(12 * scale))
        for card in self.cards:
            card.set_scale(scale)
        self.name.setFixedWidth(round(260 * scale))

    def _judge(self) -> None:
        """Whether a session can be opened with what is chosen; listen to the voice."""
        bad = [card for card in self.cards if card.chosen.fault]
        faults = [f"{c.name}: {c.chosen.title} cannot be used." for c in bad]
        if all(card.chosen.option == "none" for card in self.cards):
            faults = ["Choose at least one stream or device."]
        self.why.setText("   ".join(faults))
        self.start.setEnabled(not faults)
        self.save.setEnabled(not faults)
        self._listen()

    def _listen(self) -> None:
        microphone = self.voice.chosen.microphone
        if microphone != self._listening:
            self._listening = microphone
            self.voice.set_level(None, "")
            text = "" if microphone is None else str(microphone)
            self._process.write(f"{text}\n".encode())

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                self.show_found(json.loads(line))
            except ValueError:
                continue  # no line of ours: a driver said something

    def _lost(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode(
            errors="replace"
        )
        last = (said.strip().splitlines() or ["it gave no reason"])[-1]
        self.status.setText(f"Devices are no longer looked for: {last}")

    def _start(self) -> None:
        options = self.options
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
            self.why.setText(str(error).replace("--save-preset ", "The name "))
            return
        self.name.hide()
        self.eeg.list.setFocus()
        self.status.setText(f"Kept as {name}: it is on the start page from now on.")

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


def eeg_choices(streams: list[dict[str, Any]]) -> list[Choice]:
    """What may be EEG, with what is wrong."""
    found = []
    for stream in streams:
        if stream["kind"].casefold() not in ("eeg", ""):
            continue
        there = stream["electrodes"]
        has = "being looked at" if there is None else f"{there} of 30 electrodes"
        more = f"{_pace(stream)}, {has}"
        found.append(
            Choice(
                stream["handle"] or stream["name"],
                f"{stream['name']} on {stream['hostname']}",
                more if not stream["fault"] else f"{_pace(stream)}, cannot be used",
                fault=stream["fault"],
                notice=stream["notice"],
            )
        )
    return found


def lsl_choices(streams: list[dict[str, Any]], kind: str) -> list[Choice]:
    """LSL streams of a type that is written in small letters here."""
    return [
        Choice(
            f"lsl:{stream['handle'] or stream['name']}",
            f"{stream['name']} on {stream['hostname']}",
            f"over LSL, {_pace(stream)}",
            fault=stream["fault"],
        )
        for stream in streams
        if stream["kind"].casefold() == kind
    ]


def microphone_choices(microphones: list[dict[str, Any]]) -> list[Choice]:
    """The microphones; by name where that tells them apart, since numbers change."""
    names = [microphone["name"] for microphone in microphones]
    found = []
    for one in microphones:
        unique = sum(one["name"] in name for name in names) == 1
        by_name = unique and not one["name"].isdigit()
        device = one["name"] if by_name else str(one["index"])
        found.append(
            Choice(
                f"mic:{device}",
                one["name"],
                f"{counted(one['channels'], 'channel')} at {one['rate']:g} Hz"
                + (", the default" if one["default"] else ""),
                microphone=one["index"],
                preferred=one["default"],
            )
        )
    return found


def camera_choices(cameras: list[dict[str, Any]]) -> list[Choice]:
    """The cameras that give a picture."""
    return [
        Choice(
            f"camera:{one['index']}",
            f"Camera {one['index']}",
            f"{one['width']}x{one['height']} {one['path']}".strip(),
            preferred=one is cameras[0],
        )
        for one in cameras
    ]


def _pace(stream: Mapping[str, Any]) -> str:
    rate = f"{stream['rate']:g} Hz" if stream["rate"] else "an irregular rate"
    return f"{counted(stream['channels'], 'channel')} at {rate}"


def _words(text: str, action: Any) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "words")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(action)
    return button
