"""The command that adapts a model to one person."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.commands.options import AddCommand, add_json, answer
from eav_offline.common.files import (
    checkpoint_file,
    existing_checkpoint,
    output_file,
    private_files,
)

if TYPE_CHECKING:
    from eav_offline.personal.worth import Calibrated


def register(add: AddCommand) -> None:
    adapt = add("adapt", _adapt, "adapt a model to one person")
    adapt.add_argument(
        "model",
        type=checkpoint_file,
        metavar="MODEL",
        help="a run's folder or checkpoint; one of this person is added to",
    )
    adapt.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FILE.xdf|CACHE",
        help="a recorded session with trials, or a cache with this person",
    )
    adapt.add_argument(
        "--subject", type=int, metavar="N", help="whom of a cache with several people"
    )
    adapt.add_argument("--person", metavar="CODE", help="default: subjectN")
    adapt.add_argument(
        "--unlabeled",
        action="store_true",
        help="do not look at the trials' emotions: standardize and align only",
    )
    adapt.add_argument("--out", type=Path, required=True, metavar="MODEL")
    add_json(adapt)


def _adapt(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED, existing

    existing_checkpoint(options.model)
    existing(str(options.data), "--data")
    output_file(options.out)
    from eav_offline.checkpoint.file import load, save_checkpoint
    from eav_offline.personal.adapting import adapt_to, adapt_without_labels

    checkpoint = load(options.model)
    person = options.person or f"subject{options.subject or 1}"
    asked = (checkpoint, options.data, person, options.subject)
    if options.unlabeled:
        made = adapt_without_labels(*asked)
        with private_files():  # it holds what the person's clips are like
            save_checkpoint(options.out, made)
        layer = made.model.personal
        assert layer is not None
        told = {"person": person, "adapted": layer.told, "of": list(layer.heads)}
        answer(options, told, f"{options.out}: {person}, {layer.told}\n")
        return 0
    calibrated = adapt_to(*asked)
    answer(options, calibrated.as_json(), _text(calibrated, person))
    if not calibrated.taken:
        sys.stderr.write(f"{options.out} is not written\n")
        return FAILED
    with private_files():
        save_checkpoint(options.out, calibrated.checkpoint)
    return 0


def _text(made: "Calibrated", person: str) -> str:
    lines = [person, *made.lines(), *(one.line for one in made.by_subset.values())]
    if not made.taken:
        lines.append("refused: too much of the earlier days would be forgotten")
    return "".join(f"{line}\n" for line in lines)
