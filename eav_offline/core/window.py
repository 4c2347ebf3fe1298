"""The five-second window: its rates, its electrodes, and `RawWindow`, which carries it.

A window that ends at `t_end` holds the samples whose stamps lie in
[t_end - 5 s, t_end): four windows that end at 5, 10, 15 and 20 s tile an EAV trial.
"""

from dataclasses import dataclass

import numpy as np

WINDOW_SECONDS = 5.0
CONTEXT_SECONDS = 10.0  # EEG before the window, for the filter to settle

EEG_RATE = 100  # Hz, after decimation
EEG_SAMPLES = round(WINDOW_SECONDS * EEG_RATE)  # 500
EEG_BAND = (0.5, 50.0)  # Hz
# Hz; the usual division of the EEG, ending below the mains.
EEG_BANDS = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
MIN_EEG_RATE = 125.0  # Hz: 50 Hz must lie well below the source's Nyquist frequency

AUDIO_RATE = 16_000  # Hz, after resampling
AUDIO_SAMPLES = round(WINDOW_SECONDS * AUDIO_RATE)  # 80,000

FRAME_RATE = 5  # kept frames a second
FRAME_PERIOD = 1.0 / FRAME_RATE
N_FRAMES = round(WINDOW_SECONDS * FRAME_RATE)  # 25

# From two public loaders of the dataset; the paper itself does not list the order.
EEG_CHANNELS = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6"),
    *("T7", "C3", "Cz", "C4", "T8", "CP5", "CP1", "CP2", "CP6"),
    *("P7", "P3", "Pz", "P4", "P8", "PO9", "O1", "Oz", "O2", "PO10"),
)
N_CHANNELS = len(EEG_CHANNELS)  # 30


@dataclass(frozen=True)
class FaceFrame:
    """A kept frame and where its face is.

    time: seconds, capture time of the frame this entry stands for.
    image: (height, width, 3) uint8 RGB. Where no face was found it is the last frame
        in which one was, so that its crop repeats; before any face, the frame itself.
    box: (x1, y1, x2, y2) float32 pixels in `image`.
    found: whether this very frame showed a face.
    confidence: the detector's, 0 to 1; 1 where a face was marked without one, NaN where
        none was looked for.
    """

    time: float
    image: np.ndarray
    box: np.ndarray
    found: bool
    confidence: float = 1.0


@dataclass(frozen=True)
class RawWindow:
    """Five seconds as they were captured, from a recording or from live streams.

    t_end: seconds on the producer's clock; the window is [t_end - 5, t_end).
    eeg_uv: (30, samples) float32 µV in `EEG_CHANNELS` order at `eeg_rate`, newest
        last: the window and up to ten seconds before it. None when absent.
    audio: (samples,) float32 in [-1, 1], exactly the window at `audio_rate`. None
        when absent.
    frames: the 25 kept frames nearest to the window times, oldest first. None when
        absent.
    """

    t_end: float
    eeg_uv: np.ndarray | None
    eeg_rate: float
    audio: np.ndarray | None
    audio_rate: float
    frames: tuple[FaceFrame, ...] | None


def window_times(t_end: float) -> np.ndarray:
    """The 25 times, seconds, at which the window wants a frame."""
    return t_end - WINDOW_SECONDS + FRAME_PERIOD * np.arange(N_FRAMES)


def nearest_frames(times: np.ndarray, t_end: float) -> np.ndarray | None:
    """Indices (25,) of the kept frames nearest to the window times.

    times: (n,) seconds, ascending, of kept frames without a gap between them.
    Returns None when the frames do not reach over the window, that is when some
    window time has no frame within one frame period.
    """
    if len(times) == 0:
        return None
    # A window time half-way between two frames must not be settled by rounding noise,
    # which differs between a file's clock and a stream's: 1 ms of bias to the earlier.
    wanted = window_times(t_end) - 1e-3
    right = np.searchsorted(times, wanted).clip(1, max(1, len(times) - 1))
    left = right - 1
    right = np.minimum(right, len(times) - 1)
    nearer_left = wanted - times[left] <= times[right] - wanted
    chosen = np.where(nearer_left, left, right)
    if np.abs(times[chosen] - wanted).max() > FRAME_PERIOD:
        return None
    return chosen


def sample_slice(
    first: float, n: int, rate: float, t_end: float, seconds: float
) -> tuple[int, int]:
    """Index range [start, stop) of the samples of [t_end - seconds, t_end).

    first: stamp of sample 0, seconds; n: samples there are. The range is clipped to
    them, and found by rounding to whole samples, so stamps may be off by under half
    a sample.
    """
    stop = round((t_end - first) * rate)
    start = stop - round(seconds * rate)
    return min(max(start, 0), n), min(max(stop, 0), n)
