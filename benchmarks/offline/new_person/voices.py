"""Real speakers: each new to a linear model of the voices of others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.measure import real_data
from benchmarks.offline.new_person.trial import (
    NOTHING,
    UNLABELED,
    Found,
    add_person,
    gain_by_group,
    one_modality,
    summary,
    unlabeled,
)
from benchmarks.offline.voices import Heard, clips, model_of, read_emodb, read_ravdess
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import EMOTIONS
from eav_offline.personal.calibration import Clips

EMODB_WOMEN = (8, 9, 13, 14, 16)
LABELS = (10, 20)  # RAVDESS has 36 clips a speaker in our emotions, EmoDB 21 to 42
CHOSEN_ON = tuple(range(1, 7))  # actors of RAVDESS; constants were chosen on them
REPORTED = (tuple(range(7, 13)), tuple(range(13, 19)))


def bench_real_voices() -> dict[str, Any]:
    """Actors 7 to 18 of RAVDESS by models of 12 others, EmoDB's speakers by 7."""
    ravdess = clips(read_ravdess(real_data("ravdess_speech_16k"), EMOTIONS))
    emodb = clips(read_emodb(real_data("emodb_16k")))
    english: Found = {}
    one_emotion = []
    for group in REPORTED:
        new = np.isin(ravdess.person, group)
        checkpoint = model_of(ravdess.of(~new))
        for person in group:
            mine = ravdess.of(ravdess.person == person)
            add_person(english, checkpoint, as_clips(mine), person, LABELS)
            one_emotion += refused(checkpoint, mine)
    german: Found = {}
    for person in np.unique(emodb.person).tolist():
        checkpoint = model_of(emodb.of(emodb.person != person))
        theirs = as_clips(emodb.of(emodb.person == person))
        add_person(german, checkpoint, theirs, person, LABELS)
    even = [person for person in english[NOTHING] if person % 2 == 0]
    return {
        "ravdess": _by_sex(english, even),
        "emodb": _by_sex(german, EMODB_WOMEN),
        "one_emotion_waits": float(np.mean(one_emotion)),
    }


def _by_sex(found: Found, women: Sequence[int]) -> dict[str, Any]:
    men = [person for person in found[NOTHING] if person not in women]
    gains = gain_by_group(found, UNLABELED, {"women": women, "men": men})
    return summary(found) | {"unlabeled_gain_by_group": gains}


def as_clips(heard: Heard) -> Clips:
    """One window a clip."""
    features = one_modality("audio", heard.features)
    return Clips(features, heard.emotion, np.arange(len(heard.emotion)))


def refused(checkpoint: Checkpoint, heard: Heard) -> list[bool]:
    """Whether adaptation waits while a person shows one emotion only, of each."""
    found = []
    for emotion in np.unique(heard.emotion):
        rows = np.flatnonzero(heard.emotion == emotion)
        many = np.resize(rows, 24)  # two minutes: some clips come again
        layer = unlabeled(checkpoint, one_modality("audio", heard.features[many]))
        found.append(layer is None)
    return found
