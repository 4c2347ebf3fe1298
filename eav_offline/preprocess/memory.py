"""What a sliding window need not compute again: log-mel columns and face crops."""

from fractions import Fraction

import numpy as np

from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES, WINDOW_SECONDS, FaceFrame
from eav_offline.preprocess.audio import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    N_MEL_FRAMES,
    log_mel,
    log_mel_frames,
    resample,
)
from eav_offline.preprocess.face import crop_face

# Samples at 16 kHz that the resampler's kernel reaches over (scipy: ten periods of the
# lower rate on each side), with room.
_REACH_SAMPLES = 32
_LONGEST_GRID_SECONDS = 0.05


def column_grid(rate: float) -> int | None:
    """Samples at `rate` Hz after which log-mel columns fall on the same instants.

    Windows that end on a grid of so many samples share their columns. None if that is
    longer than 50 ms: then nothing is shared.
    """
    columns = Fraction(rate).limit_denominator(1000) * HOP_SAMPLES / AUDIO_RATE
    # A shift must be whole at the source rate and at 16 kHz after resampling.
    samples = columns.numerator
    return samples if samples <= _LONGEST_GRID_SECONDS * rate else None


class LogMelMemory:
    """The last window's sound and log-mel; equal sound is not transformed again."""

    def __init__(self) -> None:
        self._audio = np.zeros(0, dtype=np.float32)
        self._rate = 0.0
        self._t_end = -np.inf
        self._mel = np.zeros((0, 0), dtype=np.float32)

    def log_mel(self, audio: np.ndarray, rate: float, t_end: float) -> np.ndarray:
        """As `preprocess.audio.log_mel`; t_end: of the window, seconds.

        What is reused is what the samples themselves show to be the same, whatever
        the times say.
        """
        shift = self._shift(audio, rate, t_end)
        if shift is None:
            mel = log_mel(audio, rate)
        elif shift == 0:
            mel = self._mel
        else:
            mel = self._slide(audio, rate, shift)
        self._audio, self._rate, self._t_end, self._mel = audio, rate, t_end, mel
        return mel

    def _shift(self, audio: np.ndarray, rate: float, t_end: float) -> int | None:
        """Samples by which the window moved on; None if it shares too little."""
        if rate != self._rate or len(audio) != len(self._audio):
            return None
        grid = column_grid(rate)
        moved = t_end - self._t_end
        if grid is None or not 0 <= moved < 0.8 * WINDOW_SECONDS:
            return None
        shift = grid * round(moved * rate / grid)
        if len(audio) * AUDIO_RATE != AUDIO_SAMPLES * rate:
            return None
        if not np.array_equal(self._audio[shift:], audio[: len(audio) - shift]):
            return None
        return shift

    def _slide(self, audio: np.ndarray, rate: float, shift: int) -> np.ndarray:
        columns = round(shift / rate * AUDIO_RATE) // HOP_SAMPLES
        kept = N_MEL_FRAMES - columns
        mel = np.empty_like(self._mel)
        mel[:kept] = self._mel[columns:]
        # The window's first samples are resampled with nothing before them: the first
        # column, unlike the others, is not the one that was there.
        head = _at_source(FRAME_SAMPLES + _REACH_SAMPLES, rate)
        mel[0] = log_mel_frames(resample(audio[:head], rate)[:FRAME_SAMPLES])[0]
        grid = column_grid(rate)
        assert grid is not None
        # New columns, from sound that begins on the grid early enough for the kernel.
        first = round(kept * HOP_SAMPLES * rate / AUDIO_RATE)
        first = (first - _at_source(_REACH_SAMPLES, rate)) // grid * grid
        wave = resample(audio[first:], rate)
        skipped = kept * HOP_SAMPLES - round(first * AUDIO_RATE / rate)
        mel[kept:] = log_mel_frames(wave[skipped:])[:columns]
        return mel


class CropMemory:
    """The crops of the last window's frames, by picture and box."""

    def __init__(self) -> None:
        self._crops: dict[tuple[int, bytes], tuple[np.ndarray, np.ndarray]] = {}

    def crop(
        self, frames: tuple[FaceFrame, ...], whole: bool, side: int
    ) -> list[np.ndarray]:
        """Crops (side, side, 3) uint8 of the window's frames, in order.

        whole: of the frames instead of the faces. One who gets the same object again
        may know that it is the same picture.
        """
        crops: list[np.ndarray] = []
        kept: dict[tuple[int, bytes], tuple[np.ndarray, np.ndarray]] = {}
        for frame in frames:
            box = None if whole else frame.box
            # By identity: the picture is held here, so its id is nobody else's.
            key = (id(frame.image), b"" if box is None else box.tobytes())
            known = kept.get(key) or self._crops.get(key)
            if known is None:
                known = (frame.image, crop_face(frame.image, box, side))
            kept[key] = known
            crops.append(known[1])
        self._crops = kept
        return crops


class PreparationMemory:
    """Both, for `prepare`; belongs to one session and one checkpoint's settings."""

    def __init__(self) -> None:
        self.sound = LogMelMemory()
        self.faces = CropMemory()


def _at_source(samples: int, rate: float) -> int:
    """At least so many 16 kHz samples' worth at `rate` Hz."""
    return int(np.ceil(samples * rate / AUDIO_RATE))
