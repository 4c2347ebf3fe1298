"""A model's card: what it is, whom it was shown to work for, where it fails.

It travels in the checkpoint. What nobody stated is said to be not stated.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from eav_offline.core.labels import EMOTIONS, MODALITIES

NOT_STATED = "not stated"
SYNTHETIC_ONLY = "Demo model, trained on synthetic people: not valid for real people"
NO_CARD = "no card: for whom it works is not stated"
NAMES = {"eeg": "EEG", "audio": "voice", "video": "face"}  # in sentences
_READING_ORDER = ("video", "audio", "eeg")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSet(_Part):
    """What a model learned from. used_for: "the voice"; "" for all of it.

    people: how many, None if not stated. languages: spoken in it, none if not stated.
    """

    name: str
    people: int | None = None
    languages: tuple[str, ...] = ()
    synthetic: bool = False
    license: str = ""
    used_for: str = ""

    @property
    def line(self) -> str:
        people = f"number of people {NOT_STATED}"
        if self.people is not None:
            people = f"{self.people} {'person' if self.people == 1 else 'people'}"
        parts = [people]
        if not self.synthetic:
            parts.append(f"language {' and '.join(self.languages) or NOT_STATED}")
            parts.append(f"license {self.license or NOT_STATED}")
        used_for = f" (for {self.used_for})" if self.used_for else ""
        return f"{self.name}{used_for}: {', '.join(parts)}"


class Figure(_Part):
    """How often an output is right.

    output: one of the results' names. on: which windows or clips. people: how many were
    tested. interval: 95 %, drawing whole people, or one person's trials. chance: of
    guessing among what the model knows.
    """

    output: str
    on: str
    value: float = Field(ge=0, le=1)
    measure: Literal["accuracy", "balanced accuracy"] = "accuracy"
    interval: tuple[float, float] | None = None
    interval_by: Literal["person", "trial"] | None = None
    people: int | None = None
    chance: float | None = None

    @property
    def line(self) -> str:
        between = "interval not stated"
        if self.interval is not None:
            low, high = self.interval
            between = f"95 % by {self.interval_by} {low:.1%}-{high:.1%}"
        chance = "" if self.chance is None else f", chance {self.chance:.0%}"
        people = ""
        if self.people is not None:
            people = f", {self.people} {'person' if self.people == 1 else 'people'}"
        return (
            f"{NAMES.get(self.output, self.output)}: {self.measure} {self.value:.1%} "
            f"({between}{chance}); {self.on}{people}"
        )


class Gained(_Part):
    """What calibrating to a person gained where these modalities are all there is.

    clips: that have them all. before, after: shares of them that are named rightly by
    fits without them. interval: 95 % of the difference, drawing clips.
    """

    modalities: tuple[str, ...]
    clips: int
    before: float
    after: float
    interval: tuple[float, float]

    @property
    def line(self) -> str:
        which = _listed([NAMES[m] for m in _READING_ORDER if m in self.modalities])
        low, high = self.interval
        return (
            f"{which}: {self.before:.1%} before, {self.after:.1%} after (difference "
            f"95 % by clip {low:+.1%} to {high:+.1%}; {self.clips} clips)"
        )


class Card(_Part):
    """What must be known of a model before it is believed.

    what: the kind of model. reads: modalities; knows: emotions. shown: for whom it was
    shown to work, in a few words. protocol: how it was tested. failures: known ones.
    made_with: version and configuration, by name. adapted: to whom, and by how many of
    their clips; "" if to nobody. gained: by that, of each subset of modalities.
    """

    what: str
    reads: tuple[str, ...]
    knows: tuple[str, ...]
    shown: str = NOT_STATED
    data: tuple[DataSet, ...] = ()
    protocol: str = NOT_STATED
    figures: tuple[Figure, ...] = ()
    failures: tuple[str, ...] = ()
    license: str = NOT_STATED
    made_with: dict[str, str] = Field(default_factory=dict)
    adapted: str = ""
    gained: tuple[Gained, ...] = ()

    @field_validator("reads")
    @classmethod
    def _modalities(cls, reads: tuple[str, ...]) -> tuple[str, ...]:
        if not reads or not set(reads) <= set(MODALITIES):
            raise ValueError(f"expected some of {', '.join(MODALITIES)}")
        return reads

    @property
    def line(self) -> str:
        """What it reads, for whom it was shown to work, and what it leaves aside."""
        read, *unused = self._inputs()
        adapted = [f"adapted to {self.adapted}"] if self.adapted else []
        return "; ".join([read, *adapted, self.shown, *unused])

    def _inputs(self) -> list[str]:
        """What it reads and, if there is any, what it does not."""
        told = [_listed([NAMES[m] for m in _READING_ORDER if m in self.reads])]
        unused = [NAMES[m] for m in MODALITIES if m not in self.reads]
        return [*told, f"{_listed(unused)} not used"] if unused else told

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Titles and what stands below them, line by line."""
        unknown = [name for name in EMOTIONS if name not in self.knows]
        told = ", ".join(self.knows)
        if unknown:
            told += f"; not known to it: {', '.join(unknown)}"
        yield "What it is", [self.what]
        yield "Reads", ["; ".join(self._inputs())]
        yield "Tells", [told]
        if self.adapted:
            yield "Adapted to", [self.adapted, *(one.line for one in self.gained)]
        yield "Shown so far", [self.shown]
        yield "Learned from", [one.line for one in self.data] or [NOT_STATED]
        yield "Tested", [self.protocol]
        yield "Accuracy", [one.line for one in self.figures] or [NOT_STATED]
        yield "Known failures", list(self.failures) or [NOT_STATED]
        yield "License", [self.license]
        made = [f"{name}: {value}" for name, value in self.made_with.items()]
        yield "Made with", made or [NOT_STATED]

    def as_text(self) -> str:
        """The card for a terminal."""
        return "".join(
            f"{title}\n" + "".join(f"  {line}\n" for line in lines)
            for title, lines in self.sections()
        )

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def model_line(name: str, card: Card | None, demo: bool) -> str:
    """Which model this is and for whom it was shown to work, in one line.

    demo: it knows synthetic people only, whatever its card says.
    """
    if demo:
        return SYNTHETIC_ONLY
    return f"{name}: {NO_CARD if card is None else card.line}"


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
