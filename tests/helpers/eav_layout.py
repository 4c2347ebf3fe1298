"""Writes small subjects in EAV's layout: ten trials of full length, tiny pictures."""

from pathlib import Path

import av
import h5py
import numpy as np
import soundfile
from scipy import io

from eav_offline.core.labels import EMOTIONS, encode_label_rows

N_TRIALS = 10
AUDIO_RATE = 16_000
# Both tasks of an emotion follow each other, so that labels and their transpose differ.
EMOTION = np.array([0, 3, 1, 0, 2, 1, 4, 2, 3, 4])
TASK = np.arange(N_TRIALS) % 2  # odd trials (0, 2, ...) Listening


def eeg_array(n_channels: int = 30, n_samples: int = 10_000) -> np.ndarray:
    """(time, channels, trials) float32 whose values tell trial, channel and time."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 20, (n_samples, n_channels, 1)).astype(np.float32)
    offset = 100 * np.arange(n_channels, dtype=np.float32)[:, None]
    return noise + offset + 10 * np.arange(N_TRIALS, dtype=np.float32)


def write_eeg(
    subject: Path, variables: dict[str, np.ndarray], v73: bool = False
) -> None:
    write_mat(subject / "EEG" / f"{subject.name}_eeg.mat", variables, v73)


def write_labels(subject: Path, one_hot: np.ndarray, v73: bool = False) -> None:
    path = subject / "EEG" / f"{subject.name}_eeg_label.mat"
    write_mat(path, {"label": one_hot}, v73)


def write_mat(path: Path, variables: dict[str, np.ndarray], v73: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not v73:
        io.savemat(path, variables)
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            file[name] = array.T  # MATLAB's first axis is HDF5's last


def write_wav(path: Path, seconds: float = 20.5, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    sound = rng.uniform(-0.5, 0.5, round(seconds * AUDIO_RATE)).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, AUDIO_RATE, subtype="PCM_16")


def write_mp4(
    path: Path, n_frames: int = 600, faststart: bool = False, rate: int = 30
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        image = np.zeros((48, 64, 3), np.uint8)
        for i in range(n_frames):
            image[:] = i // 6  # the kept frame tells its number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())


def media_name(trial: int, emotion: int | None = None) -> str:
    """Stem of a trial's media file, without the suffix of sound."""
    task = ("Listening", "Speaking")[TASK[trial - 1]]
    emotion = int(EMOTION[trial - 1]) if emotion is None else emotion
    return f"{trial:03d}_Trial_{trial % 20:02d}_{task}_{EMOTIONS[emotion].title()}"


def video_path(subject: Path, trial: int) -> Path:
    return subject / "Video" / f"{media_name(trial)}.mp4"


def audio_path(subject: Path, trial: int) -> Path:
    return subject / "Audio" / f"{media_name(trial)}_aud.wav"


def write_subject(subject: Path) -> Path:
    """An intact subject with sound and video for its five Speaking trials."""
    write_eeg(subject, {"seg1": eeg_array()})
    write_labels(subject, encode_label_rows(EMOTION, TASK))
    clip = None
    for trial in range(2, N_TRIALS + 1, 2):
        write_wav(audio_path(subject, trial), seed=trial)
        path = video_path(subject, trial)
        if clip is None:
            write_mp4(path)
            clip = path.read_bytes()
        path.write_bytes(clip)
    return subject
