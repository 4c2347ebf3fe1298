"""A recorded session as MNE, pandas and NumPy have it, with one call each."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eav_offline.common.errors import InputRefused, with_extras
from eav_offline.data.sessions import session as recorded
from eav_offline.data.sessions.estimates import COLUMNS, probabilities, rows
from eav_offline.data.sessions.raw import mne_raw
from eav_offline.data.sessions.session import (
    Opening,
    SessionFile,
    Stretch,
    eeg_stretches,
    stretches,
)

if TYPE_CHECKING:
    import mne
    import pandas


def read_session(path: Path | str) -> "RecordedSession":
    """Read a recording of `eav-live --record`, whole but for its pictures.

    path: FILE.xdf, or a folder with one in it. Raises InputRefused if there is none or
    are several; XdfError, an InputRefused, if it cannot be read.

    >>> import eav_live
    >>> session = eav_live.read_session("P01.xdf")
    >>> raw = session.raw()  # MNE's, in volts
    >>> raw.info["sfreq"], len(raw.ch_names), raw.annotations.description[0]
    (500.0, 30, 'trial/speaking/happiness')
    >>> arrays = session.arrays()
    >>> arrays["eeg"].shape, arrays["estimates"].shape  # µV; windows x 25
    ((30, 2500), (4, 25))
    """
    return RecordedSession(recorded.read_session(recording_file(Path(path))))


@dataclass(frozen=True)
class RecordedSession:
    """One recording. contents: all it holds, stream by stream and not smoothed."""

    contents: SessionFile

    @property
    def path(self) -> Path:
        """The XDF file."""
        return self.contents.file.path

    @property
    def person(self) -> str | None:
        """The code of who was recorded, None if the file does not say."""
        return self.contents.person

    @property
    def synthetic(self) -> bool:
        """Whether any of it is of a person that does not exist."""
        return self.contents.synthetic

    def raw(self, estimates: bool = True) -> "mne.io.BaseRaw":
        """The 30 electrodes as `mne.io.Raw`, in volts, at the recorded rate.

        Annotations: `trial/TASK/EMOTION` as long as the trial, other markers, and at
        each window's end `estimate/EMOTION`, unless `estimates` is False. Where samples
        are missing there are zeros under `BAD_ACQ_SKIP`. `info["bads"]` are electrodes
        that the amplifier lacked, computed from their neighbors.

        Raises InputRefused if there is no EEG or its rate changed.
        """
        return mne_raw(self.contents, estimates)

    def predictions(self) -> "pandas.DataFrame":
        """The estimates, a row for each window: `t` is its end, seconds on LSL's clock.

        `label` is the decision after smoothing, `fused_happiness` and so on are
        probabilities, NaN where a modality was absent or the model does not know the
        emotion. Raises InputRefused without pandas, of the extra `analysis`;
        `arrays()` has the same numbers without it.
        """
        with with_extras():
            import pandas
        return pandas.DataFrame(list(rows(self.contents)), columns=list(COLUMNS))

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything but the pictures as NumPy arrays, all times on LSL's clock.

        eeg: (30, n) float32 µV in the order of `EEG_CHANNELS`. audio: (m,) float32
            mono. Their times, `eeg_times` and `audio_times`, are smoothed as live; a
            step of over 50 ms is a gap.
        frame_times: (frames,) of the kept pictures.
        markers: (k,) texts as sent. marker_times: (k,).
        estimates: (windows, 25) float64: fused, eeg, audio, video, smoothed, five
            emotions each; NaN where absent. estimate_times: (windows,) their ends.
        """
        openings = self.contents.openings
        sound = [one for o in openings["audio"] for one in stretches(o)]
        eeg, eeg_times = _joined(eeg_stretches(openings["eeg"]), 30)
        audio, audio_times = _joined(sound, 1)
        markers = self.contents.markers
        return {
            "eeg": eeg.T,
            "eeg_times": eeg_times,
            "audio": audio[:, 0],
            "audio_times": audio_times,
            "frame_times": _stamps(openings["video"]),
            "markers": np.array([marker.text for marker in markers], dtype=object),
            "marker_times": np.array([marker.stamp for marker in markers]),
            "estimates": probabilities(self.contents),
            "estimate_times": np.array([one.t for one in self.contents.predictions]),
        }


def recording_file(path: Path) -> Path:
    """The recording that a path names, itself or its folder. Raises InputRefused."""
    if not path.is_dir():
        return path
    found = sorted(one for one in path.iterdir() if one.suffix.lower() == ".xdf")
    if len(found) != 1:
        there = ", ".join(one.name for one in found) or "none"
        raise InputRefused(
            f"{path}: one recording was expected and there are {len(found)} ({there}); "
            "give the FILE.xdf itself"
        )
    return found[0]


def _joined(parts: list[Stretch], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, width) float32 and times (n,) of all stretches in order."""
    values = [np.empty((0, width), np.float32), *(s.values[:, :width] for s in parts)]
    times = [np.empty(0), *(s.times for s in parts)]
    return np.concatenate(values).astype(np.float32), np.concatenate(times)


def _stamps(openings: list[Opening]) -> np.ndarray:
    return np.concatenate([np.empty(0), *(opening.stamps for opening in openings)])
