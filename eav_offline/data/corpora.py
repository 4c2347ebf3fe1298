"""Free collections of acted clips: how each names its files, and where to get it.

What a name says is read here, without opening a file; `data.clips` reads the clips.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS

BOTH, PICTURE, SOUND, COPY = "picture and sound", "picture", "sound", "copy of sound"


class ClipNameError(InputRefused):
    """A name that is not one of the collection's; the message says what is wrong."""


class ClipName(NamedTuple):
    """What a file's name says.

    medium: one of the four above. left_out: why it has no place here, such as
    "fearful", None if it has one. trial: 1-based; made of what was said how, so that it
    does not depend on which files are there. A left out clip has trial 0.
    """

    actor: int
    trial: int
    medium: str
    left_out: str | None


@dataclass(frozen=True)
class Corpus:
    """A collection of clips, each an utterance of an actor.

    name: in caches and commands; title: in sentences. pattern: of a file's name without
    its ending, with groups `actor`, `emotion` and those of `codes`. emotions: of each
    code, its word and which of `EMOTIONS` that is, or None. codes: what else tells
    utterances apart, and its values in order. media: what a file holds, by the group
    `modality` or, without such a group, by its ending. suffixes: endings that are
    read. aside: of a group's code, the word for clips that are left out for it. same:
    codes that stand for another. actor: how an actor's folder or number is written.
    cite, where, size, license: as people are told them.
    """

    name: str
    title: str
    example: str
    pattern: re.Pattern[str]
    emotions: Mapping[str, tuple[str, str | None]]
    codes: Mapping[str, tuple[str, ...]]
    media: Mapping[str, str]
    suffixes: frozenset[str]
    actor: str
    cite: str
    where: str
    size: str
    license: str
    aside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str | None]:
        """From its words to ours."""
        return dict(self.emotions.values())

    def read_name(self, path: Path) -> ClipName:
        """What a clip's name says. Raises ClipNameError if it is none of this corpus.

        path: of a file whose ending is among `suffixes`.
        """
        match = self.pattern.match(path.stem)
        if match is None:
            raise ClipNameError(
                f"{path} is not named as {self.title} names its clips, such as "
                f"{self.example}"
            )
        said = {k: self.same.get(code, code) for k, code in match.groupdict().items()}
        known = {"emotion": tuple(self.emotions), **self.codes}
        if "modality" in said:
            known["modality"] = tuple(self.media)
        for group, codes in known.items():
            if said[group] not in codes:
                raise ClipNameError(
                    f"{path}: {self.title} has no {group} {said[group]}; expected "
                    f"{', '.join(codes)}"
                )
        actor = int(said["actor"])
        medium = self.media[said.get("modality", path.suffix.lower())]
        word, ours = self.emotions[said["emotion"]]
        left_out = None if ours is not None else word
        for group, words in self.aside.items():
            left_out = words.get(said[group], left_out)
        if left_out is not None or ours is None:
            return ClipName(actor, 0, medium, left_out)
        number = EMOTIONS.index(ours)
        for group, codes in self.codes.items():
            number = number * len(codes) + codes.index(said[group])
        return ClipName(actor, number + 1, medium, None)

    def class_of(self, trial: int) -> int:
        """The index in `EMOTIONS` of a trial's."""
        each = 1
        for codes in self.codes.values():
            each *= len(codes)
        return (trial - 1) // each

    def how_to_get(self) -> str:
        """Where it is, its size and license, and what to run."""
        none = [word for word, ours in self.emotions.values() if ours is None]
        ours = [word for word, ours in self.emotions.values() if ours is not None]
        seen = BOTH in self.media.values()
        folder, cache = self.title.replace(" ", "-"), f"cache-{self.name}"
        return (
            f"{self.title}: {self.cite}\n\n"
            f"where     {self.where}\n"
            f"size      {self.size}\n"
            f"license   {self.license}\n"
            f"emotions  {', '.join(ours)}; left out for want of such a class in EAV: "
            f"{', '.join(none)}\n"
            f"files     {folder}/{self.example} and so on, in one folder or in any "
            "below it\n\n"
            f"  eav-offline check {folder}        lists every fault\n"
            f"  eav-offline prepare {folder} --out {cache}\n"
            f"  eav-offline train audio --data {cache} --protocol kfold --out "
            f"runs/{self.name}\n"
            + ("the same with `video` trains the face\n" if seen else "")
        )


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS",
    example="Actor_01/03-01-01-01-01-01-01.wav",
    pattern=re.compile(
        r"^(?P<modality>\d\d)-(?P<channel>0[12])-(?P<emotion>\d\d)"
        r"-(?P<intensity>\d\d)-(?P<statement>\d\d)-(?P<repetition>\d\d)"
        r"-(?P<actor>(?!00)\d\d)$"
    ),
    emotions={
        "01": ("neutral", "neutral"),
        "02": ("calm", "calmness"),
        "03": ("happy", "happiness"),
        "04": ("sad", "sadness"),
        "05": ("angry", "anger"),
        "06": ("fearful", None),
        "07": ("disgust", None),
        "08": ("surprised", None),
    },
    codes={
        "intensity": ("01", "02"),
        "statement": ("01", "02"),
        "repetition": ("01", "02"),
    },
    media={"01": BOTH, "02": PICTURE, "03": SOUND},
    suffixes=frozenset({".wav", ".flac", ".mp4"}),
    actor="Actor_{:02d}",
    aside={"channel": {"02": "song"}},
    cite="Livingstone and Russo, PLoS ONE 13(5): e0196391, 2018. Speech, English.",
    where="https://zenodo.org/record/1188976",
    size="24 actors, 1,440 spoken utterances; sound alone is Audio_Speech_Actors_01-24"
    ".zip, 215 MB; everything, songs and video as well, is 24.8 GB",
    license="CC BY-NC-SA 4.0: no commercial use, models of it included; share alike",
)

CREMAD = Corpus(
    name="cremad",
    title="CREMA-D",
    example="VideoFlash/1001_DFA_ANG_XX.flv",
    pattern=re.compile(
        r"^(?P<actor>[1-9]\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})"
        r"_(?P<intensity>[A-Z]{1,2})$"
    ),
    emotions={
        "ANG": ("anger", "anger"),
        "DIS": ("disgust", None),
        "FEA": ("fear", None),
        "HAP": ("happiness", "happiness"),
        "NEU": ("neutral", "neutral"),
        "SAD": ("sadness", "sadness"),
    },
    codes={
        "sentence": tuple("DFA IEO IOM ITH ITS IWL IWW MTI TAI TIE TSI WSI".split()),
        "intensity": ("XX", "LO", "MD", "HI"),
    },
    media={".flv": BOTH, ".mp4": BOTH, ".wav": SOUND, ".flac": SOUND, ".mp3": COPY},
    suffixes=frozenset({".flv", ".mp4", ".wav", ".flac", ".mp3"}),
    actor="actor {:04d}",
    same={"X": "XX"},  # one file is called 1040_ITH_SAD_X
    cite="Cao et al., IEEE Transactions on Affective Computing 5(4): 377-390, 2014. "
    "Speech, English.",
    where="https://github.com/CheyneyComputerScience/CREMA-D, with Git LFS installed: "
    "without it the clips are links of a few bytes",
    size="91 actors, 7,442 clips in VideoFlash (face and voice), AudioWAV and AudioMP3 "
    "(the same voices); VideoFlash alone is enough",
    license="ODbL 1.0 (database) and DbCL 1.0 (contents): name it; a database made of "
    "it stays ODbL",
)

EMODB = Corpus(
    name="emodb",
    title="EmoDB",
    example="wav/03a01Fa.wav",
    pattern=re.compile(
        r"^(?P<actor>(?!00)\d\d)(?P<text>[a-z]\d\d)(?P<emotion>[A-Z])"
        r"(?P<version>[a-z])$"
    ),
    emotions={
        "A": ("fear", None),
        "E": ("disgust", None),
        "F": ("happiness", "happiness"),
        "L": ("boredom", None),  # which is not calmness
        "N": ("neutral", "neutral"),
        "T": ("sadness", "sadness"),
        "W": ("anger", "anger"),
    },
    codes={
        "text": tuple("a01 a02 a04 a05 a07 b01 b02 b03 b09 b10".split()),
        "version": tuple(ascii_lowercase),
    },
    media={".wav": SOUND, ".flac": SOUND},
    suffixes=frozenset({".wav", ".flac"}),
    actor="speaker {:02d}",
    cite="Burkhardt et al., Interspeech 2005. Speech, German.",
    where="https://github.com/audeering/emodb (audb.load('emodb'))",
    size="10 actors, 535 clips of sound",
    license="CC0 1.0: anything, models of it included; please cite",
)

CORPORA = {corpus.name: corpus for corpus in (RAVDESS, CREMAD, EMODB)}
