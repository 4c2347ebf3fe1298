"""What the classes of a published model count as, and how that is stated otherwise."""

import argparse
from collections.abc import Mapping, Sequence

from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.files import as_object
from eav_offline.core.labels import EMOTIONS

# Names of classes, as public models of faces and voices have them. What is none of the
# five is left out: nothing public says which of ours a frightened person would be.
NAMES = {
    "neutral": ("neutral", "neu"),
    "sadness": ("sadness", "sad"),
    "anger": ("anger", "angry", "ang"),
    "happiness": ("happiness", "happy", "hap", "joy"),
    "calmness": ("calmness", "calm"),
}
LEFT_OUT = "none"  # what an option says of a class that is not to count
_EMOTION_OF = {name: emotion for emotion, names in NAMES.items() for name in names}
_DIMENSIONS = ("arousal", "valence", "dominance")

Classes = tuple[tuple[str, str], ...]  # its name, and ours or ""


def read_counts(text: str) -> dict[str, str]:
    """`happy=happiness,fear=none` by its names. Raises ArgumentTypeError."""
    counts = {}
    for part in text.split(","):
        name, equals, emotion = (word.strip() for word in part.rpartition("="))
        if not (name and equals and emotion in (*EMOTIONS, LEFT_OUT)):
            guess = did_you_mean(emotion, [*EMOTIONS, LEFT_OUT])
            raise argparse.ArgumentTypeError(
                f"{part!r} cannot be used; give ITS-CLASS=OURS, and as ours one of "
                f"{', '.join(EMOTIONS)} or {LEFT_OUT}{'; ' if guess else ''}{guess}"
            )
        counts[name] = emotion
    return counts


def class_names(config: Mapping[str, object], model: str) -> list[str]:
    """The names of a model's outputs, in their order, from its config.json.

    Raises InputRefused for one that has none, or that estimates dimensions.
    """
    labels = as_object(config.get("id2label"))
    names = [str(labels.get(str(i), "")) for i in range(len(labels))]
    dimensions = [name for name in names if name.strip().casefold() in _DIMENSIONS]
    if dimensions or config.get("problem_type") == "regression":
        raise InputRefused(
            f"{model} estimates dimensions ({', '.join(dimensions or names)}), not "
            "classes, and no emotion is computed from those; give a classifier, and "
            "this one as --voice-dimensions or --face-dimensions"
        )
    if len(names) < 2 or not all(names):
        raise InputRefused(
            f"{model}: its config.json names no classes (id2label is "
            f"{config.get('id2label')!r}, expected two or more names by number); give "
            "a model that was trained to classify"
        )
    return names


def dimension_names(config: Mapping[str, object], model: str) -> tuple[str, ...]:
    """The dimensions that a model estimates, in the order of its outputs.

    Raises InputRefused for one that estimates anything else.
    """
    labels = as_object(config.get("id2label"))
    names = tuple(str(labels.get(str(i), "")) for i in range(len(labels)))
    names = tuple(name.strip().casefold() for name in names)
    if not names or not set(names) <= set(_DIMENSIONS):
        raise InputRefused(
            f"{model} has the outputs {', '.join(names) or 'none'}, expected some of "
            f"{', '.join(_DIMENSIONS)}; a classifier is for --voice-model or "
            "--face-model"
        )
    return names


def count_classes(
    names: Sequence[str], stated: Mapping[str, str], model: str, option: str
) -> Classes:
    """Which emotion each class counts as: as stated, else by `NAMES`, else none.

    option: the one that states it. Raises InputRefused for a class that the model does
    not have, or if it would know fewer than two of the five.
    """
    for name in stated:
        if name not in names:
            raise InputRefused(
                f"{option}: {model} has no class {name!r}, its classes are "
                f"{', '.join(names)}; {did_you_mean(name, list(names)) or 'correct it'}"
            )
    counts = [stated.get(n) or _EMOTION_OF.get(n.strip().casefold()) for n in names]
    classes = tuple(
        (name, "" if emotion in (None, LEFT_OUT) else str(emotion))
        for name, emotion in zip(names, counts, strict=True)
    )
    known = known_of(classes)
    if len(known) < 2:
        raise InputRefused(
            f"of the classes of {model} ({', '.join(names)}) "
            f"{' and '.join(known) or 'nothing'} would be known, expected two or more "
            f"of {', '.join(EMOTIONS)}; state what they count as: {option} "
            f"{names[0]}=neutral,..."
        )
    return classes


def known_of(classes: Classes) -> tuple[str, ...]:
    """The emotions that some class counts as, in the order of `EMOTIONS`."""
    counted = {emotion for _, emotion in classes}
    return tuple(emotion for emotion in EMOTIONS if emotion in counted)
