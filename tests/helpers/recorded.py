"""Recordings for tests: what a session would have recorded, without waiting for it."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recording.consent import Consent
from eav_live.recording.recorder import Recorder
from eav_live.recording.xdf_writer import WholeFile
from eav_live.streams import Arrival, Origin
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.window import EEG_CHANNELS, FaceFrame
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import Recording

CONSENT = Consent("P01", "me", "2026-01-01T10:00:00", ("EEG",), "You agree.", "file")
T0 = 5000.0
MONO = (Channel("mono", "Audio"),)


class FakeSource:
    """A source that a test speaks through."""

    def __init__(self) -> None:
        self.offer: Callable[[Arrival], None] = lambda arrival: None

    def listen(self, listener: Callable[[Arrival], None]) -> None:
        self.offer = listener


class FakeSession:
    """As much of a session as a recorder sees."""

    markers = None

    def __init__(self) -> None:
        self.sources = {m: FakeSource() for m in ("eeg", "audio", "video")}
        self.say: Callable[[Prediction], None] = lambda prediction: None
        self.state = StreamState.LIVE
        self.now = T0

    def clock(self) -> float:
        return self.now

    def subscribe(self, callback: Callable[[Prediction], None]) -> None:
        self.say = callback

    def health(self) -> dict[str, StreamHealth]:
        return {m: StreamHealth(self.state) for m in self.sources}


def recorder(
    path: Path,
    session: FakeSession,
    settings: Mapping[str, object] | None = None,
    open_file: Callable[[Path], WholeFile] = WholeFile,
    consent: Consent = CONSENT,
) -> Recorder:
    made = Recorder(path, consent, session, settings or {}, open_file=open_file)  # type: ignore[arg-type]
    session.subscribe(made.take_prediction)
    return made


def eeg_origin(rate: float = 500.0, note: str = "") -> Origin:
    """An amplifier with the electrodes the other way round, in volts, and a trigger."""
    channels = [Channel(name, "EEG", "volts") for name in EEG_CHANNELS[::-1]]
    channels.append(Channel("triggerStream", "EEG", "code"))
    return Origin(
        kind="EEG",
        name="Amp",
        rate=rate,
        channels=tuple(channels),
        note=note,
        montage=map_channels(channels),
    )


def as_sent(eeg_uv: np.ndarray) -> np.ndarray:
    """(30, n) µV as that amplifier sends it: (n, 31) float64 volts."""
    n = eeg_uv.shape[1]
    return np.hstack([eeg_uv[::-1].T.astype(np.float64) * 1e-6, np.full((n, 1), 9.0)])


def eeg_arrival(
    eeg_uv: np.ndarray, t0: float, rate: float = 500.0, opening: int = 1, note: str = ""
) -> Arrival:
    stamps = t0 + np.arange(eeg_uv.shape[1]) / rate
    return Arrival("eeg", eeg_origin(rate, note), opening, as_sent(eeg_uv), stamps)


def audio_arrival(
    mono: np.ndarray, t0: float, rate: float, opening: int = 1
) -> Arrival:
    stamps = t0 + np.arange(len(mono)) / rate
    origin = Origin("Audio", "Mic", rate, MONO)
    return Arrival("audio", origin, opening, mono[:, None], stamps)


def frame_arrival(image: np.ndarray, t: float, begins: bool = False) -> Arrival:
    size = (image.shape[1], image.shape[0])
    box = np.array([size[0] / 4, 0, size[0] / 2, size[1] / 2], dtype=np.float32)
    face = FaceFrame(t, image, box, True)
    origin = Origin("VideoRaw", "Camera", 0.0, (), size=size)
    return Arrival("video", origin, 1, image, np.array([t]), face, begins)


def record_trial(
    session: FakeSession,
    made: Recorder,
    recording: Recording,
    t0: float,
    note: str = "",
) -> None:
    """One trial as it would have come in, with markers, in pieces of half a second."""
    from eav_offline.preprocess.face import FrameThinner  # torch, which takes seconds

    assert recording.eeg_uv is not None
    about = {
        "event": "trial_start",
        "trial": recording.trial,
        "task": str(recording.task).capitalize(),
        "emotion": ("Neutral", "Sadness", "Anger", "Happiness", "Calmness")[
            recording.emotion or 0
        ],
        "attempt": 1,
    }
    made.mark(about, t0)
    for begin in range(0, recording.eeg_uv.shape[1], 250):
        part = recording.eeg_uv[:, begin : begin + 250]
        session.sources["eeg"].offer(eeg_arrival(part, t0 + begin / 500, note=note))
    if recording.audio is not None:
        step = round(recording.audio_rate / 2)
        for begin in range(0, len(recording.audio), step):
            part = recording.audio[begin : begin + step]
            t = t0 + begin / recording.audio_rate
            session.sources["audio"].offer(audio_arrival(part, t, recording.audio_rate))
    if recording.video is not None:
        thinner, pause = FrameThinner(), threading.Event()
        for time, frame in iter_frames(recording.video):
            if thinner.keep(time):
                while made._backlog.n_bytes > 30_000_000:
                    pause.wait(0.01)
                arrival = frame_arrival(rgb(frame), t0 + time, thinner.restarted)
                session.sources["video"].offer(arrival)
    made.mark({**about, "event": "trial_end"}, t0 + recording.seconds)


def prediction(t: float, label: str | None = "anger") -> Prediction:
    """What a model said of EEG and sound; no face was seen, calmness is unknown."""
    p = np.array([0.1, 0.2, 0.4, 0.3, np.nan])
    present = ("eeg", "audio")
    return Prediction(
        t=t,
        fused=p,
        smoothed=p,
        by_modality={"eeg": p, "audio": p, "video": None},
        present=present,
        states=dict.fromkeys(("eeg", "audio", "video"), StreamState.LIVE),
        label=label,
        truth=None,
        infer_s=0.1,
        age_s=0.2,
        hop_s=0.5,
    )


def short_recording(
    path: Path, gap_s: float = 0.0, consent: Consent = CONSENT
) -> np.ndarray:
    """Record five seconds of P01 with all that a session has; returns its EEG in µV.

    gap_s: that the EEG pauses after the third second. The trial lasts from the first
    second to the fourth. The settings name the model "toy".
    """
    rng = np.random.default_rng(5)
    eeg_uv = rng.normal(0, 30, (30, 2500)).astype(np.float32)
    session = FakeSession()
    about = {"event": "trial_start", "trial": 1, "task": "speaking"}
    about |= {"emotion": "happiness"}
    image = np.zeros((40, 40, 3), np.uint8)
    sound = rng.normal(0, 0.1, 40_000).astype(np.float32)
    settings = {"model": {"name": "toy"}}
    with recorder(path, session, settings, consent=consent) as made:
        first, second = eeg_uv[:, :1500], eeg_uv[:, 1500:]
        session.sources["eeg"].offer(eeg_arrival(first, T0))
        session.sources["eeg"].offer(eeg_arrival(second, T0 + 3 + gap_s))
        session.sources["audio"].offer(audio_arrival(sound, T0, 8000.0))
        for k in range(3):
            session.sources["video"].offer(frame_arrival(image, T0 + 0.2 * k))
        made.mark(about, T0 + 1)
        made.mark({"event": "pause"}, T0 + 2)
        made.mark(about | {"event": "trial_end"}, T0 + 4)
        for k in range(4):
            session.say(prediction(T0 + 2.5 + k / 2, "anger" if k else None))
    return eeg_uv
