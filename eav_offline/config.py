"""What a TOML file may say about models and training; an unknown key is an error."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from eav_offline.common.errors import InputRefused, did_you_mean, explain_faults
from eav_offline.common.plugins import MODELS, load_offered, not_fit, offered
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.model_names import AVERAGE, BASELINES, EXPERTS, PUBLISHED, STAGES

SHIPPED = (
    "compact",
    "paper",
    "speech",
    "eegmat",
    "people",
)  # what `load_config` knows by name
# Far above what published models need, and low enough for a file that asks for more,
# by mistake or to do harm, to be refused before anything is made of it.
Width = Annotated[int, Field(ge=1, le=4096)]
Layers = Annotated[int, Field(ge=0, le=64)]
Ratio = Annotated[float, Field(gt=0, le=16)]
_OF_OTHERS = " and ".join(PUBLISHED.values())
Pixels = Annotated[int, Field(ge=1, le=512)]


class ConfigError(InputRefused, ValueError):
    """A configuration file cannot be read, or says something unknown or impossible."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EegConfig(_Section):
    """EEG transformer over time steps.

    dim: spatial filters, which is the width of a token. kernel: taps of the temporal
    filter, at 100 Hz. layers_before: layers below fusion; the fusion layers come on
    top. heads: of attention. mlp_ratio: width of an MLP over dim. layer_scale: initial
    weight of a residual branch, small so that the band-power path learns first; 0
    leaves it unscaled. dropout: in the layers. head_dropout: before the head. norm_eps:
    of the norms.
    """

    dim: Width = 40
    kernel: int = Field(13, ge=1, le=250)
    layers_before: Layers = 0
    heads: Width = 2
    mlp_ratio: Ratio = 2.0
    layer_scale: float = Field(0.05, ge=0)
    dropout: float = Field(0.1, ge=0, lt=1)
    head_dropout: float = Field(0.5, ge=0, lt=1)
    norm_eps: float = Field(1e-5, gt=0)


class VitConfig(_Section):
    """What the audio and the video transformer share.

    patch, stride: (rows, columns) of the picture, which for sound are mel bands and
    10 ms frames. stem: the patches' embedding is linear, as published, or has a GELU
    behind it. class_tokens: 0, 1 (ViT) or 2 (AST: class and distillation). pool: read
    the class tokens' mean, the patches' mean, or their mean and standard deviation.
    dim: width of a token. layers_before: layers below fusion. heads, mlp_ratio,
    layer_scale, dropout, head_dropout, norm_eps: as of the EEG.
    """

    dim: Width
    heads: Width
    layers_before: Layers
    patch: tuple[Pixels, Pixels]
    stride: tuple[Pixels, Pixels]
    stem: Literal["linear", "gelu"] = "linear"
    class_tokens: int = Field(1, ge=0, le=2)
    pool: Literal["class", "mean", "statistics"] = "mean"
    mlp_ratio: Ratio = 4.0
    layer_scale: float = Field(0.0, ge=0)
    dropout: float = Field(0.1, ge=0, lt=1)
    head_dropout: float = Field(0.1, ge=0, lt=1)
    norm_eps: float = Field(1e-6, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "VitConfig":
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is no multiple of heads {self.heads}")
        if self.pool == "class" and self.class_tokens == 0:
            raise ValueError('pool = "class" needs class_tokens of 1 or 2')
        return self


class AudioConfig(VitConfig):
    """Audio transformer over the log-mel picture.

    normalization: with AST's constants, or mean and sd of the training windows; "band"
    takes those of each mel band apart. filters: the patches' embedding begins at
    random, or as Gabor filters (see `models.encoders`).
    """

    normalization: Literal["ast", "training", "band"] = "training"
    filters: Literal["random", "gabor"] = "random"


class VideoConfig(VitConfig):
    """Video transformer over the face crops.

    side: pixels of the square crops, as the windows were prepared. normalization: by
    fixed numbers, as published ViT weights want it, or each frame by its own mean and
    contrast, which takes the light out.
    """

    normalization: Literal["fixed", "frame"] = "frame"
    side: int = Field(56, ge=8, le=512)


class FusionConfig(_Section):
    """AMBT: the variant, its layers on top of every modality, and the shared state.

    One layer could not pass anything on: what the first reads, the second tells.

    variant: how the modalities' messages are mixed. layers: on top of every modality.
    tokens: of the state. width: of one of them.
    """

    variant: Literal["mean", "concat"] = "mean"
    layers: int = Field(2, ge=2, le=64)
    tokens: Width = 2
    width: Width = 256


class ModelConfig(_Section):
    """Sizes of everything a checkpoint can hold."""

    eeg: EegConfig
    audio: AudioConfig
    video: VideoConfig
    fusion: FusionConfig

    @model_validator(mode="after")
    def _fits(self) -> "ModelConfig":
        if self.eeg.dim % self.eeg.heads:
            raise ValueError(
                f"eeg.dim {self.eeg.dim} is no multiple of eeg.heads {self.eeg.heads}"
            )
        return self


class StageConfig(_Section):
    """One stage of training: first the head on what lies frozen below it, then all.

    For "ambt" all means the bottleneck state, adapters, absent states and heads; the
    encoders stay frozen throughout.

    head_epochs, head_learning_rate: of the first phase, none by default. epochs: of
    the second, may be 0 if the head is all that trains. learning_rate: of the second.
    batch: windows of one optimizer step. accumulate: parts of a batch, each of which
    fits into memory. optimizer: of both phases. weight_decay: of matrices; biases and
    scales have none. schedule: of the learning rate after its rise.
    average: what is kept are not the last weights but their exponential mean over steps
    with this decay; 0 for none.
    warmup: share of a phase's steps in which the learning rate rises; then it falls
    along a cosine, or stays.
    frames: faces of a window that one step looks at (video and ambt).
    augment: change inputs at random. warp: by how much of its length a change may
    stretch the mel axis and time (audio). mixup: parameter of the Beta distribution
    that mixes pairs of windows and their classes, 0 for none (single encoders).
    variants: of each window's frozen states that are kept on disk; with augment the
    second and later ones are of changed inputs, and epochs take turns. 0: frozen parts
    run again in every step.
    """

    epochs: int = Field(ge=0)
    batch: int = Field(32, ge=2)
    accumulate: int = Field(1, ge=1)
    optimizer: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["cosine", "constant"] = "cosine"
    learning_rate: float = Field(gt=0)
    head_epochs: int = Field(0, ge=0)
    head_learning_rate: float = Field(5e-4, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    average: float = Field(0.0, ge=0, lt=1)
    warmup: float = Field(0.1, ge=0, lt=1)
    frames: int = Field(25, ge=1, le=25)
    augment: bool = True
    warp: float = Field(0.0, ge=0, le=0.5)
    mixup: float = Field(0.0, ge=0)
    variants: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> "StageConfig":
        if self.epochs + self.head_epochs == 0:
            raise ValueError("epochs and head_epochs are both 0: nothing would train")
        if self.accumulate > self.batch:
            raise ValueError(
                f"accumulate {self.accumulate} exceeds the {self.batch} windows of a "
                "batch"
            )
        return self


class TrainConfig(_Section):
    """How the models are trained.

    select: keep the last epoch ("fixed": the number of epochs is decided beforehand)
    or the best on validation trials ("validation"); test trials never decide.
    seed: of all that is drawn. label_smoothing: share of a label that goes to all.
    modality_dropout: chance that the fusion does without a modality in a step.
    eeg_reference: electrode that the recordings refer to, for the checkpoint to say.
    precision: of matrix work; bf16 and fp16 need a GPU. half_states: keep frozen
    states of sound and faces in 16 bits. class_weights: weigh rare classes up.
    first_windows: train, validate and test on the first window of each trial too, whose
    EEG lacks context (docs/adr/0001); false leaves it out of every stage and modality,
    since fusion needs the same windows of all.
    """

    seed: int = 0
    first_windows: bool = True
    eeg_reference: str = ""
    select: Literal["fixed", "validation"] = "fixed"
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    modality_dropout: float = Field(0.2, ge=0, lt=1)
    class_weights: bool = False
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    half_states: bool = True
    eeg: StageConfig
    audio: StageConfig
    video: StageConfig
    ambt: StageConfig

    @model_validator(mode="after")
    def _means_something(self) -> "TrainConfig":
        for name in STAGES:
            if name != "audio" and self.stage(name).warp:
                raise ValueError(f"{name}.warp: only audio has a mel axis to stretch")
        if self.ambt.mixup:
            raise ValueError("ambt.mixup: only single encoders train on mixed windows")
        return self

    def stage(self, name: str) -> StageConfig:
        """The stage called `name`, one of `STAGES`."""
        stages = {
            "eeg": self.eeg,
            "audio": self.audio,
            "video": self.video,
            "ambt": self.ambt,
        }
        return stages[name]


class PictureConfig(_Section):
    """How a published classifier wants its pictures.

    side: pixels of the square. scale: what the values 0 to 255 are multiplied by. mean,
    deviation: of red, green and blue, after that.
    """

    side: Pixels
    scale: float = Field(gt=0, le=1)
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


class PublishedConfig(_Section):
    """A classifier as others published it, and what of it is ours.

    source: its hub id or folder. network: what its config.json says. classes: by the
    names of its outputs, in their order, the emotion that each counts as, "" for those
    left out. picture: of a classifier of faces. standardized: whether one of voices
    wants each window's sound with mean 0 and deviation 1.
    """

    source: str
    network: dict[str, Any]
    classes: tuple[tuple[str, Literal["", *EMOTIONS]], ...]  # type: ignore[valid-type]
    picture: PictureConfig | None = None
    standardized: bool = False


class BaselineConfig(_Section):
    """A simpler model in place of the transformer of its modality.

    name: of the baseline. members: of an average, in words. published: which, if it
    is such a classifier.
    """

    name: str
    members: tuple[str, ...] = ()
    published: PublishedConfig | None = Field(
        default=None, exclude_if=lambda one: one is None
    )

    @model_validator(mode="after")
    def _known(self) -> "BaselineConfig":
        own = (*BASELINES, *EXPERTS, AVERAGE)
        if self.name not in own and self.name not in offered(MODELS):
            raise ValueError(
                f"{self.name} is no baseline; known are {', '.join(BASELINES)}, and no "
                "package that is installed offers it"
            )
        if (self.name in PUBLISHED.values()) != (self.published is not None):
            raise ValueError(f"{self.name}: published is wanted of {_OF_OTHERS} alone")
        return self

    @property
    def modality(self) -> str:
        """The modality it stands in for."""
        own = {**BASELINES, **EXPERTS}
        return own[self.name] if self.name in own else _modality_of(self.name)


def _modality_of(name: str) -> str:
    """What the model that a package offers stands in for. Raises PluginError."""
    modality = getattr(load_offered(MODELS, name), "modality", None)
    if modality not in MODALITIES:
        expected = f"encoder whose modality is one of {', '.join(MODALITIES)}"
        raise not_fit(MODELS, name, expected)
    return str(modality)


class Config(_Section):
    """A whole configuration file. baseline: what is trained instead, None for none."""

    model: ModelConfig
    train: TrainConfig
    baseline: BaselineConfig | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # TOML has no null, and runs without a baseline stay as they were.
        values: dict[str, Any] = handler(self)
        if self.baseline is None:
            values.pop("baseline", None)
        return values

    def with_seed(self, seed: int) -> "Config":
        """The same with another seed of training."""
        train = self.train.model_copy(update={"seed": seed})
        return self.model_copy(update={"train": train})

    def with_precision(self, precision: Literal["fp32", "bf16", "fp16"]) -> "Config":
        """The same with another precision of training."""
        train = self.train.model_copy(update={"precision": precision})
        return self.model_copy(update={"train": train})

    def with_variant(self, variant: Literal["mean", "concat"]) -> "Config":
        """The same with another variant of AMBT."""
        fusion = self.model.fusion.model_copy(update={"variant": variant})
        model = self.model.model_copy(update={"fusion": fusion})
        return self.model_copy(update={"model": model})


def load_config(path: Path | str) -> Config:
    """Read a TOML file, or one that comes with the program by its name ("compact").

    A file may say `base = "compact"` (another name, or a path from where it lies) and
    then only what differs from that. Raises ConfigError naming the key and the file.
    """
    try:
        return Config.model_validate(_with_base(_named(str(path)), ()))
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain_faults(error, Config)}") from error


def _named(name: str) -> Path:
    """The file that a name or a path stands for."""
    if "/" in name or "\\" in name or name.endswith(".toml"):
        return Path(name)
    here = Path(__file__).resolve().parent
    # In an installed package, or in a clone.
    for folder in (here / "configs", here.parent / "configs"):
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    guess = did_you_mean(name, list(SHIPPED))
    raise ConfigError(
        f"no configuration is called {name!r}; expected {', '.join(SHIPPED)} or a file "
        f"whose name ends in .toml{'; ' if guess else ''}{guess}"
    )


def _with_base(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """What a file says over what its base says. above: the files that led here."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", error)
        raise ConfigError(
            f"{path} cannot be read ({why}); give a configuration file such as "
            "configs/compact.toml"
        ) from error
    base = values.pop("base", None)
    if base is None:
        return values
    if not isinstance(base, str):
        raise ConfigError(f"{path}: base = {base!r}; give a name or a path in quotes")
    below = _named(base)
    below = path.parent / below  # an absolute one stays as it is
    if below.resolve() in (one.resolve() for one in (path, *above)):
        raise ConfigError(f"{path}: base = {base!r} leads back to this file; remove it")
    return _merged(_with_base(below, (path, *above)), values)


def _merged(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    merged = base | values
    for key in base.keys() & values.keys():
        if isinstance(base[key], dict) and isinstance(values[key], dict):
            merged[key] = _merged(base[key], values[key])
    return merged


def to_toml(config: Config) -> str:
    """The file that `load_config` reads back to an equal configuration."""
    return tomli_w.dumps(config.model_dump(mode="json"))
