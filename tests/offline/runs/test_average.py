"""The running mean of weights that a stage may keep instead of the last ones."""

from pathlib import Path

import pytest
import torch
from agreement import LOSS, assert_models_agree
from planted import planted_subject, tiny_config

from eav_offline.config import Config
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.models import EmotionModel
from eav_offline.training.journal import Journal
from eav_offline.training.runtime import Runtime
from eav_offline.training.stages import fit_encoder

pytestmark = pytest.mark.numeric

STEPS = 3  # of an epoch


class Killed(Exception):
    """Stands for a run that ends in the middle."""


def settings(average: float, **train: object) -> Config:
    stage = {"epochs": 3, "batch": 20, "learning_rate": 3e-3, "average": average}
    return tiny_config(audio=stage, **train)


def fitted(
    config: Config, runtime: Runtime | None = None, watched: WindowSet | None = None
) -> tuple[EmotionModel, list[dict[str, object]]]:
    torch.manual_seed(0)
    model = EmotionModel(config.model, ["audio"], fusion=False)
    windows = window_set([planted_subject()])
    assert len(windows) == 20 * STEPS
    return model, fit_encoder(model, "audio", windows, watched, config, runtime=runtime)


def weights(model: EmotionModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_the_mean_is_that_of_the_weights_after_every_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    expected = weights(EmotionModel(settings(0.0).model, ["audio"], fusion=False))
    seen: list[torch.Tensor] = []
    step = torch.optim.AdamW.step

    def spy(self: torch.optim.AdamW, *args: object, **keys: object) -> object:
        out = step(self, *args, **keys)
        seen.append(self.param_groups[0]["params"][0].detach().clone())
        return out

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
    model, _ = fitted(settings(0.8))
    now = dict(model.named_parameters())
    shape = seen[0].shape
    (name,) = [n for n, x in now.items() if x.shape == shape and "patches.weight" in n]
    mean = expected[name]
    for n, value in enumerate(seen, start=1):
        decay = min(0.8, n / (n + 9))
        mean = decay * mean + (1 - decay) * value
    assert len(seen) == 3 * STEPS
    torch.testing.assert_close(now[name].detach(), mean)
    assert not torch.allclose(seen[-1], mean, atol=1e-4)


def test_training_itself_goes_the_same_way() -> None:
    _, plain = fitted(settings(0.0))
    _, averaged = fitted(settings(0.8))
    losses = [
        [epoch["train_loss"] for epoch in history] for history in (plain, averaged)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=LOSS)


def test_what_is_watched_is_the_mean() -> None:
    windows = window_set([planted_subject(seed=1)])
    model, history = fitted(settings(0.8), watched=windows)
    model.eval()
    logits = model.alone(model.states(windows.batch(list(range(len(windows))))))
    hits = (logits["audio"].argmax(1).numpy() == windows.emotion).mean()
    assert history[-1]["validation_accuracy"] == pytest.approx(hits, abs=1e-4)


def test_an_interrupted_run_goes_on_with_its_mean(tmp_path: Path) -> None:
    config = settings(0.8)
    whole, _ = fitted(config)

    def die(stage: str, done: int, epochs: int, loss: float) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        fitted(config, Runtime(journal=Journal(tmp_path, {}), progress=die))
    again, _ = fitted(config, Runtime(journal=Journal(tmp_path, {})))
    assert_models_agree(whole, again, window_set([planted_subject()]))
