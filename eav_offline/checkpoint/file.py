"""One safetensors file with all that live needs: weights, settings, labels, window.

It holds no participant's data: of the training set only how much there was of it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from eav_offline.checkpoint.card import Card
from eav_offline.common.errors import CheckpointError as CheckpointError
from eav_offline.common.errors import explain_faults
from eav_offline.common.files import (
    as_object,
    checkpoint_file,
    existing_checkpoint,
    package_versions,
    write_atomically,
)
from eav_offline.config import Config, EegConfig, VitConfig
from eav_offline.core import window
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import Sureness
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing
from eav_offline.models.average import Average
from eav_offline.models.personal import Personal, Population, n_inputs
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS

FORMAT = 1
_KEY = "eav_live"  # the one entry of the file's metadata
_POPULATION, _PERSONAL = "population:", "personal:"  # beginnings of tensors' names

# What descriptions that were changed by hand were seen to raise in being built from.
_DESCRIPTION_ERRORS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)


@dataclass(frozen=True)
class Checkpoint:
    """A trained recognizer and what must be known to use it.

    model: in eval mode; the members of an average have configurations of their own, in
    `member_configs`. demo: trained on synthetic people only, so not valid for real
    ones. meta: versions of the libraries and, under "training", counts such as
    subjects and windows. card: what is to be known before believing it; None if nobody
    wrote one. sureness: thresholds of the fused answer as `model.fusing` makes it; None
    if nothing was calibrated. population: what windows of the training people look
    like to the model; without it nothing can be adapted. A layer for one person is the
    model's `personal`.
    """

    model: EmotionModel
    config: Config
    preprocess: PreprocessSettings
    demo: bool
    labels: tuple[str, ...] = EMOTIONS
    meta: dict[str, Any] = field(default_factory=dict)
    member_configs: tuple[Config, ...] = ()
    card: Card | None = None
    sureness: Sureness | None = None
    population: Population | None = None

    @property
    def eeg_reference(self) -> str:
        """The reference electrode of the training recordings; "" if not stated."""
        return str(self.meta.get("eeg_reference", ""))

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions of `labels` that the model can tell; two or more."""
        return self.model.knows

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities the model has an encoder for."""
        return tuple(self.model.by_modality)

    def check_preparation(
        self, settings: PreprocessSettings, model: str, data: str
    ) -> None:
        """Raise CheckpointError unless windows were prepared as the model wants them.

        model, data: what the message calls the two.
        """
        if settings != self.preprocess:
            raise CheckpointError(
                f"{model} was trained on windows prepared with {self.preprocess}, "
                f"{data} has {settings}; prepare the data that way"
            )


def window_spec() -> dict[str, Any]:
    """What the models' inputs are, as this version of the program cuts them."""
    return {
        "seconds": window.WINDOW_SECONDS,
        "eeg_rate": window.EEG_RATE,
        "eeg_band": list(window.EEG_BAND),
        "eeg_channels": list(window.EEG_CHANNELS),
        "audio_rate": window.AUDIO_RATE,
        "log_mel": [N_MEL_FRAMES, N_MELS],
        "frames": window.N_FRAMES,
        "frame_rate": window.FRAME_RATE,
    }


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file whole or not at all."""
    about = {
        "format": FORMAT,
        "labels": list(checkpoint.labels),
        "window": window_spec(),
        **_described(checkpoint.model, checkpoint.config),
        "preprocess": checkpoint.preprocess.as_values(),
        "demo": checkpoint.demo,
        "fusing": asdict(checkpoint.model.fusing),
        "meta": {"versions": package_versions(), **checkpoint.meta},
    }
    if checkpoint.card is not None:
        about["card"] = checkpoint.card.as_json()
    if checkpoint.sureness is not None:
        about["sureness"] = checkpoint.sureness.as_json()
    if checkpoint.model.personal is not None:
        about["personal"] = checkpoint.model.personal.as_json()
    if members := checkpoint.model.recognizers:
        each = zip(
            members, checkpoint.member_configs, checkpoint.model.outputs, strict=True
        )
        about["members"] = [
            {**_described(member, config), "output": output}
            for member, config, output in each
        ]
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in _all_tensors(checkpoint).items()
    }
    write_atomically(path, save(tensors, {_KEY: json.dumps(about)}))


def _all_tensors(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    parts = {"": checkpoint.model.state_dict()}
    if checkpoint.population is not None:
        parts[_POPULATION] = checkpoint.population.tensors()
    if checkpoint.model.personal is not None:
        parts[_PERSONAL] = checkpoint.model.personal.tensors()
    return {start + n: x for start, part in parts.items() for n, x in part.items()}


def _taken(tensors: dict[str, torch.Tensor], start: str) -> dict[str, torch.Tensor]:
    """Take those out whose names begin so."""
    names = [name for name in tensors if name.startswith(start)]
    return {name.removeprefix(start): tensors.pop(name) for name in names}


def load(path: Path | str, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint, strictly. path: the file, or the folder of a run.

    Raises CheckpointError if the file is none, is damaged, or was made for other
    labels, another window, or another format than this version's.
    """
    path = checkpoint_file(path)
    about, tensors = _read(path, device)
    if about.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has checkpoint format {about.get('format')!r}, this version reads "
            f"{FORMAT}; train it again or use the version of eav-live that wrote it"
        )
    _same(path, "the emotions", about.get("labels"), list(EMOTIONS))
    found, expected = as_object(about.get("window")), window_spec()
    for name in sorted(expected.keys() | found.keys()):
        _same(path, f"the window's {name}", found.get(name), expected.get(name))
    try:
        config = Config.model_validate(about["config"])
        preprocess = PreprocessSettings(**about["preprocess"])
        card = Card.model_validate(about["card"]) if "card" in about else None
        sureness = None
        if "sureness" in about:
            sureness = Sureness.model_validate(about["sureness"])
        members = [_Member.of(one) for one in about.get("members", ())]
        alone = [] if members else [_Member.of(about)]
        n_least = sum(one.n_least for one in (*members, *alone))
        n_there = sum(tensor.numel() for tensor in tensors.values())
        if n_least > n_there:
            raise ValueError(
                f"its configuration has {n_least:,} weights or more, the file "
                f"{n_there:,}"
            )
        # What is drawn here is thrown away: the file brings every tensor. Nothing would
        # be drawn on the device "meta", which imports torch's compiler: three seconds.
        with torch.random.fork_rng(devices=[]):
            if members:
                model: EmotionModel = Average(
                    [one.empty() for one in members], [one.output for one in members]
                )
            else:
                model = alone[0].empty()
        known, mine = _taken(tensors, _POPULATION), _taken(tensors, _PERSONAL)
        population = Population.of_tensors(known) if known else None
        if "personal" in about:
            model.personal = Personal.of(about["personal"], mine)
        check_layers(model, population)
        demo, meta = bool(about["demo"]), dict(about["meta"])
        fusing = Fusing(**about["fusing"])
        if fusing.how == "ambt" and model.ambt is None:
            raise ValueError("it fuses by AMBT and has none")
    except ValidationError as error:
        raise _not_understood(path, explain_faults(error, Config)) from error
    except _DESCRIPTION_ERRORS as error:
        raise _not_understood(path, error) from error
    _load_weights(path, model, tensors)
    model.fusing = fusing
    model.to(device).eval()  # buffers too that no file states
    preprocess = preprocess.making(model.parts_read)
    configs = tuple(one.config for one in members)
    labels = tuple(about["labels"])
    of_model = (model, config, preprocess, demo, labels, meta, configs)
    return Checkpoint(*of_model, card, sureness, population)


def check_layers(model: EmotionModel, population: Population | None) -> None:
    """Raise ValueError unless these layers fit the model's features."""
    sizes = {m: n_inputs(head) for m, head in model.heads().items()}
    shapes = {
        **({} if population is None else population.shapes()),
        **({} if model.personal is None else model.personal.shapes()),
    }
    for name, (modality, found) in shapes.items():
        if modality not in sizes or found != sizes[modality]:
            raise ValueError(
                f"{name} is of {found} features, the model has {sizes.get(modality)}"
            )


@dataclass(frozen=True)
class _Member:
    """A recognizer as the file describes it: alone in it, or of an average."""

    config: Config
    modalities: tuple[str, ...]
    ambt: bool
    output: str
    knows: tuple[str, ...]

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> "_Member":
        return cls(
            Config.model_validate(about["config"]),
            tuple(m for m in MODALITIES if m in about["modalities"]),
            bool(about["ambt"]),
            str(about.get("output", "fused")),
            tuple(about.get("knows", EMOTIONS)),
        )

    @property
    def n_least(self) -> int:
        """Fewer weights than its transformers have: those of attention and MLPs."""
        model, baseline = self.config.model, self.config.baseline
        parts: dict[str, EegConfig | VitConfig] = {
            "eeg": model.eeg,
            "audio": model.audio,
            "video": model.video,
        }
        if baseline is not None and baseline.name != "video-vit":
            parts.pop(baseline.modality)  # which the configuration of sizes is not of
        return sum(
            round((4 + 2 * sizes.mlp_ratio) * sizes.dim**2)
            * (sizes.layers_before + model.fusion.layers)
            for m, sizes in parts.items()
            if m in self.modalities
        )

    def empty(self) -> EmotionModel:
        config = self.config
        return EmotionModel(
            config.model, self.modalities, self.ambt, config.baseline, self.knows
        )


def _described(model: EmotionModel, config: Config) -> dict[str, Any]:
    return {
        "modalities": list(model.by_modality),
        "ambt": model.ambt is not None,
        "knows": list(model.knows),
        "config": config.model_dump(mode="json"),
    }


def _read(path: Path, device: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    existing_checkpoint(path)
    try:
        with safe_open(path, framework="pt", device=device) as file:
            about = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file or is damaged ({error}); expected the "
            "model.safetensors that eav-offline train writes"
        ) from error
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is a safetensors file, but not of eav-live: it lacks the "
            f"{_KEY!r} metadata; expected what eav-offline train writes"
        ) from error
    if not isinstance(about, dict):
        raise CheckpointError(f"{path}: its {_KEY!r} metadata is no object")
    return about, tensors


def _not_understood(path: Path, why: object) -> CheckpointError:
    return CheckpointError(
        f"{path} describes itself in a way this version does not understand ({why}); "
        "train it again or use the version of eav-live that wrote it"
    )


def _same(path: Path, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise CheckpointError(
            f"{path} was trained for {what} {found}, this version has {expected}; "
            "train it again or use the version of eav-live that wrote it"
        )


def _load_weights(
    path: Path, model: EmotionModel, tensors: Mapping[str, torch.Tensor]
) -> None:
    wanted = model.state_dict()
    missing = sorted(wanted.keys() - tensors.keys())
    extra = sorted(tensors.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
        or tensors[name].dtype != wanted[name].dtype
    ]
    if missing or extra or shapes:
        faults = [
            f"{what} {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
            for what, names in (
                ("lacks", missing),
                ("has the unknown", extra),
                ("has of another shape or type", shapes),
            )
            if names
        ]
        raise CheckpointError(
            f"{path} does not fit its own configuration: it {'; it '.join(faults)}. "
            "Train it again"
        )
    model.load_state_dict(dict(tensors), strict=True, assign=True)
