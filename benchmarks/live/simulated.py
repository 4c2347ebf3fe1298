"""A session whose time is moved by hand: as quick as the computer, and always the same.

The streams are the demo's person, fed through the same rings, face tracker, judges and
model as live ones; only devices, LSL and the waiting are left out.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np

from benchmarks.live.speed.material import CHUNK_SECONDS, SEGMENT_SECONDS, Material
from eav_live.options import SessionOptions
from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_live.running import Outputs, Running
from eav_live.session.inference import Session
from eav_live.session.intake import Intake
from eav_live.streams import Origin
from eav_live.streams.audio import RING_SECONDS as AUDIO_RING_SECONDS
from eav_live.streams.eeg import RING_SECONDS as EEG_RING_SECONDS
from eav_live.streams.frames import Tracker
from eav_live.streams.markers import ReplayTruth
from eav_live.streams.source import SampleSource, Source
from eav_live.streams.video import Video
from eav_live.windows.cut import Rings
from eav_live.windows.quality import QualityWatch
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.sureness import Decider
from eav_offline.core.window import EEG_CHANNELS, FaceFrame
from eav_offline.preprocess.face import FaceTracker

BEGAN = 1000.0  # on the clock that is moved by hand, seconds
SYNTHETIC = "synthetic"  # what a replay says of its material
_FRAMES = 25.0  # captured in a second


class SimulatedPerson:
    """The demo's person, and the only clock there is.

    Shows the emotions of the material one after another or, once told, one of them over
    over and over. now: seconds. chunk: seconds by which they pass. silent: modalities
    of which nothing comes just now.
    """

    def __init__(
        self,
        material: Material,
        chunk: float = CHUNK_SECONDS,
        began: float = BEGAN,
    ) -> None:
        self.material = material
        self.now = began
        self.chunk = chunk
        self.silent: set[str] = set()
        self._since, self._from, self._length = began, 0.0, material.seconds

    def clock(self) -> float:
        """Seconds, of all stamps."""
        return self.now

    def show(self, emotion: str) -> None:
        """Show this emotion from now on, until told otherwise."""
        begins = {EMOTIONS[e]: at for at, e in reversed(self.material.course)}
        if self._from != begins[emotion] or self._length != SEGMENT_SECONDS:
            self._since = self.now
            self._from, self._length = begins[emotion], SEGMENT_SECONDS

    def place(self, t: float) -> float:
        """Which second of the material is shown at `t`."""
        return self._from + (t - self._since) % self._length

    def shown(self, t: float) -> tuple[float, str]:
        """When what is shown at `t` began, and which emotion it is."""
        place = self.place(t + 1e-6)
        begins = [(at, emotion) for at, emotion in self.material.course if at <= place]
        at, emotion = begins[-1]
        return t - (place - at), EMOTIONS[emotion]


class _ByHand(Source):
    """No thread pulls, who moves the time does; and nothing is held."""

    def start(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def _connected(self) -> bool:
        return True


class SimulatedSamples(_ByHand, SampleSource):
    """EEG or sound of the person, up to the present of their clock."""

    def __init__(self, modality: str, person: SimulatedPerson) -> None:
        self.modality = self.kind = modality
        material = person.material
        if modality == "eeg":
            self._values, rate = material.eeg_uv.T, material.eeg_rate
            channels = tuple(Channel(e, "EEG", "microvolts") for e in EEG_CHANNELS)
            montage, self.ring_seconds = map_channels(channels), EEG_RING_SECONDS
            origin = Origin("EEG", "Demo", rate, channels, montage=montage)
        else:
            self._values, rate = material.audio[:, None], material.audio_rate
            self.ring_seconds, mono = AUDIO_RING_SECONDS, (Channel("mono", "Audio"),)
            origin = Origin("Audio", "Demo-Audio", rate, mono)
        super().__init__(origin.name, person.clock)
        origin = replace(origin, note=SYNTHETIC)
        self._person, self._begun, self._sent = person, person.now, 0
        self._prepare_ring(origin, self._values.shape[1])

    def pull(self) -> bool:
        assert self._ring is not None
        rate = self._ring.rate
        stop = math.floor((self.clock() - self._begun) * rate + 1e-6)
        rows = np.arange(self._sent, stop)
        if len(rows) == 0:
            return False
        self._sent = stop
        if self.modality in self._person.silent:
            return False
        place = round(self._person.place(self._begun + rows[0] / rate) * rate)
        values = self._values[(place + rows - rows[0]) % len(self._values)]
        self._store(values, self._begun + rows / rate, values)
        return True


class SimulatedVideo(_ByHand, Video):
    """Frames of the person, 25 a second, five of them kept."""

    def __init__(self, person: SimulatedPerson, tracker: Tracker | None) -> None:
        super().__init__("Demo-Video", person.clock, tracker)
        self._person, self._begun, self._sent = person, person.now, 0
        self._times = np.array([at for at, _ in person.material.frames])
        height, width = person.material.frames[0][1].shape[:2]
        size = (width, height)
        self._opened(Origin("VideoRaw", self.name, 0.0, (), note=SYNTHETIC, size=size))

    def pull(self) -> bool:
        stop = math.floor((self.clock() - self._begun) * _FRAMES + 1e-6)
        due, self._sent = range(self._sent, stop), stop
        if self.kind in self._person.silent or not due:
            return False
        for number in due:
            t = self._begun + number / _FRAMES
            place = self._person.place(t)
            newest = max(0, int(np.searchsorted(self._times, place + 1e-6)) - 1)
            image = self._person.material.frames[newest][1]
            self._keeper.take(t, partial(np.array, image))
        self._arrived(len(due))
        return True


class SimulatedMarkers(ReplayTruth):
    """Says what the person shows, as a replay does."""

    def __init__(self, person: SimulatedPerson) -> None:
        super().__init__(lambda: None)
        self.connected = True
        self._person = person
        self._told = -math.inf
        self._n_told = 0
        channels = (Channel("marker", "Markers"),)
        self._origin = Origin("Markers", "Demo-Markers", 0.0, channels, note=SYNTHETIC)

    def start(self) -> None:
        """Nothing: no thread looks for a stream."""

    def look(self) -> None:
        """Tell what has begun."""
        begun, emotion = self._person.shown(self._person.now)
        if begun > self._told + 1e-3:
            self._told, self._n_told = begun, self._n_told + 1
            trial = {"trial": self._n_told, "task": "speaking", "emotion": emotion}
            self._receive(json.dumps({**trial, "seconds": SEGMENT_SECONDS}), begun)


class SimulatedSession(Session):
    """The session of the demo on that person's clock; `pass_time` makes it go on."""

    def __init__(self, person: SimulatedPerson, hop: float = 0.5) -> None:
        recognizer = Recognizer.load(asset(DEMO_MODEL))
        super().__init__(
            simulated_sources(person),
            recognizer,
            person.clock,
            hop=hop,
            decider=Decider(sureness=recognizer.sureness),
            markers=SimulatedMarkers(person),
            watch=QualityWatch(max_bad=4, voices=False),
        )
        self._person, self._due = person, person.now

    def start(self) -> None:
        """Nothing: there are no threads."""

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass, and recognize every window that becomes due."""
        markers = self.markers
        assert isinstance(markers, SimulatedMarkers)
        for _ in range(round(seconds / self._person.chunk)):
            self._person.now += self._person.chunk
            markers.look()
            pull_all(list(self.sources.values()))
            if self.clock() >= self._due - 1e-6:
                self._due += self.hop
                prediction = None if self.paused else self.step()
                if prediction is not None:
                    late = prediction.age_s + prediction.infer_s  # no time passed
                    self.put_out(replace(prediction, age_s=late))


class SimulatedRun(Running):
    """What a dashboard's bar controls, of a session that is open already."""

    def __init__(self, session: Session) -> None:
        super().__init__(SessionOptions(demo=True), Outputs())
        self._session = session


def simulated_sources(
    person: SimulatedPerson,
    modalities: Sequence[str] = MODALITIES,
    tracker: Tracker | None = None,
) -> dict[str, Source]:
    """The streams of these modalities. tracker: of faces, None for a session's."""
    sources: dict[str, Source] = {
        m: SimulatedSamples(m, person) for m in modalities if m != "video"
    }
    if "video" in modalities:
        sources["video"] = SimulatedVideo(person, tracker)
    return sources


def pull_all(sources: Sequence[Source]) -> None:
    """Have all sources take what has come."""
    for source in sources:
        source.pull()


def let_pass(intake: Intake, person: SimulatedPerson, seconds: float) -> None:
    """Let so many seconds pass for streams that nobody recognizes."""
    for _ in range(round(seconds / person.chunk)):
        person.now += person.chunk
        pull_all(list(intake.sources.values()))
        intake.judge()


class TimedTracker(FaceTracker):
    """A face tracker that notes how long every frame took, seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        begun = perf_counter()
        face = super().update(image, time)
        self.seconds.append(perf_counter() - begun)
        return face


class Feeder:
    """Brings a material from its beginning on into the rings of a session."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.tracker = TimedTracker()
        self._person = SimulatedPerson(material, began=0.0)
        sources = simulated_sources(self._person, tracker=self.tracker)
        self._video = sources.pop("video")
        self._samples = list(sources.values())
        self._intake = Intake(sources | {"video": self._video}, self._person.clock)

    @property
    def rings(self) -> Rings:
        """What a window is cut from."""
        return self._intake.rings

    def feed(self, until: float) -> list[float]:
        """Bring everything up to `until`, seconds, into the rings.

        Returns the seconds that EEG and sound of each chunk took together.
        """
        spent = []
        while (now := self._person.now + self._person.chunk) <= until + 1e-9:
            self._person.now = now
            begun = perf_counter()
            pull_all(self._samples)
            spent.append(perf_counter() - begun)
            self._video.pull()
        return spent
