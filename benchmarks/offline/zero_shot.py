"""Zero-shot EEG where EEG, sound and face share their classes' structure, and not.

Two classes are held out together and are the only candidates. Nothing that was learned
tells them apart but where sound and face have them: without a shared structure guessing
is right one time in two, whatever a model's leanings. See docs/zero-shot.md.

Windows are synthetic: the strength of a few rhythms, mel bands or patches of the face
is linear in two attributes (think of valence and arousal), and a class is a place in
their plane. Shared: it has the same place in EEG as in sound and face. Not shared: EEG
has places of its own, drawn the same way, which say nothing of where a new one is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import logged, means, side_by_side
from eav_offline.commands.zero_shot import parse_unseen
from eav_offline.config import Config
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import EEG_RATE, EEG_SAMPLES, N_CHANNELS, N_FRAMES
from eav_offline.data.dataset import LabeledWindows
from eav_offline.data.window_set import window_set
from eav_offline.evaluation.statistics import bootstrap_by_subject, mean_sd
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.audio import N_MEL_FRAMES, N_MELS
from eav_offline.training.train import TrainingData
from eav_offline.zero_shot.engine import learn_zero_shot
from eav_offline.zero_shot.study import RULES

PAIR_CHANCE, FIVE_CHANCE = 1 / 2, 1 / N_EMOTIONS
TRAIN_FRACTION = 0.7
SINGLE = ("seen", "unseen", "harmonic", "seen_unseen_area", "false_alarms")
PAIRED = ("conventional",)
METRICS = (*SINGLE, *PAIRED)
ARMS = {"shared": True, "not_shared": False}
_STAGE = {"batch": 20, "learning_rate": 3e-3, "augment": False}
_VIT = {"dim": 16, "heads": 2, "layers_before": 1, "mlp_ratio": 2.0}
SIDE = 16  # pixels of the faces
N_ATTRIBUTES = 2
WINDOWS_PER_TRIAL = 2
_N_SIGNS = 8  # rhythms, bands and patches that follow the attributes
_LEAST_DISTANCE = 1.2  # between places of classes, which have a deviation of 1
_RHYTHMS_HZ = (4.0, 34.0)
_EEG_NOISE_UV = 10.0
_GAIN = {"eeg": 0.5, "audio": 0.8, "video": 14.0}  # nepers, nepers, gray levels
_PATCH = SIDE // 4


def bench_zero_shot(
    people: int = 8, strict: bool = False, trials_per_class: int = 10, jobs: int = 1
) -> dict[str, Any]:
    """Hold out each class, and each two, for people of both kinds.

    A person has the same sounds and faces in both kinds; only EEG's arrangement of the
    classes differs. Returns, ready for JSON, for `shared` and `not_shared` and each
    rule `single` (five held-out classes, all five are candidates) and `pair` (ten
    pairs, the two are candidates): mean, sd and 95 % interval (bootstrap by person) of
    each metric over people; `difference` of the two kinds, paired by person; and
    `passed`: pairs above 50 % where shared, 50 % within the interval where not, and
    more unseen windows recognized among five where shared.
    """
    measure = partial(_measure, strict=strict, trials_per_class=trials_per_class)
    work = [(seed, shared) for seed in range(people) for shared in ARMS.values()]
    found = side_by_side(measure, work, jobs, logged("people"))
    both = list(zip(work, found, strict=True))
    each = {
        arm: [of for (_, kind), of in both if kind is shared]
        for arm, shared in ARMS.items()
    }
    pairs = list(zip(*each.values(), strict=True))
    arms: dict[str, Any] = {arm: {} for arm in ARMS}
    difference: dict[str, Any] = {}
    for rule in RULES:
        for arm, of in each.items():
            over = {m: _over([one[rule][m] for one in of]) for m in METRICS}
            arms[arm][rule] = {
                "single": {m: over[m] for m in SINGLE},
                "pair": {m: over[m] for m in PAIRED},
            }
        difference[rule] = {
            m: _over([one[rule][m] - other[rule][m] for one, other in pairs])
            for m in METRICS
        }
    return {
        "synthetic": True,
        "mode": "strict" if strict else "cross-modal transfer",
        **arms,
        "difference": difference,
        "chance": {"pair": PAIR_CHANCE, "unseen_of_five": FIVE_CHANCE},
        "passed": _passed(arms, difference),
        "people": people,
        "trials_per_class": trials_per_class,
        "environment": {"jobs": jobs},
    }


def small_config(epochs: int = 6) -> Config:
    """Encoders as small as the synthetic windows allow."""
    stage = {**_STAGE, "epochs": epochs}
    return Config.model_validate(
        {
            "model": {
                "eeg": {"dim": 10, "heads": 1, "dropout": 0.0, "head_dropout": 0.1},
                "audio": {**_VIT, "patch": [128, 83], "stride": [128, 83]},
                "video": {**_VIT, "patch": [8, 8], "stride": [8, 8], "side": SIDE},
                "fusion": {"width": 12},
            },
            "train": {
                "eeg": stage,
                "audio": stage,
                "video": {**stage, "frames": 2},
                "ambt": {**stage, "frames": 5},
            },
        }
    )


def shared_data(seed: int, shared: bool, trials_per_class: int) -> TrainingData:
    """A synthetic person's windows; of each class the first 70 % of trials train."""
    windows = window_set([shared_windows(seed, shared, trials_per_class)])
    n_train = round(TRAIN_FRACTION * trials_per_class) * N_EMOTIONS
    first = windows.trial <= n_train
    about = {
        "protocol": "the first trials of each class train, the last test",
        "windows_per_trial": WINDOWS_PER_TRIAL,
    }
    return TrainingData(
        windows.subset(first),
        None,
        windows.subset(~first),
        PreprocessSettings(face_size=SIDE),
        about,
    )


def _measure(
    who: tuple[int, bool], strict: bool, trials_per_class: int
) -> dict[str, dict[str, float]]:
    """By rule: means over held-out classes, and over pairs.

    who: seed of a person, and whether EEG shares the others' structure.
    """
    unseen = (*parse_unseen("all"), *parse_unseen("pairs"))
    data, config = shared_data(*who, trials_per_class), small_config()
    held_out = learn_zero_shot(
        data, unseen, config.with_seed(who[0]), strict, maps=False
    ).results["held_out"]
    found: dict[str, dict[str, float]] = {}
    for rule in RULES:
        for n, metrics in ((1, SINGLE), (2, PAIRED)):
            of = [f["rules"][rule] for f in held_out.values() if len(f["unseen"]) == n]
            told = means([{m: one[m] for m in metrics} for one in of])
            found[rule] = found.get(rule, {}) | told
    return found


def _passed(arms: Mapping[str, Any], difference: Mapping[str, Any]) -> bool:
    """Of the nearest centroid, the rule that needs no examples to lean on."""
    shared, apart = (arms[a]["nearest"]["pair"]["conventional"] for a in ARMS)
    more = difference["nearest"]["unseen"]["interval"]
    if shared["interval"] is None:  # of so few people there is none
        return False
    low, high = apart["interval"]
    above = shared["interval"][0] > PAIR_CHANCE
    return bool(above and low <= PAIR_CHANCE <= high and more[0] > 0)


def _over(values: Sequence[float]) -> dict[str, Any]:
    mean, sd = mean_sd(values)
    return {"mean": mean, "sd": sd, "interval": bootstrap_by_subject(values)}


@dataclass(frozen=True)
class SharedWindows(LabeledWindows):
    """One synthetic person.

    places, eeg_places: (5, 2) attributes of the classes in sound and face, and in EEG.
    """

    places: np.ndarray = field(kw_only=True)
    eeg_places: np.ndarray = field(kw_only=True)


def shared_windows(
    seed: int,
    shared: bool,
    trials_per_class: int = 10,
    spread: float = 0.35,
    subject: int = 1,
) -> SharedWindows:
    """Windows of a synthetic person; trials take turns through the classes.

    shared: EEG arranges the classes as sound and face do. spread: deviation of a
    trial's and of a window's attributes about its class, drawn for each modality by
    itself: no window's EEG tells of its own sound. With the same seed, both kinds of
    person have the same sounds and faces.
    """
    media = np.random.default_rng([seed, subject, 0])
    brain = np.random.default_rng([seed, subject, 1])
    places = _places(media)
    elsewhere = _places(brain)  # drawn either way, so that what follows is the same
    eeg_places = places if shared else elsewhere
    trial = np.repeat(np.arange(trials_per_class * N_EMOTIONS), WINDOWS_PER_TRIAL)
    emotion = trial % N_EMOTIONS
    return SharedWindows(
        subject=subject,
        synthetic=True,
        eeg=_eeg(brain, _attributes(brain, eeg_places, emotion, spread)),
        log_mel=_log_mel(media, _attributes(media, places, emotion, spread)),
        faces=_faces(media, _attributes(media, places, emotion, spread)),
        trial=trial + 1,
        position=np.tile(np.arange(WINDOWS_PER_TRIAL), len(trial) // WINDOWS_PER_TRIAL),
        emotion=emotion,
        present=np.ones((len(trial), len(MODALITIES)), dtype=bool),
        places=places,
        eeg_places=eeg_places,
    )


def _places(random: np.random.Generator) -> np.ndarray:
    """(5, 2), no two of them close together."""
    while True:
        places = random.standard_normal((N_EMOTIONS, N_ATTRIBUTES))
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        if (apart + np.eye(N_EMOTIONS) * _LEAST_DISTANCE >= _LEAST_DISTANCE).all():
            return places


def _attributes(
    random: np.random.Generator, places: np.ndarray, emotion: np.ndarray, spread: float
) -> np.ndarray:
    """(n, 2): the class's place, and what differs between its trials and windows."""
    noise = random.standard_normal((2, len(emotion), N_ATTRIBUTES)) * spread
    noise[0] = noise[0, ::WINDOWS_PER_TRIAL].repeat(WINDOWS_PER_TRIAL, axis=0)
    return np.asarray(places[emotion] + noise.sum(0) / np.sqrt(2))


def _strengths(
    random: np.random.Generator, attributes: np.ndarray, gain: float
) -> np.ndarray:
    """(n, signs): how strongly each follows the attributes, all directions alike."""
    angle = np.arange(_N_SIGNS) * np.pi / _N_SIGNS + random.uniform(0, np.pi)
    directions = np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray(gain * attributes @ directions[:, random.permutation(_N_SIGNS)])


def _eeg(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 30, 500) float32 µV: rhythms over noise, each with electrodes of its own."""
    n = len(attributes)
    amplitude = _EEG_NOISE_UV * np.exp(_strengths(random, attributes, _GAIN["eeg"]))
    low, high = _RHYTHMS_HZ
    hertz = low * (high / low) ** np.linspace(0, 1, _N_SIGNS)
    hertz = hertz[random.permutation(_N_SIGNS)]
    topography = np.abs(random.standard_normal((_N_SIGNS, N_CHANNELS)))
    topography *= random.random(topography.shape) < 0.3
    time = np.arange(EEG_SAMPLES) / EEG_RATE
    eeg = _EEG_NOISE_UV * random.standard_normal((n, N_CHANNELS, EEG_SAMPLES))
    for sign in range(_N_SIGNS):
        phase = 2 * np.pi * random.random((n, 1))
        wave = np.sin(2 * np.pi * hertz[sign] * time + phase)
        eeg += (amplitude[:, sign, None] * wave)[:, None] * topography[sign][:, None]
    return eeg.astype(np.float32)


def _log_mel(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 498, 128) float32: the level of eight groups of mel bands."""
    level = _strengths(random, attributes, _GAIN["audio"]) - 6.0
    picture = random.standard_normal((len(level), N_MEL_FRAMES, N_MELS))
    picture += level.repeat(N_MELS // _N_SIGNS, axis=1)[:, None]
    return picture.astype(np.float32)


def _faces(random: np.random.Generator, attributes: np.ndarray) -> np.ndarray:
    """(n, 25, side, side, 3) uint8: the brightness of eight patches of sixteen."""
    gray = _strengths(random, attributes, _GAIN["video"])
    n = len(gray)
    pictures = random.normal(120, 10, (n, N_FRAMES, SIDE, SIDE, 3))
    for sign in range(_N_SIGNS):
        row, column = divmod(2 * sign + (sign // 2) % 2, SIDE // _PATCH)
        rows = slice(row * _PATCH, (row + 1) * _PATCH)
        columns = slice(column * _PATCH, (column + 1) * _PATCH)
        pictures[:, :, rows, columns] += gray[:, sign, None, None, None, None]
    return pictures.clip(0, 255).astype(np.uint8)
