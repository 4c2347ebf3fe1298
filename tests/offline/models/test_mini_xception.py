"""mini-Xception against Keras's arithmetic."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from benchmarks.offline.people_model import converted
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_offline.checkpoint import file as checkpoint
from eav_offline.models.mini_xception import MiniXception, _halved
from eav_offline.models.parameters import count

pytestmark = pytest.mark.numeric

Layers = dict[str, dict[str, np.ndarray]]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def keras_shapes() -> dict[str, dict[str, tuple[int, ...]]]:
    """The layers of the published file: their weights' names and shapes."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "conv2d_1": {"kernel": (3, 3, 1, 8)},
        "conv2d_2": {"kernel": (3, 3, 8, 8)},
        "conv2d_7": {"kernel": (3, 3, 128, 7), "bias": (7,)},
    }
    norms, before = [8, 8], 8
    for step, width in enumerate((16, 32, 64, 128)):
        shapes[f"conv2d_{step + 3}"] = {"kernel": (1, 1, before, width)}
        for half, n_in in enumerate((before, width)):
            shapes[f"separable_conv2d_{2 * step + half + 1}"] = {
                "depthwise_kernel": (3, 3, n_in, 1),
                "pointwise_kernel": (1, 1, n_in, width),
            }
        norms += [width] * 3
        before = width
    for number, width in enumerate(norms, 1):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        shapes[f"batch_normalization_{number}"] = dict.fromkeys(names, (width,))
    return shapes


def drawn_layers(path: Path) -> Layers:
    """Random weights, written as Keras writes them."""
    rng = np.random.default_rng(0)
    layers: Layers = {}
    with h5py.File(path, "w") as file:
        for layer, weights in keras_shapes().items():
            layers[layer] = {}
            for name, shape in weights.items():
                x = rng.normal(0, 1 / np.sqrt(np.prod(shape[:3])), shape)
                if name in ("gamma", "moving_variance"):
                    x = rng.uniform(0.5, 1.5, shape)
                layers[layer][name] = x.astype(np.float32)
                place = f"model_weights/{layer}/{layer}_1/{name}:0"
                file[place] = layers[layer][name]
    return layers


def keras_logits(layers: Layers, gray: np.ndarray) -> np.ndarray:
    """What Keras makes of a picture (64, 64), -1 to 1: seven logits.

    Written after Keras's documentation, channels last, in float64.
    """

    def same(x: np.ndarray, size: int, step: int, value: float) -> np.ndarray:
        pads = []
        for n in x.shape[:2]:
            total = max((-(-n // step) - 1) * step + size - n, 0)
            pads.append((total // 2, total - total // 2))
        return np.pad(x, (*pads, (0, 0)), constant_values=value)

    def patches(x: np.ndarray, size: int, step: int) -> np.ndarray:
        cut = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))
        return cut[::step, ::step]  # (rows, columns, channels, size, size)

    def norm(x: np.ndarray, number: int) -> np.ndarray:
        w = layers[f"batch_normalization_{number}"]
        root = np.sqrt(w["moving_variance"] + 1e-3)
        return (x - w["moving_mean"]) / root * w["gamma"] + w["beta"]

    def plain(x: np.ndarray, layer: str, step: int = 1) -> np.ndarray:
        kernel = layers[layer]["kernel"]
        return np.einsum("rcist,stio->rco", patches(x, len(kernel), step), kernel)

    def separable(x: np.ndarray, number: int) -> np.ndarray:
        w = layers[f"separable_conv2d_{number}"]
        x = patches(same(x, 3, 1, 0), 3, 1)
        x = np.einsum("rcist,sti->rci", x, w["depthwise_kernel"][..., 0])
        return x @ w["pointwise_kernel"][0, 0]

    x = gray[..., None].astype(np.float64)
    for number in (1, 2):
        x = np.maximum(norm(plain(x, f"conv2d_{number}"), number), 0)
    for step in range(4):
        first = 3 * step + 3
        beside = norm(plain(x, f"conv2d_{step + 3}", 2), first)
        x = np.maximum(norm(separable(x, 2 * step + 1), first + 1), 0)
        x = norm(separable(x, 2 * step + 2), first + 2)
        x = patches(same(x, 3, 2, -np.inf), 3, 2).max((3, 4)) + beside
    x = plain(same(x, 3, 1, 0), "conv2d_7")
    return x.mean((0, 1)) + layers["conv2d_7"]["bias"]


def drawn_picture(seed: int) -> np.ndarray:
    """(64, 64, 3) uint8: gray noise over a ramp."""
    ramp = np.linspace(40, 200, 64)[:, None] * np.ones(64)
    noisy = ramp + np.random.default_rng(seed).normal(0, 25, (64, 64))
    return np.repeat(noisy.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def logits_of(network: MiniXception, picture: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network.below_fusion(torch.from_numpy(picture)[None, None])[0, 0, 0]


def test_it_has_the_published_number_of_parameters() -> None:
    network = MiniXception()
    statistics = sum(
        x.numel() for name, x in network.named_buffers() if "running" in name
    )
    assert count(network) - count(network.head) + statistics == 58_423


def test_a_converted_file_computes_what_keras_does(tmp_path: Path) -> None:
    layers = drawn_layers(tmp_path / "drawn.hdf5")
    network = MiniXception().eval()
    head = {f"head.{name}": x for name, x in network.head.state_dict().items()}
    network.load_state_dict(converted(tmp_path / "drawn.hdf5") | head)
    for seed in range(2):
        picture = drawn_picture(seed)
        expected = keras_logits(layers, picture[..., 0] / 255.0 * 2 - 1)
        np.testing.assert_allclose(
            logits_of(network, picture), expected, rtol=1e-3, atol=1e-4
        )


# Seven logits of `drawn_picture` 0 and 1, by `keras_logits` from the published file.
PUBLISHED = (
    (1.8470, -4.6656, 0.4405, 3.1779, 2.2784, -0.0677, -1.0455),
    (2.1951, -3.3960, 0.7821, -0.0045, 2.7819, -0.4898, -0.2241),
)


def test_the_shipped_face_computes_what_the_published_one_does() -> None:
    face = checkpoint.load(asset(PEOPLE_MODEL)).model.by_modality["video"]
    assert isinstance(face, MiniXception)
    for seed, expected in enumerate(PUBLISHED):
        logits = logits_of(face, drawn_picture(seed))
        np.testing.assert_allclose(logits, expected, atol=2e-4)


@pytest.mark.parametrize("side", [61, 62])
def test_pictures_halve_as_keras_pads_them(side: int) -> None:
    x = torch.arange(side * side, dtype=torch.float32).reshape(1, 1, side, side)
    first = 1 if side % 2 else 2  # an odd side begins with padding
    assert _halved(x).shape[-1] == (side + 1) // 2
    assert int(_halved(x)[0, 0, 0, 0]) == first * side + first


def test_crops_of_another_side_are_scaled() -> None:
    network = MiniXception().eval()
    picture = np.full((56, 56, 3), 90, dtype=np.uint8)
    larger = np.full((64, 64, 3), 90, dtype=np.uint8)
    np.testing.assert_allclose(
        logits_of(network, picture), logits_of(network, larger), atol=1e-5
    )
