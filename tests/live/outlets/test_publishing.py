"""Publishing over real LSL: what is sent, when, and that it ends."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pylsl
import pytest
from source_helpers import wait_for

from eav_live.outlets.publishing import CHANNEL_LABELS, Publisher, sample
from eav_live.recognition.predictions import Prediction
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import State

SURE = {emotion: np.eye(5)[i] for i, emotion in enumerate(EMOTIONS)}
FUSED = np.array([0.1, 0.2, 0.3, 0.15, 0.25])


def predict(
    t: float, label: str | None = "happiness", fused: np.ndarray | None = FUSED
) -> Prediction:
    return Prediction(
        t=t,
        fused=fused,
        smoothed=None if fused is None else SURE["calmness"],
        by_modality={"eeg": SURE["anger"], "audio": None, "video": None},
        present=() if fused is None else ("eeg",),
        states={},
        label=label,
        truth=None,
        age_s=0.1,
        infer_s=0.05,
        hop_s=0.5,
    )


def test_a_sample_is_fused_smoothed_and_each_modality_with_nan_for_the_absent() -> None:
    named = dict(zip(CHANNEL_LABELS, sample(predict(1.0)).tolist(), strict=True))
    assert list(named)[:5] == [
        f"fused/{name}" for name in predict(1.0).as_json()["fused"]
    ]  # type: ignore[union-attr]
    assert named["fused/anger"] == pytest.approx(0.3)
    assert named["smoothed/calmness"] == 1.0
    assert named["eeg/anger"] == 1.0
    assert np.isnan(named["audio/neutral"])
    assert np.isnan(named["video/calmness"])


def test_the_channels_of_what_is_not_known_are_nan() -> None:
    four = np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    values = sample(replace(predict(1.0, fused=four), smoothed=four))
    named = dict(zip(CHANNEL_LABELS, values.tolist(), strict=True))
    for answer in ("fused", "smoothed"):
        assert np.isnan(named[f"{answer}/calmness"])
        assert named[f"{answer}/happiness"] == pytest.approx(0.4)


def test_the_set_is_ones_and_zeros_and_nan_where_there_is_none() -> None:
    four = np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    inside = replace(
        predict(1.0), smoothed=four, label_set=("anger", "happiness"), coverage=0.9
    )
    named = dict(zip(CHANNEL_LABELS, sample(inside).tolist(), strict=True))
    assert [named[f"set/{name}"] for name in EMOTIONS[:4]] == [0, 0, 1, 1]
    assert np.isnan(named["set/calmness"])
    assert np.isnan(sample(predict(1.0))[-5:]).all()


@pytest.fixture
def publisher(stream_name: str) -> Iterator[Publisher]:
    made = Publisher(stream_name, model="ours", demo=True, hop=0.5, knows=EMOTIONS[:4])
    yield made
    made.close()


def inlet(name: str, kind: str) -> pylsl.StreamInlet:
    found = pylsl.resolve_bypred(f"name='{name}' and type='{kind}'", 1, timeout=5)
    assert found, f"{name} is not there"
    made = pylsl.StreamInlet(found[0], recover=False)
    made.open_stream(5)
    return made


@pytest.mark.lsl
def test_predictions_arrive_with_the_windows_end_as_stamp(
    publisher: Publisher, stream_name: str
) -> None:
    reader = inlet(stream_name, "Emotion")
    t = pylsl.local_clock() - 0.2
    wait_for(lambda: publisher._values.have_consumers())  # type: ignore[union-attr]
    publisher.publish(predict(t))
    values, stamp = reader.pull_sample(5)
    assert stamp == pytest.approx(t, abs=1e-6)
    np.testing.assert_allclose(values[:5], FUSED, atol=1e-6)


@pytest.mark.lsl
def test_the_header_says_what_the_numbers_are(
    publisher: Publisher, stream_name: str
) -> None:
    header = inlet(stream_name, "Emotion").info(5)
    assert header.nominal_srate() == pylsl.IRREGULAR_RATE
    assert header.get_channel_labels() == list(CHANNEL_LABELS)
    about = header.desc().child("eav_live")
    assert about.child_value("model") == "ours"
    assert about.child_value("demo") == "true"
    assert about.child_value("hop_s") == "0.5"
    assert about.child_value("labels").split(",")[3] == "happiness"
    assert about.child_value("knows") == "neutral,sadness,anger,happiness"


@pytest.mark.lsl
def test_a_decision_is_sent_when_it_changes_and_when_it_ends(
    publisher: Publisher, stream_name: str
) -> None:
    reader = inlet(f"{stream_name}-Decisions", "Markers")
    wait_for(lambda: publisher._decisions.have_consumers())  # type: ignore[union-attr]
    nobody = predict(0.5, None, None)
    said = ["happiness", "happiness", "anger", "anger", "happiness", None]
    publisher.publish(nobody)  # nothing to say before the first decision
    for i, label in enumerate(said):
        state = State.UNDECIDED if label is None else State.DECIDED
        publisher.publish(replace(predict(1.0 + i, label), state=state))
    publisher.publish(nobody)
    heard = [reader.pull_sample(5) for _ in range(5)]
    assert [marker[0] for marker, _ in heard] == [
        "happiness",
        "anger",
        "happiness",
        "undecided",
        "none",
    ]
    assert [stamp for _, stamp in heard] == [1.0, 3.0, 5.0, 6.0, 0.5]
    assert reader.pull_sample(0.1)[0] is None


@pytest.mark.lsl
def test_the_streams_vanish_when_it_is_closed(stream_name: str) -> None:
    publisher = Publisher(stream_name, model="ours", demo=False, hop=0.5)
    reader = inlet(stream_name, "Emotion")
    publisher.close()
    publisher.close()
    publisher.publish(predict(1.0))  # a window that was being recognized meanwhile
    with pytest.raises(pylsl.util.LostError):
        reader.pull_sample(5)
    for name in publisher.names:
        assert not pylsl.resolve_bypred(f"name='{name}'", 1, timeout=0.3)


@pytest.mark.lsl
def test_a_name_that_is_taken_is_refused(
    publisher: Publisher, stream_name: str
) -> None:
    with pytest.raises(InputRefused, match="already a stream"):
        Publisher(stream_name, model="ours", demo=False, hop=0.5)


@pytest.mark.parametrize("name", ["", "  ", "it's"])
def test_a_name_that_lsl_cannot_look_for_is_refused(name: str) -> None:
    with pytest.raises(InputRefused, match="without quotation marks"):
        Publisher(name, model="ours", demo=False, hop=0.5)
