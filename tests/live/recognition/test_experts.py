"""Published classifiers live: from the options of a session to its windows."""

from pathlib import Path

import numpy as np
import pytest
from published_models import (
    DIMENSIONS,
    SIDE,
    write_dimensions,
    write_face,
    write_voice,
)
from source_helpers import Clock

from eav_live.commands import doctor, live
from eav_live.commands.options import session_options
from eav_live.doctor import Status
from eav_live.doctor.computer import check_model, check_speed
from eav_live.options import SessionOptions
from eav_live.recognition.predictions import StreamHealth
from eav_live.recognition.recognizer import Recognizer
from eav_live.session import opening
from eav_live.session.inference import Session
from eav_live.streams import judge
from eav_live.windows.rings import SampleRing
from eav_offline.checkpoint.experts.finding import find_dimensions
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import FaceFrame, RawWindow, window_times

RATE = 48_000
HOPS = 3


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that name a face and a voice."""
    face = write_face(tmp_path_factory.mktemp("face"))
    voice = write_voice(tmp_path_factory.mktemp("voice"))
    return ["--face-model", str(face), "--voice-model", str(voice)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name)
    )


def options_of(*words: str) -> SessionOptions:
    return session_options(live.parser("").parse_args(words))


def sliding() -> list[RawWindow]:
    """Windows half a second apart, of one sound and one row of frames."""
    rng = np.random.default_rng(5)
    sound = (0.1 * rng.standard_normal(RATE * 7)).astype(np.float32)
    pictures = rng.integers(0, 255, (40, SIDE, SIDE, 3), np.uint8)
    box = np.array([4, 4, 28, 28], np.float32)
    windows = []
    for hop in range(HOPS):
        end = 5.0 + hop / 2
        frames = [
            FaceFrame(t, pictures[round(5 * t + 0.2)], box, True)
            for t in window_times(end)
        ]
        heard = sound[round((end - 5) * RATE) : round(end * RATE)]
        windows.append(RawWindow(end, None, 0.0, heard, RATE, tuple(frames)))
    return windows


def test_a_session_of_published_models_reads_face_and_voice_and_no_eeg(
    models: list[str],
) -> None:
    options = options_of(*models)
    assert options.eeg_stream == "none"
    assert options_of(*models, "--eeg-stream", "A").eeg_stream == "A"
    recognizer = Recognizer.load(options.model or "")
    assert recognizer.checkpoint.modalities == ("audio", "video")
    assert not recognizer.takes_backends
    assert recognizer.fusion == "mean"


def test_what_is_kept_between_windows_changes_no_answer(models: list[str]) -> None:
    path = options_of(*models).model or ""
    recognizer = Recognizer.load(path)
    for raw in sliding():
        said = recognizer.recognize(raw)
        anew = Recognizer.load(path).recognize(raw)
        assert said.present == ("audio", "video")
        for m in said.present:
            np.testing.assert_allclose(
                said.by_modality[m], anew.by_modality[m], atol=1e-5
            )
        assert said.fused is not None
        assert np.isnan(said.fused[4])
        assert np.nansum(said.fused) == pytest.approx(1)


def test_the_doctor_takes_the_same_options_and_tells_the_time_of_a_window(
    models: list[str],
) -> None:
    options = session_options(doctor.parser().parse_args(models))
    check, recognizer = check_model(Path(options.model or ""), given=True)
    assert check.status is Status.OK
    assert "audio, video; it does not know calmness" in check.found
    assert recognizer is not None
    assert "ms a window" in check_speed(recognizer, options.hop).found


@pytest.mark.parametrize("other", [["--model", "runs/s1"], ["--demo"]])
def test_one_model_is_named_and_not_two(models: list[str], other: list[str]) -> None:
    with pytest.raises(InputRefused, match="in the place of --model and --demo"):
        options_of(*models, *other)


def test_classes_and_license_are_told_before_the_session(
    models: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    options_of(*models, "--face-classes", "disgust=anger")
    told = caplog.text
    assert "disgust  anger" in told
    assert "license apache-2.0" in told


class Sound:
    """A source whose ring is full already."""

    interpolated: tuple[str, ...] = ()

    def __init__(self, ring: SampleRing) -> None:
        self.ring = ring

    def health(self, now: float) -> StreamHealth:
        return StreamHealth(judge(self.ring.newest, self.ring.newest, now, True))


def test_dimensions_stand_beside_the_classes_and_change_none(
    models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dimensions(tmp_path / "dims")
    monkeypatch.chdir(tmp_path)
    looked_up = find_dimensions.cache_info().misses
    options = options_of(*models, "--voice-dimensions", "dims", "--video", "none")
    assert f'voice_dimensions = "{tmp_path / "dims"}"' in options.to_toml()
    noise = 0.1 * np.random.default_rng(3).standard_normal((16_000 * 6, 1))
    made = []
    for readers in (opening._dimension_readers(options), []):
        ring = SampleRing(16_000, 1, 10)
        ring.extend(94 + np.arange(len(noise)) / 16_000, noise.astype(np.float32))
        clock, recognizer = Clock(100.0), Recognizer.load(options.model or "")
        sources = {"audio": Sound(ring)}
        session = Session(sources, recognizer, clock, dimensions=readers)  # type: ignore[dict-item]
        assert session.step() is not None
        for beside in session.dimensions.values():
            beside.step()
        clock.now = 100.5
        ring.extend(np.arange(100, 100.5, 1 / 16_000), noise[:8000].astype(np.float32))
        prediction = session.step()
        assert prediction is not None
        made.append(prediction)
        clock.now = 110.0
        silent = session.step(anyway=True)
        assert silent is not None
        made.append(silent)
    assert find_dimensions.cache_info().misses == looked_up + 1  # agreed to and opened
    beside, silent, alone, _ = made
    np.testing.assert_array_equal(beside.fused, alone.fused)
    told = beside.as_json()["dimensions"]
    assert isinstance(told, dict)
    assert told["audio"].pop("t") == pytest.approx(100.0, abs=0.02)
    assert tuple(told["audio"]) == DIMENSIONS
    assert all(0 <= value <= 1 for value in told["audio"].values())
    assert silent.as_json()["dimensions"] == {"audio": None}
    assert alone.as_json()["dimensions"] == {}
