"""Is it this person who speaks? Real voices: false alarms, and strangers noticed.

`python -m benchmarks.offline.speakers` makes `assets/speakers.safetensors` anew, of
EmoDB alone. Of RAVDESS actors 1 to 6 had a part in the choice of constants; 7 to 18 are
reported on, but trial figures of them were seen while it was made.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import ROOT, real_data
from benchmarks.offline.new_person.bench import EMODB_WOMEN
from benchmarks.offline.voices import (
    Room,
    Utterances,
    live_window,
    read_emodb,
    read_ravdess,
)
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE
from eav_offline.models.baselines.features import speech_statistics
from eav_offline.models.personal import OwnVoice
from eav_offline.personal.voiceprint import STRETCH, Known, Speakers
from eav_offline.preprocess.audio import log_mel

DEFAULT_OUT = ROOT / "assets" / "speakers.safetensors"
FALSE_ALARMS = 0.02  # of a speaker's own stretches
CHOSEN_ON = range(1, 7)  # actors of RAVDESS
_SEED = 77
_FITTED_ROOMS, _REPORTED_ROOMS = 4, 2
_FITTED, _KNOWN = 48, 24  # windows that axes are fitted to, and a speaker is known by
_STRETCHES = 3  # of each emotion and day


@dataclass(frozen=True)
class Speaker:
    """Windows (n, features) on the day on which a speaker becomes known.

    shown: (n,) the emotion of each. days: that day and others in other rooms, by clips
    that were not in `first`, each window's emotion beside it.
    """

    first: np.ndarray
    shown: np.ndarray
    days: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def voice(self) -> OwnVoice:
        """What a calibration of two minutes keeps."""
        x = self.first[:_KNOWN].astype(np.float32)
        return OwnVoice(x, self.shown[:_KNOWN], np.zeros(len(x), dtype=np.int64))

    @property
    def all(self) -> np.ndarray:
        """Of all days."""
        return np.concatenate([self.first, *(x for x, _ in self.days)])

    def stretches(self, day: int) -> np.ndarray:
        """Means (n, features) of three windows of one emotion."""
        x, emotion = self.days[day]
        return np.concatenate(
            [
                x[emotion == one].reshape(-1, STRETCH, x.shape[1]).mean(1)
                for one in np.unique(emotion)
            ]
        )


def read_speakers(said: Utterances, n_rooms: int) -> dict[int, Speaker]:
    """Each speaker's clips, in halves, as sessions have them in some rooms."""
    people = np.unique(said.person).tolist()
    return {one: _speaker(said, one, n_rooms) for one in people}


def _speaker(said: Utterances, person: int, n_rooms: int) -> Speaker:
    rng = np.random.default_rng([_SEED, person])
    rooms = [Room.drawn(rng) for _ in range(n_rooms)]
    rows = rng.permutation(np.flatnonzero(said.person == person))
    emotions = np.unique(said.emotion[rows])
    mine = {e: rows[said.emotion[rows] == e] for e in emotions.tolist()}
    first = {e: of[: len(of) // 2] for e, of in mine.items()}
    rest = {e: of[len(of) // 2 :] for e, of in mine.items()}

    def heard(clips: Mapping[int, np.ndarray], shown: Any, room: Room) -> np.ndarray:
        windows = [
            live_window([said.waves[i] for i in rng.permutation(clips[e])], rng, room)
            for e in shown
        ]
        mels = (log_mel(window, AUDIO_RATE)[None] for window in windows)
        return np.concatenate([speech_statistics(mel) for mel in mels])

    cues = rng.permutation(np.resize(emotions, _KNOWN))  # as many of each
    shown = np.concatenate([cues, rng.choice(emotions, _FITTED - _KNOWN)])
    known = heard(first, shown.tolist(), rooms[0])
    asked = np.repeat(emotions, STRETCH * _STRETCHES)
    days = tuple((heard(rest, asked.tolist(), room), asked) for room in rooms)
    return Speaker(known, shown, days)


def fit_speakers(speakers: Mapping[int, Speaker]) -> Speakers:
    """Axes of these people, and what of others' own stretches is exceeded by 2 %."""
    own = [
        _fit(speakers, without=one).strangeness(
            of.voice.features.mean(0), of.stretches(day)
        )
        for one, of in speakers.items()
        for day in range(len(of.days))
    ]
    most = float(np.quantile(np.concatenate(own), 1 - FALSE_ALARMS))
    return replace(_fit(speakers), most=most)


def _fit(speakers: Mapping[int, Speaker], without: int | None = None) -> Speakers:
    kept = {number: one for number, one in speakers.items() if number != without}
    x = [one.all for one in kept.values()]
    person = np.repeat(list(kept), [len(part) for part in x])
    return Speakers.fitted(np.concatenate(x), person)


def bench_speakers(path: Path = DEFAULT_OUT) -> dict[str, Any]:
    """What the shipped axes tell of people who speak another language than theirs."""
    speakers = Speakers.load(path)
    said = read_ravdess(real_data("ravdess_speech_16k"), EMOTIONS)
    new = np.flatnonzero(~np.isin(said.person, CHOSEN_ON))
    waves = [said.waves[i] for i in new]
    said = Utterances(waves, said.person[new], said.emotion[new])
    people = read_speakers(said, _REPORTED_ROOMS)
    return scores(lambda number: speakers, people, lambda a, b: (a - b) % 2 == 0)


def scores(
    speakers: Callable[[int], Speakers],
    people: Mapping[int, Speaker],
    alike: Callable[[int, int], bool],
) -> dict[str, Any]:
    """Shares of stretches. speakers: what each one is known by.

    alike: whether two people are of one sex.
    """
    own: list[list[float]] = []
    others: dict[bool, list[float]] = {True: [], False: []}
    for number, one in people.items():
        known, days = speakers(number).knowing(one.voice), range(len(one.days))
        own.append([_share(known, one, day) for day in days])
        for other, heard in people.items():
            if other != number:
                shares = [_share(known, heard, day) for day in days]
                others[alike(number, other)] += shares
    return {
        "people": len(people),
        "seconds": 5 * STRETCH,
        "false_alarms": float(np.mean(own)),
        "false_alarms_other_day": float(np.mean([days[1:] for days in own])),
        "false_alarms_worst": float(np.max(np.mean(own, axis=1))),
        "noticed": float(np.mean(others[True] + others[False])),
        "noticed_same_sex": float(np.mean(others[True])),
        "noticed_other_sex": float(np.mean(others[False])),
    }


def _share(known: Known, heard: Speaker, day: int) -> float:
    return float(known.strange(heard.stretches(day)).mean())


def main(argv: Sequence[str] | None = None) -> int:
    """Fit the axes to EmoDB's speakers and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    return run(lambda: _make(options.out))


def _make(out: Path) -> int:
    said = read_emodb(real_data("emodb_16k"))
    people = read_speakers(said, _FITTED_ROOMS)
    speakers = fit_speakers(people)
    speakers.save(out)
    fits = {
        number: replace(_fit(people, number), most=speakers.most) for number in people
    }

    def alike(a: int, b: int) -> bool:
        return (a in EMODB_WOMEN) == (b in EMODB_WOMEN)

    told = scores(fits.__getitem__, people, alike)
    about = {"out": str(out), "most": speakers.most, "left_out": told}
    sys.stdout.write(json.dumps(about) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
