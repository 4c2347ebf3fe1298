"""How each baseline is trained: as its authors published it."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from eav_offline.common.errors import InputRefused, explain_faults
from eav_offline.common.plugins import MODELS, load_offered, offered_names
from eav_offline.config import BaselineConfig, Config, StageConfig
from eav_offline.core.model_names import AVERAGE, BASELINES, NETWORKS, STAGES

_PUBLISHED = {
    "optimizer": "adam",
    "schedule": "constant",
    "weight_decay": 0.0,
    "warmup": 0.0,
    "augment": False,
    "learning_rate": 1e-3,
}
SETTINGS = {
    "eegnet": StageConfig.model_validate({**_PUBLISHED, "epochs": 100, "batch": 32}),
    "shallowconvnet": StageConfig.model_validate(
        {**_PUBLISHED, "epochs": 480, "batch": 32}
    ),
    "scnn": StageConfig.model_validate({**_PUBLISHED, "epochs": 100, "batch": 64}),
    # The trunk stays as it is in the first phase. Parts of two windows are 50 pictures.
    "resnet50": StageConfig.model_validate(
        {
            **_PUBLISHED,
            "optimizer": "adamw",
            "weight_decay": 0.01,
            "head_epochs": 3,
            "head_learning_rate": 5e-4,
            "epochs": 3,
            "learning_rate": 5e-6,
            "batch": 32,
            "accumulate": 16,
        }
    ),
}


def with_baseline(config: Config, name: str, epochs: int | None = None) -> Config:
    """The configuration with a baseline in place of its modality's transformer.

    A network's stage is trained as published (`SETTINGS`), without label smoothing, and
    not as the configuration trains the transformer; one that a package offers as that,
    but for what its `training` says. epochs: instead of that number. Raises pydantic's
    ValidationError for a name that is no baseline.
    """
    baseline = BaselineConfig(name=name)
    train, update = config.train, dict[str, Any]()
    if name in NETWORKS:
        update = {baseline.modality: SETTINGS[name], "label_smoothing": 0.0}
    elif name not in BASELINES:
        update = {baseline.modality: _offered_settings(name, config)}
    if epochs is not None and update:
        more = {"epochs": epochs}
        update[baseline.modality] = update[baseline.modality].model_copy(update=more)
    train = train.model_copy(update=update)
    return config.model_copy(update={"baseline": baseline, "train": train})


def _offered_settings(name: str, config: Config) -> StageConfig:
    """How the model that a package offers is trained. Raises InputRefused."""
    offers = load_offered(MODELS, name)
    usual = config.train.stage(offers.modality).model_dump()
    try:
        return StageConfig.model_validate(usual | dict(getattr(offers, "training", {})))
    except ValidationError as error:
        raise InputRefused(
            f"{name}.training: {explain_faults(error, StageConfig)}"
        ) from error


def choose_stages(
    models: str | Sequence[str] | None, config: Config, epochs: int | None = None
) -> tuple[tuple[str, ...], Config]:
    """The stages to train, and the configuration with the baseline named, if one is.

    models: some of `STAGES`, all if None, or one of `BASELINES` or of what packages
    offer. epochs: of such a network, instead of its own number; others have none.
    Raises InputRefused for a name that is unknown or not alone.
    """
    names = STAGES if models is None else models
    names = (names,) if isinstance(names, str) else tuple(names)
    of_others = offered_names(MODELS, (*STAGES, *BASELINES))
    if set(names) <= set(STAGES):
        return names, config
    if len(names) > 1 or names[0] not in (*BASELINES, *of_others):
        raise InputRefused(
            f"no models are called {', '.join(names)}; give some of "
            f"{', '.join(STAGES)}, or one of {', '.join((*BASELINES, *of_others))}"
        )
    config = with_baseline(config, names[0], epochs)
    assert config.baseline is not None
    return (config.baseline.modality,), config


def baseline_name(baseline: BaselineConfig) -> str:
    """What tables call it, such as "mean of eeg-bands + scnn"."""
    if baseline.name == AVERAGE:
        return f"mean of {' + '.join(baseline.members)}"
    return baseline.name
