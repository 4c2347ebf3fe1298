"""What a session is to do: one set of options for command line, TOML and Python."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_live.recognition.people import is_code, not_a_code
from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.plugins import STREAMS, offered_names
from eav_offline.core.model_names import COVERAGE, COVERAGES, FUSINGS

if TYPE_CHECKING:
    from eav_live.options.config import LiveConfig


class OptionRefused(InputRefused, ValueError):
    """An option of a session that cannot be used.

    option: its name. why: the rest of the message, which begins with the name.
    """

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option} {why}")
        self.option, self.why = option, why


@dataclass(frozen=True)
class Limits:
    """A number from `least` to `most`, so never NaN, and of which unit, if any."""

    least: float
    most: float
    unit: str = ""
    whole: bool = False

    def allow(self, value: object) -> bool:
        """Whether a value is such a number."""
        kinds = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        return self.least <= value <= self.most

    @property
    def wanted(self) -> str:
        """What to give, in words."""
        what = "a whole number" if self.whole else "a number"
        return (
            f"give {what} from {self.least:g} to {self.most:.10g} {self.unit}".strip()
        )


OWN_SOURCES = ("mic", "camera", "lsl", "file", "none")  # what a source's text begins by
_SOURCES = ("eeg_stream", "audio", "video")
HOP = Limits(0.02, 60, "seconds")
SMOOTHING = Limits(0, 60, "seconds")
LANGUAGES = ("en", "zh")  # of the windows
MAX_MISSING = Limits(0, 30 - 4, whole=True)  # fewer than four tell nothing of the rest


def _defaults() -> "LiveConfig":
    # Here, because --help can do without pydantic.
    from eav_live.options.config import LiveConfig

    return LiveConfig()


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """The streams, the model and the pace of a session, checked once.

    eeg_stream: LSL stream of type EEG: its name, or the beginning of it; where two
        have one name, NAME@HOST or the source id; or "none". None: not yet chosen.
        Here and in the next two: "KIND:ARGUMENT" of a package (docs/how-to/extend.md).
    audio: "mic", "mic:DEVICE", "lsl:NAME", "file:PATH" or "none".
    video: "camera", "camera:INDEX", "lsl:NAME", "file:PATH" or "none".
    model: a checkpoint or the folder of a training run; None takes the embedded model
        of real people, which reads voice and face, or with `demo` the demo's.
    voice_dimensions, face_dimensions: a published model, hub id or folder, whose
        arousal, dominance and valence are shown beside the classes (docs/experts.md).
    person: a code; where no model is given, the one that `eav-live calibrate` made for
        this person and that was kept.
    demo: replay an embedded synthetic person, whose streams replace those of the three
        above that are not "none".
        On first use processes make that person: a script that asks for it has its
        commands under `if __name__ == "__main__":`.
    max_missing: electrodes that may be interpolated from their neighbors; None allows
        four, and none while some channel's name is unknown.
    hop: seconds between windows. smoothing: time constant, seconds; 0 switches it off.
    coverage: how often the set of emotions is to hold the true one, one of `COVERAGES`;
        a higher one leaves more windows undecided (docs/sureness.md).
    backend: what computes the model: "auto", "eager", "onnx", ... (docs/backends.md).
    fuse: "ambt", "mean" or "calibrated"; None: what the checkpoint found best.
    adapt: to the person, without labels, from the first minutes on.
    config: devices, quality and consent, as in configs/live.toml.

    Raises OptionRefused, a ValueError, for a value that cannot be used.
    """

    eeg_stream: str | None = None
    audio: str = "mic"
    video: str = "camera"
    model: Path | str | None = None
    voice_dimensions: str | None = None
    face_dimensions: str | None = None
    person: str | None = None
    demo: bool = False
    max_missing: int | None = None
    hop: float = 0.5
    smoothing: float = 1.5
    coverage: float = COVERAGE
    backend: str = "auto"
    fuse: str | None = None
    adapt: bool = False
    config: "LiveConfig" = field(default_factory=_defaults)

    def __post_init__(self) -> None:
        for option in ("demo", "adapt"):
            value = getattr(self, option)
            if not isinstance(value, bool):
                raise OptionRefused(option, f"= {value!r} is neither true nor false")
        if self.demo:
            name = demo_name()
            streams = (name, f"lsl:{name}-Audio", f"lsl:{name}-Video")
            for option, stream in zip(_SOURCES, streams, strict=True):
                if getattr(self, option) != "none":
                    object.__setattr__(self, option, stream)
        texts = {
            "eeg_stream": "none" if self.eeg_stream is None else self.eeg_stream,
            "audio": self.audio,
            "video": self.video,
            "backend": self.backend,
            "voice_dimensions": self.voice_dimensions or "",
            "face_dimensions": self.face_dimensions or "",
        }
        if self.fuse not in (None, *FUSINGS):
            raise OptionRefused(
                "fuse", f"= {self.fuse!r} is none of {', '.join(FUSINGS)}"
            )
        for option, text in texts.items():
            if not isinstance(text, str):
                raise OptionRefused(option, f"= {text!r} cannot be used; give text")
        if not isinstance(self.model, str | Path | None):
            raise OptionRefused("model", f"= {self.model!r} cannot be used; give text")
        if self.person is not None and not is_code(str(self.person)):
            raise OptionRefused("person", f"= {not_a_code(str(self.person))}")
        if not texts["eeg_stream"].strip():
            raise OptionRefused("eeg_stream", "is empty; give a stream's name, or none")
        _check_source("audio", self.audio, "mic", "mic, mic:DEVICE")
        _check_source("video", self.video, "camera", "camera, camera:INDEX")
        _check_number("hop", self.hop, HOP)
        _check_number("smoothing", self.smoothing, SMOOTHING)
        if isinstance(self.coverage, bool) or self.coverage not in COVERAGES:
            choices = ", ".join(f"{one:g}" for one in COVERAGES)
            raise OptionRefused(
                "coverage", f"= {self.coverage!r} cannot be used; give one of {choices}"
            )
        if self.max_missing is not None:
            _check_number("max_missing", self.max_missing, MAX_MISSING)

    @property
    def dimension_models(self) -> dict[str, str]:
        """By modality, the models that estimate dimensions beside the classes."""
        named = {"audio": self.voice_dimensions, "video": self.face_dimensions}
        return {m: source for m, source in named.items() if source is not None}

    @classmethod
    def from_toml(cls, path: Path | str | None, **overrides: Any) -> "SessionOptions":
        """What a file such as configs/live.toml says, and `overrides` instead of it.

        The table [session] holds the options by their names here, and the other tables
        make `config`. Paths count from the current folder. None: no file.

        Raises LiveConfigError naming file and key; OptionRefused for an override.
        """
        from eav_live.options.config import LiveConfigError, read_live_config

        config, session = read_live_config(path)
        known = [one.name for one in fields(cls) if one.name != "config"]
        for key in session:
            if key not in known:
                advice = did_you_mean(key, known) or "remove it or correct its spelling"
                raise LiveConfigError(f"{path}: unknown key session.{key}; {advice}")
        try:
            return cls(**({"config": config} | dict(session) | overrides))
        except OptionRefused as error:
            if error.option in overrides:
                raise
            said = f"{path}: session.{error.option} {error.why}"
            raise LiveConfigError(said) from error

    def to_toml(self) -> str:
        """What `from_toml` reads these options from again, wherever it is called.

        What has its default is left out, and paths are absolute.
        """
        import tomli_w

        session = {f.name: getattr(self, f.name) for f in fields(self)}
        config = session.pop("config").model_dump(mode="json", exclude_defaults=True)
        usual = SessionOptions()
        own = {n: v for n, v in session.items() if v != getattr(usual, n)}
        if self.demo:  # whose streams are of this process
            own = {n: v for n, v in own.items() if n not in _SOURCES or v == "none"}
        kept = {n: _wherever(n, v) for n, v in own.items()}
        return tomli_w.dumps({"session": kept, **config})

    def with_eeg_decided(self) -> "SessionOptions":
        """The same, with EEG "none" where neither a stream nor a model is named.

        The embedded model reads no EEG. Who names a model may mean one that does, and
        has to say.
        """
        if self.eeg_stream is None and self.model is None:
            return replace(self, eeg_stream="none")
        return self

    def as_settings(self) -> Mapping[str, object]:
        """What a recording keeps of streams, of how they are judged, and by what."""
        from eav_offline.common.files import package_versions

        return {
            "max_missing": self.max_missing,
            "config": self.config.model_dump(
                mode="json", exclude={"consent", "window"}
            ),
            "streams": {
                "eeg": self.eeg_stream,
                "audio": self.audio,
                "video": self.video,
            },
            "versions": package_versions(),
        }


def demo_name() -> str:
    """The EEG stream of this process's demo, by which its others begin."""
    return f"EAV-Demo-{os.getpid()}"


def _wherever(option: str, value: object) -> object:
    """An option's value as it may be read in another folder."""
    published = option.endswith("_dimensions")  # a folder, or an id of the hub
    if option == "model" or published and Path(str(value)).expanduser().is_dir():
        return str(Path(str(value)).expanduser().absolute())
    if isinstance(value, str) and value.startswith("file:"):
        return f"file:{Path(value.removeprefix('file:')).expanduser().absolute()}"
    return value


def _check_number(option: str, value: float, limits: Limits) -> None:
    if not limits.allow(value):
        raise OptionRefused(option, f"= {value!r} cannot be used; {limits.wanted}")


def _check_source(option: str, text: str, device: str, choices: str) -> None:
    """Refuse what names no device, stream or file that is there."""
    kind, _, rest = text.partition(":")
    of_packages = offered_names(STREAMS, OWN_SOURCES)
    known = kind in ("none", device) or (kind in of_packages and ":" in text)
    if not known and not (kind in ("lsl", "file") and rest):
        raise OptionRefused(
            option,
            f"{text!r} is unknown; give {choices}, lsl:NAME, file:PATH or none"
            + "".join(f", or {name}:..." for name in of_packages),
        )
    if kind == "file" and not Path(rest).expanduser().exists():
        raise OptionRefused(option, f"{rest}: there is no such file or folder")
