"""A few labeled clips teach a model one person, and other days add to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from strangers import (
    KNOWS,
    N_FEATURES,
    STRANGER,
    Person,
    accuracy,
    heard,
    voice_checkpoint,
)

from eav_offline import load
from eav_offline.checkpoint.file import Checkpoint, CheckpointError, save_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import load_config
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import Sureness, Thresholds, label_sets
from eav_offline.models import EmotionModel
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.personal import OwnFace, OwnVoice, Personal, affine_head
from eav_offline.personal.calibration import (
    LEAST_CLIPS,
    Clips,
    calibrate,
    calibrate_clips,
    with_personal,
)
from eav_offline.personal.reading import Features
from eav_offline.personal.voiceprint import voice_prints
from eav_offline.personal.worth import MARGIN
from eav_offline.preprocess import Inputs, PreprocessSettings

OTHERS = Sureness(
    source="other people",
    people=8,
    by_modalities={"audio": Thresholds(n=99, least={0.9: 0.1})},
    adapting={"audio": Thresholds(n=99, least={0.9: 0.2})},
)
FIVE = np.tile(np.arange(5), 8)
TESTED = np.tile(np.arange(5), 60)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return voice_checkpoint()


def clips(emotion: np.ndarray, seed: int = 0, of: Person = STRANGER) -> Clips:
    return Clips(heard(of.shown(emotion, seed)), emotion, np.arange(len(emotion)))


def test_labels_bring_a_new_person_back(checkpoint: Checkpoint) -> None:
    four = np.tile(np.arange(4), 5)
    made = calibrate_clips(checkpoint, clips(four), "P01")
    shown, truth = (
        STRANGER.shown(np.tile(np.arange(4), 60), 9),
        np.tile(np.arange(4), 60),
    )
    assert accuracy(made.checkpoint, shown, truth) > 0.9
    assert made.gain.value > 0.1
    assert made.gain.interval[0] < made.gain.value < made.gain.interval[1]
    assert made.after.interval[0] < made.after.value  # even if every clip is right
    assert checkpoint.model.personal is None  # the one given is left as it is


def test_an_emotion_that_the_base_did_not_know_is_learned(
    checkpoint: Checkpoint,
) -> None:
    made = calibrate_clips(checkpoint, clips(FIVE), "P01")
    assert "calmness" not in checkpoint.knows
    assert "calmness" in made.checkpoint.knows
    assert made.learned == ("calmness",)
    shown = STRANGER.shown(np.full(100, 4), 9)
    assert accuracy(made.checkpoint, shown, np.full(100, 4)) > 0.8


def test_accuracy_is_of_clips_that_were_left_out(checkpoint: Checkpoint) -> None:
    emotion = np.random.default_rng(4).integers(0, 4, 50)  # says nothing of the sound
    shown = np.random.default_rng(5).permutation(emotion)
    given = Clips(heard(STRANGER.shown(shown, 0)), emotion, np.arange(50))
    assert calibrate_clips(checkpoint, given, "P01").after.value < 0.45


def test_sets_are_of_this_person_where_clips_are_enough(
    checkpoint: Checkpoint,
) -> None:
    base = replace(checkpoint, sureness=OTHERS)
    made = calibrate_clips(base, clips(FIVE), "P01").checkpoint
    assert made.sureness.source == "this person"
    assert made.sureness.people == 1
    assert made.sureness.by_modalities["audio"].n == len(FIVE)
    x = torch.from_numpy(STRANGER.shown(TESTED, 9))
    chances = made.model.personal.logits("audio", x).softmax(1).numpy()
    inside = label_sets(chances, made.sureness.by_modalities["audio"].least[0.9])
    assert inside[np.arange(len(TESTED)), TESTED].mean() > 0.85
    assert inside.sum(1).mean() < 2


def test_sets_of_others_stay_where_clips_are_too_few() -> None:
    """No clip has both modalities, of which live windows are to be answered."""
    n, emotion = 40, np.tile(np.arange(4), 10)
    x = STRANGER.shown(emotion, 0)
    first = np.arange(n) < n // 2
    present = np.stack([first, ~first, np.zeros(n, bool)], axis=1)
    apart = Clips(Features({"eeg": x, "audio": x}, present), emotion, np.arange(n))
    made = calibrate_clips(_two_modalities(), apart, "P01")
    assert set(made.checkpoint.model.personal.heads) == {"eeg", "audio"}
    sureness = made.checkpoint.sureness
    assert sureness is not None
    assert sureness.by_modalities == OTHERS.by_modalities
    assert sureness.adapting == {}  # nobody was followed from such heads on


def test_the_model_says_what_the_person_sounds_like(tmp_path: Path) -> None:
    """By the mean of each day's windows; it goes where the model goes."""
    rng, made = np.random.default_rng(3), replace(_whole(), demo=False)
    emotion, expected = np.tile(np.arange(4), 4), []
    for low in (-6, -5):
        mels = rng.normal(low, 1, (16, 498, 128)).astype(np.float32)
        sounds = [Inputs(None, mel, None, None) for mel in mels]
        made = calibrate(made, sounds, emotion, np.arange(16), "P01").checkpoint
        expected.append(np.mean([voice_prints().of(mel) for mel in mels], axis=0))
    save_checkpoint(tmp_path / "P01.safetensors", made)
    layer = load(tmp_path / "P01.safetensors").model.personal
    assert layer is not None
    assert layer.voice is not None
    np.testing.assert_allclose(layer.voice.days, expected, rtol=1e-4, atol=1e-5)


def test_a_voice_as_earlier_versions_kept_it_is_nobodys() -> None:
    made = Personal("P01", {}, EMOTIONS)
    old = {"voice:features": torch.zeros(20, 207), "voice:day": torch.zeros(20)}
    assert Personal.of(made.as_json(), old).voice is None
    with pytest.raises(ValueError, match=r"\(1, 128\), expected \(days, 192\)"):
        OwnVoice(np.zeros((1, 128), np.float32))


def test_the_model_says_what_the_person_looks_like(tmp_path: Path) -> None:
    """By the mean of each day on which enough of the face was seen."""
    rng, made = np.random.default_rng(4), _whole()
    emotion, expected = np.tile(np.arange(4), 4), []
    sounds = [
        Inputs(None, rng.normal(-6, 1, (498, 128)).astype(np.float32), None, None)
        for _ in emotion
    ]
    for n in (16, LEAST_CLIPS - 1, 12):
        faces = rng.normal(0, 1, (n, 128)).astype(np.float32)
        of = (made, sounds, emotion, np.arange(16), "P01")
        made = calibrate(*of, faces=faces).checkpoint
        expected += [faces.mean(0)] * (n >= LEAST_CLIPS)
    save_checkpoint(tmp_path / "P01.safetensors", made)
    layer = load(tmp_path / "P01.safetensors").model.personal
    assert layer is not None
    assert layer.face is not None
    np.testing.assert_allclose(layer.face.days, np.stack(expected), rtol=1e-5)
    with pytest.raises(ValueError, match=r"is \(1, 64\), expected \(days, 128\)"):
        OwnFace(np.zeros((1, 64), np.float32))


def test_another_day_adds_and_does_not_forget(checkpoint: Checkpoint) -> None:
    first = calibrate_clips(checkpoint, clips(FIVE), "P01")
    other_room = Person(STRANGER.shift + 2, STRANGER.gain * 1.5)
    days = clips(np.tile(np.arange(2), 10), 3, other_room)  # two emotions only
    second = calibrate_clips(first.checkpoint, days, "P01")
    assert second.taken
    assert second.forgotten is not None
    assert second.forgotten <= MARGIN
    assert second.checkpoint.knows == first.checkpoint.knows
    kept = second.checkpoint.model.personal.kept
    assert len(np.unique(kept.clip)) == 60
    assert kept.session.max() == 1
    assert second.checkpoint.model.personal.told == "60 labeled clips of 2 days"


def test_a_day_that_would_cost_the_others_too_much_is_not_taken(
    checkpoint: Checkpoint,
) -> None:
    first = calibrate_clips(checkpoint, clips(FIVE), "P01")
    wrong = clips(np.tile(np.arange(5), 120), 3)
    mixed_up = replace(wrong, emotion=(wrong.emotion + 1) % 5)  # a button box mixed up
    second = calibrate_clips(first.checkpoint, mixed_up, "P01")
    assert not second.taken
    assert second.forgotten > MARGIN
    assert second.checkpoint is first.checkpoint


def test_a_personal_checkpoint_is_read_back(checkpoint: Checkpoint, tmp_path) -> None:
    made = calibrate_clips(checkpoint, clips(FIVE), "P01").checkpoint
    for name, tensor in made.population.tensors().items():
        assert tensor.isfinite().all(), name
    base = load(_saved(tmp_path, _whole()))
    again = with_personal(base, _layer_for(base))
    path = _saved(tmp_path, again)
    found = load(path)
    assert found.model.personal.person == "P02"
    assert found.knows == again.knows
    for name, tensor in again.model.personal.tensors().items():
        np.testing.assert_array_equal(found.model.personal.tensors()[name], tensor)


def test_a_layer_of_other_features_is_refused(checkpoint: Checkpoint, tmp_path) -> None:
    base = _whole()
    other = calibrate_clips(checkpoint, clips(FIVE), "P01").checkpoint.model.personal
    with pytest.raises(CheckpointError, match="of audio is of 40 features"):
        load(_saved(tmp_path, with_personal(base, other)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (clips(np.arange(4)), "4 labeled clips of P01 were found, expected 10"),
        (clips(np.full(20, 2)), "all clips of P01 show anger"),
    ],
)
def test_too_little_is_refused(checkpoint: Checkpoint, given: Clips, said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        calibrate_clips(checkpoint, given, "P01")


def test_somebody_elses_layer_is_not_added_to(checkpoint: Checkpoint) -> None:
    made = calibrate_clips(checkpoint, clips(FIVE), "P01").checkpoint
    with pytest.raises(InputRefused, match="adapted to P01, not to P02"):
        calibrate_clips(made, clips(FIVE), "P02")


def _two_modalities() -> Checkpoint:
    config = load_config("compact")
    model = EmotionModel(config.model, ("eeg", "audio"), False, None, KNOWS).eval()
    for encoder in model.by_modality.values():
        encoder.head = torch.nn.Sequential(Linear(N_FEATURES))
    settings = PreprocessSettings()
    return Checkpoint(model, config, settings, demo=True, sureness=OTHERS)


def _whole() -> Checkpoint:
    from eav_live.recognition.assets import asset

    return load(asset("people.safetensors"))


def _layer_for(base: Checkpoint):
    random = np.random.default_rng(0)
    x = random.normal(0, 1, (40, 207)).astype(np.float32)
    emotion = np.tile(np.arange(5), 8)
    given = Clips(heard(x), emotion, np.arange(40))
    return calibrate_clips(base, given, "P02").checkpoint.model.personal


def _saved(tmp_path, checkpoint: Checkpoint):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, checkpoint)
    return path


def test_every_subset_of_modalities_is_told_over_the_clips_that_have_it() -> None:
    """The voice says all, the face nothing and is missing in every fifth clip."""
    base = _whole()
    random, emotion = np.random.default_rng(1), np.tile(np.arange(5), 8)
    known = base.population.by_modality["audio"]
    voice = 3.0 * np.repeat(np.eye(5), 40, 1)[emotion] + random.normal(0, 1, (40, 200))
    voice = np.hstack([voice, np.zeros((40, 7))]) * known.spread.numpy()
    voice = voice + known.mean.numpy()
    n_face = affine_head(base.model.heads()["video"])[0].shape[1]
    face = random.normal(0, 1, (40, n_face)).astype("f4")
    present = np.tile([False, True, True], (40, 1))
    present[emotion == 0, 2] = False
    features = Features({"audio": voice.astype("f4"), "video": face}, present)
    made = calibrate_clips(base, Clips(features, emotion, np.arange(40)), "P03")
    told = made.by_subset
    assert {name: one.clips for name, one in told.items()} == {
        "audio": 40,
        "video": 32,
        "audio+video": 32,
    }
    assert told["audio"].after == pytest.approx(made.by_modality["audio"][1].value)
    assert told["audio"].after > 0.9 > 0.5 > told["video"].after
    assert told["audio+video"].interval[0] > 0
    card = made.checkpoint.card
    assert card is not None
    assert card.gained == tuple(told.values())
    assert f"face and voice: {told['audio+video'].before:.1%} before" in card.as_text()
    assert with_personal(made.checkpoint, None).card.gained == ()
