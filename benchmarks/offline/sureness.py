"""How sure the voices of new people let one be: sets, open decisions, and in time.

Of EmoDB and RAVDESS, each speaker's windows are answered by a voice that was fitted to
the others. Thresholds are calibrated on one half of the speakers and tried on the other
half, over several halves. The rule by which a set leaves a decision open was chosen on
EmoDB; RAVDESS had no part in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.measure import means, real_data, torch_threads
from benchmarks.offline.new_person.trial import one_modality
from benchmarks.offline.timelines import Timeline, cued, followed, in_time
from benchmarks.offline.voices import (
    KNOWS,
    Heard,
    Utterances,
    fit_voice,
    left_out,
    live,
    model_of,
    read_emodb,
    read_ravdess,
    voice_chances,
)
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.model_names import COVERAGE
from eav_offline.core.sureness import label_sets, leaves_open, threshold
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.personal.adapting import fused_by, layers_over

# Windows drawn of a speaker's clips of an emotion, to fit voices to, and others to
# calibrate and to report on. RAVDESS has more speakers.
_WINDOWS = {"emodb": (20, 15), "ravdess": (10, 8)}
_FIT_SEED, _TRIED_SEED = 4, 5
_MOST_SPLITS = 50
_PERMUTATIONS = 5
_TOLD_WITHOUT_EFFECT = ("coverage", "size", "undecided")
WANTED, WITHIN = COVERAGE, 0.02
WANTED_OPEN = 0.8  # share of windows left undecided where nothing can be known
# Which sets leave a decision open; the middle one is `leaves_open`.
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "more than one": lambda size: size > 1,
    "more than half": lambda size: np.array(
        [leaves_open(int(n), len(KNOWS)) for n in size]
    ),
    "all": lambda size: size == len(KNOWS),
}
_RULE = "more than half"


@dataclass(frozen=True)
class Tried:
    """Answers to windows of people left out: chances (n, 5); emotion, person (n,)."""

    chances: np.ndarray
    emotion: np.ndarray
    person: np.ndarray

    def of(self, people: Sequence[int]) -> "Tried":
        """Those of some people."""
        rows = np.isin(self.person, people)
        return Tried(self.chances[rows], self.emotion[rows], self.person[rows])


def bench_sureness() -> dict[str, Any]:
    """Figures for JSON; raises InputRefused if recordings are missing.

    Of each data set: `sets` on people not calibrated on, `adapted` the same while the
    voice follows each of them without labels, `no_effect` the same where labels were
    permuted before anything was fitted, `timelines` accuracy of decisions in time.
    `shipped`: the voice and the thresholds of the embedded model on RAVDESS, another
    language than they are from.
    """
    said = {
        "emodb": read_emodb(real_data("emodb_16k")),
        "ravdess": read_ravdess(real_data("ravdess_speech_16k")),
    }
    figures: dict[str, Any] = {"synthetic": False, "coverage": COVERAGE}
    with torch_threads(1):
        for name, spoken in said.items():
            n_fitted, n_tried = _WINDOWS[name]
            fitted = live(spoken, n_fitted, _FIT_SEED)
            tried = live(spoken, n_tried, _TRIED_SEED)
            figures[name] = _figures(spoken, fitted, tried)
        figures["shipped"] = _shipped(tried)
    parts = [figures[name] for name in said]
    kept = all(
        abs(one[sets]["coverage"] - WANTED) <= WITHIN
        for one in parts
        for sets in ("sets", "adapted")
    )
    open_ = all(one["no_effect"]["undecided"] >= WANTED_OPEN for one in parts)
    return figures | {"passed": kept and open_}


def _figures(said: Utterances, fitted: Heard, tried: Heard) -> dict[str, Any]:
    """fitted: windows that voices are fitted to; tried: others."""
    answers = Tried(left_out(fitted, tried), tried.emotion, tried.person)
    return {
        "people": len(np.unique(tried.person)),
        "windows": len(tried.emotion),
        "sets": _over_halves(answers),
        "adapted": _while_adapting(fitted, tried, answers),
        "no_effect": _no_effect(fitted, tried),
        "timelines": _timelines(said, fitted, answers),
    }


def halves(people: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """All ways to calibrate on half of the people and report on the others, or 50."""
    n = len(people) // 2
    if len(people) <= 8:
        chosen = [list(one) for one in combinations(people, n)]
    else:
        rng = np.random.default_rng(1)
        chosen = [rng.permutation(people)[:n].tolist() for _ in range(_MOST_SPLITS)]
    return [(one, [p for p in people if p not in one]) for one in chosen]


def _over_halves(answers: Tried, calibrating: Tried | None = None) -> dict[str, Any]:
    """calibrating: other answers to take thresholds by, to the same people."""
    found = []
    for calibrated, others in halves(np.unique(answers.person).tolist()):
        least = _least((calibrating or answers).of(calibrated))
        found.append(set_scores(answers.of(others), least))
    coverage = [one["coverage"] for one in found]
    return {
        **_mean(found),
        "coverage_sd_over_halves": float(np.std(coverage)),
        "halves": len(found),
        "rules": {rule: _mean([one["rules"][rule] for one in found]) for rule in RULES},
    }


def _least(by: Tried) -> float:
    least = threshold(by.chances[np.arange(len(by.emotion)), by.emotion], COVERAGE)
    assert least is not None  # hundreds of windows
    return least


def _while_adapting(fitted: Heard, tried: Heard, plain: Tried) -> dict[str, Any]:
    """Sets while a voice follows the person; `unadapted` with the thresholds before."""
    adapted = while_adapting(model_of, fitted, tried)
    by_them = _over_halves(adapted)
    by_others = _over_halves(adapted, calibrating=plain)
    return by_them | {"unadapted_coverage": by_others["coverage"]}


def while_adapting(
    fit: Callable[[Heard], Checkpoint], fitted: Heard, tried: Heard
) -> Tried:
    """Answers of voices that follow each person, as far as they do.

    fit: makes a voice of the windows of others. Emotions come in mixed order.
    """
    chances = np.full((len(tried.emotion), len(EMOTIONS)), np.nan)
    for one in np.unique(tried.person).tolist():
        rows = np.flatnonzero(tried.person == one)
        rows = np.random.default_rng([6, one]).permutation(rows)
        model = fit(fitted.of(fitted.person != one))
        features = one_modality("audio", tried.features[rows])
        layers = list(layers_over(model, features))
        chances[rows] = fused_by(model, features, layers, ("audio",))
    there = np.isfinite(chances).any(1)
    return Tried(chances[there], tried.emotion[there], tried.person[there])


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Of each figure, of those that are there; None if none is."""
    found: dict[str, float | None] = {}
    for name in rows[0]:
        there = [row[name] for row in rows if row[name] is not None]
        if not any(isinstance(value, dict) for value in there):
            found[name] = float(np.mean(there)) if there else None
    return found


def set_scores(tried: Tried, least: float) -> dict[str, Any]:
    """Coverage, mean size, and by each rule what is left open and right otherwise.

    coverage_least: of the person whose windows are covered least.
    """
    inside = label_sets(tried.chances, least)
    size = inside.sum(1)
    covered = inside[np.arange(len(size)), tried.emotion]
    right = np.nanargmax(tried.chances, 1) == tried.emotion
    by_person = [covered[tried.person == one].mean() for one in np.unique(tried.person)]
    rules = {}
    for rule, leaves in RULES.items():
        decided = ~leaves(size)
        accuracy = float(right[decided].mean()) if decided.any() else None
        rules[rule] = {
            "undecided": float(1 - decided.mean()),
            "accuracy_decided": accuracy,
        }
    return {
        "coverage": float(covered.mean()),
        "coverage_least": float(min(by_person)),
        "size": float(size.mean()),
        "accuracy": float(right.mean()),
        **rules[_RULE],
        "rules": rules,
    }


def _no_effect(fitted: Heard, tried: Heard) -> dict[str, Any]:
    """Where sounds say nothing of the labels: permuted within each speaker."""
    found = []
    for seed in range(_PERMUTATIONS):
        rng = np.random.default_rng(seed)
        train, test = permuted(fitted, rng), permuted(tried, rng)
        answers = Tried(left_out(train, test), test.emotion, test.person)
        found.append(_over_halves(answers))
    told = [{name: one[name] for name in _TOLD_WITHOUT_EFFECT} for one in found]
    rules = [{r: of["undecided"] for r, of in one["rules"].items()} for one in found]
    return {**means(told), "rules": means(rules)}


def permuted(heard: Heard, rng: np.random.Generator) -> Heard:
    """The same windows, each person's labels dealt out anew."""
    clip = np.arange(len(heard.emotion))
    return replace(heard, emotion=dealt_anew(heard.emotion, heard.person, clip, rng))


def dealt_anew(
    emotion: np.ndarray, person: np.ndarray, trial: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Labels (n,) dealt out anew among each person's trials."""
    emotion = emotion.copy()
    for one in np.unique(person):
        rows = np.flatnonzero(person == one)
        _, first, where = np.unique(trial[rows], return_index=True, return_inverse=True)
        emotion[rows] = rng.permutation(emotion[rows][first])[where]
    return emotion


def _timelines(said: Utterances, fitted: Heard, answers: Tried) -> dict[str, Any]:
    """Speakers without company: half gives threshold and dwell, the others are told."""
    kinds: dict[str, list[Timeline]] = {"live": [], "cued": []}
    people = np.unique(said.person).tolist()
    for person in people:
        voice = fit_voice(fitted.of(fitted.person != person))

        def answer(features: np.ndarray, voice: Any = voice) -> np.ndarray:
            return voice_chances(voice, features)

        kinds["live"].append(in_time(said, person, answer))
        kinds["cued"].append(cued(said, person, answer))
    calibrated, _ = halves(people)[0]
    least = _least(answers.of(calibrated))
    return {
        kind: followed(
            [one for one in lines if one.person in calibrated],
            [one for one in lines if one.person not in calibrated],
            least,
        )
        for kind, lines in kinds.items()
    }


def _shipped(spoken: Heard) -> dict[str, Any] | None:
    checkpoint = Recognizer.load(asset(PEOPLE_MODEL)).checkpoint
    if checkpoint.sureness is None:
        return None
    voice = checkpoint.model.by_modality["audio"].get_submodule("head.0")
    assert isinstance(voice, Linear)
    chances = voice_chances(voice, spoken.features)
    least = checkpoint.sureness.by_modalities["audio"].least[COVERAGE]
    found = set_scores(Tried(chances, spoken.emotion, spoken.person), least)
    adapted = while_adapting(lambda heard: checkpoint, spoken, spoken)
    adapting = checkpoint.sureness.adapting["audio"].least[COVERAGE]
    return found | {"adapted": set_scores(adapted, adapting)}
