"""What a synthetic session shows, when, and how well it can possibly be recognized.

Every 5 s window of every trial draws an *expressed* emotion for EEG, audio and video
apart: with probability p = 0.2 + 0.8 * effect it is the trial's own, else one of the
four others, all alike. The medium then shows the expressed emotion plainly. Given the
trial's emotion the three draws are independent, so

- nobody can name a window's emotion from one modality more often than p, and
- the best use of all three is Bayes' rule over the 125 outcomes, summed exactly here.

At effect 0, p is 0.2: the media say nothing about the labels.
"""

from dataclasses import asdict, dataclass
from itertools import product
from math import prod

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
ORDER, EXPRESSED, PERSON, EEG, VOICE, VIDEO = range(6)


@dataclass(frozen=True)
class Attainable:
    """The best expected accuracies over 5 s windows, each in [0.2, 1].

    eeg, audio, video: from one modality alone. fused: from the three together.
    """

    eeg: float
    audio: float
    video: float
    fused: float

    def as_json(self) -> dict[str, float]:
        """The four by name, for result files."""
        return asdict(self)


@dataclass(frozen=True)
class SessionPlan:
    """Labels of a session and what its windows show.

    emotion: (trials,) class of each trial; task: (trials,) 0 listening, 1 speaking.
    expressed: modality -> (trials, 4) class shown in each window.
    """

    emotion: np.ndarray
    task: np.ndarray
    expressed: dict[str, np.ndarray]


def attainable(effect: float = DEFAULT_EFFECT) -> Attainable:
    """What no classifier can beat at this effect.

    Raises ValueError if `effect` is not in [0, 1].
    """
    p = match_probability(effect)
    other = (1.0 - p) / (N_EMOTIONS - 1)
    fused = 0.0
    for outcome in product(range(N_EMOTIONS), repeat=len(MODALITIES)):
        likelihoods = [
            prod(p if shown == emotion else other for shown in outcome)
            for emotion in range(N_EMOTIONS)
        ]
        fused += max(likelihoods) / N_EMOTIONS
    return Attainable(p, p, p, fused)


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
    seed: int, subject: int, n_trials: int, effect: float = DEFAULT_EFFECT
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
    expressed = {}
    for number, modality in enumerate(MODALITIES):
        draws = random_stream(seed, subject, EXPRESSED, number)
        shape = (n_trials, N_WINDOWS)
        shift = draws.integers(1, N_EMOTIONS, shape)
        differs = draws.random(shape) >= p
        expressed[modality] = (emotion[:, None] + shift * differs) % N_EMOTIONS
    return SessionPlan(emotion, task, expressed)


def random_stream(seed: int, subject: int, *purpose: int) -> np.random.Generator:
    """Random numbers for one purpose, whatever else is drawn before or beside it."""
    return np.random.default_rng([seed, subject, *purpose])


def emotion_weights(expressed: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Share of each emotion at each moment of a trial.

    expressed: (4,) classes of the windows; times: (n,) seconds from the trial's start;
    past the last window its emotion stays. Returns (n, 5) float64, rows summing to
    one, passing over 0.2 s from one window to the next.
    """
    windows = np.eye(N_EMOTIONS)[np.asarray(expressed)]
    weights = np.broadcast_to(windows[0], (len(times), N_EMOTIONS)).copy()
    for i in range(1, len(windows)):
        border = i * WINDOW_SECONDS
        passed = ((times - border) / TRANSITION_SECONDS + 0.5).clip(0.0, 1.0)
        passed = passed * passed * (3.0 - 2.0 * passed)
        weights += passed[:, None] * (windows[i] - windows[i - 1])
    return weights


def emotion_table(values: dict[str, tuple[float, ...]]) -> np.ndarray:
    """Stack a row of numbers an emotion in class order: (5, n) float64."""
    return np.array([values[emotion] for emotion in EMOTIONS], dtype=np.float64)
