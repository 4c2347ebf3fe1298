"""`prepare`: the one way from a raw window to what the models read."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import EEG_SAMPLES, N_CHANNELS, RawWindow
from eav_offline.preprocess.audio import five_seconds, resample
from eav_offline.preprocess.eeg import band_limit, rereference
from eav_offline.preprocess.memory import PreparationMemory as PreparationMemory
from eav_offline.preprocess.sound_features import sound_features

EegReference = Literal["as-recorded", "average"]
RECORDINGS: Final = "recordings"
RELEASED_FEATURES: Final = "released-features"
# Parts of batches beside the modalities, made of the sound where a model reads them.
SOUND_FEATURES: Final = "sound_features"
WAVE: Final = "wave"
OF_SOUND = (SOUND_FEATURES, WAVE)
Origin = Literal["recordings", "released-features"]


@dataclass(frozen=True)
class PreprocessSettings:
    """What may differ between checkpoints; stored in caches and checkpoints.

    eeg_reference: leave the amplifier's reference, or subtract the mean electrode.
    face_size: side of the square crops, pixels (56 in the dataset's release).
    faces: crop faces; False takes the whole frame.
    origin: "recordings" were prepared by this program; "released-features" come as the
        dataset's authors filtered and cropped them, which `prepare` cannot do again.
    sound_features: compute SCNN's 180 numbers too. The model decides it when its
        checkpoint is loaded, so no file states it, and windows are prepared alike with
        and without. wave: likewise, of the sound itself.
    notch_hz: mains frequency that is filtered out of the EEG, None for no notch.
    """

    eeg_reference: EegReference = "as-recorded"
    face_size: int = 56
    faces: bool = True
    origin: Origin = "recordings"
    sound_features: bool = field(default=False, compare=False)
    wave: bool = field(default=False, compare=False)
    notch_hz: Literal[50, 60] | None = None

    def as_values(self) -> dict[str, Any]:
        """As plain values, without the usual origin: older files do not state it."""
        values = asdict(self)
        for name in OF_SOUND:
            del values[name]
        if self.origin == RECORDINGS:
            del values["origin"]
        return values

    def making(self, parts: Collection[str]) -> "PreprocessSettings":
        """The same for a model that reads these parts of a batch."""
        return replace(self, sound_features=SOUND_FEATURES in parts, wave=WAVE in parts)


@dataclass(frozen=True)
class Inputs:
    """What the models read for one window; None where a modality is absent.

    eeg: (30, 500) float32 µV, 0.5-50 Hz at 100 Hz.
    log_mel: (498, 128) float32, natural log.
    faces: (25, side, side, 3) uint8 RGB.
    face_found: (25,) bool, whether each frame itself showed a face.
    sound_features: (180,) float32, of `preprocess.sound_features`; None unless asked
        for. wave: (80000,) float32 at 16 kHz, likewise.

    Raises ValueError for EEG of another shape.
    """

    eeg: np.ndarray | None
    log_mel: np.ndarray | None
    faces: np.ndarray | None
    face_found: np.ndarray | None
    sound_features: np.ndarray | None = None
    wave: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.eeg is not None and self.eeg.shape != (N_CHANNELS, EEG_SAMPLES):
            raise ValueError(
                f"prepared EEG is {self.eeg.shape}, expected ({N_CHANNELS}, "
                f"{EEG_SAMPLES})"
            )

    @property
    def present(self) -> tuple[str, ...]:
        """Names of the modalities that are there, in the order of `MODALITIES`."""
        parts = (self.eeg, self.log_mel, self.faces)
        return tuple(
            m for m, part in zip(MODALITIES, parts, strict=True) if part is not None
        )

    def part(self, name: str) -> np.ndarray | None:
        """What a model reads as `name`, a modality or of `OF_SOUND`, if it is there.

        Raises ValueError if there is sound of which nobody asked for that part.
        """
        if name not in OF_SOUND:
            return {"eeg": self.eeg, "audio": self.log_mel, "video": self.faces}[name]
        if self.log_mel is None:
            return None
        part: np.ndarray | None = getattr(self, name)
        if part is None:
            raise ValueError(
                f"the window was prepared without the {name.replace('_', ' ')} that "
                "the model reads; prepare it with the settings of the loaded checkpoint"
            )
        return part


def prepare(
    raw: RawWindow,
    settings: PreprocessSettings = PreprocessSettings(),
    memory: PreparationMemory | None = None,
) -> Inputs:
    """Filter, log-mel and crop one window.

    memory: of the windows before, for those of a session that slides; the answer is
    the same without. Raises ValueError if the EEG is not of the 30 electrodes.
    """
    memory = memory or PreparationMemory()
    eeg = mel = faces = found = numbers = wave = None
    if raw.eeg_uv is not None:
        if raw.eeg_uv.ndim != 2 or len(raw.eeg_uv) != N_CHANNELS:
            raise ValueError(
                f"the window's EEG is {raw.eeg_uv.shape}, expected ({N_CHANNELS}, "
                "samples): choose the electrodes of `EEG_CHANNELS`, in that order"
            )
        eeg = band_limit(raw.eeg_uv, raw.eeg_rate, settings.notch_hz)
        if settings.eeg_reference == "average":
            eeg = rereference(eeg)
    if raw.audio is not None:
        mel = memory.sound.log_mel(raw.audio, raw.audio_rate, raw.t_end)
        if settings.sound_features:
            numbers = sound_features(resample(raw.audio, raw.audio_rate))
        if settings.wave:
            wave = five_seconds(resample(raw.audio, raw.audio_rate))
    if raw.frames is not None:
        whole = not settings.faces
        faces = np.stack(
            memory.faces.crop(tuple(raw.frames), whole, settings.face_size)
        )
        found = np.array([f.found for f in raw.frames])
    return Inputs(eeg, mel, faces, found, numbers, wave)
