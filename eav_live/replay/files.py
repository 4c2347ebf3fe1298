"""Any EEG recording that MNE reads, and any audio or video file, as one recording."""

import logging
from pathlib import Path

import numpy as np

from eav_live.replay.replay import Playlist, ReplayRefused
from eav_live.replay.tracks import video_seconds
from eav_offline.data.media import MediaError, has_audio, read_audio, video_info
from eav_offline.data.recording import Recording

log = logging.getLogger(__name__)

# MNE types of channels measured in volts, and their names in LSL headers.
_KINDS = {
    "eeg": "EEG",
    "eog": "EOG",
    "ecg": "ECG",
    "emg": "EMG",
    "seeg": "SEEG",
    "ecog": "ECoG",
}


def files_playlist(
    eeg: Path | None, media: Path | None, loop: bool = False
) -> Playlist:
    """What `eav-replay --eeg FILE --media FILE` publishes.

    loop: repeat both for ever, each without a break. Raises ReplayRefused.
    """
    recording, kinds = recording_from_files(eeg, media, loop)
    return Playlist(
        recordings=[lambda: recording], continuous=loop, channel_kinds=kinds or None
    )


def recording_from_files(
    eeg: Path | None, media: Path | None, loop: bool = False
) -> tuple[Recording, tuple[str, ...]]:
    """Read both files, either of which may be None, to begin together.

    loop: they will be repeated, so sound is made as long as the picture it belongs
    to. Returns the recording and the LSL type of each EEG channel.
    Raises ReplayRefused naming the file.
    """
    names = " + ".join(path.name for path in (eeg, media) if path is not None)
    samples, rate = None, 0.0
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    lengths = []
    if eeg is not None:
        samples, rate, channels, kinds = read_eeg(eeg)
        lengths.append(samples.shape[1] / rate)
    audio, audio_rate, video = None, 0.0, None
    if media is not None:
        try:
            audio, audio_rate, video = _read_media(media)
            if video is not None:
                lengths.append(video_seconds(video))
        except MediaError as error:
            raise ReplayRefused(f"--media: {error}") from error
        if audio is not None and video is not None and loop:
            audio = _fitted(audio, round(lengths[-1] * audio_rate))
        if audio is not None:
            lengths.append(len(audio) / audio_rate)
    return (
        Recording(
            name=names,
            seconds=max(lengths, default=0.0),
            eeg_uv=samples,
            eeg_rate=rate,
            channels=channels,
            audio=audio,
            audio_rate=audio_rate,
            video=video,
        ),
        kinds,
    )


def read_eeg(path: Path) -> tuple[np.ndarray, float, tuple[str, ...], tuple[str, ...]]:
    """Any recording that MNE reads.

    Returns (channels, samples) float32 µV, the rate in Hz, the labels as the file has
    them and the LSL type of each channel. Channels that are not voltages, such as
    triggers, are left out. Raises ReplayRefused.
    """
    import mne

    try:
        raw = mne.io.read_raw(path, preload=True, verbose="error")
    except Exception as error:  # every reader of MNE raises what it likes
        raise ReplayRefused(
            f"--eeg: {path} cannot be read ({error}); give a recording that MNE reads, "
            "such as EDF, BDF, BrainVision, EEGLAB or FIF"
        ) from error
    types = raw.get_channel_types()
    picks = [i for i, kind in enumerate(types) if kind in _KINDS]
    if not picks:
        raise ReplayRefused(
            f"--eeg: {path} has no EEG channels; its {len(types)} channels are of "
            f"type {', '.join(sorted(set(types)))}"
        )
    labels = tuple(raw.ch_names[i] for i in picks)
    kinds = tuple(
        _kind(label, types[i]) for label, i in zip(labels, picks, strict=True)
    )
    uv = (raw.get_data(picks) * 1e6).astype(np.float32)
    return uv, float(raw.info["sfreq"]), labels, kinds


def _kind(label: str, mne_type: str) -> str:
    # EDF knows no types, and MNE then calls everything EEG; many labels say better.
    first = label.split()[0].upper() if label.split() else ""
    for kind in ("ECG", "EOG", "EMG"):
        if mne_type == "eeg" and first == kind:
            return kind
    return _KINDS[mne_type]


def _read_media(path: Path) -> tuple[np.ndarray | None, float, Path | None]:
    """Sound (samples,), its rate, and the path again if there are pictures."""
    audio, rate = read_audio(path) if has_audio(path) else (None, 0.0)
    try:
        video_info(path)
    except MediaError:
        if audio is None:
            raise
        return audio, rate, None
    return audio, rate, path


def _fitted(audio: np.ndarray, n: int) -> np.ndarray:
    return np.pad(audio, (0, max(0, n - len(audio))))[:n]
