"""How each baseline is trained: as its authors published it."""

from eav_offline.config import BaselineConfig, Config, StageConfig
from eav_offline.core.model_names import AVERAGE, NETWORKS

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
    not as the configuration trains the transformer; epochs: instead of the published
    number. Raises pydantic's ValidationError for a name that is no baseline.
    """
    baseline = BaselineConfig(name=name)
    train = config.train
    if name in NETWORKS:
        settings = SETTINGS[name]
        if epochs is not None:
            settings = settings.model_copy(update={"epochs": epochs})
        update = {baseline.modality: settings, "label_smoothing": 0.0}
        train = train.model_copy(update=update)
    return config.model_copy(update={"baseline": baseline, "train": train})


def baseline_name(baseline: BaselineConfig) -> str:
    """What tables call it, such as "mean of eeg-bands + scnn"."""
    if baseline.name == AVERAGE:
        return f"mean of {' + '.join(baseline.members)}"
    return baseline.name
