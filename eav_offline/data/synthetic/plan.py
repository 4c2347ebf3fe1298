"""What a synthetic session shows, when, and how well it can possibly be recognized.

Every 5 s window of every trial draws an *expressed* emotion for EEG, audio and video
apart: with probability p = 0.2 + 0.8 * effect it is the trial's own, else one of the
four others, all alike. The medium then shows the expressed emotion plainly. Given the
trial's emotion the three draws are independent, so

- nobody can name a window's emotion from one modality more often than p, and
- the best use of all three is Bayes' rule over the 125 outcomes, summed exactly here.

At effect 0, p is 0.2: the media say nothing about the labels.

`Evidence` describes people of whom, in a share of the trials, only the modalities
together tell: who mask an emotion, or show it as the sum of two.

People differ; how much more than by default a *strangeness* says, a factor on what is
drawn for a person on top: gains and offsets, a habitual voice, proportions and light,
and effects of emotions that are this person's alone. Of what is attainable it takes
nothing. At 0.4 a model of others loses about as much on a new person as on EAV's people
(docs/new-person.md), at 0 nothing is added.
"""

from dataclasses import asdict, dataclass
from itertools import product

import numpy as np

from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.window import WINDOW_SECONDS

DEFAULT_EFFECT = 0.8
TRIAL_SECONDS = 20.0
N_WINDOWS = round(TRIAL_SECONDS / WINDOW_SECONDS)  # 4 a trial
TRIALS_STEP = 2 * N_EMOTIONS  # every emotion once listening and once speaking
MAX_TRIALS = 990  # file names give the trial three digits
TRANSITION_SECONDS = 0.2  # a face does not jump at a window's border

# Streams of random numbers: one for each thing drawn, so that none disturbs another.
ORDER, EXPRESSED, PERSON, EEG, VOICE, VIDEO, KIND, STRANGE = range(8)
NO_CUE = np.zeros(N_WINDOWS)
KINDS = ("ordinary", "masking", "sum")
# Weights that late fusion is tried with: for three voters of whom each names one
# emotion, alone, by majority and with one or another breaking ties are all there.
_LATE_WEIGHTS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Evidence:
    """What the modalities say together in a share of the trials; the rest are ordinary.

    kind: "ordinary": nothing, they are independent given the emotion. "masking": in
        every window two modalities show an emotion, one of them the told one and the
        other any other; which is true is drawn, and the third says it by a cue that
        has nothing to do with emotions: +1 for the first of the two, -1 for the second.
        The third shows the emotion as well, but rarely. "sum": the classes that two
        modalities show add up to the told one (mod 5); the third shows anything, and
        by its cue, +1, that it is so. Told is the trial's emotion, more often than an
        ordinary window shows it.
    modality: the third, of `MODALITIES`; None for ordinary people.
    share: of the trials, spread evenly over emotions, tasks and the session's time.
    Raises ValueError for another kind or modality, or a share not in [0, 1].
    """

    kind: str = "ordinary"
    modality: str | None = None
    share: float = 0.0

    def __post_init__(self) -> None:
        expected = (None,) if self.kind == "ordinary" else MODALITIES
        if self.kind not in KINDS or self.modality not in expected:
            raise ValueError(
                f"evidence is {self.kind!r} with {self.modality!r} as the third, "
                f"expected one of {', '.join(KINDS)}, and for all but the first one of "
                f"{', '.join(MODALITIES)}"
            )
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(
                f"share is {self.share:g}, expected 0 (all trials ordinary) to 1 (none)"
            )

    @property
    def pair(self) -> tuple[str, ...]:
        """The two others, in the order of `MODALITIES`."""
        return tuple(m for m in MODALITIES if m != self.modality)


ORDINARY = Evidence()


@dataclass(frozen=True)
class Attainable:
    """The best expected accuracies over 5 s windows, each in [0.2, 1].

    eeg, audio, video: from one modality alone. late: by the best weighted sum of the
        three's log probabilities, each the best that its modality alone can say (a mean
        of probabilities, calibrated or not, does no better); None for ordinary people,
        where it is as good as any. joint: from the three together, by Bayes' rule.
    """

    eeg: float
    audio: float
    video: float
    late: float | None
    joint: float

    @property
    def fused(self) -> float:
        """The best from the three together."""
        return self.joint

    def as_json(self) -> dict[str, float]:
        """By name, for result files; for ordinary people the joint one as `fused`."""
        if self.late is not None:
            return asdict(self)
        alone = {"eeg": self.eeg, "audio": self.audio, "video": self.video}
        return alone | {"fused": self.fused}


@dataclass(frozen=True)
class SessionPlan:
    """Labels of a session and what its windows show.

    emotion: (trials,) class of each trial; task: (trials,) 0 listening, 1 speaking.
    expressed: modality -> (trials, 4) class shown in each window.
    cue: modality -> (trials, 4), +1 or -1 where the third modality says how to take
        the two others, else 0.
    of_kind: (trials,) bool, False for the ordinary ones.
    """

    emotion: np.ndarray
    task: np.ndarray
    expressed: dict[str, np.ndarray]
    cue: dict[str, np.ndarray]
    of_kind: np.ndarray


def attainable(
    effect: float = DEFAULT_EFFECT, evidence: Evidence = ORDINARY
) -> Attainable:
    """What no classifier can beat at this effect, summed over all outcomes.

    Raises ValueError if `effect` is not in [0, 1].
    """
    if evidence.kind == "ordinary":
        p = match_probability(effect)
        fused = 0.0
        for likelihoods in (
            _outcomes(effect, evidence)[..., 0].reshape(N_EMOTIONS, -1).T
        ):
            fused += float(likelihoods.max())
        return Attainable(p, p, p, None, fused)
    chance = _outcomes(effect, evidence)
    alone: dict[str, float] = {}
    said: list[np.ndarray] = []
    for axis, modality in enumerate(MODALITIES, start=1):
        unseen = (
            {1, 2, 3, 4} - {axis} - ({4} if modality == evidence.modality else set())
        )
        seen = chance.sum(axis=tuple(unseen), keepdims=True)
        alone[modality] = float(seen.max(axis=0).sum())
        total = seen.sum(axis=0, keepdims=True)
        even = np.full_like(seen, 1 / N_EMOTIONS)  # of what is never shown
        posterior = np.divide(seen, total, even, where=total > 0)
        logs = np.log(posterior.clip(1e-12))
        said.append(
            logs / max(np.ptp(logs), 1e-12)
        )  # the weights lose no freedom by it
    late = 0.0
    for weights in product(_LATE_WEIGHTS, repeat=len(said)):
        score = np.zeros_like(chance)
        for weight, logs in zip(weights, said, strict=True):
            score += weight * logs
        late = max(late, _share_right(chance, score))
    joint = _share_right(chance, chance)
    return Attainable(**alone, late=late, joint=joint)


def _outcomes(effect: float, evidence: Evidence) -> np.ndarray:
    """Probability of emotion, what EEG, audio and video show, and cue 0, +1 or -1.

    (5, 5, 5, 5, 3), summing to one.
    """
    chance = np.zeros((N_EMOTIONS,) * 4 + (3,))
    shown = _shown_given(match_probability(effect))
    chance[..., 0] = np.einsum("ei,ej,ek->eijk", shown, shown, shown)
    if evidence.kind != "ordinary":
        chance *= 1.0 - evidence.share
        told, weak = (_shown_given(p) for p in _kind_probabilities(effect))
        apart = np.zeros_like(chance)  # the third modality last
        if evidence.kind == "masking":
            other = _shown_given(0.0)
            apart[..., 1] = np.einsum("ei,ij,ek->eijk", told, other, weak) / 2
            apart[..., 2] = np.einsum("ej,ji,ek->eijk", told, other, weak) / 2
        else:
            classes = np.arange(N_EMOTIONS)
            total = (classes[:, None] + classes) % N_EMOTIONS
            apart[..., 1] = told[:, total][..., None] / N_EMOTIONS**2
        third = 1 + MODALITIES.index(str(evidence.modality))
        chance += evidence.share * np.moveaxis(apart, 3, third)
    return chance / N_EMOTIONS


def _shown_given(p: float) -> np.ndarray:
    """(5, 5): probability of each class given one that is met with probability `p`."""
    own = np.eye(N_EMOTIONS)
    return p * own + (1.0 - p) / (N_EMOTIONS - 1) * (1.0 - own)


def _share_right(chance: np.ndarray, score: np.ndarray) -> float:
    """How often the emotion with the highest score is right; a tie is a fair guess."""
    best = score >= score.max(axis=0) - 1e-12
    return float((chance * best / best.sum(axis=0)).sum())


def _kind_probabilities(effect: float) -> tuple[float, float]:
    """How often the told emotion is the trial's, and the third modality shows it.

    0.97 and 0.36 at the default effect, 0.84 being an ordinary window's.
    """
    told = match_probability(1.0 - (1.0 - effect) ** 2)
    return told, match_probability(effect / 4)


def match_probability(effect: float) -> float:
    """How often a window shows its trial's own emotion: 0.2 + 0.8 * effect.

    Raises ValueError if `effect` is not in [0, 1].
    """
    if not 0.0 <= effect <= 1.0:
        raise ValueError(
            f"effect is {effect:g}, expected 0 (labels carry nothing) to 1 (every "
            "window shows its trial's emotion)"
        )
    return (1.0 + (N_EMOTIONS - 1) * effect) / N_EMOTIONS


def check_trials(n_trials: int) -> None:
    """Raise ValueError unless the trials balance over emotions and tasks."""
    if n_trials < TRIALS_STEP or n_trials % TRIALS_STEP or n_trials > MAX_TRIALS:
        raise ValueError(
            f"{n_trials} trials were asked for, expected a multiple of {TRIALS_STEP} "
            f"up to {MAX_TRIALS} ({N_EMOTIONS} emotions x listening and speaking); "
            "EAV has 200"
        )


def plan_session(
    seed: int,
    subject: int,
    n_trials: int,
    effect: float = DEFAULT_EFFECT,
    evidence: Evidence = ORDINARY,
) -> SessionPlan:
    """Order a session's emotions and draw what its windows show.

    As in EAV a listening trial (odd) is answered by a speaking one (even) of the same
    emotion; each five pairs hold every emotion once, in an order of their own.
    Raises ValueError if the trials cannot balance or `effect` is not in [0, 1].
    """
    check_trials(n_trials)
    p = match_probability(effect)
    order = random_stream(seed, subject, ORDER)
    blocks = [order.permutation(N_EMOTIONS) for _ in range(n_trials // TRIALS_STEP)]
    emotion = np.repeat(np.concatenate(blocks), 2)
    task = np.arange(n_trials) % 2
    shape = (n_trials, N_WINDOWS)
    truth = np.broadcast_to(emotion[:, None], shape)
    expressed = {}
    for number, modality in enumerate(MODALITIES):
        draws = random_stream(seed, subject, EXPRESSED, number)
        expressed[modality] = _matching(draws, truth, p)
    cue = {modality: np.zeros(shape, dtype=int) for modality in MODALITIES}
    of_kind = np.zeros(n_trials, dtype=bool)
    if evidence.kind != "ordinary":
        draws = random_stream(seed, subject, KIND)
        # Every emotion's trials by themselves, at even distances from a drawn start.
        start = draws.random(N_EMOTIONS)[emotion]
        pair = np.arange(n_trials) // TRIALS_STEP
        of_kind = np.floor((pair + 1) * evidence.share + start) > np.floor(
            pair * evidence.share + start
        )
        together, told_cue = _together(draws, truth, effect, evidence)
        for modality, shown in together.items():
            expressed[modality] = np.where(of_kind[:, None], shown, expressed[modality])
        cue[str(evidence.modality)] = told_cue * of_kind[:, None]
    return SessionPlan(emotion, task, expressed, cue, of_kind)


def _matching(draws: np.random.Generator, truth: np.ndarray, p: float) -> np.ndarray:
    """Classes that are `truth` with probability `p`, else any of the others."""
    shift = draws.integers(1, N_EMOTIONS, truth.shape)
    differs = draws.random(truth.shape) >= p
    return (truth + shift * differs) % N_EMOTIONS


def _together(
    draws: np.random.Generator, truth: np.ndarray, effect: float, evidence: Evidence
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What windows of the kind show by modality, and the cue; all (trials, 4)."""
    p_told, p_weak = _kind_probabilities(effect)
    told = _matching(draws, truth, p_told)
    third = _matching(draws, truth, p_weak)
    if evidence.kind == "masking":
        false = _matching(draws, told, 0.0)
        cue = draws.choice([1, -1], truth.shape)
        shown = np.where(cue > 0, told, false), np.where(cue > 0, false, told), third
    else:
        first = draws.integers(N_EMOTIONS, size=truth.shape)
        third = draws.integers(N_EMOTIONS, size=truth.shape)
        shown, cue = (first, (told - first) % N_EMOTIONS, third), np.ones_like(truth)
    names = (*evidence.pair, str(evidence.modality))
    return dict(zip(names, shown, strict=True)), cue


def random_stream(seed: int, subject: int, *purpose: int) -> np.random.Generator:
    """Random numbers for one purpose, whatever else is drawn before or beside it."""
    return np.random.default_rng([seed, subject, *purpose])


def emotion_weights(expressed: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Share of each emotion at each moment of a trial.

    expressed: (4,) classes of the windows; times: (n,) seconds from the trial's start;
    past the last window its emotion stays. Returns (n, 5) float64, rows summing to
    one, passing over 0.2 s from one window to the next.
    """
    return window_track(np.eye(N_EMOTIONS)[np.asarray(expressed)], times)


def window_track(windows: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values of the windows at each moment: (4, ...) and (n,) -> (n, ...) float64."""
    track = np.empty((len(times), *windows.shape[1:]))
    track[:] = windows[0]
    for i in range(1, len(windows)):
        border = i * WINDOW_SECONDS
        passed = ((times - border) / TRANSITION_SECONDS + 0.5).clip(0.0, 1.0)
        passed = passed * passed * (3.0 - 2.0 * passed)
        track += np.multiply.outer(passed, windows[i] - windows[i - 1])
    return track


def own_table(
    table: np.ndarray, random: np.random.Generator, size: float
) -> np.ndarray:
    """What emotions do to one person: a table (5, n) of everybody's, and what is drawn.

    size: of that, in deviations of each column over emotions; 0 gives the table.
    """
    return table + size * random.standard_normal(table.shape) * table.std(axis=0)


def emotion_table(values: dict[str, tuple[float, ...]]) -> np.ndarray:
    """Stack a row of numbers an emotion in class order: (5, n) float64."""
    return np.array([values[emotion] for emotion in EMOTIONS], dtype=np.float64)
