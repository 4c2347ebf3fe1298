"""What is refused while a window is open, and models' cards, are read in Chinese."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_dashboard import qapp_args  # noqa: F401
from test_words import _PROSE, chinese  # noqa: F401

from eav_live.options.config import Participant
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.recording.verifying import Fault
from eav_live.ui import words
from eav_live.ui.participant import ParticipantWindow
from eav_offline.checkpoint import file as checkpoint
from eav_offline.checkpoint.card import Card, DataSet, Figure, Gained
from eav_offline.checkpoint.experts import building
from eav_offline.evaluation import model_card
from eav_offline.runs import split

pytestmark = pytest.mark.qt
ROOT = Path(__file__).parents[3]
# Where a window is open; what is found before that is told in the terminal alone.
_LIVE = (
    *("calibrate", "options", "outlets/publishing.py", "recognition", "recording"),
    *("review/anew.py", "review/annotations.py", "review/reader.py"),
    *("session/opening.py", "streams"),
)
_OFFLINE = (
    *("checkpoint/file.py", "backends", "common/console.py", "common/errors.py"),
    *("common/files.py", "common/plugins.py", "data/sessions/xdf.py"),
    *("data/sessions/session.py", "data/media.py", "personal/calibration.py"),
    *("personal/adaptation.py", "preprocess/mtcnn.py"),
)
_FILES = [
    *(ROOT / "eav_live" / one for one in _LIVE),
    *(ROOT / "eav_offline" / one for one in _OFFLINE),
]
_MEASURES, _OF_PROGRAMMERS = "delay.py", {"FileNotFoundError"}  # of the terminal
_ENGLISH = re.compile(r"(?:\b[A-Za-z]{2,}[,:;]? ){3}[A-Za-z]{2,}")
# What a place may hold, where a number would not do for the sentence.
_HELD = {
    "who": "the microphone needs",
    "cure": "Give 7, or stop",
    "such": "",
    "NAMES[one.modality]": "face",
    "'' if len(gaps) == 1 else 's'": "s",
    "counted(results.n_left_out, 'test window')": "7 test windows",
    "guess + ' ' if guess else ''": "",
    "there": "there are 7",
}


def filled(node: ast.expr) -> str:
    """The text of an expression, with something in each of its places."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(filled, node.values))
    if isinstance(node, ast.BinOp):
        return filled(node.left) + filled(node.right)
    if isinstance(node, ast.FormattedValue):
        percent = node.format_spec is not None and "%" in ast.unparse(node.format_spec)
        return _HELD.get(ast.unparse(node.value), "7%" if percent else "7")
    return "" if isinstance(node, ast.Call) else "7"


def refusals() -> Iterator[tuple[str, str]]:
    """The file of each, and what it says."""
    for place in _FILES:
        assert place.exists()
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if file.name == _MEASURES:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    name = ast.unparse(node.exc.func).rpartition(".")[2]
                    if name[0].isupper() and name not in _OF_PROGRAMMERS:
                        yield file.name, " ".join(map(filled, node.exc.args))


def findings() -> Iterator[str]:
    """What `eav-live verify` and the window say of a recording that has ended."""
    path = ROOT / "eav_live" / "recording" / "verifying.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Fault":
            yield f"s.xdf has 7 faults: {Fault(*map(filled, node.args))}"


def is_english(text: str, into: Callable[[str], str] = words.said) -> bool:
    text = text.strip()
    said = into(text)
    return bool(_ENGLISH.search(said) or said == text and _PROSE.search(text))


def test_every_refusal_that_a_window_can_show_is_translated(chinese: None) -> None:  # noqa: F811
    found = [*refusals(), *(("verifying.py", text) for text in findings())]
    assert len(found) > 100
    wrong = [f"{file}: {text}" for file, text in found if is_english(text)]
    assert not wrong, "give ui/refusals.py a template:\n" + "\n".join(wrong)


def test_the_cards_of_the_embedded_models_are_translated(chinese: None) -> None:  # noqa: F811
    for model in (DEMO_MODEL, PEOPLE_MODEL):
        card = checkpoint.load(asset(model)).card
        assert card is not None
        texts = [line for _, lines in card.sections() for line in lines]
        wrong = [text for text in texts if is_english(text, words.known)]
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "acted speech, German, one person",
        "My network: it takes the voice, and the face.",
        "Your data stay here: it takes an hour, no name is kept.",
    ],
)
def test_the_words_of_others_stay_theirs(chinese: None, text: str) -> None:  # noqa: F811
    assert words.known(text) == text
    window = ParticipantWindow(Participant(notice=text))
    assert window.text.text() == text


def test_what_the_program_writes_into_cards_is_translated(chinese: None) -> None:  # noqa: F811
    figure = {"on": "120 windows", "value": 0.5, "people": 8, "chance": 0.2}
    card = Card(
        what="transformers of each modality, joined by AMBT (mean)",
        reads=("audio",),
        knows=("anger", "neutral"),
        data=(
            DataSet(name="Ours"),
            DataSet(name="Ours", people=1, languages=("German",), license="CC0"),
            DataSet(name="Ours", people=3, used_for="the voice", synthetic=True),
        ),
        figures=(
            Figure(output="audio", **figure),
            Figure(output="fused", interval=(0.1, 0.2), interval_by="trial", **figure),
        ),
        adapted="P01: 20 labeled clips",
        gained=(
            Gained(
                modalities=("video", "audio"),
                clips=20,
                before=0.2,
                after=0.5,
                interval=(0.1, 0.2),
            ),
        ),
        made_with={"configuration": "798,968 parameters, seed 0"},
    )
    texts = [line for _, lines in card.sections() for line in lines]
    texts += [*building._FAILURES, *split._TEXTS.values()]
    for module in (model_card, building):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        texts += [filled(n) for n in written(tree, ("_failures", "_weakest", "_kind"))]
        texts += [filled(n) for n in written(tree, ("experts_card", "composed_card"))]
    wrong = [text for text in texts if is_english(text, words.known)]
    assert not wrong, "give ui/card_words.py a template:\n" + "\n".join(wrong)


def written(tree: ast.AST, names: tuple[str, ...]) -> Iterator[ast.expr]:
    """Texts within these functions, but for what explains them."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in names:
            stack: list[ast.AST] = list(function.body[1:])
            while stack:
                node = stack.pop()
                if isinstance(node, ast.JoinedStr | ast.Constant):
                    yield node
                else:
                    stack += ast.iter_child_nodes(node)
