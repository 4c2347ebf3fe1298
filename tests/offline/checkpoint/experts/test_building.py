"""A checkpoint of published classifiers answers as `transformers` does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from published_models import FACE_CLASSES, SIDE, restate, write_face, write_voice
from safetensors.torch import load_file, save_file

import eav_offline
from eav_offline.checkpoint import file as checkpoint
from eav_offline.checkpoint.experts.building import built
from eav_offline.checkpoint.experts.finding import Wanted, find
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_SAMPLES, FaceFrame, RawWindow, window_times
from eav_offline.preprocess import prepare

pytestmark = pytest.mark.numeric

TOLERANCE = 1e-5  # of probabilities, float32


def window(seed: int = 0, rate: int = 16_000) -> RawWindow:
    """Five seconds of noise and of colored pictures whose face is all of them."""
    rng = np.random.default_rng(seed)
    box = np.array([0, 0, SIDE, SIDE], np.float32)
    pictures = rng.integers(0, 255, (25, SIDE, SIDE, 3), np.uint8)
    frames = [
        FaceFrame(t, picture, box, True)
        for t, picture in zip(window_times(5.0), pictures, strict=True)
    ]
    sound = 0.1 * rng.standard_normal(AUDIO_SAMPLES * rate // 16_000) + 0.02
    return RawWindow(5.0, None, 0.0, sound.astype(np.float32), rate, tuple(frames))


def made(tmp_path: Path, *wanted: Wanted) -> Checkpoint:
    """The checkpoint of them, written and read."""
    path = tmp_path / "experts.safetensors"
    checkpoint.save_checkpoint(path, built(find(wanted)))
    return checkpoint.load(path)


@torch.inference_mode()
def theirs_of_faces(folder: Path, raw: RawWindow) -> np.ndarray:
    """What transformers says of each picture, (25, n) log probabilities."""
    assert raw.frames is not None
    processor = transformers.ViTImageProcessor.from_pretrained(folder)
    pixels = processor([frame.image for frame in raw.frames], return_tensors="pt")
    model = transformers.ViTForImageClassification.from_pretrained(folder).eval()
    return model(**pixels).logits.log_softmax(1).numpy()


@torch.inference_mode()
def theirs_of_voices(folder: Path, kind: str, raw: RawWindow) -> np.ndarray:
    """What transformers says of the sound, (n,) probabilities."""
    processor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
    name = f"{kind}ForSequenceClassification"
    model = getattr(transformers, name).from_pretrained(folder).eval()
    heard = processor(raw.audio, sampling_rate=16_000, return_tensors="pt")
    return model(heard["input_values"]).logits.softmax(1)[0].numpy()


def test_a_face_is_told_as_transformers_tells_it_frame_by_frame(
    face: Path, tmp_path: Path
) -> None:
    found = made(tmp_path, Wanted("video", str(face)))
    raw = window()
    logits = theirs_of_faces(face, raw)
    at = {name: np.exp(logits[:, i]) for i, name in enumerate(FACE_CLASSES)}
    ours = np.stack(
        [at["neutral"], at["sad"], at["angry"], at["happy"] + at["joy"]], axis=1
    )
    expected = np.exp(np.log(ours).mean(0))
    expected /= expected.sum()
    said = eav_offline.predict(found, [prepare(raw, found.preprocess)])
    np.testing.assert_allclose(
        said.by_modality["video"][0, :4], expected, atol=TOLERANCE
    )
    assert np.isnan(said.fused[0, EMOTIONS.index("calmness")])
    assert found.knows == ("neutral", "sadness", "anger", "happiness")


@pytest.mark.parametrize("kind", ["Hubert", "Wav2Vec2"])
def test_a_voice_is_told_as_transformers_tells_it(kind: str, tmp_path: Path) -> None:
    folder = write_voice(tmp_path / kind, kind)
    found = made(tmp_path, Wanted("audio", str(folder)))
    raw = window()
    neutral, happy, angry, sad, _ = theirs_of_voices(folder, kind, raw)
    expected = np.array([neutral, sad, angry, happy])
    said = eav_offline.predict(found, [prepare(raw, found.preprocess)])
    np.testing.assert_allclose(
        said.by_modality["audio"][0, :4], expected / expected.sum(), atol=TOLERANCE
    )


def test_both_are_averaged_over_what_is_there(
    face: Path, voice: Path, tmp_path: Path
) -> None:
    both = made(tmp_path, Wanted("video", str(face)), Wanted("audio", str(voice)))
    heard = prepare(window(), both.preprocess)
    unheard = replace(heard, log_mel=None, wave=None)
    said = eav_offline.predict(both, [heard, unheard])
    alone = said.by_modality
    np.testing.assert_allclose(
        said.fused[0], (alone["audio"][0] + alone["video"][0]) / 2, atol=TOLERANCE
    )
    np.testing.assert_allclose(said.fused[1], alone["video"][1], atol=TOLERANCE)
    assert both.modalities == ("audio", "video")
    assert both.model.fusing.how == "mean"
    assert both.preprocess.face_size == SIDE


def test_emotions_that_only_one_of_two_knows_are_left_out_of_both(
    face: Path, tmp_path: Path
) -> None:
    calm = write_voice(tmp_path / "calm", names=("calm", "sad", "happy"))
    both = made(tmp_path, Wanted("video", str(face)), Wanted("audio", str(calm)))
    assert both.knows == ("sadness", "happiness")
    alone = made(tmp_path, Wanted("audio", str(calm)))
    assert alone.knows == ("sadness", "happiness", "calmness")


def test_a_checkpoint_tells_whose_it_is_and_under_which_license(
    face: Path, voice: Path, tmp_path: Path
) -> None:
    card = made(tmp_path, Wanted("video", str(face)), Wanted("audio", str(voice))).card
    assert card is not None
    assert str(face) in card.what
    assert card.license.count("apache-2.0") == 2
    assert "joy as happiness" in card.made_with["classes of the face"]
    assert "disgust left out" in card.made_with["classes of the face"]
    assert "not tested" in card.line


def test_what_a_preprocessor_says_of_pictures_is_followed_or_refused(
    tmp_path: Path,
) -> None:
    folder = write_face(tmp_path / "face")
    name = "preprocessor_config.json"
    restate(folder, name, size={"shortest_edge": SIDE}, do_normalize=False)
    found = made(tmp_path, Wanted("video", str(folder)))
    published = found.config.baseline and found.config.baseline.published
    assert published
    assert published.picture
    assert published.picture.side == SIDE
    assert published.picture.mean == (0, 0, 0)
    restate(folder, name, size={"height": 24, "width": SIDE})
    with pytest.raises(WeightsError, match="the network's 32 squared"):
        built(find([Wanted("video", str(folder))]))


def test_weights_without_the_classifier_are_refused_and_none_drawn(
    tmp_path: Path,
) -> None:
    folder = write_face(tmp_path / "face")
    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks classifier\.weight"):
        built(find([Wanted("video", str(folder))]))


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = write_face(tmp_path / "face")
    restate(folder, hidden_size=24)
    with pytest.raises(WeightsError, match="do not fit"):
        built(find([Wanted("video", str(folder))]))


def test_half_precision_files_are_computed_in_single(tmp_path: Path) -> None:
    folder = write_voice(tmp_path / "voice")
    tensors = load_file(folder / "model.safetensors")
    halves = {name: x.half() for name, x in tensors.items()}
    save_file(halves, folder / "model.safetensors", {"format": "pt"})
    found = made(tmp_path, Wanted("audio", str(folder)))
    assert {p.dtype for p in found.model.parameters()} == {torch.float32}
