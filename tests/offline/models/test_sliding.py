"""A sliding window that remembers gives what a window computed from nothing gives."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from eav_live.recognition.recognizer import Recognizer
from eav_live.windows.cut import Rings, cut_window, newest_end
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.backends import EagerBackend
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.config import load_config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import FaceFrame
from eav_offline.models import Batch, EmotionModel
from eav_offline.models.sliding import (
    FrameEncoder,
    FrameStates,
    Fusion,
    fused_logits,
)
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess.audio import log_mel
from eav_offline.preprocess.memory import LogMelMemory, column_grid

SECONDS = 130
COMPACT = Path(__file__).parents[3] / "configs" / "compact.toml"


def small_model(variant: str = "mean", layers: int = 2) -> EmotionModel:
    """A recognizer whose answers differ between windows."""
    config = load_config(COMPACT).model
    fusion = config.fusion.model_copy(update={"variant": variant, "layers": layers})
    torch.manual_seed(3)
    model = EmotionModel(config.model_copy(update={"fusion": fusion}), MODALITIES, True)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "head" in name and name.endswith("weight"):
                parameter.normal_(std=0.3 / parameter.shape[1] ** 0.5)
            # As drawn, the bottleneck is so quiet that the answers hardly know of it.
            elif "ambt" in name and "head" not in name and parameter.ndim > 1:
                parameter.normal_(std=0.03 if "readout" in name else 0.2)
    return model.eval()


class Counting(EagerBackend):
    """Counts the pictures it is given."""

    n_pictures = 0

    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        self.n_pictures += len(frames) if modality == "video" else 0
        return super().encode(modality, frames)


@pytest.fixture(scope="module")
def recording() -> tuple[SampleRing, SampleRing, list[FaceFrame]]:
    """Two minutes with gaps, each stream with a crystal of its own."""
    rng = np.random.default_rng(5)
    eeg = SampleRing(500, 30, SECONDS)
    audio = SampleRing(44100, 1, SECONDS)
    for ring, gap, scale in ((eeg, (40.0, 42.5), 20.0), (audio, (70.0, 71.0), 0.1)):
        true_rate = ring.rate * (1 + 2e-5)
        times = np.arange(0.0, SECONDS, 1 / true_rate)
        times = times[(times < gap[0]) | (times > gap[1])]
        noise = rng.standard_normal((len(times), ring.width)) * scale
        for part in np.array_split(np.arange(len(times)), 400):
            ring.extend(times[part], noise[part])
    base = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    frames = []
    for i in range(SECONDS * 5):
        image = np.roll(base, i, axis=1)
        box = np.array([40 + i % 3, 30, 100, 90], dtype=np.float32)
        found = i % 17 != 0
        if not found and frames:  # as the tracker does: the last crop again
            image, box = frames[-1].image, frames[-1].box
        frames.append(FaceFrame(0.2 * i, image, box, found, 1.0))
    return eeg, audio, frames


class Until:
    """A ring that holds nothing after `now`."""

    def __init__(self, ring: SampleRing, now: float) -> None:
        self.ring, self.now, self.rate = ring, now, ring.rate

    @property
    def newest(self) -> float | None:
        return self.now

    def __getattr__(self, name: str):
        return getattr(self.ring, name)


def rings_at(recording, now: float, off: tuple[str, ...]) -> Rings:
    eeg, audio, frames = recording
    video = FrameRing(10.0)
    for i, frame in enumerate(frames):
        if now - 9 < frame.time <= now and not 90 < frame.time < 91:
            video.append(frame, begins=i == 0 or 91 <= frame.time < 91.19)
    return Rings(
        None if "eeg" in off else Until(eeg, now - 0.03),
        None if "audio" in off else Until(audio, now - 0.01),
        None if "video" in off else video,
    )


@pytest.mark.parametrize("hop", [0.2, 0.5, 1.0])
def test_remembering_changes_nothing_over_random_slides(recording, hop) -> None:
    model = small_model()
    checkpoint = Checkpoint(
        model, load_config(COMPACT), PreprocessSettings(), demo=True
    )
    backend = Counting(model)
    sliding = Recognizer(checkpoint, "sliding", backend)
    plain = Recognizer(checkpoint, "plain", remember=False)
    rng = np.random.default_rng(round(10 * hop))
    now, seen, answers, n_full = 16.0, 0, [], 0
    while seen < 32:
        now += hop + rng.uniform(0, 0.03)
        if now > SECONDS - 1:
            now = 16.0 + rng.uniform(0, 1)
        # Streams are away for a while, not for a window now and then.
        off = tuple(m for i, m in enumerate(MODALITIES) if (seen // 4 + i) % 8 == 7)
        rings = rings_at(recording, now, off)
        t_end = newest_end(rings, now)
        assert t_end is not None
        raw = cut_window(rings, t_end, now).raw
        mine, reference = sliding.recognize(raw), plain.recognize(raw)
        assert mine.present == reference.present
        n_full += len(mine.present) == 3
        for a, b in zip(
            [mine.fused, *mine.by_modality.values()],
            [reference.fused, *reference.by_modality.values()],
            strict=True,
        ):
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                np.testing.assert_allclose(a, b, atol=1e-5)
        if mine.fused is not None:
            answers.append(mine.fused)
        seen += 1
    assert n_full >= 12
    assert np.ptp(np.array(answers), axis=0).max() > 0.05  # windows do differ
    assert backend.n_pictures < seen * 25 * (0.2 + 0.4 * hop)


@pytest.mark.parametrize(
    ("variant", "layers"), list(itertools.product(("mean", "concat"), (2, 3)))
)
def test_two_parts_are_the_whole_model(variant: str, layers: int) -> None:
    # In double precision: one modality hears little of another.
    model = small_model(variant, layers).double()
    generator = torch.Generator().manual_seed(1)
    parts = {
        "eeg": 20 * torch.randn(1, 30, 500, generator=generator).double(),
        "audio": 3 * torch.randn(1, 498, 128, generator=generator).double() - 5,
        "video": torch.randint(
            0, 255, (1, 25, 56, 56, 3), dtype=torch.uint8, generator=generator
        ),
    }
    with torch.inference_mode():
        states: Mapping[str, FrameStates] = {
            m: FrameStates(
                *FrameEncoder(model, m)(parts[m][0] if m == "video" else parts[m])
            )
            for m in MODALITIES
        }
        for n in (1, 2, 3):
            for here in itertools.combinations(MODALITIES, n):
                present = torch.tensor([[m in here for m in MODALITIES]])
                batch = Batch({m: parts[m] for m in here}, present)
                whole = model.states(batch)
                alone = model.alone(whole)
                expected, _ = model.fused(whole, present, alone)
                fused = fused_logits(Fusion(model), model.fusing, states, here)
                assert 0.01 < fused.softmax(0).max() < 0.99
                same = {"atol": 1e-10, "rtol": 1e-10}  # but for the order of sums
                torch.testing.assert_close(fused, expected[0], **same)
                for m in here:
                    torch.testing.assert_close(
                        states[m].logits.mean(0), alone[m][0], **same
                    )


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 44100, 48000, 96000])
def test_log_mel_columns_are_those_of_the_whole_window(rate: int) -> None:
    rng = np.random.default_rng(rate)
    sound = 0.1 * rng.standard_normal(9 * rate).astype(np.float32)
    memory, grid = LogMelMemory(), column_grid(rate)
    assert grid is not None
    end = 5 * rate
    while end <= len(sound):
        window = sound[end - 5 * rate : end]
        mel = memory.log_mel(window, rate, end / rate)
        np.testing.assert_allclose(mel, log_mel(window, rate), atol=1e-5)
        end += grid * int(rng.integers(0, 60))


def test_sound_that_is_not_the_same_is_transformed_anew() -> None:
    rng = np.random.default_rng(0)
    sound = 0.1 * rng.standard_normal(96000).astype(np.float32)
    memory = LogMelMemory()
    memory.log_mel(sound[:80000], 16000, 5.0)
    changed = sound[8000:88000].copy()
    changed[30_000] += 0.1  # the first column would be made anew in any case
    expected = log_mel(changed, 16000)
    np.testing.assert_allclose(memory.log_mel(changed, 16000, 5.5), expected, atol=1e-5)
    assert np.abs(log_mel(sound[8000:88000], 16000) - expected).max() > 1e-3


def test_windows_end_on_the_grid_of_the_sound() -> None:
    ring = SampleRing(44100, 1, 20.0)
    times = np.arange(0, 12, 1 / 44101.3)  # a crystal a little off
    for part in np.array_split(np.arange(len(times)), 300):
        ring.extend(times[part], np.zeros((len(part), 1), dtype=np.float32))
    ends = [ring.grid_end(t, 441) for t in np.arange(6, 11.9, 0.137)]
    counts = np.searchsorted(times, np.array(ends) - 0.5 / 44100)
    assert set((counts - counts[0]) % 441) == {0}
    late = np.arange(6, 11.9, 0.137) - np.array(ends)
    assert late.min() > -1e-4
    assert late.max() < 0.0101
