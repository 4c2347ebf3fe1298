"""Frozen states: what the cache holds is what would be computed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from planted import planted_subject, tiny_config
from test_training import data_of

from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Batch, EmotionModel
from eav_offline.training import states as frozen
from eav_offline.training.runtime import Runtime
from eav_offline.training.stages import fit_ambt, fit_encoder
from eav_offline.training.states import FrozenStates, Recipe, StatesError
from eav_offline.training.train import new_model

FRAMES = np.array([0, 12])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def windows() -> WindowSet:
    return data_of(planted_subject()).train


def states(folder: Path, model: EmotionModel, **recipe: object) -> FrozenStates:
    return FrozenStates(
        folder,
        windows(),
        Recipe(MODALITIES, FRAMES, **recipe),  # type: ignore[arg-type]
        [model.encoders],
        model.states,
        torch.device("cpu"),
    )


def test_cached_states_are_the_computed_ones(tmp_path: Path) -> None:
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    cached = states(tmp_path, model, half=False)
    rows = np.array([3, 30, 7])
    with torch.no_grad():
        computed = model.states(windows().batch(rows, frames=FRAMES))
    kept = cached.at(rows)
    assert kept.keys() == computed.keys() == set(MODALITIES)
    for m in MODALITIES:
        torch.testing.assert_close(kept[m], computed[m], atol=1e-5, rtol=1e-5)


def test_16_bits_halve_sound_and_faces_and_move_nothing(tmp_path: Path) -> None:
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    whole, half = states(tmp_path, model, half=False), states(tmp_path, model)
    rows = np.arange(40)
    present = torch.ones(40, 3, dtype=torch.bool)
    with torch.no_grad():
        fused = [model.fused(s.at(rows), present)[0].softmax(1) for s in (whole, half)]
    assert float((fused[0] - fused[1]).abs().max()) < 1e-3
    eeg = whole.at(rows)["eeg"].numel() * 4
    assert half.n_bytes - eeg == (whole.n_bytes - eeg) // 2


def test_other_weights_or_windows_get_other_states(tmp_path: Path) -> None:
    config = tiny_config()
    folders = {
        states(tmp_path, new_model(config.with_seed(s), MODALITIES, True).eval()).folder
        for s in (0, 1)
    }
    model = new_model(config, MODALITIES, fusion=True).eval()
    changed = planted_subject()
    changed.log_mel[0] += 1
    recipe = Recipe(MODALITIES, FRAMES)
    folders.add(
        FrozenStates(
            tmp_path,
            data_of(changed).train,
            recipe,
            [model.encoders],
            model.states,
            torch.device("cpu"),
        ).folder
    )
    assert len(folders) == 3


def test_states_that_are_there_are_not_computed_again(tmp_path: Path) -> None:
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    first = states(tmp_path, model).at(np.arange(5))

    def never(batch: Batch) -> dict[str, torch.Tensor]:
        raise AssertionError("computed again")

    again = FrozenStates(
        tmp_path,
        windows(),
        Recipe(MODALITIES, FRAMES),
        [model.encoders],
        never,
        torch.device("cpu"),
    )
    # Bit for bit: read from the same file.
    assert all(torch.equal(first[m], x) for m, x in again.at(np.arange(5)).items())


def test_an_interrupted_computation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "_BATCH", 7)  # does not divide the 40 windows
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    whole = states(tmp_path / "whole", model, variants=2)
    calls = []

    def dies(batch: Batch) -> dict[str, torch.Tensor]:
        calls.append(len(batch.present))
        if len(calls) == 9:  # in the second variant
            raise KeyboardInterrupt
        return model.states(batch)

    def make(compute: object) -> FrozenStates:
        return FrozenStates(
            tmp_path / "parts",
            windows(),
            Recipe(MODALITIES, FRAMES, variants=2),
            [model.encoders],
            compute,  # type: ignore[arg-type]
            torch.device("cpu"),
        )

    with pytest.raises(KeyboardInterrupt):
        make(dies)
    calls.clear()

    def counts(batch: Batch) -> dict[str, torch.Tensor]:
        calls.append(len(batch.present))
        return model.states(batch)

    parts = make(counts)
    assert sum(calls) < 40
    for epoch in (0, 1):
        kept, wanted = parts.at(np.arange(40), epoch), whole.at(np.arange(40), epoch)
        for m in MODALITIES:  # computed in other batches: rounding, and float16's
            torch.testing.assert_close(kept[m], wanted[m], rtol=2e-3, atol=1e-5)


def test_variants_take_turns_and_the_first_is_unchanged(tmp_path: Path) -> None:
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    plain, several = states(tmp_path, model), states(tmp_path, model, variants=3)
    rows = np.arange(10)
    audio = [several.at(rows, epoch)["audio"] for epoch in range(4)]
    torch.testing.assert_close(audio[0], plain.at(rows)["audio"], rtol=2e-3, atol=1e-5)
    assert torch.equal(audio[0], audio[3])  # bit for bit: read from the same file
    assert not torch.allclose(audio[0], audio[1], rtol=2e-3, atol=1e-5)
    assert not torch.allclose(audio[1], audio[2], rtol=2e-3, atol=1e-5)


def test_a_disk_that_is_too_small_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "_DISK_MARGIN", 1 << 62)
    model = new_model(tiny_config(), MODALITIES, fusion=True).eval()
    with pytest.raises(StatesError, match="GB are free: give --states"):
        states(tmp_path, model)


def phased(variants: int, **stage: object) -> Config:
    settings = {
        "head_epochs": 3,
        "epochs": 2,
        "batch": 20,
        "learning_rate": 1e-3,
        "head_learning_rate": 1e-3,
        "augment": False,
        "frames": 2,
        "variants": variants,
        **stage,
    }
    return tiny_config(eeg=settings, audio=settings, video=settings, ambt=settings)


@pytest.mark.parametrize("stage", [*MODALITIES, "ambt"])
def test_training_on_cached_states_is_training_on_fresh_ones(stage: str) -> None:
    losses, phases = [], []
    for variants in (1, 0):
        config = phased(variants)
        model = new_model(config, MODALITIES, fusion=True)
        if stage == "ambt":
            history = fit_ambt(model, windows(), None, config)
        else:
            history = fit_encoder(model, stage, windows(), None, config)
        losses.append([row["train_loss"] for row in history])
        phases.append([row["phase"] for row in history])
    np.testing.assert_allclose(losses[0], losses[1], atol=1e-3)
    assert phases[0] == phases[1] == ["head"] * 3 + ["all"] * 2
    assert len(set(losses[0])) == 5  # every epoch learned something


@pytest.mark.parametrize("stage", [*MODALITIES, "ambt"])
def test_the_head_phase_leaves_everything_else_as_it_was(stage: str) -> None:
    config = phased(1, epochs=0)
    model = new_model(config, MODALITIES, fusion=True)
    if stage == "ambt":
        assert model.ambt is not None
        module: torch.nn.Module = model.ambt
        before = {n: x.clone() for n, x in module.state_dict().items()}
        fit_ambt(model, windows(), None, config)
    else:
        module = model.by_modality[stage]
        before = {n: x.clone() for n, x in module.state_dict().items()}
        fit_encoder(model, stage, windows(), None, config)
    after = module.state_dict()
    moved = {n for n in before if not torch.equal(before[n], after[n])}
    # The scale is the training data's, taken beforehand.
    moved = {n for n in moved if n.split(".")[-1] not in ("mean", "deviation")}
    assert moved
    assert all("head" in name for name in moved)


def test_parts_of_a_batch_give_the_step_of_the_whole_batch() -> None:
    losses = []
    for accumulate in (1, 4):
        config = phased(1, head_epochs=0, epochs=4, accumulate=accumulate)
        audio = config.model.audio.model_copy(
            update={"dropout": 0.0, "head_dropout": 0.0}  # drawn part by part
        )
        sizes = config.model.model_copy(update={"audio": audio})
        config = config.model_copy(update={"model": sizes})
        model = new_model(config, ["audio"], fusion=False)
        history = fit_encoder(model, "audio", windows(), None, config)
        losses.append([row["train_loss"] for row in history])
    # Adam turns rounding in tiny gradients into small steps: losses, not weights.
    np.testing.assert_allclose(losses[0], losses[1], atol=2e-4)
    assert losses[0][3] < losses[0][0] - 0.02


def test_a_trial_run_takes_as_many_steps_as_it_is_given() -> None:
    config = phased(1, head_epochs=0, epochs=1)
    model = new_model(config, ["audio"], fusion=False)
    seen: list[int] = []
    original = windows()

    class Counting(WindowSet):
        def batch(self, rows, *args, **kwargs):  # type: ignore[no-untyped-def]
            seen.append(len(rows))
            return super().batch(rows, *args, **kwargs)

        def with_modality(self, modality: str) -> WindowSet:
            return self

    counting = Counting(**{k: getattr(original, k) for k in original.__match_args__})
    runtime = Runtime(max_steps=1)
    fit_encoder(model, "audio", counting, None, config, runtime)
    assert seen == [20]  # of 40 windows
