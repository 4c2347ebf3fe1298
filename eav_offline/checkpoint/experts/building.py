"""Published classifiers as one ordinary checkpoint: the mean of their probabilities.

It is written, or found written. Before weights are downloaded, somebody takes note of
their license; once.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs
import torch

from eav_offline.checkpoint.card import NAMES, Card
from eav_offline.checkpoint.experts.finding import Expert
from eav_offline.checkpoint.file import FORMAT, Checkpoint, save_checkpoint
from eav_offline.checkpoint.hub import PREPROCESSOR, WeightsError, read_safetensors
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import parsed_object, write_atomically
from eav_offline.config import (
    BaselineConfig,
    Config,
    PictureConfig,
    PublishedConfig,
    load_config,
)
from eav_offline.core.model_names import AVERAGE, PUBLISHED
from eav_offline.models import EmotionModel
from eav_offline.models.average import Average
from eav_offline.models.published import network_class
from eav_offline.preprocess import PreprocessSettings

log = logging.getLogger(__name__)
_MODALITIES = ("audio", "video")  # in the order of an average's members
_USUAL_SIDE = 224  # pixels, of a ViT whose config.json does not say
# Of voices: a parameter that only training reads, and older files lack.
_ONLY_TRAINED = "masked_spec_embed"
_FAILURES = (
    "Nothing was measured here; what the authors' cards say was, on their data.",
    "They learned from acted or posed clips and pictures of other people, cut out in "
    "other ways. Speaking disturbs a face's expression; another language, microphone "
    "or room, a voice's.",
)


def built(experts: Sequence[Expert]) -> Checkpoint:
    """A checkpoint of one classifier, or of two that know the same emotions.

    Raises WeightsError if weights are damaged or do not fit what config.json says.
    """
    experts = sorted(experts, key=lambda one: _MODALITIES.index(one.modality))
    configs = tuple(_config(one) for one in experts)
    models = [_model(*pair) for pair in zip(experts, configs, strict=True)]
    config, members, model = configs[0], configs[:0], models[0]
    if len(models) > 1:
        members, model = configs, Average(models, [one.modality for one in experts])
        names = tuple(PUBLISHED[one.modality] for one in experts)
        baseline = BaselineConfig(name=AVERAGE, members=names)
        config = config.model_copy(update={"baseline": baseline})
    return Checkpoint(
        model.eval(),
        config,
        PreprocessSettings(face_size=_face_size(configs)).making(model.parts_read),
        demo=False,
        meta={"experts": {one.modality: one.source for one in experts}},
        member_configs=members,
        card=experts_card(experts),
    )


def experts_card(experts: Sequence[Expert]) -> Card:
    """What is known of them here, which is little, and where more is to be read."""
    named = " and ".join(
        f"{one.source} for the {NAMES[one.modality]}" for one in experts
    )
    return Card(
        what=f"published classifiers as they are: {named}; together the mean of the "
        "probabilities of what is there",
        reads=tuple(one.modality for one in experts),
        knows=experts[0].knows,
        shown="for whom it works was not tested here",
        protocol="not tested here; see the cards of the models",
        failures=_FAILURES,
        license="; ".join(
            f"{NAMES[one.modality]}: {one.license} ({one.card})" for one in experts
        ),
        made_with={
            f"classes of the {NAMES[one.modality]}": ", ".join(
                f"{name} as {emotion}" if emotion else f"{name} left out"
                for name, emotion in one.classes
            )
            for one in experts
        },
    )


def published_config(expert: Expert) -> PublishedConfig:
    """What a checkpoint keeps of a classifier beside its weights.

    Raises WeightsError if its preprocessor_config.json cannot be understood.
    """
    said = expert.preprocessor
    face = expert.modality == "video"
    try:
        return PublishedConfig(
            source=expert.source,
            network=expert.config,
            classes=expert.classes,
            picture=_picture(said, expert.config) if face else None,
            standardized=not face and bool(said.get("do_normalize", True)),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise WeightsError(
            f"{expert.source}: its {PREPROCESSOR} cannot be understood ({error}); "
            "fetch it again, or give another model"
        ) from error


def _picture(said: dict[str, Any], network: dict[str, Any]) -> PictureConfig:
    side = network.get("image_size", _USUAL_SIDE)
    if said.get("do_resize", True) and _sides(said["size"]) != {side}:
        raise ValueError(f"size is {said['size']}, the network's {side} squared")
    scaled, normalized = said.get("do_rescale", True), said.get("do_normalize", True)
    return PictureConfig(
        side=side,
        scale=said.get("rescale_factor", 1 / 255) if scaled else 1.0,
        mean=said["image_mean"] if normalized else (0.0,) * 3,
        deviation=said["image_std"] if normalized else (1.0,) * 3,
    )


def _sides(size: Any) -> set[object]:
    """Of one number, or of numbers by name: height and width, or shortest_edge."""
    return set(size.values()) if isinstance(size, dict) else {size}


def _config(expert: Expert) -> Config:
    """The sizes of the transformers that it stands in for mean nothing."""
    baseline = BaselineConfig(
        name=PUBLISHED[expert.modality], published=published_config(expert)
    )
    return load_config("compact").model_copy(update={"baseline": baseline})


def _face_size(configs: Sequence[Config]) -> int:
    """Pixels of the crops: those of the pictures that a face's network wants."""
    pictures = [
        one.baseline.published.picture
        for one in configs
        if one.baseline is not None and one.baseline.published is not None
    ]
    sides = [picture.side for picture in pictures if picture is not None]
    return max(sides, default=PreprocessSettings.face_size)


def _model(expert: Expert, config: Config) -> EmotionModel:
    try:
        model = EmotionModel(
            config.model, [expert.modality], False, config.baseline, expert.knows
        )
        kind = network_class(expert.modality, expert.config["model_type"])
        tensors = fitted(expert, kind).state_dict()
        (encoder,) = model.by_modality.values()
        network: Any = encoder.network
        network.load_state_dict(tensors, assign=True)
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        raise WeightsError(
            f"{expert.source}: its weights do not fit what its config.json says "
            f"({error}); fetch both again, or give another model"
        ) from error
    return model


def fitted(expert: Expert, kind: Any) -> torch.nn.Module:
    """The network of a class of `transformers` with the expert's weights, float32.

    Files have older names for some; transformers knows all of them. Raises ValueError
    if the network would need others, WeightsError if the file is damaged.
    """
    assert expert.weights is not None
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    network, found = kind.from_pretrained(
        None,
        config=kind.config_class.from_dict(dict(expert.config)),
        state_dict=read_safetensors(expert.weights),
        dtype=torch.float32,
        output_loading_info=True,
    )
    missing = [n for n in sorted(found["missing_keys"]) if _ONLY_TRAINED not in n]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing[:4])}")
    whole: torch.nn.Module = network
    return whole


def experts_folder() -> Path:
    """Where answers and finished checkpoints are kept: the user's cache directory."""
    return Path(platformdirs.user_cache_dir("eav-live")) / "experts"


def write_experts(
    experts: Sequence[Expert],
    path: Path,
    ask: Callable[[str], str] | None,
    yes: bool = False,
) -> None:
    """Write a checkpoint of models that `find` found, their weights fetched if need be.

    ask, yes: see `agree`. Raises InputRefused if their licenses are not accepted, or
    their weights cannot be had or used.
    """
    for one in experts:
        agree(one, ask, yes)
    save_checkpoint(path, built([one.fetched() for one in experts]))


def kept_experts(
    experts: Sequence[Expert], ask: Callable[[str], str] | None, yes: bool = False
) -> Path:
    """A checkpoint of them in the user's cache directory, written if it is not there.

    See `write_experts`.
    """
    for one in experts:
        agree(one, ask, yes)
    fetched = [one.fetched() for one in experts]
    path = experts_folder() / f"{_name(fetched)}.safetensors"
    if not path.is_file():
        log.info("Writing %s, once", path)
        save_checkpoint(path, built(fetched))
    return path


def agree(expert: Expert, ask: Callable[[str], str] | None, yes: bool) -> None:
    """Have it agreed that a model's weights are downloaded under its license.

    What lies here already needs no agreement, nor what was agreed to before under the
    same license. ask: shows a question and returns the answer; None if nobody is there.
    yes: the answer was given beforehand. Raises InputRefused without agreement.
    """
    answers = _answers()
    if expert.weights is not None or answers.get(expert.source) == expert.license:
        return
    terms = (
        f"{expert.source} has the license: {expert.license}. Its card, which says what "
        f"it is for and what it must not be used for: {expert.card}"
    )
    if not yes and ask is None:
        raise InputRefused(
            f"{terms}. Before it is downloaded ({_megabytes(expert)}) somebody has to "
            "accept that, and there is no terminal to ask at; if you do, give --yes"
        )
    if not yes and ask is not None:
        answer = ask(f"{terms}\nDownload {_megabytes(expert)}? Type yes: ")
        if answer.strip().casefold() not in ("yes", "y"):
            raise InputRefused(f"{expert.source} is not downloaded, as answered")
    answers[expert.source] = expert.license
    write_atomically(_answers_file(), json.dumps(answers, indent=2))


def _megabytes(expert: Expert) -> str:
    return f"{expert.size / 1e6:,.0f} MB"


def _answers_file() -> Path:
    return experts_folder() / "agreed.json"


def _answers() -> dict[str, str]:
    try:
        return parsed_object(_answers_file().read_bytes())
    except OSError:
        return {}


def _name(experts: Sequence[Expert]) -> str:
    """Names of the models, and a digest of all that their checkpoint is made of."""
    told: list[object] = [FORMAT, version("eav-live")]
    for one in experts:
        assert one.weights is not None
        file = one.weights.resolve()
        about = file.stat()
        told += [one.modality, one.source, str(file), about.st_size, about.st_mtime_ns]
        told += [one.config, one.preprocessor, one.classes, one.license]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    names = [re.sub(r"[^\w.-]", "-", Path(one.source).name) for one in experts]
    return f"{'+'.join(names)}-{digest[:8]}"
