"""The options of commands that name published classifiers."""

import argparse
from typing import TYPE_CHECKING

from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_offline.checkpoint.experts.finding import Expert


def add_experts(parser: argparse._ActionsContainer) -> None:
    """`--face-model`, `--voice-model`, what their classes count as, `--yes`."""
    for what, such_as in (("face", "ViT"), ("voice", "wav2vec2 or HuBERT")):
        parser.add_argument(
            f"--{what}-model",
            metavar="ID|DIR",
            help=f"a published classifier of the {what} ({such_as}): its id on the "
            "Hugging Face hub, or a folder with its files (docs/experts.md)",
        )
        parser.add_argument(
            f"--{what}-classes",
            metavar="ITS=OURS,...",
            type=_counts,
            help="what its classes count as, where the names do not say so or say it "
            "wrongly: joy=happiness,fear=none",
        )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="accept the licenses of models that are to be downloaded",
    )


def _counts(text: str) -> dict[str, str]:
    from eav_offline.checkpoint.experts.classes import read_counts

    return read_counts(text)


def found_experts(options: argparse.Namespace) -> "tuple[Expert, ...]":
    """The models that the options of `add_experts` name; none if they name none.

    Raises InputRefused for one that cannot be used, and for classes without a model.
    """
    wanted = []
    for modality, what, source, counts in (
        ("video", "face", options.face_model, options.face_classes),
        ("audio", "voice", options.voice_model, options.voice_classes),
    ):
        if source is None and counts is not None:
            raise InputRefused(f"--{what}-classes are of a --{what}-model; give it too")
        if source is not None:
            wanted.append((modality, source, counts or {}))
    if not wanted:
        return ()
    from eav_offline.checkpoint.experts.finding import Wanted, find

    return find([Wanted(*one) for one in wanted])
