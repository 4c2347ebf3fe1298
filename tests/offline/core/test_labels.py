"""The dataset's classes in the order its authors list them, and no order of our own."""

import numpy as np
import pytest

from eav_live.recognition.predictions import Prediction
from eav_offline.core.labels import EMOTIONS, decode_label_rows, parse_media_name

DOCUMENTED = ("neutral", "sadness", "anger", "happiness", "calmness")


def test_label_rows_are_the_documented_classes_first_heard_then_spoken() -> None:
    emotion, task = decode_label_rows(np.eye(10))
    assert [EMOTIONS[e] for e in emotion] == [e for e in DOCUMENTED for _ in range(2)]
    assert task.tolist() == [0, 1] * 5


@pytest.mark.parametrize(("number", "emotion"), list(enumerate(DOCUMENTED)))
def test_file_names_and_label_rows_mean_the_same_class(
    number: int, emotion: str
) -> None:
    name = parse_media_name(f"007_Trial_08_Speaking_{emotion.title()}_aud")
    assert name is not None
    assert (name.trial, name.task, name.emotion) == (7, "speaking", number)


def test_the_column_of_a_class_has_its_name_in_what_is_said() -> None:
    said = np.array([0.1, 0.15, 0.2, 0.25, 0.3])
    prediction = Prediction(
        t=0.0,
        fused=said,
        smoothed=None,
        by_modality={},
        present=(),
        states={},
        label=None,
        truth=None,
        age_s=0.0,
        infer_s=0.0,
        hop_s=0.0,
    )
    assert prediction.as_json()["fused"] == dict(zip(DOCUMENTED, said, strict=True))
