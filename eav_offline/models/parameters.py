"""How many parameters a configuration has, where they are, and which stage trains."""

from collections import Counter
from typing import Any, get_args

import torch
from torch import nn

from eav_offline.config import Config, FusionConfig, ModelConfig
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import STAGES
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Ambt
from eav_offline.models.layers import Encoder

ENCODER_PARTS = ("stem", "below fusion", "fusion blocks", "norm", "head")
AMBT_PARTS = ("state", "expand", "reduce", "absent", "heads", "readout")
VARIANTS: tuple[str, ...] = get_args(FusionConfig.model_fields["variant"].annotation)


def describe(config: Config) -> dict[str, Any]:
    """Counts of parameters, of both variants of AMBT; nothing is allocated.

    encoders: by modality and part. ambt: by variant and part; these come on top of the
    encoders. total: by variant. stages: for each phase of the training of the
    configured variant, its trainable parameters, of how many, and their share.
    """
    models = {variant: build_empty(config.model, variant) for variant in VARIANTS}
    chosen = models[config.model.fusion.variant]
    encoders = chosen.by_modality
    return {
        "variant": config.model.fusion.variant,
        "encoders": {m: _with_total(_of_encoder(encoders[m])) for m in MODALITIES},
        "ambt": {
            variant: _with_total(_of_ambt(_ambt(model)))
            for variant, model in models.items()
        },
        "total": {variant: count(model) for variant, model in models.items()},
        "stages": _stages(config, chosen),
    }


def build_empty(config: ModelConfig, variant: str) -> EmotionModel:
    """All three encoders and AMBT of that variant, on the device "meta"."""
    fusion = config.fusion.model_copy(update={"variant": variant})
    sizes = config.model_copy(update={"fusion": fusion})
    with torch.device("meta"):
        return EmotionModel(sizes, MODALITIES, fusion=True)


def count(module: nn.Module) -> int:
    """Parameters of a module; buffers, such as a scale, are none."""
    return sum(parameter.numel() for parameter in module.parameters())


def _of_encoder(encoder: Encoder) -> Counter[str]:
    counts: Counter[str] = Counter(dict.fromkeys(ENCODER_PARTS, 0))
    for name, parameter in encoder.named_parameters():
        part, _, rest = name.partition(".")
        if part == "blocks":
            below = int(rest.partition(".")[0]) < encoder.n_before
            part = "below fusion" if below else "fusion blocks"
        elif part not in ("norm", "head"):
            part = "stem"
        counts[part] += parameter.numel()
    return counts


def _of_ambt(ambt: Ambt) -> Counter[str]:
    counts: Counter[str] = Counter(dict.fromkeys(AMBT_PARTS, 0))
    for name, parameter in ambt.named_parameters():
        parts = name.split(".")  # exchanges.<layer>.expand.<modality>.weight
        counts[parts[2] if parts[0] == "exchanges" else parts[0]] += parameter.numel()
    return counts


def _stages(config: Config, model: EmotionModel) -> list[dict[str, Any]]:
    stages = []
    for name in STAGES:
        settings = config.train.stage(name)
        if name == "ambt":
            ambt = _ambt(model)
            heads, of = count(ambt.heads), count(model)
            whole = count(ambt) - heads  # which are frozen then
        else:
            encoder = model.by_modality[name]
            heads, whole, of = count(encoder.head), count(encoder), count(encoder)
        for phase, epochs, trainable in (
            ("head", settings.head_epochs, heads),
            ("all", settings.epochs, whole),
        ):
            if epochs:
                stages.append(
                    {
                        "stage": name,
                        "phase": phase,
                        "epochs": epochs,
                        "trainable": trainable,
                        "of": of,
                        "share": trainable / of,
                    }
                )
    return stages


def _ambt(model: EmotionModel) -> Ambt:
    assert model.ambt is not None
    return model.ambt


def _with_total(counts: Counter[str]) -> dict[str, int]:
    return {**counts, "total": counts.total()}
