"""A published classifier before its weights are there: what it is, and its terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from huggingface_hub import metadata_load

from eav_offline.checkpoint.card import NAMES, NOT_STATED
from eav_offline.checkpoint.experts.classes import (
    Classes,
    class_names,
    count_classes,
    dimension_names,
    known_of,
)
from eav_offline.checkpoint.hub import (
    CARD,
    CONFIG,
    PREPROCESSOR,
    WEIGHTS,
    WeightsError,
    cached_files,
    hub_files,
    is_hub_id,
    page,
    read_json,
    size_on_hub,
)
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE
from eav_offline.models.published import CLASSES

_OPTIONS = {"video": "--face", "audio": "--voice"}
# What public estimators of a voice's dimensions call their class, which is not part of
# `transformers`; `eav_offline.checkpoint.experts.dimensions` has it.
SPEECH_REGRESSION = "Wav2Vec2ForSpeechClassification"


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a model of a modality, and what its classes count as.

    source: hub id or folder. counts: by its names, emotions or "none". dimensions: it
    is one that estimates those instead.
    """

    modality: str
    source: str
    counts: Mapping[str, str] = field(default_factory=dict)
    dimensions: bool = False

    @property
    def option(self) -> str:
        """The option that names the model."""
        what = "dimensions" if self.dimensions else "model"
        return f"{_OPTIONS[self.modality]}-{what}"

    @property
    def classes_option(self) -> str:
        """The option that states what its classes count as."""
        return f"{_OPTIONS[self.modality]}-classes"


@dataclass(frozen=True)
class Expert:
    """A published classifier that can be used here.

    config, preprocessor: what its files say. weights: None until they are fetched.
    card: where its card is to be read. size: bytes to be fetched.
    """

    wanted: Wanted
    config: dict[str, Any]
    preprocessor: dict[str, Any]
    classes: Classes
    license: str
    card: str
    weights: Path | None
    size: int = 0

    @property
    def modality(self) -> str:
        """What it reads."""
        return self.wanted.modality

    @property
    def source(self) -> str:
        """Hub id or folder."""
        return self.wanted.source

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions it can tell."""
        return known_of(self.classes)

    def knowing(self, emotions: Sequence[str]) -> "Expert":
        """The same without the other emotions."""
        kept = ((n, e if e in emotions else "") for n, e in self.classes)
        return replace(self, classes=tuple(kept))

    def fetched(self) -> "Expert":
        """The same with its weights, downloaded if need be. Raises WeightsError."""
        if self.weights is not None:
            return self
        there = hub_files(self.source, self.wanted.option, (CONFIG, WEIGHTS))
        return replace(self, weights=there[WEIGHTS], size=0)

    def as_text(self) -> str:
        """What it is, under which terms, and what its classes count as."""
        width = max(len(name) for name, _ in self.classes)
        what = NAMES[self.modality]
        if self.wanted.dimensions:
            what = f"dimensions of the {what}"
        return "\n".join(
            [
                f"The {what}: {self.source}",
                f"  license {self.license}; its card: {self.card}",
                *(f"  {n:<{width}}  {self._counted(e)}" for n, e in self.classes),
            ]
        )

    def _counted(self, emotion: str) -> str:
        return emotion or ("no class" if self.wanted.dimensions else "(left out)")


def find(wanted: Sequence[Wanted]) -> tuple[Expert, ...]:
    """The models asked for, told of the emotions that all of them know.

    Nothing but their small files is downloaded. Raises InputRefused for one that is
    not there or cannot be used, or if they have not two emotions in common.
    """
    found = [_find(one) for one in wanted]
    common = [e for e in EMOTIONS if all(e in one.knows for one in found)]
    if len(common) < 2:
        told = "; ".join(f"{one.source} {', '.join(one.knows)}" for one in found)
        raise InputRefused(
            f"the models have {' and '.join(common) or 'nothing'} in common, expected "
            f"two emotions or more to average ({told}); take one of them alone"
        )
    return tuple(one.knowing(common) for one in found)


@lru_cache(maxsize=2)  # of both modalities: to agree to them, and to open a session
def find_dimensions(modality: str, source: str) -> Expert:
    """The model that estimates dimensions; its classes are those, and count as none.

    Nothing but its small files is downloaded, and once in a program. Raises
    InputRefused if it is not there or cannot be used.
    """
    return _find(Wanted(modality, source, dimensions=True))


def _find(wanted: Wanted) -> Expert:
    files, size = _files(wanted)
    config = read_json(files[CONFIG])
    _check_network(wanted, config)
    preprocessor = read_json(files[PREPROCESSOR])
    if wanted.dimensions:
        classes: Classes = tuple(
            (n, "") for n in dimension_names(config, wanted.source)
        )
    else:
        names, option = class_names(config, wanted.source), wanted.classes_option
        classes = count_classes(names, wanted.counts, wanted.source, option)
    is_folder = Path(wanted.source).expanduser().is_dir()
    return Expert(
        wanted,
        config,
        checked_preprocessor(wanted, preprocessor),
        classes,
        license_of(files.get(CARD)),
        str(files.get(CARD, NOT_STATED)) if is_folder else page(wanted.source),
        files.get(WEIGHTS),
        size,
    )


def _files(wanted: Wanted) -> tuple[dict[str, Path], int]:
    """Its files that are here, and the bytes of weights that are not."""
    folder = Path(wanted.source).expanduser()
    if folder.is_dir():
        return _in_folder(wanted, folder), 0
    if not is_hub_id(wanted.source):
        raise WeightsError(
            f"{wanted.option} {wanted.source}: there is no such folder; give one with "
            f"{CONFIG}, {PREPROCESSOR} and {WEIGHTS}, or a hub id such as "
            "trpakov/vit-face-expression"
        )
    there = cached_files(wanted.source, (CONFIG, PREPROCESSOR, WEIGHTS, CARD))
    if there.keys() >= {CONFIG, PREPROCESSOR, WEIGHTS}:
        return there, 0
    small = (CONFIG, PREPROCESSOR, CARD)
    there = hub_files(wanted.source, wanted.option, small, may_lack=(CARD,))
    size = size_on_hub(wanted.source, wanted.option)
    if size is None:
        raise WeightsError(f"{wanted.option} {wanted.source} {_NO_SAFE_WEIGHTS}")
    there.pop(WEIGHTS, None)
    return there, size


_NO_SAFE_WEIGHTS = (
    f"has no {WEIGHTS}, and weights of other formats are not read because they can run "
    f"code. Give another model, or a folder with {CONFIG}, {PREPROCESSOR} and the "
    f"weights as {WEIGHTS}, which save_pretrained of transformers writes"
)


def _in_folder(wanted: Wanted, folder: Path) -> dict[str, Path]:
    names = (CONFIG, PREPROCESSOR, WEIGHTS)
    lacking = [name for name in names if not (folder / name).is_file()]
    if lacking == [WEIGHTS] and any(folder.glob("*.bin")):
        raise WeightsError(f"{wanted.option} {wanted.source} {_NO_SAFE_WEIGHTS}")
    if lacking:
        raise WeightsError(
            f"{wanted.option} {wanted.source}: the folder lacks {', '.join(lacking)}; "
            f"put {', '.join(names)} of one model there"
        )
    return {name: folder / name for name in (*names, CARD) if (folder / name).is_file()}


def _check_network(wanted: Wanted, config: Mapping[str, Any]) -> None:
    known = CLASSES[wanted.modality]
    found = config.get("model_type")
    if found not in known:
        raise WeightsError(
            f"{wanted.option} {wanted.source} is of the kind {found!r}, expected "
            f"{' or '.join(known)}; give a classifier of that kind"
        )
    named = config.get("architectures") or [known[found]]
    if wanted.dimensions and SPEECH_REGRESSION in named and found == "wav2vec2":
        return
    if known[found] not in named:
        class_names(config, wanted.source)  # which says so if it estimates dimensions
        raise WeightsError(
            f"{wanted.option} {wanted.source} is a {named[0]}, whose code is not part "
            f"of transformers; expected {known[found]}; give a classifier of that kind"
        )


def checked_preprocessor(wanted: Wanted, said: dict[str, Any]) -> dict[str, Any]:
    """preprocessor_config.json, if windows can be prepared so. Raises WeightsError."""
    if wanted.modality == "audio" and said.get("sampling_rate", 0) != AUDIO_RATE:
        raise WeightsError(
            f"{wanted.option} {wanted.source} reads sound at "
            f"{said.get('sampling_rate')} Hz, windows have {AUDIO_RATE}; give another"
        )
    if wanted.modality == "video" and said.get("do_center_crop"):
        raise WeightsError(
            f"{wanted.option} {wanted.source} cuts the middle out of its pictures "
            "(do_center_crop), which of a face would cut off the chin; give another"
        )
    return said


def license_of(card: Path | None) -> str:
    """The license that a card of the hub states in its head; "not stated" without."""
    if card is None:
        return NOT_STATED
    try:
        about = metadata_load(card) or {}
    except Exception:  # whatever a parser of YAML raises
        return NOT_STATED
    named = about.get("license_name") or about.get("license") or NOT_STATED
    return ", ".join(named) if isinstance(named, list) else str(named)
