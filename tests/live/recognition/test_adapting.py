"""A recognizer with a layer for one person answers as the plain model with it does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from planted import SIDE, planted_subject, tiny_config
from recorded import T0, FakeSession, eeg_arrival, recorder

from eav_live.recognition.predictions import Prediction, StreamState
from eav_live.recognition.recognizer import Recognition, Recognizer
from eav_live.recording.repredicting import repredict
from eav_offline.backends.onnx import OnnxModel, export_onnx
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.window import RawWindow
from eav_offline.data.sessions.session import read_session
from eav_offline.data.window_set import window_set
from eav_offline.evaluation.conformal import calibrate
from eav_offline.models import EmotionModel, predict
from eav_offline.models.ambt import Fusing
from eav_offline.models.personal import Personal, PersonalHead
from eav_offline.personal.adaptation import LEAST_WINDOWS
from eav_offline.personal.adapting import adapted_chances
from eav_offline.personal.calibration import with_personal
from eav_offline.personal.reading import population_of
from eav_offline.preprocess import Inputs, PreprocessSettings

KNOWS = EMOTIONS[:4]
N_WINDOWS = 36  # of five seconds
FROZEN, UNDONE = range(18, 22), 30


def tiny_checkpoint() -> Checkpoint:
    """All three modalities and AMBT, at random, with the population of a person."""
    torch.manual_seed(4)
    config = tiny_config()
    model = EmotionModel(config.model, MODALITIES, True, None, KNOWS).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "head" in name and name.endswith("weight"):
                parameter.normal_(std=0.5)
    settings = PreprocessSettings(face_size=SIDE)
    population = population_of(model, window_set([planted_subject(10)]))
    return Checkpoint(model, config, settings, demo=True, population=population)


def layer_of(checkpoint: Checkpoint) -> Personal:
    """One that knows more than the model, of two modalities."""
    random, heads = torch.Generator().manual_seed(1), {}
    for m in ("eeg", "video"):
        n = len(checkpoint.population.by_modality[m].mean)
        heads[m] = PersonalHead(
            1 + 0.1 * torch.randn(n, generator=random),
            0.1 * torch.randn(n, generator=random),
            0.5 * torch.randn(5, n, generator=random),
            torch.randn(5, generator=random),
        )
    alignment = torch.eye(30) + 0.05 * torch.randn(30, 30, generator=random)
    return Personal("P01", heads, EMOTIONS, alignment, "50 labeled clips")


def windows(present: tuple[str, ...] = MODALITIES) -> list[Inputs]:
    one = planted_subject(10)
    return [
        Inputs(
            one.eeg[i] if "eeg" in present else None,
            one.log_mel[i] if "audio" in present else None,
            one.faces[i] if "video" in present else None,
            None,
        )
        for i in range(6)
    ]


def test_a_session_does_not_adapt_to_what_it_only_listens_to() -> None:
    recognizer = Recognizer(tiny_checkpoint(), "base")
    recognizer.adapt()
    assert recognizer.adaptation is not None
    for i, one in enumerate(windows()):
        recognizer.recognize_inputs(one, 5.0 * i, learn=False)
    assert recognizer.adaptation.n_taken == 0
    recognizer.recognize_inputs(windows()[0], 0.0)
    assert recognizer.adaptation.n_taken == 1


@pytest.mark.parametrize("how", ["ambt", "mean", "calibrated"])
@pytest.mark.parametrize("present", [MODALITIES, ("audio", "video"), ("audio",)])
def test_the_sliding_recognizer_answers_as_the_plain_model(
    how: str, present: tuple[str, ...]
) -> None:
    base = tiny_checkpoint()
    base.model.fusing = Fusing(how, {"eeg": 0.5, "audio": 2.0, "video": 1.0})
    made = with_personal(base, layer_of(base))
    sliding, general = Recognizer(made, "P01"), Recognizer(base, "base")
    assert sliding.knows == EMOTIONS
    assert sliding.fusion == ("mean" if how == "mean" else "calibrated")
    given = windows(present)
    whole = predict(made.model, given)
    apart = 0.0
    for i, one in enumerate(given):
        said = sliding.recognize_inputs(one)
        assert said.present == present
        np.testing.assert_allclose(said.fused, whole.fused[i], atol=1e-5)
        for m in present:
            np.testing.assert_allclose(
                said.by_modality[m], whole.by_modality[m][i], atol=1e-5
            )
        before = np.nan_to_num(general.recognize_inputs(one).fused)
        apart = max(apart, np.abs(said.fused - before).max())
    if present == ("audio",):  # which has no layer, and may be scaled only by AMBT
        assert how == "ambt" or apart < 1e-6
    else:
        assert apart > 0.05
    assert base.model.personal is None


def test_an_exported_part_tells_the_features_too(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    base = tiny_checkpoint()
    export_onnx(base, None, tmp_path / "parts")
    made = with_personal(base, layer_of(base))
    exported = OnnxModel(tmp_path / "parts", MODALITIES, False, base.model.fusing)
    there = Recognizer(made, "onnx", exported)
    for one in windows()[:2]:
        np.testing.assert_allclose(
            there.recognize_inputs(one).fused,
            Recognizer(made, "eager").recognize_inputs(one).fused,
            atol=1e-4,
        )


def test_a_personal_model_is_not_fused_by_the_exchange() -> None:
    base = tiny_checkpoint()
    with pytest.raises(InputRefused, match="is adapted to a person"):
        Recognizer(with_personal(base, layer_of(base)), "P01").fuse("ambt")


def test_a_model_without_a_population_cannot_adapt_live() -> None:
    with pytest.raises(InputRefused, match="cannot be adapted without labels"):
        Recognizer(replace(tiny_checkpoint(), population=None), "old").adapt()


class Keeps:
    """Keeps the windows that it is shown."""

    checkpoint = SimpleNamespace(modalities=MODALITIES)

    def __init__(self) -> None:
        self.windows: list[RawWindow] = []

    def recognize(self, raw: RawWindow) -> Recognition:
        self.windows.append(raw)
        return Recognition(None, dict.fromkeys(MODALITIES), ())


def test_an_adapting_session_is_reproduced_from_its_recording(tmp_path: Path) -> None:
    keeps = Keeps()
    record(tmp_path / "first.xdf", lambda i, t: prediction(t, None))
    list(repredict(read_session(tmp_path / "first.xdf"), keeps))  # type: ignore[arg-type]
    live, still = adapting(), Recognizer(tiny_checkpoint(), "still")
    live.adapt()
    told, apart = [], []
    for i, raw in enumerate(keeps.windows):
        if i in (FROZEN.start, FROZEN.stop):
            live.freeze(i == FROZEN.start)
        if i == UNDONE:
            live.undo()
        told.append(live.recognize(raw))
        plain = np.nan_to_num(still.recognize(raw).fused)
        apart.append(np.abs(np.nan_to_num(told[-1].fused) - plain).max())
    assert max(apart[:12]) < 1e-6  # a minute of nothing
    assert min(apart[26:UNDONE]) > 1e-3
    assert max(apart[UNDONE:]) < 1e-6
    n = [one.adapting["n"] for one in told]
    assert n[FROZEN.start : FROZEN.stop + 1] == [18] * 5
    record(tmp_path / "second.xdf", lambda i, t: prediction(t, told[i]))
    again = list(repredict(read_session(tmp_path / "second.xdf"), adapting()))
    assert len(again) == N_WINDOWS
    assert max(one.difference for one in again) < 1e-4


def test_thresholds_are_made_by_what_a_live_session_would_say() -> None:
    """EEG is aligned, features are followed: as live, window after window."""
    live, there = adapting(), planted_subject(16)
    some, given = ("eeg",), window_set([there])
    chances = adapted_chances(live.checkpoint, given, [some])[some]
    live.adapt()
    for i, expected in enumerate(chances):
        said = live.recognize_inputs(Inputs(there.eeg[i], None, None, None))
        assert said.adapted == bool(np.isfinite(expected).any())
        if said.adapted:
            np.testing.assert_allclose(
                np.nan_to_num(said.fused), np.nan_to_num(expected), atol=1e-5
            )
    assert np.isfinite(chances[:, 0]).sum() == len(chances) - LEAST_WINDOWS
    found = calibrate(live.checkpoint, given, "other people")
    assert found is not None
    assert set(found.adapting) == {"eeg"}
    n_known = int((there.emotion < len(KNOWS)).sum())
    assert found.adapting["eeg"].n == n_known - LEAST_WINDOWS
    assert found.adapting["eeg"].least != found.by_modalities["eeg"].least


def adapting() -> Recognizer:
    """One to which any content is varied enough: its logits hardly spread else."""
    found = tiny_checkpoint()
    spread = found.population.by_modality["eeg"]
    steady = replace(spread, within=1e-6 * torch.eye(5), variety=torch.tensor(1.0))
    population = replace(found.population, by_modality={"eeg": steady})
    return Recognizer(replace(found, population=population), "P01")


def record(path: Path, said: Callable[[int, float], Prediction]) -> None:
    """Three minutes of EEG, and what is said every five seconds."""
    random, fake = np.random.default_rng(2), FakeSession()
    with recorder(path, fake):
        before = random.normal(0, 5, (30, 500)).astype("f4")
        fake.sources["eeg"].offer(eeg_arrival(before, T0 - 1))
        for i in range(N_WINDOWS):
            uv = random.normal(0, 5 + i % 5, (30, 2500)).astype("f4")
            fake.sources["eeg"].offer(eeg_arrival(uv, T0 + 5 * i))
            fake.say(said(i, T0 + 5 * (i + 1) - 0.002))


def prediction(t: float, said: Recognition | None) -> Prediction:
    states = dict.fromkeys(MODALITIES, StreamState.LIVE)
    fused = None if said is None else said.fused
    alone = dict.fromkeys(MODALITIES) if said is None else said.by_modality
    about = None if said is None else said.adapting
    made = (t, fused, fused, alone, ("eeg",), states, "anger", None, 0.1, 0.1, 5.0)
    return Prediction(*made, adapting=about)
