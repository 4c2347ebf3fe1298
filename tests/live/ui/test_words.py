"""English and Chinese: every text of the window is translated, and fits."""

import ast
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QWidget,
)
from rendered import faults
from test_dashboard import (  # noqa: F401
    FakeSession,
    fake_running,
    predict,
    qapp_args,
)
from test_every_page import PAGES, SIZES, Page, settle, usual  # noqa: F401

from eav_live import cli
from eav_live.options import SessionOptions
from eav_live.options.config import ConsentForm
from eav_live.options.presets import preset_file
from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.ui import below, words
from eav_live.ui.dashboard import Dashboard
from eav_live.ui.lamps import trouble_text
from eav_live.ui.panels.emotion_view import EmotionPanel
from eav_live.ui.program import Program
from eav_live.ui.start import StartPage
from eav_live.ui.window import SessionWindow

pytestmark = pytest.mark.qt
ROOT = Path(__file__).parents[3]
TS = ROOT / "assets" / "i18n" / "eav_live_zh_CN.ts"
# One speaks to the terminal, one names fonts.
_WITHOUT = ("probe.py", "theme.py")
UI = [p for p in (ROOT / "eav_live" / "ui").rglob("*.py") if p.name not in _WITHOUT]
_PROSE = re.compile(r"[A-Za-z]{2,}[,:;…]? [A-Za-z]{2,}")
# What shows its first argument to people.
_SHOWS = {
    *("label", "ElidedLabel", "QPushButton", "QCheckBox", "ChoiceCard", "_words"),
    *("setText", "setToolTip", "setAccessibleName", "setPlaceholderText", "_button"),
    *("say", "_tell", "set_note", "set_message", "set_title", "setWindowTitle"),
}
# Names; and what a recording, a log or another program is told, in English only.
_AS_IT_IS = {
    *("EAV-Live", "EAV-Live: ", "EEG", "EEG: ", "Page Up  Page Down"),
    *("estimates paused", "estimates go on", "cue ended"),
    "from eav_live.cli import main; main(['devices', '--watch'])",
}
# What the pages of the tests say themselves.
_OF_TESTS = re.compile(
    "It is not there|not there,|a long name|built in|map its labels|Page Up|"
    "This session records|1 clip was found|no card|Which is which|electrode \\d|"
    "stimulus of kind|the name of a mark|Breathe in|You are late",
    re.IGNORECASE,
)


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[None]:
    """Windows speak Chinese."""
    words.use_language("zh")
    yield
    words.use_language("en")


def messages() -> dict[str, str]:
    """Source -> translation, of those that have one."""
    found = ElementTree.parse(TS).getroot().iter("message")
    pairs = [(one.find("source"), one.find("translation")) for one in found]
    return {
        str(source.text): translation.text or ""
        for source, translation in pairs
        if source is not None and translation is not None
        if translation.get("type") is None
    }


def places(text: str) -> list[tuple[str, str, str]]:
    """Name, format and conversion of each place, in any order."""
    parts = string.Formatter().parse(text)
    return sorted(
        (name, spec or "", how or "")
        for _, name, spec, how in parts
        if name is not None
    )


def test_the_translations_hold_what_the_code_says_and_are_compiled(
    tmp_path: Path,
) -> None:
    shutil.copy(TS, tmp_path)
    command = [sys.executable, str(ROOT / ".ci" / "words.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for suffix in (".ts", ".qm"):
        made = tmp_path / TS.with_suffix(suffix).name
        assert made.read_bytes() == TS.with_suffix(suffix).read_bytes(), (
            "run ./dev words, and translate what is new"
        )


def test_every_text_has_a_translation_with_the_same_places() -> None:
    translated = messages()
    texts = re.findall("<source>([^<]*)</source>", TS.read_text(encoding="utf-8"))
    assert len(texts) > 400
    for text in map(unescape, texts):
        assert translated.get(text), f"{text!r} has no translation"
        assert places(translated[text]) == places(text), text
        assert translated[text].count("\n") == text.count("\n"), text


def test_every_text_of_the_windows_is_one_that_is_translated() -> None:
    known = messages()
    for path in UI:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for text, said in texts_of(tree):
            where = f"{path.name}: {text!r}"
            if said:  # lupdate may have overlooked it, as in an f-string
                assert text in known, f"{where} is not in {TS.name}"
            else:
                assert text in _AS_IT_IS, f"{where} stands in neither tr nor later"


def texts_of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Texts for people, and whether they are marked as such."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Raise | ast.Assert):
            continue  # errors are told in the terminal too, and `said`
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            owner = getattr(getattr(node.func, "value", None), "id", "")
            if owner == "log" or name == "setStyleSheet":
                continue
            first = node.args[0] if node.args else None
            if name in ("tr", "later"):
                if isinstance(first, ast.Constant):
                    yield first.value, True
                stack += [*node.args[1:], *node.keywords]
                if not isinstance(first, ast.Constant | None):
                    stack.append(first)
                continue
            text = plain(first)
            if name in _SHOWS and re.search("[A-Za-z]{2}", text):
                yield text, False
        if isinstance(node, ast.Constant | ast.JoinedStr) and "{" not in plain(node):
            if _PROSE.search(plain(node)):
                yield plain(node), False
        within = ast.iter_child_nodes(node)
        if isinstance(node, ast.JoinedStr):  # whose parts are looked at as a whole
            within = (part for part in within if not isinstance(part, ast.Constant))
        stack += within


def plain(node: ast.AST | None) -> str:
    """The text that a node stands for, with nothing at its places; "" if it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(plain, node.values))
    return ""


def test_what_comes_from_below_the_windows_is_still_said_there() -> None:
    folders = ("eav_live", "eav_offline", "assets/collect", "benchmarks/offline")
    files = [f for folder in folders for f in sorted((ROOT / folder).rglob("*.*"))]
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in files
        if file.suffix in (".py", ".toml")
        if "ui" not in file.parts or file.name == "participant.py"  # which refuses
    )
    code = re.sub(r"""["']\s*f?["']""", "", code.replace("\\u2026", "…")).casefold()
    for template in below.TEMPLATES:
        for part, *_ in string.Formatter().parse(template):
            for piece in re.split(r"[.,:;()] ?", part):
                one = piece.strip().casefold().removesuffix("s")  # as `counted` has it
                assert one in code, f"{template!r}: {piece!r}"


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("flat: T7, O1; 50 Hz hum: Fp1", "平直：T7、O1；50 Hz 工频干扰：Fp1"),
        (
            "samples come late by 1.2 s; over 5 s they are left out; file ended",
            "样本迟到 1.2 秒；超过 5 秒则不采用；文件已播完",
        ),
        (
            "Looking for EEG stream Cap, microphone, camera…",
            "正在查找 EEG 数据流 Cap、麦克风、摄像头…",
        ),
        (
            "Paused\nWhen the space bar is pressed, the rest goes on.",
            "已暂停\n按空格键后，继续休息。",
        ),
        (
            "Voice is lost: no data.   No face (no face): turn the camera, or more "
            "light.",
            "语音 中断：无数据。   没有人脸（无人脸）：请转动摄像头或增加光照。",
        ),
        (
            "nothing is recorded, since the session lacks what it must have. Face is "
            "off: give --video.",
            "未录制：缺少会话所需的条件。 面部 未启用：请给出 --video。",
        ),
        (
            "people: face and voice; synthetic people only, not valid for real people; "
            "EEG not used",
            "people：面部和语音；仅合成人物，不适用于真人；不使用 EEG",
        ),
        (
            "recording to a.xdf, 1:20, 33 GB left",
            "正在录制到 a.xdf，1:20，剩余 33 GB",
        ),
        ("P01: no such thing, nowhere", "P01: no such thing, nowhere"),
    ],
)
def test_words_with_numbers_and_names_in_them_are_translated(
    english: str, expected: str, chinese: None
) -> None:
    assert words.said(english) == expected


def test_a_panel_says_in_chinese_why_there_is_nothing_to_see(chinese: None) -> None:
    lost = StreamHealth(StreamState.LOST, age_s=12.0, detail="file ended")
    assert trouble_text("audio", lost) == "语音 已中断 12 秒\n文件已播完"
    assert [words.emotion_name(e) for e in ("anger", "calmness")] == ["愤怒", "平静"]


@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_a_page_is_in_chinese_with_nothing_clipped_or_over_something_else(
    make: Callable[[Path], Page], tmp_path: Path, qtbot, chinese: None
) -> None:  # type: ignore[no-untyped-def]
    page, states = make(tmp_path)
    if isinstance(page, SessionWindow):
        page._timer.stop()
    qtbot.addWidget(page)
    page.resize(*SIZES[0])
    page.show()
    wrong = []
    large = 2.0 if isinstance(page, SessionWindow) else 1.0
    for letters in dict.fromkeys((1.0, large)):
        if isinstance(page, SessionWindow):
            page.set_letters(letters)
        for name, bring in states.items():
            bring()
            settle()
            wrong += [f"{letters} {name}: {fault}" for fault in faults(page)]
            wrong += [f"{name} is English: {text}" for text in english_of(page)]
    assert not wrong, "\n".join(wrong)
    page.close()


def english_of(window: QWidget) -> Iterator[str]:
    """What is shown or read aloud with two English words in a row."""
    for part in [window, *window.findChildren(QWidget)]:
        told = [part.accessibleName(), part.accessibleDescription(), part.toolTip()]
        if isinstance(part, QLabel | QAbstractButton | QLineEdit):
            told.append(part.text())
        if isinstance(part, QLineEdit):
            told.append(part.placeholderText())
        if isinstance(part, QComboBox):
            told += [part.itemText(i) for i in range(part.count())]
        if isinstance(part, QListWidget):
            told += [part.item(i).text() for i in range(part.count())]
        yield from (t for t in told if _PROSE.search(t) and not _OF_TESTS.search(t))


def test_the_language_that_is_chosen_on_the_start_page_is_that_of_the_next_time(
    qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(words, "_systems", lambda: "en")
    words.use_language(None)
    program = Program(None)
    shell = program.make()
    qtbot.addWidget(shell)
    with qtbot.waitActive(shell):
        shell.show()
        shell.activateWindow()
    try:
        assert title_of(shell.page) == "Demo"
        qtbot.keyClick(shell.page, Qt.Key.Key_Z)
        assert title_of(shell.page) == "演示"
        words.use_language("en")
        words.use_language(None)  # the next start, on an English system
        again = StartPage()
        qtbot.addWidget(again)
        assert title_of(again) == "演示"
        again.close()
        qtbot.keyClick(shell.page, Qt.Key.Key_Z)
        assert title_of(shell.page) == "Demo"
        monkeypatch.setattr(words, "_systems", lambda: "zh")
        words.use_language(None)  # what was chosen wins over the system's
        assert words.language() == "en"
    finally:
        words.use_language("en")


def title_of(page: SessionWindow) -> str:
    assert isinstance(page, StartPage)
    return page.buttons["D"].title.text()


def test_a_preset_has_the_language_that_was_asked_for() -> None:
    given = ["--demo", "--language", "zh", "--save-preset", "beijing"]
    assert cli.main(given) == 0
    options = SessionOptions.from_toml(preset_file("beijing"))
    assert options.config.window.language == "zh"
    assert "window" not in str(options.as_settings()["config"])  # of a recording


def test_consent_is_kept_in_the_words_that_were_shown(qtbot, chinese: None) -> None:  # type: ignore[no-untyped-def]
    session = FakeSession()
    page = Dashboard(session, running=fake_running(session))  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.show()
    assert page.controls is not None
    card, given = page.controls.consent, []
    card.agreed.disconnect(page.controls._record)
    card.agreed.connect(lambda path, consent: given.append(consent))
    card.ask()
    card.person.setText("P01")
    card.by.setText("AB")
    card.read.setChecked(True)
    card.go.click()
    (consent,) = given
    assert consent.text == words.said(ConsentForm().text) != ConsentForm().text
    assert set(consent.what) <= {"EEG", "voice", "face"}


def test_the_decision_keeps_its_color_in_chinese(chinese: None) -> None:
    panel = EmotionPanel()
    panel.show_prediction(predict())
    assert panel.emotion == predict().label
    assert panel.decision == words.emotion_name(predict().label)
    assert re.fullmatch("[\u4e00-\u9fff]+", panel.decision)
