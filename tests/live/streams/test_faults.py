"""What goes wrong while a session runs, over real LSL: seen, survived, over.

Of each fault: the user sees it, the other stream's predictions go on, nothing that had
arrived is lost, and the modality is in the window again afterwards.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pylsl
import pytest
from faulty_sender import FaultySender
from source_helpers import Clock, NoFaces, eeg_like, open_eeg, wait_for
from test_video_source import write_video

from eav_live.commands.live import _wait
from eav_live.options.config import QualitySettings
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recognition.recognizer import Recognition
from eav_live.running import end_if_refused
from eav_live.session.inference import Session
from eav_live.streams import Arrival
from eav_live.streams.audio import LslAudio
from eav_live.streams.eeg import LslEeg
from eav_live.streams.video import FileVideo
from eav_live.windows.cut import Rings, cut_window
from eav_live.windows.quality import QualityWatch
from eav_live.windows.rings import SampleRing
from eav_offline.common.errors import InputRefused, SourceRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import EEG_CHANNELS, RawWindow

HEARD = (StreamState.LIVE, StreamState.RETURNED)


class AnyModel:
    """Recognizes whatever is there; refuses windows of a wrong length, as all do."""

    name, backend_name, fusion, demo = "any", "", "", True
    knows, card, temperatures = EMOTIONS, None, dict[str, float]()

    def recognize(self, raw: RawWindow) -> Recognition:
        there = {}
        if raw.eeg_uv is not None:
            assert np.isfinite(raw.eeg_uv).all()
            there["eeg"] = np.eye(5)[1]
        if raw.audio is not None:
            assert len(raw.audio) == round(5 * raw.audio_rate)
            there["audio"] = np.eye(5)[2]
        fused = np.mean(list(there.values()), axis=0) if there else None
        return Recognition(fused, dict(there), tuple(there))


class Lab:
    """An amplifier and a microphone over LSL, and a session that reads them."""

    def __init__(self, name: str) -> None:
        self.eeg = FaultySender(name)
        self.audio = FaultySender(f"{name}-Audio", "audio")
        self.source = LslEeg(name)
        sources = {"eeg": self.source, "audio": LslAudio(f"{name}-Audio")}
        self.session = Session(
            sources,  # type: ignore[arg-type]
            AnyModel(),  # type: ignore[arg-type]
            clock=pylsl.local_clock,
            hop=0.1,
            watch=QualityWatch(QualitySettings(need_speech=False)),
        )
        self.arrived = 0
        self.source.listen(self._count)
        self._predictions: list[Prediction] = []
        self._lock = threading.Lock()
        self.session.subscribe(self._note)

    def start(self) -> None:
        self.eeg.start()
        self.audio.start()
        self.session.start()
        self.returns()

    def restart(self, lost_share: float = 0.0, **header: object) -> None:
        """Kill the amplifier, wait until that is seen, and start it anew."""
        self.eeg.kill()
        self.sees(lambda h: h.state not in HEARD)
        self.eeg.start(lost_share, **header)

    def stop(self) -> None:
        self.session.stop()
        self.eeg.kill()
        self.audio.kill()

    @property
    def health(self) -> StreamHealth:
        return self.session.health()["eeg"]

    def sees(self, seen: Callable[[StreamHealth], bool], seconds: float = 10) -> None:
        """Wait until the user sees this of the EEG."""
        wait_for(lambda: seen(self.health), seconds)

    def goes_on(self, present: tuple[str, ...] = ("audio",)) -> None:
        """Wait until the next windows hold these modalities."""
        self._next(lambda p: p.present == present)

    def returns(self) -> None:
        """Wait until a window from now on has both, and all is well."""
        self._next(lambda p: p.present == ("eeg", "audio"))
        assert self.session.error is None
        assert self.health.state in HEARD

    def _next(self, wanted: Callable[[Prediction], bool]) -> None:
        with self._lock:
            self._predictions.clear()

        def there() -> bool:
            with self._lock:
                return any(wanted(p) for p in self._predictions)

        wait_for(there, 20)

    def _note(self, prediction: Prediction) -> None:
        with self._lock:
            self._predictions.append(prediction)

    def _count(self, arrival: Arrival) -> None:
        self.arrived += len(arrival.stamps)


@pytest.fixture
def lab(stream_name: str) -> Iterator[Lab]:
    made = Lab(stream_name)
    made.start()
    yield made
    made.stop()


@pytest.mark.lsl
def test_an_amplifier_that_is_killed_is_lost_and_returns(lab: Lab) -> None:
    lab.eeg.kill()
    lab.sees(lambda h: h.state is StreamState.LOST and "sender is gone" in h.detail)
    lab.goes_on()
    lab.eeg.start()
    lab.sees(lambda h: h.state is StreamState.RETURNED, 3.5)
    lab.returns()
    assert lab.health.returns == 1


@pytest.mark.lsl
def test_a_pause_is_seen_as_late_and_never_glued(lab: Lab) -> None:
    lab.eeg.begin("paused", 1.6)
    lab.sees(lambda h: h.state is StreamState.LATE)
    lab.goes_on()
    lab.sees(lambda h: h.state is StreamState.LIVE)
    assert lab.health.gaps == 1
    assert lab.health.filled_s < 5  # what came before the pause is not joined on
    lab.returns()


@pytest.mark.lsl
def test_a_burst_of_two_seconds_is_late_and_whole(lab: Lab) -> None:
    lab.eeg.begin("burst", 2.0)
    lab.sees(lambda h: h.state is StreamState.LATE)
    lab.goes_on()
    lab.returns()
    assert lab.health.gaps == 0
    assert lab.health.filled_s > 8
    wait_for(lambda: lab.arrived == lab.eeg.sent)


@pytest.mark.lsl
def test_jitter_changes_nothing(lab: Lab) -> None:
    lab.eeg.begin("jitter", 1.0)
    for _ in range(3):
        lab.returns()
    assert lab.health.fault == ""


@pytest.mark.lsl
@pytest.mark.parametrize("side", ["ahead", "behind"])
def test_an_hours_jump_is_said_and_its_samples_are_kept(lab: Lab, side: str) -> None:
    lab.eeg.begin(side, 1.0)
    lab.sees(lambda h: f"3600 s {side}" in h.notice)
    assert lab.health.state is StreamState.LIVE
    lab.goes_on()
    lab.sees(lambda h: not h.notice and h.clock_steps == 2)
    wait_for(lambda: lab.arrived == lab.eeg.sent)
    newest = lab.health.age_s
    assert newest is not None
    assert abs(newest) < 0.5
    lab.returns()


@pytest.mark.lsl
def test_lost_samples_are_said_and_left_out(lab: Lab) -> None:
    lab.restart(lost_share=0.1)
    lab.sees(lambda h: "samples a second instead of 500" in h.fault)
    lab.goes_on()
    assert lab.health.state in HEARD
    lab.restart()
    lab.sees(lambda h: h.state in HEARD)
    lab.returns()
    assert lab.health.fault == ""


@pytest.mark.lsl
def test_a_wrong_rate_after_a_restart_is_said_and_left_out(lab: Lab) -> None:
    lab.restart(rate=400.0)
    lab.sees(lambda h: "500 samples a second instead of 400" in h.fault)
    lab.goes_on()
    lab.restart()
    lab.sees(lambda h: h.state in HEARD)
    lab.returns()


@pytest.mark.lsl
def test_electrodes_that_send_no_numbers_are_named_and_computed(lab: Lab) -> None:
    lab.eeg.begin("nan", 1.5)
    wanted = set(EEG_CHANNELS[:3])
    lab.sees(lambda h: h.quality is not None and wanted <= set(h.quality.electrodes))
    lab.returns()
    lab.sees(lambda h: h.quality is not None and not h.quality.electrodes)


@pytest.mark.lsl
def test_other_channels_after_a_restart_are_refused_until_mended(lab: Lab) -> None:
    lab.restart(labels=EEG_CHANNELS[8:])
    lab.sees(lambda h: h.state is StreamState.REFUSED)
    assert EEG_CHANNELS[0] in lab.health.detail
    lab.goes_on()
    lab.restart()
    lab.sees(lambda h: h.state in HEARD)
    lab.returns()


@pytest.mark.lsl
def test_a_second_stream_of_the_name_is_not_read_and_not_guessed(lab: Lab) -> None:
    twin = open_eeg(lab.eeg.name)
    twin.push_chunk(eeg_like(50), pylsl.local_clock())
    lab.returns()  # the one that is read is kept
    again = open_eeg(lab.eeg.name)
    lab.eeg.kill()
    lab.sees(lambda h: h.state is StreamState.REFUSED)
    assert lab.health.detail.startswith("2 LSL streams of type EEG match")
    lab.goes_on()
    del twin, again
    lab.eeg.start()
    lab.returns()


@pytest.mark.lsl
def test_all_streams_gone_is_a_state_and_not_an_end(lab: Lab) -> None:
    lab.eeg.kill()
    lab.audio.kill()
    for modality in ("eeg", "audio"):
        wait_for(lambda m=modality: lab.session.health()[m].state is StreamState.LOST)
    assert lab.session.error is None
    lab.audio.start()
    lab.goes_on()
    lab.eeg.start()
    lab.returns()


# Without LSL


@pytest.mark.parametrize("off", [-0.01, -1e-4, 1e-4, 0.01])
def test_a_crystal_that_is_off_still_fills_windows_of_five_seconds(off: float) -> None:
    rate = 44_100.0
    ring = SampleRing(rate, 1, 20.0)
    n = round(7 * rate)
    ring.extend(100 + np.arange(n) / (rate * (1 + off)), np.ones((n, 1), np.float32))
    newest = ring.newest
    assert newest is not None
    window = cut_window(Rings(None, ring, None), newest, newest).raw
    assert window.audio is not None
    assert len(window.audio) == 5 * rate


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_video_file_that_breaks_off_ends_and_is_said(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"clip.{suffix}"
    write_video(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    clock = Clock()
    source = FileVideo(path, clock, NoFaces())
    if suffix == "mp4":  # its table of contents is at the end
        with pytest.raises(SourceRefused, match=path.name):
            source.pull()
        return
    for _ in range(90):
        source.pull()
        clock.now += 0.04
    health = source.health(clock.now)
    assert (health.state, health.detail) == (StreamState.LOST, "file ended")
    assert source.ring.newest_frame is not None  # readable up to the break
    source.stop()


def test_a_model_that_was_cut_off_ends_the_program_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from eav_live.cli import main
    from eav_live.recognition.assets import asset

    model = tmp_path / "model.safetensors"
    model.write_bytes(asset("demo.safetensors").read_bytes()[:100_000])
    log = ["--log", str(tmp_path / "log")]
    status = main(["--eeg-stream", "x", "--headless", "--model", str(model), *log])
    assert status == 2
    assert "model.safetensors is not a safetensors file or is damaged" in (
        capsys.readouterr().err
    )


@pytest.mark.lsl
@pytest.mark.timeout(60)
def test_a_session_whose_only_stream_is_refused_ends_with_the_reason(
    stream_name: str,
) -> None:
    info = pylsl.StreamInfo(stream_name, "Audio", 1, 100, "float32", stream_name)
    outlet = pylsl.StreamOutlet(info)
    sources = {"audio": LslAudio(stream_name)}
    session = Session(sources, AnyModel(), pylsl.local_clock)  # type: ignore[arg-type]
    session.start()
    try:
        with pytest.raises(InputRefused, match="100 Hz; sound at 8000 Hz"):
            _wait(session, None, None)
    finally:
        session.stop()
    del outlet


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"eeg": "live", "audio": "refused"}, ""),
        ({"audio": "refused", "video": "connecting"}, ""),
        ({"eeg": "refused", "audio": "live"}, "no eeg"),
        ({"audio": "refused", "video": "refused"}, "no audio no video"),
    ],
)
def test_a_refusal_ends_the_session_if_nothing_is_left_to_predict_from(
    states: dict[str, str], said: str
) -> None:
    health = {m: StreamHealth(StreamState(s), m, f"no {m}") for m, s in states.items()}
    session = SimpleNamespace(sources=states, health=lambda: health)
    if not said:
        end_if_refused(session)  # type: ignore[arg-type]
        return
    with pytest.raises(InputRefused, match=said):
        end_if_refused(session)  # type: ignore[arg-type]
