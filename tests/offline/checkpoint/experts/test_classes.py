"""What the classes of published models count as."""

import argparse

import pytest

from eav_offline.checkpoint.experts.classes import (
    class_names,
    count_classes,
    known_of,
    read_counts,
)
from eav_offline.common.errors import InputRefused

# Names as the models have them that docs/experts.md lists.
PUBLISHED = {
    "angry disgust fear happy neutral sad surprise": "neutral sadness anger happiness",
    "neu hap ang sad": "neutral sadness anger happiness",
    "angry calm disgust fearful happy neutral sad surprised": "neutral sadness anger "
    "happiness calmness",
}


@pytest.mark.parametrize("names", PUBLISHED)
def test_names_of_public_models_are_understood(names: str) -> None:
    classes = count_classes(names.split(), {}, "a/b", "--face-classes")
    assert known_of(classes) == tuple(PUBLISHED[names].split())


def test_what_is_stated_wins_over_the_table() -> None:
    stated = read_counts("joy=happiness, happy=none")
    classes = count_classes(("happy", "joy", "sad"), stated, "a/b", "--face-classes")
    assert classes == (("happy", ""), ("joy", "happiness"), ("sad", "sadness"))


@pytest.mark.parametrize("text", ["happy", "happy=hapiness", "=anger", "a=anger,,"])
def test_what_states_nothing_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="give ITS-CLASS=OURS"):
        read_counts(text)


def test_a_class_that_the_model_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(InputRefused, match="has no class 'hapy'.*did you mean happy"):
        count_classes(("happy", "sad"), {"hapy": "anger"}, "a/b", "--face-classes")


def test_a_model_of_fewer_than_two_of_the_five_is_refused() -> None:
    with pytest.raises(InputRefused, match="nothing would be known.*LABEL_0=neutral"):
        count_classes(("LABEL_0", "LABEL_1"), {}, "a/b", "--voice-classes")
    with pytest.raises(InputRefused, match="sadness would be known"):
        count_classes(("sad", "fear"), {}, "a/b", "--voice-classes")


def test_dimensions_are_not_made_into_classes() -> None:
    names = {"0": "arousal", "1": "dominance", "2": "valence"}
    with pytest.raises(InputRefused, match="dimensions .arousal, dominance, valence."):
        class_names({"id2label": names}, "a/b")
    plain = {"id2label": {"0": "x", "1": "y"}, "problem_type": "regression"}
    with pytest.raises(InputRefused, match="dimensions"):
        class_names(plain, "a/b")
