"""The front door: `import eav_live`, and a session over a replay."""

import doctest
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import tiny_config
from readme import snippet
from source_helpers import wait_for

import eav_live
from eav_live import SessionOptions, open_session
from eav_live.options.config import LiveConfig, Must
from eav_live.recognition.assets import DEMO_MODEL, PEOPLE_MODEL, asset
from eav_live.recognition.predictions import Prediction
from eav_live.replay.replay import replay_subject
from eav_live.session import opening
from eav_live.windows.cut import Rings
from eav_live.windows.rings import SampleRing
from eav_offline.checkpoint.file import Checkpoint, load
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.models import EmotionModel
from eav_offline.models.personal import OwnFace, OwnVoice, Personal
from eav_offline.personal.calibration import with_personal
from eav_offline.preprocess import PreprocessSettings

_COUNT = "import sys, eav_live; dir(eav_live); print(len(sys.modules))"


def test_importing_the_package_loads_next_to_nothing() -> None:
    asked = [sys.executable, "-c", _COUNT]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 60
    assert all(callable(getattr(eav_live, name)) for name in eav_live.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        eav_live.nothing  # noqa: B018


def test_the_program_says_its_version() -> None:
    asked = [sys.executable, "-m", "eav_live", "--version"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("eav-live ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": asset("demo.safetensors")}, "eeg_stream is missing"),
        ({"eeg_stream": "none", "audio": "none", "video": "none"}, "every stream"),
        ({"eeg_stream": "none", "hop": -1}, "hop = -1"),
        ({"eeg_stream": "none", "model": "no.safetensors"}, "no.safetensors"),
    ],
)
def test_a_session_that_cannot_be_opened_is_refused(
    options: dict[str, object], said: str
) -> None:
    with pytest.raises(InputRefused, match=said):
        open_session(SessionOptions(), **options)


def test_a_session_of_nothing_named_reads_voice_and_face_of_real_people() -> None:
    session = open_session()
    assert list(session.sources) == ["audio", "video"]
    assert (session.model_name, session.demo) == ("people", False)
    assert session.recognizer.knows == EMOTIONS[:4]
    assert session.recognizer.checkpoint.modalities == ("audio", "video")


@pytest.mark.parametrize("name", [DEMO_MODEL, PEOPLE_MODEL])
def test_real_people_must_speak_and_drawn_ones_need_not(name: str) -> None:
    session = open_session(eeg_stream="none", model=asset(name), backend="eager")
    hiss = 1e-3 * np.random.default_rng(0).standard_normal((80_000, 1))
    ring = SampleRing(16_000, 1, 30)
    ring.extend(np.arange(80_000) / 16_000, hiss)
    assert session.watch is not None
    quality = session.watch.judge(Rings(None, ring, None), 5.0)["audio"]
    assert quality.good is (name == DEMO_MODEL)


def test_a_session_that_was_not_started_is_not_waited_for() -> None:
    session = open_session(eeg_stream="nobody", audio="none", video="none")
    with pytest.raises(RuntimeError, match="not started"):
        next(iter(session))


@pytest.mark.lsl
@pytest.mark.parametrize("at_once", [True, False])
def test_streams_come_in_while_the_model_is_read_and_end_if_it_is_refused(
    stream_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    def running() -> list[str]:
        return [t.name for t in threading.enumerate() if stream_name in t.name]

    def refuse(*_: object) -> None:
        meanwhile.extend(running())
        assert not any("clip.wav" in t.name for t in threading.enumerate())
        raise InputRefused("no such model")

    meanwhile: list[str] = []
    (clip := tmp_path / "clip.wav").touch()
    monkeypatch.setattr(opening, "_recognizer", refuse)
    with pytest.raises(InputRefused, match="no such model"):
        open_session(
            eeg_stream=stream_name,
            audio=f"file:{clip}",
            video="none",
            at_once=at_once,
        )
    assert meanwhile == ([f"EEG {stream_name}"] if at_once else [])
    wait_for(lambda: running() == [])


@pytest.fixture(scope="module")
def replay(synthetic_subject: Path) -> Iterator[str]:
    """The synthetic person as the streams that the example of `open_session` names."""
    name, stop = "EAV-Replay", threading.Event()
    thread = threading.Thread(
        target=replay_subject,
        args=(synthetic_subject, name),
        kwargs={"task": "speaking", "loop": True, "start": 0.0, "stop": stop},
    )
    thread.start()
    yield name
    stop.set()
    thread.join(20)


@pytest.mark.lsl
@pytest.mark.timeout(120)
def test_predictions_of_a_replay_come_one_by_one_until_the_session_ends(
    replay: str,
) -> None:
    told: list[Prediction] = []
    session = open_session(
        eeg_stream=replay,
        audio=f"lsl:{replay}-Audio",
        video=f"lsl:{replay}-Video",
        model=asset("demo.safetensors"),
    )
    session.subscribe(told.append)
    with session:
        for prediction in session:
            assert prediction is not None
            if prediction.present == MODALITIES:
                break
        assert prediction.fused is not None
        assert prediction.fused.sum() == pytest.approx(1.0)
        assert any(one is prediction for one in told)
        assert session.markers is not None
        timer = threading.Timer(1.0, session.stop)
        timer.start()
        later = [one.t for one in session]  # ends as the session does
    assert later == sorted(set(later))
    assert session.stopped


@pytest.mark.lsl
@pytest.mark.timeout(120)
def test_the_example_of_open_session_holds(replay: str) -> None:
    example = doctest.DocTestFinder().find(opening.open_session)[0]
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.lsl
@pytest.mark.timeout(120)
def test_the_session_of_the_readme_gives_predictions(
    replay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Enough(Exception):
        """The loop goes on for as long as the session does."""

    said: list[tuple[object, ...]] = []

    def note(*values: object) -> None:
        said.append(values)
        if values[1] is not None:
            raise Enough

    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "s1").symlink_to(asset("demo.safetensors"))
    monkeypatch.chdir(tmp_path)
    code = snippet("open_session").replace(
        'eeg_stream="BrainAmp"', f'eeg_stream="{replay}", audio="none", video="none"'
    )
    with pytest.raises(Enough):
        exec(code, {"print": note})
    label, smoothed = said[-1]
    assert label in (*EMOTIONS, None)  # None while undecided
    assert smoothed.sum() == pytest.approx(1.0)


def test_a_session_knows_whose_voice_its_model_was_calibrated_to() -> None:
    base = load(asset(PEOPLE_MODEL))
    own = OwnVoice(np.ones((1, 192), np.float32))
    mine = with_personal(base, Personal("P01", {}, base.knows, voice=own))
    streams = SessionOptions(audio="lsl:nobody", video="none")
    watches = [
        opening.build_intake(streams, checkpoint).watch for checkpoint in (mine, base)
    ]
    assert [watch._whose_voice is not None for watch in watches] == [True, False]


def test_a_session_knows_whose_face_its_model_was_calibrated_to() -> None:
    base = load(asset(PEOPLE_MODEL))
    own = OwnFace(np.zeros((1, 128), np.float32))
    mine = with_personal(base, Personal("P01", {}, base.knows, face=own))
    seen = SessionOptions(audio="none", video="lsl:nobody")
    for streams, checkpoint, followed in (
        (seen, mine, True),
        (seen, base, False),
        (replace(seen, config=LiveConfig(quality={"own_face": False})), mine, False),
    ):
        watch = opening.build_intake(streams, checkpoint).watch
        assert watch is not None
        assert (watch._whose_face is not None) is followed


def test_faces_are_looked_for_where_something_reads_them() -> None:
    config = tiny_config()
    model = EmotionModel(config.model, ("eeg",), False)
    reads_eeg = Checkpoint(model, config, PreprocessSettings(), demo=True)
    options = SessionOptions(eeg_stream="none", audio="none", video="lsl:Nobody")
    beside = replace(options, face_dimensions="a/model")
    must = replace(options, config=LiveConfig(must=Must(face=True)))
    for of, checkpoint, sought in (
        (options, reads_eeg, False),
        (options, load(asset(PEOPLE_MODEL)), True),
        (options, None, True),
        (beside, reads_eeg, True),
        (must, reads_eeg, True),
    ):
        intake = opening.build_intake(of, checkpoint)
        assert intake.video is not None
        assert intake.video.seeks_faces is sought
        assert intake.watch is not None
        assert intake.watch._faces is sought  # whether their lack is a fault
