"""Ways to compute a model answer alike, and the fastest faithful one is taken."""

from pathlib import Path

import numpy as np
import pytest
import torch

from eav_live.recognition.assets import asset
from eav_offline.backends import (
    EagerBackend,
    available_backends,
    choice,
    choose_backend,
    make_backend,
)
from eav_offline.backends import choice as making
from eav_offline.backends.base import answers, full_window
from eav_offline.backends.reduced import RunningBackend, shared_copy
from eav_offline.backends.reference_windows import reference_windows
from eav_offline.checkpoint import file as checkpoints
from eav_offline.common.errors import InputRefused
from eav_offline.models import EmotionModel
from eav_offline.models.sliding import FrameStates

PATH = asset("demo.safetensors")
PATIENT = 3600.0  # of a contest that ends whether or not the computer is busy


@pytest.fixture(scope="module")
def demo() -> checkpoints.Checkpoint:
    return checkpoints.load(PATH)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(making, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(choice, "cache_folder", lambda: tmp_path)
    return tmp_path


class Skewed(EagerBackend):
    """Wrong, and faster than anything."""

    def fuse(self, states, present):
        return super().fuse(states, present) + torch.arange(5.0)


@pytest.mark.parametrize("name", ["bf16", "int8", "onnx", "onnx-int8"])
def test_backend_answers_as_eager_does(demo, name) -> None:
    if name not in available_backends():
        pytest.skip(f"{name} is not there on this computer")
    backend, eager = make_backend(name, demo, PATH), EagerBackend(demo.model)
    for window in reference_windows(demo.config, 3):
        found = answers(backend, window, demo.modalities)
        expected = answers(eager, window, demo.modalities)
        tolerance = 1e-4 if name == "onnx" else choice.TOLERANCE
        np.testing.assert_allclose(found, expected, atol=tolerance)


def test_converting_leaves_the_model_as_it_was(demo) -> None:
    window = reference_windows(demo.config, 1)[0]
    before = answers(EagerBackend(demo.model), window, demo.modalities)
    for name in ("bf16", "int8"):
        if name in available_backends():
            make_backend(f"{name}+merge+small", demo, PATH)
    after = answers(EagerBackend(demo.model), window, demo.modalities)
    np.testing.assert_allclose(before, after, atol=1e-6)  # bf16 moves them by 1e-3


def test_shared_copy_has_the_originals_weights(demo) -> None:
    copy = shared_copy(demo.model)
    pairs = zip(copy.parameters(), demo.model.parameters(), strict=True)
    assert all(mine is theirs for mine, theirs in pairs)


def test_fast_backend_that_answers_differently_is_not_taken(demo, monkeypatch) -> None:
    def make(name, checkpoint, path=None):
        assert name == "skewed"
        return Skewed(demo.model, name)

    monkeypatch.setattr(choice, "make_backend", make)
    monkeypatch.setattr(
        choice, "_timed", lambda b, *_: 1e-4 if b.name == "skewed" else 1e-2
    )
    monkeypatch.setattr(choice, "_rivals", lambda: ["skewed"])
    monkeypatch.setattr(choice, "CONTEST_SECONDS", PATIENT)
    backend, report = choose_backend(demo, PATH)
    assert backend.name == report.name == "eager"
    assert report.candidates[1].difference > choice.TOLERANCE
    assert "differs by more than" in report.table()
    # With a tolerance that all meet, the fastest wins.
    monkeypatch.setattr(choice, "TOLERANCE", 1.0)
    backend, _ = choose_backend(demo, PATH)
    assert backend.name == "skewed"


def test_choice_is_remembered_until_something_changes(demo, monkeypatch) -> None:
    monkeypatch.setattr(choice, "_rivals", list)
    _, first = choose_backend(demo, PATH)
    assert not first.remembered
    _, second = choose_backend(demo, PATH)
    assert second.remembered
    assert second.candidates == first.candidates
    monkeypatch.setattr(choice, "package_versions", lambda: {"torch": "another"})
    _, third = choose_backend(demo, PATH)
    assert not third.remembered


def test_damaged_memory_of_a_choice_is_made_again(demo, cache, monkeypatch) -> None:
    monkeypatch.setattr(choice, "_rivals", list)
    choose_backend(demo, PATH)
    (file,) = cache.glob("*.json")
    for damage in ("", "[]", '[{"name": 3}]', "{}"):
        file.write_text(damage)
        _, report = choose_backend(demo, PATH)
        assert not report.remembered


def test_candidate_that_fails_is_passed_over(demo, monkeypatch) -> None:
    def make(name, checkpoint, path=None):
        raise RuntimeError("no such instruction")

    monkeypatch.setattr(choice, "make_backend", make)
    monkeypatch.setattr(choice, "_rivals", lambda: ["bf16"])
    monkeypatch.setattr(choice, "CONTEST_SECONDS", PATIENT)
    backend, report = choose_backend(demo, PATH)
    assert backend.name == "eager"
    assert "no such instruction" in report.table()


@pytest.mark.parametrize("name", ["quick", "eager+quick", "onnx+merge"])
def test_unknown_names_are_refused(demo, name) -> None:
    with pytest.raises(InputRefused, match="there|approximations"):
        make_backend(name, demo, PATH)


def slid(states: list[FrameStates], first: int) -> FrameStates:
    return FrameStates(
        *(
            torch.stack([getattr(one, part)[0] for one in states[first : first + 4]])
            for part in ("tokens", "message", "logits", "features")
        )
    )


def three_layers(demo) -> EmotionModel:
    config = demo.config.model
    fusion = config.fusion.model_copy(update={"layers": 3})
    torch.manual_seed(0)
    model = EmotionModel(
        config.model_copy(update={"fusion": fusion}), demo.modalities, fusion=True
    ).eval()
    with torch.no_grad():
        for m in demo.modalities:
            model.ambt.heads[m][1].weight.normal_(std=0.1)
    return model


def test_running_state_computes_each_picture_once(demo) -> None:
    model = three_layers(demo)
    running, eager = RunningBackend(model, "running"), EagerBackend(model)
    windows = reference_windows(demo.config, 3)
    pictures = np.concatenate([w["video"] for w in windows])[:, None]
    video = [eager.encode("video", picture) for picture in pictures]
    n_read = []
    running.fusion.encoders["video"].fusion_blocks[1].register_forward_hook(
        lambda _module, args, _out: n_read.append(len(args[0]))
    )
    for first, expected in ((0, 4), (1, 1), (3, 2)):
        states = {m: eager.encode(m, windows[first // 2][m]) for m in ("eeg", "audio")}
        states["video"] = slid(video, first)
        n_read.clear()
        mine = running.fuse(states, demo.modalities)
        assert sum(n_read) == expected
        whole = eager.fuse(states, demo.modalities)
        if first == 0:  # nothing is old yet
            torch.testing.assert_close(mine, whole, atol=1e-5, rtol=0)
        np.testing.assert_allclose(mine.softmax(0), whole.softmax(0), atol=0.1)
    # The state that old pictures heard is another one without EEG: all anew.
    n_read.clear()
    mine = running.fuse(states, ("audio", "video"))
    assert sum(n_read) == 4
    torch.testing.assert_close(
        mine, eager.fuse(states, ("audio", "video")), atol=1e-5, rtol=0
    )


def test_merging_and_shrinking_leave_fewer_tokens(demo) -> None:
    window = reference_windows(demo.config, 1)[0]
    plain = EagerBackend(demo.model).encode("video", window["video"])
    n_plain = plain.tokens.shape[1]
    for name in ("eager+merge", "eager+small"):
        backend = make_backend(name, demo, PATH)
        states = backend.encode("video", window["video"])
        assert states.tokens.shape[1] < n_plain
        assert torch.isfinite(states.logits).all()


def test_full_window_repeats_pictures(demo) -> None:
    window = reference_windows(demo.config, 1)[0]
    states = {"video": EagerBackend(demo.model).encode("video", window["video"])}
    full = full_window(states)["video"].logits
    assert len(full) == 25
    torch.testing.assert_close(full[:3], full[3:6])


@pytest.mark.slow
def test_compiled_model_answers_as_eager_does(demo) -> None:
    if "compile" not in available_backends():
        pytest.skip("no C++ compiler on this computer")
    backend, eager = make_backend("compile", demo, PATH), EagerBackend(demo.model)
    window = reference_windows(demo.config, 1)[0]
    np.testing.assert_allclose(
        answers(backend, window, demo.modalities),
        answers(eager, window, demo.modalities),
        atol=1e-4,
    )
    for n in (1, 2, 7):
        pictures = np.resize(window["video"], (n, *window["video"].shape[1:]))
        found = backend.encode("video", pictures).logits
        expected = eager.encode("video", pictures).logits
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_recognizer_changes_its_backend_between_windows(demo) -> None:
    from eav_live.recognition.recognizer import Recognizer
    from eav_offline.preprocess import Inputs

    window = reference_windows(demo.config, 1)[0]
    faces = np.resize(window["video"], (25, *window["video"].shape[1:]))
    inputs = Inputs(window["eeg"][0], window["audio"][0], faces, np.ones(25, bool))
    recognizer = Recognizer(demo, "demo")
    before = recognizer.recognize_inputs(inputs)
    recognizer.use(make_backend("onnx", demo, PATH))
    assert recognizer.backend.name == "eager"
    after = recognizer.recognize_inputs(inputs)
    assert recognizer.backend.name == "onnx"
    np.testing.assert_allclose(after.fused, before.fused, atol=1e-4)
