"""Electrodes under each other's names are noticed, and right ones never are."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from eav_live.options.config import QualitySettings
from eav_live.windows.cut import Rings
from eav_live.windows.electrode_map import STRETCHES, ElectrodeMap
from eav_live.windows.quality import MIXED_UP, QualityWatch, measure_electrodes
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.synthetic.eeg import RECORDED_RATE, trial_eeg

SECONDS = 4.0
RIGHT = np.arange(30)
MIXED = np.random.default_rng(0).permutation(30)
HALVES = np.roll(RIGHT, 15)  # the plugs of two boxes of inputs exchanged


@lru_cache
def drawn(strangeness: float = 0.0) -> np.ndarray:
    expressed = np.array([0, 1, 2, 3])
    trials = [trial_eeg(5, 1, t, expressed, strangeness=strangeness) for t in (1, 2)]
    return np.concatenate(trials, axis=1).astype(float)


def followed(
    eeg_uv: np.ndarray, rate: float = RECORDED_RATE, unfit: tuple[str, ...] = ()
) -> list[bool]:
    """What is said of each stretch, the first four of which are too few."""
    watch, n, said = ElectrodeMap(), round(SECONDS * rate), []
    for end in range(n, eeg_uv.shape[1] + 1, n):
        alike = measure_electrodes(eeg_uv[:, end - n : end], rate).alike
        said.append(watch.look(alike, end / rate, SECONDS, unfit))
    return said


@pytest.mark.parametrize("strangeness", [0.0, 0.4])
def test_mixed_electrodes_are_noticed_and_right_ones_not(strangeness: float) -> None:
    eeg = drawn(strangeness)
    assert not any(followed(eeg))
    early = [False] * (STRETCHES - 1)
    late = [True] * (10 - len(early))
    assert followed(eeg[MIXED]) == early + late
    assert followed(eeg[HALVES]) == early + late


def test_steps_between_pieces_of_trials_are_no_other_order() -> None:
    pieces = [drawn()[:, k : k + 1500] for k in range(0, 19_000, 1900)]
    assert not any(followed(np.concatenate(pieces, axis=1)))


def test_noise_of_each_electrode_alone_is_no_eeg() -> None:
    noise = np.random.default_rng(0).normal(0, 20, (30, 10 * round(4 * RECORDED_RATE)))
    assert all(followed(noise)[STRETCHES - 1 :])


@pytest.mark.parametrize("reference", [None, "O1", "Fz"])
@pytest.mark.parametrize("name", ["Subject01_1.edf", "Subject03_2.edf"])
def test_real_electrodes_are_right_until_they_are_mixed_by_any_reference(
    test_data: Callable[[str], Path], name: str, reference: str | None
) -> None:
    import mne

    raw = mne.io.read_raw_edf(test_data(f"eegmat_edf/{name}"), verbose="error")
    old = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
    labels = [x.removeprefix("EEG ").strip() for x in raw.ch_names]
    found = [old.get(x, x) for x in labels]
    eeg = np.zeros((30, raw.n_times))
    there = [x for x in EEG_CHANNELS if x in found]
    rows = [EEG_CHANNELS.index(x) for x in there]
    eeg[rows] = raw.get_data([found.index(x) for x in there]) * 1e6
    if reference is not None:
        eeg[rows] -= eeg[EEG_CHANNELS.index(reference)]
        there.remove(reference)
    unfit = tuple(x for x in EEG_CHANNELS if x not in there)
    assert not any(followed(eeg, raw.info["sfreq"], unfit))
    eeg[rows] = eeg[np.random.default_rng(1).permutation(rows)]
    assert all(followed(eeg, raw.info["sfreq"], unfit)[STRETCHES - 1 :])


def test_what_an_electrode_sent_while_it_was_bad_is_no_part_of_it() -> None:
    eeg, bad = drawn()[:, :10_000].copy(), EEG_CHANNELS[::2]
    eeg[::2, :8000] = 0.0  # all alike, wherever they sit
    watch = ElectrodeMap()
    for k in range(STRETCHES):
        alike = measure_electrodes(eeg[:, 2000 * k : 2000 * (k + 1)], 500.0).alike
        watch.look(alike, 4.0 * k, SECONDS, bad if k < STRETCHES - 1 else ())
    assert watch.order is not None
    assert not watch.mixed


def test_few_electrodes_say_nothing() -> None:
    assert not any(followed(drawn()[MIXED], unfit=EEG_CHANNELS[11:]))


def test_old_stretches_are_forgotten() -> None:
    watch = ElectrodeMap()
    alike = measure_electrodes(drawn()[MIXED][:, :2000], RECORDED_RATE).alike
    for k in range(STRETCHES):
        said = watch.look(alike, SECONDS * k, SECONDS, ())
    assert said
    assert not watch.look(alike, 200.0, SECONDS, ())
    assert watch.order is None


@pytest.mark.parametrize(
    ("limits", "why"),
    [(QualitySettings(), MIXED_UP), (QualitySettings(electrode_map=False), "")],
)
def test_such_eeg_counts_as_absent_unless_that_is_switched_off(
    limits: QualitySettings, why: str
) -> None:
    ring = SampleRing(RECORDED_RATE, 30, 40.0)
    ring.extend(np.arange(drawn().shape[1]) / RECORDED_RATE, drawn()[MIXED].T)
    watch = QualityWatch(limits)
    judged = [
        watch.judge(Rings(ring, None, None), t)["eeg"] for t in np.arange(4, 39, 0.5)
    ]
    assert {q.why for q in judged[:32]} == {""}
    assert {q.why for q in judged[33:]} == {why}
    assert {q.good for q in judged[33:]} == {not why}
