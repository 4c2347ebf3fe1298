"""Is what comes in fit to be recognized? Electrodes, speech and face, judged steadily.

Nothing here changes a sample: it says which electrodes to interpolate and which
modality to leave out of the window, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eav_live.options.config import QualitySettings
from eav_live.recognition.predictions import Quality
from eav_live.windows.cut import Rings
from eav_live.windows.electrode_map import ElectrodeMap
from eav_live.windows.rings import SampleRing, Stretch
from eav_live.windows.speech import SpeechShare
from eav_offline.core.window import (
    EEG_CHANNELS,
    FRAME_RATE,
    N_CHANNELS,
    WINDOW_SECONDS,
    FaceFrame,
)

if TYPE_CHECKING:
    from eav_live.windows.whose_face import FaceWatch
    from eav_live.windows.whose_voice import VoiceWatch
    from eav_offline.models.personal import OwnFace, OwnVoice

SEEN_SECONDS = 4.0  # of the EEG: 0.25 Hz between lines of the spectrum
FLAT_SECONDS = 2.0
STILL_SECONDS = 2.0
_EVERY = 4  # pixel of a picture, of which the noise is enough to tell two apart
MAX_BAD = 4  # electrodes interpolated without being asked
LINE_FREQUENCIES = (50.0, 60.0)  # Hz
_ENOUGH_RATE = 250.0  # Hz
_BRAIN_BAND = (1.0, 40.0)  # Hz
_SHARED_BAND = (4.0, 40.0)  # Hz; slower waves are of blinks, drift and steps
_LINE_UV = 10.0  # less hum than this disturbs nobody
_RAILED_SHARE = 0.1  # of samples at the highest or lowest value
_DRIFT_UV_S = 500.0  # a second, of a straight line
_PROMINENT = 5.0  # line against its neighborhood, in power, to name its frequency
_CLIPPED = 0.05  # share of samples at full scale
_FULL_SCALE = 0.999
ANOTHER_VOICE = "someone else's voice, it seems"
ANOTHER_FACE = "someone else's face, it seems"
MIXED_UP = "no order of a head: electrodes mixed up, or no EEG"
NAN, FLAT, RAILED, NOISY, DRIFT = "not numbers", "flat", "railed", "noisy", "drifting"


@dataclass(frozen=True)
class ElectrodeMeasures:
    """What was measured of each of the 30 electrodes, (30,) arrays.

    finite: whether all samples are numbers. span_uv: of the last two seconds.
    stuck: share of samples that stay at the highest or lowest value. drift_uv_s: slope
    of a straight line. band_uv: root mean square of 1-40 Hz. line_uv: of the mains
    frequency; line_hz: which that is, 0 if none stands out. alike: (30, 30) covariance
    in 4-40 Hz, µV².
    """

    finite: np.ndarray
    span_uv: np.ndarray
    stuck: np.ndarray
    drift_uv_s: np.ndarray
    band_uv: np.ndarray
    line_uv: np.ndarray
    line_hz: float
    alike: np.ndarray


def measure_electrodes(
    eeg_uv: np.ndarray, rate: float, line_hz: float | None = None
) -> ElectrodeMeasures:
    """Measure EEG (30, samples), µV, of a second or more at `rate`, Hz.

    line_hz: mains frequency; None takes the one of 50 and 60 Hz that stands out.
    """
    finite = np.isfinite(eeg_uv.sum(axis=1, dtype=np.float64))
    x = np.where(finite[:, None], eeg_uv, np.float32(0.0))
    recent = x[:, -round(FLAT_SECONDS * rate) :]
    highest, lowest = recent.max(axis=1), recent.min(axis=1)
    before, after = recent[:, :-1], recent[:, 1:]
    at_limit = (after == highest[:, None]) | (after == lowest[:, None])
    stuck = (at_limit & (after == before)).mean(axis=1)
    # What follows needs no more than 61 Hz; at 5 kHz this is a tenth of the work.
    step = max(1, int(rate // _ENOUGH_RATE))
    x = x[:, x.shape[1] % step :].reshape(N_CHANNELS, -1, step).mean(axis=2, dtype="f8")
    rate, n = rate / step, x.shape[1]
    time = np.arange(n) / rate
    time -= time.mean()
    slope = x @ time / (time @ time)
    level = x - x.mean(axis=1, keepdims=True) - slope[:, None] * time
    window = np.hanning(n)
    spectrum = np.fft.rfft(level * window, axis=1)
    unit = 2 / (n * (window**2).sum())
    power = unit * np.abs(spectrum) ** 2
    hertz = np.fft.rfftfreq(n, 1 / rate)
    band = power[:, (hertz >= _BRAIN_BAND[0]) & (hertz <= _BRAIN_BAND[1])]
    shared = spectrum[:, (hertz >= _SHARED_BAND[0]) & (hertz <= _SHARED_BAND[1])]
    found = line_hz or _line_frequency(power, hertz)
    line = power[:, np.abs(hertz - found) <= 1.0] if found else power[:, :0]
    return ElectrodeMeasures(
        finite=finite,
        span_uv=highest - lowest,
        stuck=stuck,
        drift_uv_s=np.abs(slope),
        band_uv=np.sqrt(band.sum(axis=1)),
        line_uv=np.sqrt(line.sum(axis=1)),
        line_hz=found,
        alike=unit * (shared @ shared.conj().T).real,
    )


def electrode_faults(
    measures: ElectrodeMeasures, limits: QualitySettings
) -> dict[str, str]:
    """Electrodes that are bad by `limits`, and what is wrong with each."""
    faults = {}
    for i, name in enumerate(EEG_CHANNELS):
        line, band = float(measures.line_uv[i]), float(measures.band_uv[i])
        if not measures.finite[i]:
            faults[name] = NAN
        elif measures.span_uv[i] < limits.flat_uv:
            faults[name] = FLAT
        elif measures.stuck[i] > _RAILED_SHARE:
            faults[name] = RAILED
        elif line > _LINE_UV and line > limits.line_ratio * band:
            faults[name] = f"{measures.line_hz:g} Hz hum"
        elif band > limits.noisy_uv:
            faults[name] = NOISY
        elif measures.drift_uv_s[i] > _DRIFT_UV_S:
            faults[name] = DRIFT
    return faults


class Debouncer:
    """Findings that neither come nor go at a single glance.

    A finding counts once it has been seen for `comes_s` seconds without a break, and
    until it has not been seen for `goes_s`.
    """

    def __init__(self, comes_s: float, goes_s: float) -> None:
        self._comes, self._goes = comes_s, goes_s
        self._seen_since: dict[str, float] = {}
        self._gone_since: dict[str, float] = {}
        self._counted: dict[str, str] = {}

    def update(
        self, found: Mapping[str, str], now: float, at_once: Sequence[str] = ()
    ) -> dict[str, str]:
        """What counts at `now`, seconds. at_once: findings that need no time."""
        for name, what in found.items():
            since = self._seen_since.setdefault(name, now)
            self._gone_since.pop(name, None)
            old = name in self._counted
            if old or what in at_once or now - since >= self._comes:
                self._counted[name] = what
        for name in [n for n in self._seen_since if n not in found]:
            if name not in self._counted:
                del self._seen_since[name]
                continue
            if now - self._gone_since.setdefault(name, now) >= self._goes:
                del self._counted[name], self._gone_since[name], self._seen_since[name]
        return dict(self._counted)


class QualityWatch:
    """Judges the streams of a session, window after window.

    max_bad: electrodes that may be interpolated in all, with those the stream lacks.
    line_hz: mains frequency, None to find it. faces: whether the model looks at faces
    (else at whole frames, where none is needed). voices: whether it hears people (else
    drawn voices, in which there is no speech to be found). voice, face: the person's
    whom the model is calibrated to (`VoiceWatch`, `FaceWatch`), None if nobody knows.
    """

    def __init__(
        self,
        limits: QualitySettings | None = None,
        max_bad: int | None = None,
        line_hz: float | None = None,
        faces: bool = True,
        voices: bool = True,
        voice: "OwnVoice | None" = None,
        face: "OwnFace | None" = None,
    ) -> None:
        self.limits = limits or QualitySettings()
        self.max_bad = MAX_BAD if max_bad is None else max_bad
        self._line_hz = line_hz
        self._faces = faces and self.limits.need_face
        self._electrodes = Debouncer(self.limits.comes_s, self.limits.goes_s)
        self._map = ElectrodeMap() if self.limits.electrode_map else None
        self._speech = SpeechShare() if voices else None
        self._whose_voice = self._whose_face = None
        if voice is not None and self.limits.own_voice:
            self._whose_voice = _voice_watch(voice)
        if face is not None and self.limits.own_face and faces:
            self._whose_face = _face_watch(face)
        self._speaking = True
        self._face = True

    def judge(
        self, rings: Rings, t_end: float, interpolated: Sequence[str] = ()
    ) -> dict[str, Quality]:
        """The quality at `t_end`, seconds, of each stream that can be judged then.

        interpolated: electrodes that the stream lacks.
        """
        judged = {}
        if rings.eeg is not None:
            stretch = rings.eeg.until(t_end, SEEN_SECONDS)
            if stretch is not None and len(stretch.values) >= stretch.rate:
                judged["eeg"] = self._judge_eeg(stretch, t_end, interpolated)
        if rings.audio is not None:
            heard = self._judge_sound(rings.audio, t_end)
            if heard is not None:
                judged["audio"] = heard
        if rings.video is not None:
            frames = [
                f for f in rings.video.until(t_end) if f.time >= t_end - WINDOW_SECONDS
            ]
            if frames:
                judged["video"] = self._judge_frames(frames)
        return judged

    def _judge_eeg(
        self, stretch: Stretch, now: float, interpolated: Sequence[str]
    ) -> Quality:
        measures = measure_electrodes(stretch.values.T, stretch.rate, self._line_hz)
        found = {
            name: what
            for name, what in electrode_faults(measures, self.limits).items()
            if name not in interpolated
        }
        bad = self._electrodes.update(found, now, at_once=(NAN,))
        n = len(bad) + len(interpolated)
        why = ""
        if n > self.max_bad:
            why = f"{n} electrodes bad or missing, {self.max_bad} allowed"
        elif self._map is not None:
            unfit = {*bad, *interpolated}
            if self._map.look(measures.alike, now, SEEN_SECONDS, unfit):
                why = MIXED_UP
        seen = {"line_hz": measures.line_hz} if measures.line_hz else {}
        ratio = measures.line_uv / np.maximum(measures.band_uv, 1e-9)
        if seen:
            seen["line_ratio"] = float(np.median(ratio))
        return Quality(not why, why, bad, seen)

    def _judge_sound(self, ring: SampleRing, t_end: float) -> Quality | None:
        sound = ring.until(t_end, WINDOW_SECONDS)
        if sound is None:
            return None
        finite = bool(np.isfinite(sound.values).all())
        # Of a window that is not full yet too: what is new in the next is less then.
        measures = self._measure_speech(ring, sound) if finite else {}
        if not _covers_window(sound):
            return None
        if not finite:
            return Quality(False, "samples that are not numbers")
        why = _sound_fault(sound.values[:, 0])
        if not why and self.limits.need_speech and not self._speaking:
            why = "no speech"
        if not why and self._whose_voice is not None:
            if self._whose_voice.hear(sound.values[:, 0], sound.rate, t_end):
                why = ANOTHER_VOICE
        return Quality(not why, why, {}, measures)

    def _measure_speech(self, ring: SampleRing, sound: Stretch) -> dict[str, float]:
        if self._speech is None:
            return {}
        share, least = self._speech.of(ring, sound), self.limits.min_speech
        if _covers_window(sound):
            # Down at half the share that is asked for, so that it does not flicker.
            self._speaking = share >= (least / 2 if self._speaking else least)
        return {"speech": share}

    def _judge_frames(self, frames: Sequence[FaceFrame]) -> Quality:
        sought = [f for f in frames if not np.isnan(f.confidence)]
        share = sum(f.found for f in sought) / max(1, len(sought))
        least = self.limits.min_face
        self._face = share >= (least / 2 if self._face else least)
        found = [f for f in frames if f.found]
        confidence = float(np.mean([f.confidence for f in found])) if found else 0.0
        measures = {"face": share, "face_confidence": confidence} if sought else {}
        if self._faces and not self._face:
            return Quality(False, "no face", {}, measures)
        if _stands_still(frames):
            return Quality(False, "the picture stands still", {}, measures)
        if found and self._whose_face is not None and self._whose_face.look(found[-1]):
            return Quality(False, ANOTHER_FACE, {}, measures)
        return Quality(measures=measures)


def faults_text(electrodes: Mapping[str, str], most: int = 6) -> str:
    """Bad electrodes in one line, "flat: T7, O1; 50 Hz hum: Fp1"."""
    by_fault: dict[str, list[str]] = {}
    for name, what in list(electrodes.items())[:most]:
        by_fault.setdefault(what, []).append(name)
    text = "; ".join(f"{what}: {', '.join(names)}" for what, names in by_fault.items())
    more = len(electrodes) - most
    return f"{text} and {more} more" if more > 0 else text


def _voice_watch(voice: "OwnVoice") -> "VoiceWatch":
    from eav_live.windows.whose_voice import VoiceWatch  # with PyTorch

    return VoiceWatch(voice)


def _face_watch(face: "OwnFace") -> "FaceWatch":
    from eav_live.windows.whose_face import FaceWatch  # with PyTorch

    return FaceWatch(face)


def _stands_still(frames: Sequence[FaceFrame]) -> bool:
    """Whether the last two seconds are one and the same picture, as no camera sends.

    A driver that hangs, or a shared screen that is paused, shows a face for ever.
    """
    recent = frames[-round(STILL_SECONDS * FRAME_RATE) :]
    if len(recent) < STILL_SECONDS * FRAME_RATE or not all(f.found for f in recent):
        return False
    first = recent[0].image[::_EVERY, ::_EVERY]
    return all(np.array_equal(f.image[::_EVERY, ::_EVERY], first) for f in recent)


def _line_frequency(power: np.ndarray, hertz: np.ndarray) -> float:
    """Of 50 and 60 Hz the one that stands out of its neighborhood, or 0."""
    best, found = _PROMINENT, 0.0
    for line in LINE_FREQUENCIES:
        away = np.abs(hertz - line)
        around = power[:, (away > 1.5) & (away < 5.0)]
        if hertz[-1] < line + 1.0 or around.shape[1] == 0:
            continue
        at = power[:, away <= 0.5].mean(axis=1)
        ratio = float(np.median(at / np.maximum(around.mean(axis=1), 1e-12)))
        if ratio > best:
            best, found = ratio, line
    return found


def _sound_fault(audio: np.ndarray) -> str:
    if float(np.ptp(audio)) == 0.0:
        return "dead silence: muted, or no sound at all"
    if float((np.abs(audio) >= _FULL_SCALE).mean()) > _CLIPPED:
        return "clipped: turn the gain down"
    return ""


def _covers_window(sound: Stretch) -> bool:
    return len(sound.values) >= round(WINDOW_SECONDS * sound.rate)
