"""A recognizer of plain arrays answers as the offline path does, or says why not."""

import doctest
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
from readme import snippet

from eav_live.recognition import recognizer as module
from eav_live.recognition.assets import asset
from eav_live.recognition.recognizer import Recognizer
from eav_offline.checkpoint import file as checkpoint
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import load_config
from eav_offline.core.window import RawWindow
from eav_offline.data.eav.subject import open_subject
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import Recording, cut, track_faces
from eav_offline.models import EmotionModel
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.face import FaceTracker

T_END = 10.0
TIMES = np.arange(180) / 30  # six seconds of frames
FRAMES = np.zeros((180, 8, 8, 3), dtype=np.uint8)
EEG = np.zeros((30, 3000))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(asset("demo.safetensors"))


@pytest.fixture(scope="module")
def trial(synthetic_subject: Path) -> Recording:
    """The first ten seconds of one."""
    subject = open_subject(synthetic_subject)
    whole = subject.recording(subject.trials("speaking")[1])
    assert whole.eeg_uv is not None
    assert whole.audio is not None
    return replace(
        whole,
        seconds=T_END,
        eeg_uv=whole.eeg_uv[:, : round(T_END * whole.eeg_rate)],
        audio=whole.audio[: round(T_END * whole.audio_rate)],
    )


def test_arrays_of_a_trial_are_recognized_as_offline(
    recognizer: Recognizer, trial: Recording
) -> None:
    assert trial.video is not None
    raw = cut(trial, track_faces(trial, FaceTracker()), T_END)
    plain = Recognizer(checkpoint.load(asset("demo.safetensors")), "plain")
    wanted = plain.recognize_inputs(prepare(raw, plain.checkpoint.preprocess))
    timed = takewhile(lambda one: one[0] < T_END, iter_frames(trial.video))
    pictures = {time: rgb(frame) for time, frame in timed}
    found = recognizer.predict(
        eeg=trial.eeg_uv,
        eeg_rate=trial.eeg_rate,
        audio=trial.audio,
        audio_rate=trial.audio_rate,
        frames=np.stack(list(pictures.values())),
        frame_times=np.array(list(pictures)),
    )
    assert found.present == wanted.present == ("eeg", "audio", "video")
    assert recognizer.recognize.__func__ is Recognizer.recognize  # either spelling
    # One model on one computer: only the order of sums may differ.
    assert found.fused == pytest.approx(wanted.fused, abs=1e-5)
    for modality, alone in wanted.by_modality.items():
        assert found.by_modality[modality] == pytest.approx(alone, abs=1e-5)


def test_any_modality_may_be_left_out(recognizer: Recognizer, trial: Recording) -> None:
    said = recognizer.predict(audio=trial.audio, audio_rate=trial.audio_rate)
    assert said.present == ("audio",)
    assert said.by_modality["eeg"] is None


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "nothing to recognize"),
        ({"eeg": EEG}, "eeg_rate is None; give its rate in Hz, 125 or more"),
        ({"eeg": EEG, "eeg_rate": 100}, "eeg_rate is 100"),
        ({"eeg": EEG, "eeg_rate": np.nan}, "eeg_rate is nan"),
        ({"eeg": EEG.T, "eeg_rate": 500}, r"shape \(3000, 30\); give \(30, n\)"),
        ({"eeg": EEG, "eeg_rate": 1000}, "eeg is 3.00 s long; give 5 s or more"),
        ({"eeg": EEG * np.nan, "eeg_rate": 500}, "no finite numbers"),
        ({"audio": EEG, "audio_rate": 500}, r"give \(n,\)"),
        ({"audio": np.zeros(9, "i2"), "audio_rate": 1}, r"int16; give floats in \[-1"),
        ({"frames": FRAMES / 255, "frame_times": TIMES}, "frames are float64"),
        ({"frames": FRAMES}, r"frame_times have the shape \(0,\); give \(180,\)"),
        ({"frames": FRAMES, "frame_times": -TIMES}, "each above the last"),
        ({"frames": FRAMES[:90], "frame_times": TIMES[:90]}, "do not reach over"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(
    recognizer: Recognizer, arrays: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        recognizer.predict(**arrays)  # type: ignore[arg-type]
    assert isinstance(refused.value, InputRefused)


def test_the_example_of_predict_holds() -> None:
    example = doctest.DocTestFinder().find(module.Recognizer.predict)[0]
    assert doctest.DocTestRunner().run(example).failed == 0


def test_how_the_modalities_are_fused_can_be_asked_for() -> None:
    recognizer = Recognizer.load(asset("demo.safetensors"))
    rng = np.random.default_rng(2)
    arrays = {
        "eeg": rng.normal(0, 20, (30, 3000)),
        "eeg_rate": 500,
        "audio": rng.normal(0, 0.1, 90_000),
        "audio_rate": 16_000,
    }
    assert recognizer.fusion == "ambt"  # the best on its validation trials
    exchanged = recognizer.predict(**arrays)
    recognizer.fuse("mean")
    assert recognizer.fusion == "mean"
    averaged = recognizer.predict(**arrays)
    alone = [averaged.by_modality[m] for m in ("eeg", "audio")]
    np.testing.assert_allclose(averaged.fused, np.mean(alone, axis=0), atol=1e-6)
    assert np.abs(averaged.fused - exchanged.fused).max() > 1e-3
    recognizer.fuse("calibrated")
    assert np.abs(recognizer.predict(**arrays).fused - averaged.fused).max() > 1e-3


def test_what_the_model_does_not_read_is_not_prepared() -> None:
    config = load_config("compact")
    model = EmotionModel(config.model, ("eeg",), False).eval()
    recognizer = Recognizer(
        Checkpoint(model, config, PreprocessSettings(), demo=True), "eeg"
    )
    nothing = ("no frame",) * 25
    raw = RawWindow(T_END, EEG.astype("f4"), 500.0, None, 0.0, nothing)  # type: ignore[arg-type]
    assert recognizer.recognize(raw).present == ("eeg",)


def test_a_way_to_fuse_that_the_model_lacks_is_refused() -> None:
    model = EmotionModel(load_config("compact").model, ("eeg", "audio"), False).eval()
    plain = Checkpoint(model, load_config("compact"), PreprocessSettings(), demo=True)
    recognizer = Recognizer(plain, "two")
    with pytest.raises(InputRefused, match="two has no AMBT to fuse by"):
        recognizer.fuse("ambt")
    with pytest.raises(InputRefused, match="two: a calibrated mean needs temperatures"):
        recognizer.fuse("calibrated")


def test_the_arrays_of_the_readme_are_recognized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "s1").symlink_to(asset("demo.safetensors"))
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(2).normal(0, 20, (30, 3000))
    said: list[tuple[np.ndarray, ...]] = []
    exec(snippet("Recognizer.load"), {"eeg": noise, "print": lambda *x: said.append(x)})
    assert [x.shape for x in said[0]] == [(5,), (5,)]
