"""Events that can be seen in every stream at once, to hold their clocks together.

At the same moments an electrode gets a pulse, the sound a click, and a corner of the
picture a flash that fades. Where they are found again says how far the streams' stamps
are apart after everything that was done to them on the way.
"""

import numpy as np

from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, FaceFrame

# From the end: electrodes that are missing at the beginning do not move it.
PULSE_ELECTRODE = EEG_CHANNELS.index("Oz") - N_CHANNELS
PULSE_UV = 400.0
PULSE_SAMPLES = 3
CLICK = 0.95  # of full scale, up and at once down: no voice does that
FLASH_SIDE = 32  # pixels
# Longer than from one kept frame to the next, so that one sees it; in 255 steps.
FADE_SECONDS = 0.3
PERIOD_SECONDS = 0.4
_SPREAD_SECONDS = 0.08  # by which events are off an even beat
_NEAR_SECONDS = 0.16
_GOLDEN = 0.6180339887498949


def event_time(index: int) -> float:
    """When event `index` is, seconds on the senders' clock."""
    return index * PERIOD_SECONDS + _SPREAD_SECONDS * ((index * _GOLDEN) % 1.0)


def events_between(start: float, stop: float) -> list[float]:
    """The events of [start, stop), seconds."""
    indices = range(int(start / PERIOD_SECONDS) - 1, int(stop / PERIOD_SECONDS) + 2)
    return [t for t in map(event_time, indices) if start <= t < stop]


def nearest_event(stamp: float) -> int | None:
    """Which event something at `stamp` belongs to; None if none is near."""
    middle = round(stamp / PERIOD_SECONDS)
    near = range(middle - 1, middle + 2)
    best = min(near, key=lambda i: abs(event_time(i) - stamp))
    return best if abs(event_time(best) - stamp) < _NEAR_SECONDS else None


def mark_eeg(samples: np.ndarray, times: np.ndarray, rate: float) -> None:
    """Add pulses to (n, channels) µV in place; times: (n,) seconds, even."""
    since = PULSE_SAMPLES / rate
    for event in events_between(float(times[0]) - since, float(times[-1]) + 1 / rate):
        age = times - event
        # The margin keeps a pulse three samples long whatever rounding does.
        on = (age > -1e-7) & (age < since - 1e-7)
        samples[on, PULSE_ELECTRODE] += PULSE_UV


def mark_sound(samples: np.ndarray, times: np.ndarray, rate: float) -> None:
    """Put clicks into (n, 1) float32 in place; times: (n,) seconds, even."""
    since = 2 / rate
    for event in events_between(float(times[0]) - since, float(times[-1]) + 1 / rate):
        age = times - event
        samples[(age > -1e-7) & (age < 1 / rate - 1e-7)] = CLICK
        samples[(age >= 1 / rate - 1e-7) & (age < since - 1e-7)] = -CLICK


def mark_picture(image: np.ndarray, time: float) -> None:
    """Paint the flash into (height, width, 3) uint8 captured at `time`, in place."""
    recent = events_between(time - FADE_SECONDS, time + 1e-9)
    age = time - recent[-1] if recent else FADE_SECONDS
    image[:FLASH_SIDE, :FLASH_SIDE] = round(255 * (1 - age / FADE_SECONDS))


def find_pulses(times: np.ndarray, eeg_uv: np.ndarray) -> list[float]:
    """Stamps of pulses in (n, 30) µV with times (n,)."""
    steps = np.diff(eeg_uv[:, PULSE_ELECTRODE])
    up = steps[:-PULSE_SAMPLES] > 0.6 * PULSE_UV
    down = steps[PULSE_SAMPLES:] < -0.6 * PULSE_UV
    return times[np.flatnonzero(up & down) + 1].tolist()


def find_clicks(times: np.ndarray, sound: np.ndarray) -> list[float]:
    """Stamps of clicks in (n, 1) with times (n,)."""
    return times[np.flatnonzero(np.diff(sound[:, 0]) < -1.7 * CLICK)].tolist()


def find_flash(frame: FaceFrame) -> float | None:
    """When the flash in a kept frame began, seconds; None if there is none in it."""
    patch = frame.image[:FLASH_SIDE, :FLASH_SIDE]
    level = int(patch[0, 0, 0])
    if level == 0 or (patch != level).any():
        return None
    return frame.time - (1 - level / 255) * FADE_SECONDS
