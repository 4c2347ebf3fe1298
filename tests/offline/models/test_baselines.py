"""Baselines: published sizes, features of known signals, classifiers as arrays."""

import numpy as np
import pytest
import torch
from planted import SIDE, tiny_config
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from eav_offline.config import Config, ConfigError, load_config, to_toml
from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.model_names import BASELINES, FEATURES
from eav_offline.core.window import EEG_BANDS, EEG_CHANNELS, EEG_RATE, EEG_SAMPLES
from eav_offline.models import Batch, EmotionModel
from eav_offline.models.baselines.classifiers import Linear
from eav_offline.models.baselines.features import (
    MIRRORED,
    asymmetry,
    band_covariances,
    delta_mfcc_statistics,
    differential_entropy,
    riemannian_mean,
    tangent_vectors,
)
from eav_offline.models.baselines.networks import (
    BUILD,
    EegNet,
    LimitedLinear,
    ShallowConvNet,
)
from eav_offline.models.baselines.settings import SETTINGS, baseline_name, with_baseline
from eav_offline.models.parameters import count
from eav_offline.training.classifiers import fit_linear

pytestmark = pytest.mark.numeric

PUBLISHED = {
    "eegnet": 14_517,
    "shallowconvnet": 61_645,
    "scnn": 343_685,
    "resnet50": 34_004_037,
}
TIME = np.arange(EEG_SAMPLES) / EEG_RATE


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_networks_have_the_published_number_of_parameters(
    name: str, parameters: int
) -> None:
    with torch.device("meta"):
        assert count(BUILD[name]()) == parameters


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_gives_logits_of_what_its_modality_reads(name: str) -> None:
    config = with_baseline(tiny_config(), name)
    modality = BASELINES[name]
    encoder = EmotionModel(
        config.model, [modality], False, config.baseline
    ).by_modality[modality]
    torch.manual_seed(0)
    x = {
        "eeg": 20 * torch.randn(2, 30, EEG_SAMPLES),
        "audio": torch.randn(2, 498, 128) - 6,
        "video": torch.randint(0, 255, (2, 2, SIDE, SIDE, 3), dtype=torch.uint8),
        "sound_features": torch.randn(2, 180),
    }[encoder.part(modality)]
    with torch.inference_mode():
        logits = encoder.eval()(x)
    assert logits.shape == (2, N_EMOTIONS)
    assert bool(logits.isfinite().all())


@pytest.mark.parametrize("network", [EegNet, ShallowConvNet])
def test_eeg_networks_do_not_see_the_unit_once_scaled(network: type) -> None:
    torch.manual_seed(0)
    net = network().eval()
    x = torch.randn(3, 30, EEG_SAMPLES)
    plain = net(x)
    net.fit_scale(torch.full((30,), 5.0), torch.full((30,), 10.0))
    torch.testing.assert_close(net(10 * x + 5), plain, rtol=1e-3, atol=1e-4)


def test_rows_above_their_limit_are_scaled_down_to_it_and_others_left() -> None:
    linear = LimitedLinear(0.25, 4, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[3.0, 0, 0, 0], [0, 0.1, 0, 0]]))
        linear.bias.zero_()
    out = linear(torch.eye(4))
    torch.testing.assert_close(out[0, 0], torch.tensor(0.25))
    torch.testing.assert_close(out[1, 1], torch.tensor(0.1))


def test_entropy_of_a_gaussian_band_is_that_of_its_variance() -> None:
    noise = np.random.default_rng(0).normal(0, 10, (200, 1, EEG_SAMPLES))
    entropy = differential_entropy(noise).mean((0, 1))
    # 100 µV² spread evenly over 50 Hz; the filters' edges are soft, and a second of a
    # narrow slow band has few degrees of freedom.
    widths = np.array([high - low for low, high in EEG_BANDS.values()])
    expected = 0.5 * np.log(2 * np.pi * np.e * 100 * widths / 50)
    np.testing.assert_allclose(entropy[2:], expected[2:], atol=0.25)


def test_asymmetry_is_left_minus_right_and_nothing_for_the_midline() -> None:
    values = np.zeros((1, len(EEG_CHANNELS), 1))
    values[0, EEG_CHANNELS.index("F3")] = 2.0
    values[0, EEG_CHANNELS.index("P8")] = 3.0
    values[0, EEG_CHANNELS.index("Cz")] = 9.0
    found = dict(zip(MIRRORED, asymmetry(values)[0, :, 0], strict=True))
    assert found.pop(("F3", "F4")) == 2.0
    assert found.pop(("P7", "P8")) == -3.0
    assert set(found.values()) == {0.0}


def test_tangent_vectors_are_those_of_pyriemann() -> None:
    from pyriemann.tangentspace import TangentSpace  # slow to import

    eeg = np.random.default_rng(1).normal(0, 10, (12, 6, EEG_SAMPLES))
    covariances = band_covariances(eeg)
    ours = tangent_vectors(covariances, riemannian_mean(covariances))
    theirs = [
        TangentSpace().fit_transform(covariances[:, band])
        for band in range(len(EEG_BANDS))
    ]
    np.testing.assert_allclose(ours, np.concatenate(theirs, 1), rtol=1e-4, atol=1e-4)


def test_silent_or_average_referenced_eeg_still_has_a_tangent_vector() -> None:
    eeg = np.random.default_rng(1).normal(0, 10, (4, 6, EEG_SAMPLES))
    eeg -= eeg.mean(1, keepdims=True)
    eeg[0] = 0
    covariances = band_covariances(eeg)
    reference = riemannian_mean(covariances[1:])
    assert np.isfinite(tangent_vectors(covariances, reference)).all()


def test_slopes_of_mfcc_tell_a_rising_sound_from_a_steady_one() -> None:
    steady = np.full((1, 498, 128), -6.0)
    rising = steady + 0.01 * np.arange(498)[:, None]
    n = delta_mfcc_statistics(steady).shape[1] // 6
    slope = slice(2 * n, 3 * n)  # mean of the first derivative
    assert np.abs(delta_mfcc_statistics(steady)[0, slope]).max() < 1e-5
    # The first coefficient is the sum over 128 bands divided by its root.
    first = delta_mfcc_statistics(rising)[0, slope][0]
    np.testing.assert_allclose(first, 0.01 * np.sqrt(128), rtol=1e-3)


def clouds(classes: tuple[int, ...], n: int = 120) -> tuple[np.ndarray, ...]:
    """Overlapping clouds of 12 numbers, their classes, and trials of four windows."""
    random = np.random.default_rng(3)
    truth = np.repeat(np.resize(classes, n // 4), 4)
    x = random.normal(0, 1, (n, 12)) * 10 ** np.linspace(-2, 2, 12)
    x[np.arange(n), truth] += 1.5 * 10 ** np.linspace(-2, 2, 12)[truth]
    return x.astype(np.float32), truth, np.arange(n) // 4


@pytest.mark.parametrize("classes", [(0, 1, 2, 3, 4), (0, 2, 4), (1, 3)])
def test_linear_arrays_answer_as_scikit_learn(classes: tuple[int, ...]) -> None:
    x, truth, trials = clouds(classes)
    linear = Linear(x.shape[1])
    strength = fit_linear(linear, x, truth, trials)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, max_iter=2000)
    ).fit(x, truth)
    ours = linear(torch.from_numpy(x)).softmax(-1).numpy()
    np.testing.assert_allclose(
        ours[:, list(classes)], theirs.predict_proba(x), atol=1e-5
    )
    absent = [k for k in range(N_EMOTIONS) if k not in classes]
    assert ours[:, absent].max(initial=0) < 1e-9


def test_the_strength_is_chosen_by_whole_trials() -> None:
    # Windows of a trial are alike, and trials are pure noise: chosen by windows the
    # weakest regularization would win, chosen by trials a strong one does.
    random = np.random.default_rng(0)
    trials = np.repeat(np.arange(60), 4)
    x = random.normal(0, 1, (60, 40))[trials] + random.normal(0, 0.01, (240, 40))
    truth = (np.arange(60) % 5)[trials]
    strength = fit_linear(Linear(40), x.astype(np.float32), truth, trials)
    assert strength <= 1e-3


def test_a_baseline_network_is_trained_as_published_and_not_as_the_transformer() -> (
    None
):
    config = with_baseline(tiny_config(), "eegnet")
    assert config.train.eeg == SETTINGS["eegnet"]
    assert config.train.audio == tiny_config().train.audio
    assert with_baseline(tiny_config(), "eegnet", epochs=7).train.eeg.epochs == 7


def test_scnn_reads_the_waveforms_features() -> None:
    baseline = with_baseline(tiny_config(), "scnn").baseline
    assert baseline is not None
    assert baseline_name(baseline) == "scnn"
    model = EmotionModel(tiny_config().model, ["audio"], False, baseline).eval()
    assert model.parts_read == ("sound_features",)
    assert count(model) == PUBLISHED["scnn"]
    sound = torch.tensor([[False, True, False]] * 2)
    batch = Batch({"sound_features": torch.randn(2, 180)}, sound)
    assert model.states(batch)["audio"].shape == (2, 1, 1, 2816)


def test_a_batch_of_sound_without_the_features_read_is_no_silence() -> None:
    config = with_baseline(tiny_config(), "scnn")
    model = EmotionModel(config.model, ["audio"], False, config.baseline)
    sound = Batch({"audio": torch.zeros(1, 498, 128)}, torch.tensor([[0, 1, 0]]) > 0)
    with pytest.raises(ValueError, match="without the sound_features"):
        model.states(sound)


def test_the_baseline_is_written_and_read_with_the_configuration(tmp_path) -> None:
    config = with_baseline(tiny_config(), "eeg-bands")
    (tmp_path / "config.toml").write_text(to_toml(config))
    assert load_config(tmp_path / "config.toml") == config
    assert "baseline" not in to_toml(tiny_config())


def test_impossible_baselines_are_refused(tmp_path) -> None:
    text = to_toml(tiny_config()) + '\n[baseline]\nname = "eegnett"\n'
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match="no baseline"):
        load_config(tmp_path / "config.toml")


def test_all_features_have_a_model_that_says_how_many_they_are() -> None:
    for name, modality in FEATURES.items():
        config: Config = with_baseline(tiny_config(), name)
        model = EmotionModel(config.model, [modality], False, config.baseline)
        assert model.by_modality[modality].n_features > 0
