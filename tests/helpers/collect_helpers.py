"""What the tests of collecting share: scripts, streams set by hand, what was marked."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

from source_helpers import Clock

from eav_live.collect.running import Collecting
from eav_live.collect.script import LoadedScript, load_script
from eav_live.recognition.predictions import StreamHealth, StreamState
from eav_live.session.intake import Intake
from eav_live.streams import Arrival

PAIR = """
[[blocks.trials]]
task = "Listening"
emotion = "Anger"
text = "You are late."

[[blocks.trials]]
task = "speaking"
emotion = "anger"
text = "I am not!"
"""
SCRIPT = f"""
title = "Test"
countdown_s = 3
trial_s = 20
rest_s = 2
[[blocks]]
name = "First"
{PAIR}
"""


class FakeSource:
    """A stream that does what the test says."""

    ring = None
    interpolated: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.state = StreamState.LIVE
        self.gaps = 0
        self.listeners: list[Callable[[Arrival], None]] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def health(self, now: float) -> StreamHealth:
        return StreamHealth(
            self.state, "fake", age_s=0.04, filled_s=20, rate=500, gaps=self.gaps
        )

    def listen(self, listener: Callable[[Arrival], None]) -> None:
        self.listeners.append(listener)


class FakeRecorder:
    """Keeps the markers; `status` is set by the test."""

    def __init__(self) -> None:
        self.marked: list[tuple[float, dict[str, object]]] = []
        self.status = SimpleNamespace(error="", lost=0)

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        self.marked.append((stamp, dict(marker)))

    @property
    def events(self) -> list[str]:
        return [str(marker["event"]) for _, marker in self.marked]

    def of(self, event: str) -> list[dict[str, object]]:
        return [marker for _, marker in self.marked if marker["event"] == event]


class Bench:
    """A collecting session on a clock that stands still until `run`."""

    def __init__(self, loaded: LoadedScript, player: object = None) -> None:
        self.clock = Clock(100.0)
        self.sources = {"eeg": FakeSource(), "audio": FakeSource()}
        self.recorder = FakeRecorder()
        intake = Intake(self.sources, self.clock)
        self.session = Collecting(loaded, intake, self.recorder, player)  # type: ignore[arg-type]

    @property
    def course(self):  # type: ignore[no-untyped-def]
        return self.session.course

    def run(self, seconds: float, step: float = 0.05) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end - 1e-9:
            self.clock.now = min(self.clock.now + step, end)
            self.session.tick()

    def run_until(self, phase: str, most: float = 100.0) -> None:
        end = self.clock.now + most
        while self.course.phase != phase:
            assert self.clock.now < end, f"stuck in {self.course.phase}"
            self.run(0.05)


def write_script(folder: Path, text: str = SCRIPT) -> Path:
    path = folder / "script.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = SCRIPT) -> LoadedScript:
    return load_script(write_script(folder, text))
