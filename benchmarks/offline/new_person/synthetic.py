"""Synthetic people whose microphones and electrodes differ more than they themselves.

Voice and EEG alone: faces of drawn people take minutes each. The shift of a person is
drawn, the response of microphone and room over frequency and the gain of every
electrode, the same for all of their recordings.
"""

from typing import Any

import numpy as np
from scipy.fft import next_fast_len
from threadpoolctl import threadpool_limits

from benchmarks.offline.new_person.trial import (
    Found,
    add_person,
    linear_checkpoint,
    summary,
    take,
)
from eav_offline.checkpoint import Checkpoint
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.window import AUDIO_RATE, WINDOW_SECONDS
from eav_offline.data.synthetic.eeg import RECORDED_RATE, trial_eeg
from eav_offline.data.synthetic.plan import plan_session
from eav_offline.data.synthetic.voice import SOUND_RATE, voice
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.baselines.features import log_band_power, speech_statistics
from eav_offline.personal.calibration import Clips
from eav_offline.personal.reading import Features
from eav_offline.preprocess.audio import log_mel, resample
from eav_offline.preprocess.eeg import band_limit
from eav_offline.training.classifiers import fit_linear

SEED = 31  # constants were chosen on people of the seeds 131 and 132
LABELS = (10, 20, 50, 100)
SMALL, FULL = (8, 8, 80), (20, 12, 120)  # known people, new people, trials of each
_EFFECT = 0.6  # of full strength, so that the known are not all named rightly
_TONE_DB, _TONE_HZ = 6.0, np.geomspace(60, 8000, 6)
_LOG_GAIN = 0.25  # deviation over electrodes
_STRENGTHS = (1e-2,)


def bench_synthetic_people(full: bool) -> dict[str, Any]:
    """New people by a model of others; and those others' own later trials."""
    n_known, n_new, n_trials = FULL if full else SMALL
    with threadpool_limits(1):
        people = [drawn(n, n_trials) for n in range(1, n_known + n_new + 1)]
    first, later = zip(*(_halves(one) for one in people[:n_known]), strict=True)
    checkpoint = _fitted(first)
    known: Found = {}
    for person, one in enumerate(later):
        add_person(known, checkpoint, one.clips, person, (), trial=one.trial)
    known.pop("unlabeled")
    new: Found = {}
    alone: dict[str, Found] = {"eeg": {}, "audio": {}}
    for person, one in enumerate(people[n_known:], start=n_known):
        who = (new, checkpoint, one.clips, person)
        add_person(*who, LABELS, trial=one.trial, alone=alone)
    parts = {f"new people, {m} alone": summary(found) for m, found in alone.items()}
    return {"known people": summary(known), "new people": summary(new)} | parts


class Drawn:
    """A person's windows, read. trial: (n,)."""

    def __init__(self, clips: Clips, trial: np.ndarray) -> None:
        self.clips, self.trial = clips, trial


def drawn(person: int, n_trials: int) -> Drawn:
    """The windows of a person's speaking trials."""
    plan = plan_session(SEED, person, n_trials, _EFFECT)
    random = np.random.default_rng([SEED, person, 5])
    tone = random.normal(0, _TONE_DB, len(_TONE_HZ))
    gains = np.exp(random.normal(0, _LOG_GAIN, (30, 1)))
    eeg, sound, emotion, trials = [], [], [], []
    for trial in range(2, n_trials + 1, 2):
        who = (SEED, person, trial)
        uv = gains * trial_eeg(*who, plan.expressed["eeg"][trial - 1])
        heard = voice(*who, plan.expressed["audio"][trial - 1])
        wave = _toned(resample(heard, float(SOUND_RATE)), tone)
        for end in np.arange(1, 5) * WINDOW_SECONDS:
            past = uv[:, : round(end * RECORDED_RATE)]
            eeg.append(band_limit(past.astype(np.float32), float(RECORDED_RATE)))
            stop = round(end * AUDIO_RATE)
            part = wave[stop - round(WINDOW_SECONDS * AUDIO_RATE) : stop]
            sound.append(log_mel(part.astype(np.float32), AUDIO_RATE))
            emotion.append(int(plan.emotion[trial - 1]))
            trials.append(trial)
    read = {
        "eeg": log_band_power(np.stack(eeg)).reshape(len(eeg), -1),
        "audio": speech_statistics(np.stack(sound)),
    }
    present = np.array([[m in read for m in MODALITIES]] * len(eeg))
    features = Features({m: x.astype(np.float32) for m, x in read.items()}, present)
    clips = Clips(features, np.array(emotion), np.arange(len(eeg)))
    return Drawn(clips, np.array(trials))


def _toned(wave: np.ndarray, tone_db: np.ndarray) -> np.ndarray:
    n = next_fast_len(len(wave), real=True)
    hertz = np.fft.rfftfreq(n, 1 / AUDIO_RATE).clip(1.0)
    bend = np.interp(np.log(hertz), np.log(_TONE_HZ), tone_db)
    return np.fft.irfft(np.fft.rfft(wave, n) * 10 ** (bend / 20), n)[: len(wave)]


def _halves(one: Drawn) -> tuple[Drawn, Drawn]:
    middle = np.median(one.trial)
    rows = (np.flatnonzero(one.trial < middle), np.flatnonzero(one.trial >= middle))
    first, second = (Drawn(take(one.clips, part), one.trial[part]) for part in rows)
    return first, second


def _fitted(people: tuple[Drawn, ...]) -> Checkpoint:
    emotion = np.concatenate([one.clips.emotion for one in people])
    person = np.concatenate([np.full(len(p.trial), i) for i, p in enumerate(people)])
    trial = np.concatenate([1000 * i + one.trial for i, one in enumerate(people)])
    parts = [one.clips.features for one in people]
    features = Features(
        {
            m: np.concatenate([p.by_modality[m] for p in parts])
            for m in ("eeg", "audio")
        },
        np.concatenate([part.present for part in parts]),
    )
    heads = {}
    for m, x in features.by_modality.items():
        heads[m] = Linear(x.shape[1])
        fit_linear(heads[m], x, emotion, trial, _STRENGTHS)
    return linear_checkpoint(heads, features, emotion, person, EMOTIONS)
