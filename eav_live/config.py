"""What configs/live.toml may say; an unknown key is an error naming key and file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from eav_offline.errors import InputRefused
from eav_offline.window import EEG_CHANNELS


class LiveConfigError(InputRefused, ValueError):
    """The file cannot be read, or says something unknown or impossible."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EegStream(_Section):
    """How an amplifier's channels are called.

    rename: label in the stream -> electrode. labels: names of all channels in order,
    for a stream whose header has none; None takes the header's.
    """

    rename: dict[str, str] = Field(default_factory=dict)
    labels: tuple[str, ...] | None = None

    @field_validator("rename")
    @classmethod
    def _each_once(cls, rename: dict[str, str]) -> dict[str, str]:
        for electrode in rename.values():
            if list(rename.values()).count(electrode) > 1:
                raise ValueError(f"two labels are mapped to {electrode}")
            if electrode.casefold() not in {name.casefold() for name in EEG_CHANNELS}:
                raise ValueError(
                    f"{electrode!r} is none of the electrodes {', '.join(EEG_CHANNELS)}"
                )
        return rename


class ConsentForm(_Section):
    """What a person is shown before anything is recorded."""

    text: str = Field(
        default=(
            "This session records your EEG, your voice and pictures of your face, and "
            "what a program estimates from them. The estimates are guesses at acted "
            "emotions and say nothing certain about you. The recordings stay on this "
            "computer, under a code instead of your name, and you may have them "
            "deleted at any time. You may end the session whenever you wish."
        ),
        min_length=1,
    )


class LiveConfig(_Section):
    """A whole live.toml."""

    eeg: EegStream = EegStream()
    consent: ConsentForm = ConsentForm()


def load_live_config(path: Path | None) -> LiveConfig:
    """Read a TOML file; without one everything has its default.

    Raises LiveConfigError naming the key and the file.
    """
    if path is None:
        return LiveConfig()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LiveConfigError(
            f"{path} cannot be read ({error}); give a file such as configs/live.toml"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise LiveConfigError(f"{path} is not valid TOML: {error}") from error
    try:
        return LiveConfig.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(_explain(fault) for fault in error.errors())
        raise LiveConfigError(f"{path}: {faults}") from error


def _explain(fault: Mapping[str, Any]) -> str:
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key}; remove it or correct its spelling"
    return f"{key}: {fault['msg'].removeprefix('Value error, ')}"
