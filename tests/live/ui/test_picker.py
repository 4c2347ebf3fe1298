"""The page of devices, by keyboard, offscreen, on what another process says."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel
from source_helpers import connect, open_eeg
from test_dashboard import qapp_args  # noqa: F401

from eav_live.options import SessionOptions
from eav_live.options.presets import preset_file
from eav_live.streams.chosen import eeg_source
from eav_live.streams.eeg import LslEeg
from eav_live.ui.offers import microphone_choices
from eav_live.ui.picker import PickerPage

pytestmark = pytest.mark.qt
KEY = Qt.Key
_SENDER = """
import json, sys
print("a driver says something", flush=True)
print(sys.argv[1], flush=True)
for line in sys.stdin:
    if line.strip():
        print(json.dumps({"microphone": int(line), "level_db": -20.0}), flush=True)
"""


def stream(name: str, kind: str = "EEG", **more: Any) -> dict[str, Any]:
    usual = {"channels": 32, "rate": 500.0, "hostname": "lab-pc", "source_id": "x"}
    usual |= {"electrodes": 30, "fault": "", "notice": "", "handle": name}
    usual |= {"labels": [], "mapping": None}
    return {"name": name, "kind": kind, **usual, **more}


def microphone(index: int, name: str, default: bool = False) -> dict[str, Any]:
    return {"index": index, "name": name, "rate": 48e3, "channels": 1} | {
        "default": default
    }


FOUND: dict[str, Any] = {
    "streams": [
        stream("BrainAmp"),
        stream("Muse", fault="it has 4 of the 30 electrodes; map its labels"),
        stream("Room", "Audio"),
    ],
    "microphones": [microphone(0, "built in", True), microphone(4, "headset")],
    "microphones_error": "",
    "cameras_error": "",
    "cameras": [{"index": 2, "path": "", "width": 640, "height": 480}],
}


@pytest.fixture
def page(qtbot):  # type: ignore[no-untyped-def]
    window = PickerPage(None, [sys.executable, "-c", _SENDER, json.dumps(FOUND)])
    qtbot.addWidget(window)
    window.resize(1280, 720)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    qtbot.waitUntil(lambda: window.eeg.list.count() == 3, timeout=20_000)
    yield window
    window.close()


def test_what_is_chosen_is_read_in_both_themes(page) -> None:  # type: ignore[no-untyped-def]
    for scheme in (Qt.ColorScheme.Light, Qt.ColorScheme.Dark):
        page.restyle(scheme)
        for row in (0, 1):
            page.voice.list.setCurrentRow(row)
            QApplication.processEvents()
            listed = page.voice.list.viewport().grab().toImage()
            spot = page.voice.list.visualItemRect(page.voice.list.item(row))
            levels = [
                QColor(listed.pixel(x, y)).lightness()
                for x in range(spot.left() + 4, spot.left() + 90)
                for y in range(spot.top() + 4, spot.bottom() - 4)
            ]
            assert max(levels) - min(levels) > 120  # white on light gray: 57


def test_devices_are_chosen_and_a_session_opened_by_keyboard(page, qtbot) -> None:  # type: ignore[no-untyped-def]
    assert page.eeg.list.hasFocus()
    assert page.options == SessionOptions(
        eeg_stream="none", audio="mic:built in", video="camera:2"
    )
    qtbot.keyClick(page.eeg.list, KEY.Key_Down)
    qtbot.keyClick(page.eeg.list, KEY.Key_Tab)
    assert page.voice.list.hasFocus()
    qtbot.keyClick(page.voice.list, KEY.Key_Down)
    qtbot.waitUntil(lambda: page.voice.level.value() == -20, timeout=20_000)
    assert page._listening == 4
    with qtbot.waitSignal(page.session) as opened:
        qtbot.keyClick(page.voice.list, KEY.Key_Return)
    (options,) = opened.args
    assert options == SessionOptions(
        eeg_stream="BrainAmp", audio="mic:headset", video="camera:2"
    )


def test_what_cannot_be_used_says_why_and_opens_nothing(page, qtbot) -> None:  # type: ignore[no-untyped-def]
    for _ in range(2):
        qtbot.keyClick(page.eeg.list, KEY.Key_Down)
    assert "map its labels" in page.eeg.about.text()
    assert "Muse on lab-pc cannot be used" in page.why.text()
    with qtbot.assertNotEmitted(page.session):
        qtbot.keyClick(page.eeg.list, KEY.Key_Return)
    for name in ("eeg", "voice", "face"):
        getattr(page, name).choose("none")
    assert "at least one" in page.why.text()
    assert not page.start.isEnabled()


def test_a_choice_is_kept_as_a_preset_by_keyboard(
    page, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    page.eeg.choose("BrainAmp")
    qtbot.keyClick(page.eeg.list, KEY.Key_S)
    qtbot.keyClicks(page.name, "lab s/")
    qtbot.keyClick(page.name, KEY.Key_Return)
    assert "letters, digits" in page.why.text()
    page.name.clear()
    qtbot.keyClicks(page.name, "labs")  # in which S is a letter
    qtbot.keyClick(page.name, KEY.Key_Return)
    assert not page.name.isVisible()
    assert SessionOptions.from_toml(preset_file("labs")) == page.options
    assert page.isVisible()


def test_what_comes_and_goes_leaves_a_choice_alone_while_it_is_there(page) -> None:  # type: ignore[no-untyped-def]
    page.eeg.choose("BrainAmp")
    came = FOUND | {"streams": [stream("Another"), *FOUND["streams"]]}
    page.show_found(came)
    assert page.options.eeg_stream == "BrainAmp"
    page.show_found(FOUND | {"streams": [stream("Another")]})
    assert page.options.eeg_stream == "none"
    page.show_found(FOUND | {"microphones": [], "microphones_error": "no PortAudio"})
    assert page.options.audio == "none"
    assert page.voice.about.text() == "no PortAudio"


def test_esc_goes_back_and_lets_go_of_the_devices(page, qtbot) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(page.left):
        qtbot.keyClick(page.eeg.list, KEY.Key_Escape)
    page.close()
    assert page._process.state() is page._process.ProcessState.NotRunning


@pytest.mark.lsl
def test_channels_are_named_and_a_file_is_seen_by_keyboard(
    qtbot, stream_name: str, synthetic_subject: Path, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    labels = [f"Ch {i}" for i in range(1, 31)]
    outlet = open_eeg(stream_name, [*labels, "TRIG"])
    clip = next(synthetic_subject.rglob("*.mp4"))
    page = PickerPage()  # and the process that looks at what is there
    qtbot.addWidget(page)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()

    def listed(words: str) -> bool:
        outlet.push_sample([0.0] * 31)
        row = page.eeg.list.item(1)
        return row is not None and words in row.text()

    qtbot.waitUntil(lambda: listed("cannot be used"), timeout=60_000)
    qtbot.keyClick(page.eeg.list, KEY.Key_Down)
    assert page.eeg.about.text().endswith("Press E to do it here.")
    assert not page.start.isEnabled()
    qtbot.keyClick(page.eeg.list, KEY.Key_E)
    card = page.mapping
    assert card.isVisible()
    qtbot.keyClick(card.focusWidget(), KEY.Key_F3)
    assert len(card.places) == 30
    select = card.selects["Fp2"]
    select.setFocus()
    qtbot.keyClick(select, KEY.Key_Up)  # to what was Fp1's
    assert (card.places["Fp2"], "Fp1" in card.places) == (0, False)
    assert "computed from their neighbors: Fp1" in card.said.text()
    qtbot.keyClick(select, KEY.Key_Return)
    assert not card.isVisible()
    qtbot.waitUntil(lambda: listed("29 of 30 electrodes"), timeout=60_000)
    qtbot.keyClick(page.eeg.list, KEY.Key_F)
    assert page.files.dialog is not None
    page.files.dialog.selectFile(str(clip))
    qtbot.keyClick(page.files.dialog, KEY.Key_Return)
    qtbot.waitUntil(lambda: page.face.picture.image is not None, timeout=60_000)
    assert page.options.video == f"file:{clip}"
    with qtbot.waitSignal(page.session) as opened:
        qtbot.keyClick(page.eeg.list, KEY.Key_Return)
    assert page._process.state() is page._process.ProcessState.NotRunning
    (options,) = opened.args
    kept = tmp_path / "lab.toml"
    kept.write_text(options.to_toml())
    source = eeg_source(SessionOptions.from_toml(kept))
    assert isinstance(source, LslEeg)
    connect(source)
    assert source.interpolated == ("Fp1",)
    assert source._map is not None
    assert source._map.columns.tolist() == [0, *range(2, 30)]
    source.stop()


def test_a_channel_is_one_electrode_and_esc_changes_nothing(page, qtbot) -> None:  # type: ignore[no-untyped-def]
    labels = ["a", "a", "", "Cz"]
    odd = stream("Muse", fault="it has 1 of the 30 electrodes", labels=labels)
    page.show_found(FOUND | {"streams": [odd]})
    page.eeg.choose("Muse")
    page.electrodes.click()
    select = page.mapping.selects["Fz"]
    names = [select.itemText(i) for i in range(select.count())]
    channels = ["a (channel 1)", "a (channel 2)", "channel 3", "Cz"]
    assert names == ["computed", *channels]
    assert page.mapping.places == {"Cz": 3}
    select.setCurrentIndex(4)
    assert page.mapping.places == {"Fz": 3}
    assert "only because you say so" in page.mapping.advice.text()
    qtbot.keyClick(select, KEY.Key_Down, Qt.KeyboardModifier.AltModifier)
    popup = select.view()
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClick(popup, KEY.Key_Up)
    qtbot.keyClick(popup, KEY.Key_Return)  # is the list's
    assert page.mapping.isVisible()
    assert page.mapping.places == {"Fz": 2}
    qtbot.keyClick(select, KEY.Key_Escape)
    assert not page.mapping.isVisible()
    assert page.isVisible()
    assert page.options.config.eeg.labels is None
    assert page.eeg.list.hasFocus()


def test_a_file_is_chosen_before_anything_else_was_seen(qtbot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    window = PickerPage(None, [sys.executable, "-c", "input()"])
    qtbot.addWidget(window)
    clip = tmp_path / "a.mp4"
    clip.touch()
    told = {"file": str(clip), "voice": "", "face": "", "about": "640x480, 9 s"}
    window.show_found(told)
    window.show_found(FOUND)
    assert window.options == SessionOptions(
        eeg_stream="none", audio=f"file:{clip}", video=f"file:{clip}"
    )
    clip.unlink()
    with qtbot.assertNotEmitted(window.session):
        window.start.click()
    assert "there is no such file" in window.why.text()
    window.close()


def test_why_nothing_is_seen_or_heard_is_read_until_that_changes(page) -> None:  # type: ignore[no-untyped-def]
    dark = {"video": "camera:2", "jpeg": "", "fault": "it gives no picture"}
    deaf = {"microphone": 0, "level_db": None, "fault": "it is kept from programs"}
    page.show_found(dark)
    page.show_found(deaf)
    page.show_found({**FOUND, "streams": []})  # a second later
    assert page.face.about.text() == dark["fault"]
    assert page.voice.about.text() == deaf["fault"]
    page.show_found({**deaf, "level_db": -20.0, "fault": ""})
    page.face.choose("none")
    assert page.face.about.text() == page.voice.about.text() == ""


def test_electrodes_are_those_of_the_stream_that_was_asked_about(page, qtbot) -> None:  # type: ignore[no-untyped-def]
    asked = stream("Muse", fault="it has none", labels=["a", "a", "", "Cz"])
    other = stream("BrainAmp", labels=["Fp1", "Fp2"])
    page.show_found(FOUND | {"streams": [other, asked]})
    page.eeg.choose("Muse")
    page.electrodes.click()
    page.show_found(FOUND | {"streams": [other]})  # it vanishes meanwhile
    page.eeg.choose("BrainAmp")
    qtbot.keyClick(page.mapping.selects["Fz"], KEY.Key_Return)
    assert page.options == SessionOptions(
        eeg_stream="BrainAmp", audio="mic:built in", video="camera:2"
    )
    page.show_found(FOUND | {"streams": [other, asked]})
    page.eeg.choose("Muse")
    labels = page.options.config.eeg.labels
    assert labels is not None
    assert (len(labels), labels[3]) == (4, "Cz")


@pytest.mark.parametrize("size", [(960, 600), (1920, 1080)])
def test_the_electrodes_are_whole(page, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    page.resize(*size)
    page.set_letters(2.0)
    page.mapping.ask("Which?", ("",) * 64, None)
    page.mapping.in_order.click()
    QApplication.processEvents()
    assert page.rect().contains(page.mapping.geometry())
    for part in page.mapping.findChildren(QLabel):
        if part.isVisible() and part.wordWrap():
            assert part.heightForWidth(part.width()) <= part.height(), part.text()
    for select in page.mapping.selects.values():
        metrics = select.fontMetrics()
        assert select.width() > metrics.horizontalAdvance("channel 64") + 24
    page.set_letters(1.0)


def test_names_choose_microphones_where_they_tell_them_apart() -> None:
    found = [microphone(0, "USB"), microphone(1, "USB 2"), microphone(2, "7")]
    options = [choice.option for choice in microphone_choices(found)]
    assert options == ["mic:0", "mic:USB 2", "mic:2"]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_the_longest_reason_is_shown_whole(page, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    page.resize(*size)
    fault = "it lacks " + "an electrode, " * 40
    page.show_found(FOUND | {"streams": [stream("Muse", fault=fault)]})
    page.eeg.choose("Muse")
    QApplication.processEvents()
    assert page.size().toTuple() == size
    for text in page.findChildren(QLabel):
        if text.isVisible() and text.wordWrap():
            assert text.heightForWidth(text.width()) <= text.height(), text.text()
