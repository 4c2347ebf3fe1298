"""A script of cued trials: what its TOML file may say, and the order of the trials.

    title = "Pilot"
    [[blocks]]
    name = "Calm"
    [[blocks.trials]]
    task = "speaking"
    emotion = "calmness"
    text = "Say where you feel at home."

An unknown key is an error that names key and file.
"""

import hashlib
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from eav_offline.common.errors import InputRefused, explain_faults

TRIAL_SECONDS = 20.0  # as in EAV; `eav-offline import` makes subjects of such trials

Task = Literal["listening", "speaking"]
Emotion = Literal["neutral", "sadness", "anger", "happiness", "calmness"]
Order = Literal["fixed", "shuffled"]


class ScriptError(InputRefused, ValueError):
    """The script cannot be read, or says something unknown or impossible."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Trial(_Section):
    """One cued trial.

    text: what to say (speaking), or what is read aloud to the person or meant to be
    heard (listening). media: a file whose sound is played to the person, relative to
    the script. seconds: the trial's length; None takes the script's.
    """

    task: Task
    emotion: Emotion
    text: str = ""
    media: Path | None = None
    seconds: float | None = Field(default=None, ge=5, le=300)

    @field_validator("task", "emotion", mode="before")
    @classmethod
    def _any_case(cls, word: object) -> object:
        return word.casefold() if isinstance(word, str) else word

    @model_validator(mode="after")
    def _has_a_cue(self) -> "Trial":
        if not self.text.strip() and self.media is None:
            raise ValueError("give the trial a text, or media to listen to")
        if self.media is not None and self.task == "speaking":
            raise ValueError("media are for listening; a speaking trial has a text")
        return self


class Block(_Section):
    """Trials between two pages of instructions.

    repeat: how often its trials are gone through. order: None takes the script's.
    """

    name: str = Field(min_length=1)
    instructions: str = ""
    repeat: int = Field(default=1, ge=1, le=100)
    order: Order | None = None
    trials: tuple[Trial, ...] = Field(min_length=1)


class Script(_Section):
    """A whole script.

    instructions: shown first. countdown_s: before each trial. rest_s: after it.
    trial_s: how long a trial lasts. instructions_s: pages of instructions go by
    themselves after this time; 0 leaves them until the space bar is pressed.
    order: of the trials of a block. "shuffled" deals them anew in each repetition,
    and leaves a speaking trial behind the listening trial that it answers: one of the
    same emotion that stands right before it. seed: of the shuffling.
    """

    title: str = Field(min_length=1)
    instructions: str = ""
    instructions_s: float = Field(default=0.0, ge=0, le=600)
    countdown_s: float = Field(default=3.0, ge=1, le=60)
    trial_s: float = Field(default=TRIAL_SECONDS, ge=5, le=300)
    # The last samples of a trial must have come before anything ends.
    rest_s: float = Field(default=5.0, ge=1, le=600)
    order: Order = "fixed"
    seed: int = 0
    blocks: tuple[Block, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PlannedTrial:
    """A trial in its place. number: counted from 1. block: index of its block."""

    number: int
    block: int
    task: str
    emotion: str
    text: str
    media: Path | None
    seconds: float

    def as_json(self) -> dict[str, object]:
        """What is noted of it in the recording."""
        return {
            "trial": self.number,
            "task": self.task,
            "emotion": self.emotion,
            "seconds": self.seconds,
            "text": self.text,
            "media": None if self.media is None else self.media.name,
        }


@dataclass(frozen=True)
class LoadedScript:
    """A script with the file it came from and the trials in the order they are run."""

    path: Path
    digest: str  # SHA-256 of the file
    script: Script
    seed: int
    plan: tuple[PlannedTrial, ...]

    @property
    def seconds(self) -> float:
        """How long it takes without breaks and instructions."""
        each = self.script.countdown_s + self.script.rest_s
        return sum(trial.seconds + each for trial in self.plan)

    def as_json(self) -> dict[str, object]:
        """What is noted of the script in the recording."""
        return {
            "script": self.path.name,
            "sha256": self.digest,
            "title": self.script.title,
            "seed": self.seed,
            "plan": [trial.as_json() for trial in self.plan],
        }


def load_script(path: Path, seed: int | None = None) -> LoadedScript:
    """Read a script and set the order of its trials.

    seed: instead of the script's. Raises ScriptError naming the key and the file, also
    for media that are not there.
    """
    try:
        data = path.read_bytes()
        values = tomllib.loads(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(
            f"{path} cannot be read ({error}); give a script such as "
            "assets/collect/pilot.toml"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(f"{path} is not valid TOML: {error}") from error
    try:
        script = Script.model_validate(values)
    except ValidationError as error:
        raise ScriptError(f"{path}: {explain_faults(error, Script)}") from error
    seed = script.seed if seed is None else seed
    plan = order_trials(script, seed, path.parent)
    for trial in plan:
        if trial.media is not None and not trial.media.is_file():
            raise ScriptError(
                f"{path}: trial {trial.number} plays {trial.media}, which is not "
                "there; paths are relative to the script"
            )
    digest = hashlib.sha256(data).hexdigest()
    return LoadedScript(path, digest, script, seed, plan)


def order_trials(script: Script, seed: int, folder: Path) -> tuple[PlannedTrial, ...]:
    """All trials in the order they are run. folder: that media are relative to."""
    # Python's generator: the order it deals is the same on every computer.
    dealer = random.Random(seed)
    plan: list[PlannedTrial] = []
    for index, block in enumerate(script.blocks):
        exchanges = _exchanges(block.trials)
        for _ in range(block.repeat):
            if (block.order or script.order) == "shuffled":
                dealer.shuffle(exchanges)
            for trial in (t for exchange in exchanges for t in exchange):
                plan.append(
                    PlannedTrial(
                        number=len(plan) + 1,
                        block=index,
                        task=trial.task,
                        emotion=trial.emotion,
                        text=trial.text.strip(),
                        media=None if trial.media is None else folder / trial.media,
                        seconds=trial.seconds or script.trial_s,
                    )
                )
    return tuple(plan)


def _exchanges(trials: tuple[Trial, ...]) -> list[list[Trial]]:
    """Trials with those that answer them: listening, then speaking of one emotion."""
    exchanges: list[list[Trial]] = []
    for trial in trials:
        last = exchanges[-1] if exchanges else []
        if (
            trial.task == "speaking"
            and len(last) == 1
            and last[0].task == "listening"
            and last[0].emotion == trial.emotion
        ):
            last.append(trial)
        else:
            exchanges.append([trial])
    return exchanges
