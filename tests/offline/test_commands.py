"""What the commands of `eav-offline` take, and how soon they refuse it."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from eav_offline.cli import parser
from eav_offline.commands.options import numbers
from eav_offline.common.errors import InputRefused


def options() -> list[tuple[str, argparse.Action]]:
    """Every option of every command, with the command's name."""
    (commands,) = (
        action
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return [
        (name, action)
        for name, command in commands.choices.items()
        for action in command._actions
    ]


@pytest.mark.parametrize(("command", "option"), options())
def test_an_option_has_one_long_name_and_something_to_choose(
    command: str, option: argparse.Action
) -> None:
    long = [name for name in option.option_strings if name.startswith("--")]
    assert len(long) <= 1, command
    assert option.choices is None or len(list(option.choices)) > 1


def test_subject_lists_are_numbers_and_ranges() -> None:
    assert numbers("1,3-5") == [1, 3, 4, 5]
    assert numbers(" 7 , 2-3,3 ") == [2, 3, 7]
    assert numbers(None) is None


@pytest.mark.parametrize("text", ["", "0", "5-3", "a", "1,,2", "1-", "-2", "1.5"])
def test_malformed_subject_lists_are_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="such as 1,3-5"):
        numbers(text)


MISTYPED = {
    "train --data nowhere --out run": "nowhere is not a folder",
    "train --data . --out run": "has no prepared subject",
    "train --data cache --out run --config compcat": "no configuration is called",
    "train --data cache --out file/run": "file is a file",
    "train --data cache --out run --states file/states": "file is a file",
    "train --data cache --out run --subjects a": "is not a list of subjects",
    "train eeg --data cache --out run --epochs 3": "is of baseline networks",
    "study --data nowhere --out run": "nowhere is not a folder",
    "study --data cache --out run --config compcat": "no configuration is called",
    "study --data cache --out run --models video-vit": "give --video-weights",
    "zero-shot --data nowhere": "nowhere is not a folder",
    "zero-shot --data cache --unseen joy": "is no emotion",
    "zero-shot --data cache --out file/run": "file is a file",
    "evaluate nowhere": "nowhere is not a folder",
    "evaluate cache --data nowhere": "nowhere is not a folder",
    "average nowhere cache --out run": "RUN nowhere: there is no such",
    "average cache cache:eeg --out file": "file is a file",
    "report nowhere --out report.html": "RUNS nowhere: there is no such",
    "report cache --out file/report.html": "file is a file",
    "describe --config compcat": "no configuration is called",
    "card nowhere": "nowhere does not exist",
    "export nowhere": "nowhere does not exist",
    "export model --out file": "file is a file",
    "export file": "file is not a safetensors file",
    "card file": "file is not a safetensors file",
    "card model --json cache": "cache is a folder",
    "describe --json file/x.json": "file is a file",
    "experts --face-model cache --out file/x.safetensors": "there is no folder file",
    "adapt nowhere --data cache --out new": "nowhere does not exist",
    "adapt model --data nowhere --out new": "--data nowhere: there is no such",
    "adapt model --data cache --out cache": "cache is a folder",
    "check nowhere": "nowhere is not a folder",
    "synth file": "file is a file",
    "prepare nowhere --out new": "nowhere is not a folder",
    "prepare . --out file": "file is a file",
    "prepare . --out new --subjects a": "is not a list of subjects",
    "import nowhere --out new --subject 1": "FILE.xdf nowhere: there is no such",
    "export-bids nowhere --out new": "FILE.xdf nowhere: there is no such",
    "import-features nowhere --out new": "nowhere is not a folder",
}
# Of these, what is there is read with more than the standard library.
LACKING = {
    "train --data cache --out run --subjects 7": "no prepared subject 7",
    "study --data cache --out run --subjects 7": "no prepared subject 7",
    "zero-shot --data cache --out run --subjects 7": "no prepared subject 7",
    "prepare eav --out new --subjects 7": "eav has no subject 7",
    "prepare eav --out new --face-size 3": "--face-size is 3",
    "check eav --subjects 7": "eav has no subject 7",
    "import-features eav --out new": "holds no released features",
}
_GIVE_ALL = """
import sys
from eav_offline.cli import main
for command in sys.argv[1:]:
    print(main(command.split()), *sorted({"torch", "scipy", "cv2"} & set(sys.modules)))
"""


def test_what_is_mistyped_is_refused_before_anything_heavy_is_imported(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "model").write_bytes(bytes(8) + b"{}")
    (tmp_path / "cache/subject01").mkdir(parents=True)
    (tmp_path / "eav/subject1").mkdir(parents=True)
    (tmp_path / "cache/subject01/meta.json").write_text("{}")

    given = subprocess.run(
        [sys.executable, "-c", _GIVE_ALL, *MISTYPED, *LACKING],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    asked = {**MISTYPED, **LACKING}
    said = zip(asked.items(), given.stderr.splitlines(), strict=True)
    wrong = {command: line for (command, why), line in said if why not in line}
    assert wrong == {}
    expected = ["2"] * len(MISTYPED) + ["2 cv2 scipy"] * len(LACKING)
    assert given.stdout.splitlines() == expected
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "cache",
        "eav",
        "file",
        "model",
    ]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("train eegnet --data cache --out run --epochs 0", "'0' is not a whole number"),
        ("train --data cache --out run --threads -1", "'-1' is not a whole number"),
        ("prepare eav --out cache --jobs two", "'two' is not a whole number"),
        ("study --data cache --out run --seeds 0", "'0' is not a whole number"),
        ("train --data cache --out run --seed -1", "'-1' is not a whole number"),
        ("train --data cache --out run --folds 1", "not a whole number from 2 on"),
        ("train --data cache --out run --device gpu", "no device is called gpu"),
        ("study --data cache --out run --models eegnett", "did you mean eegnet?"),
        ("study --data cache --out run --protocols loso", "give some of within, kfold"),
    ],
)
def test_a_value_that_cannot_be_is_refused_as_the_options_are_read(
    given: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(given.split())
    assert why in capsys.readouterr().err
