"""What the audio encoder's options change."""

import torch

from eav_offline.config import AudioConfig
from eav_offline.models.encoders import AudioEncoder


def encoder(**keys: object) -> AudioEncoder:
    small = {
        "dim": 16,
        "heads": 2,
        "layers_before": 1,
        "patch": [128, 83],
        "stride": [128, 83],
        "dropout": 0.0,
        "head_dropout": 0.0,
    }
    torch.manual_seed(0)
    return AudioEncoder(AudioConfig.model_validate({**small, **keys}), 2)


def test_statistics_are_the_mean_and_the_deviation_of_the_patches() -> None:
    one = encoder(pool="statistics").eval()
    tokens = torch.randn(3, 7, 16)
    patches = one.norm(tokens)[:, 1:]
    features = one.features(tokens)
    assert features.shape == (3, one.n_features) == (3, 32)
    expected = torch.cat([patches.mean(1), patches.std(1)], dim=1)
    torch.testing.assert_close(features, expected, atol=1e-3, rtol=1e-3)


def test_a_steady_sound_has_statistics_with_finite_slopes() -> None:
    one = encoder(pool="statistics", layers_before=0).train()
    one.positions.data.zero_()
    x = torch.full((2, 498, 128), -6.0, requires_grad=True)
    torch.nn.init.normal_(one.head[1].weight)
    one(x).square().sum().backward()
    assert torch.isfinite(x.grad).all()


def test_bands_are_scaled_apart() -> None:
    one = encoder(normalization="band")
    assert one.scale_axes == (0, 1)
    level = torch.linspace(-15, 0, 128)
    one.fit_scale(level, torch.linspace(0, 4, 128))
    seen: list[torch.Tensor] = []
    one.patches.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    one.below_fusion(level.expand(2, 498, 128))
    assert seen[0].abs().max() < 1e-6


def test_a_band_that_never_changes_does_not_blow_up() -> None:
    one = encoder(normalization="band")
    one.fit_scale(torch.full((128,), -15.9), torch.zeros(128))
    assert torch.isfinite(one(torch.full((2, 498, 128), -12.0))).all()


def test_the_stem_is_linear_unless_asked_otherwise() -> None:
    x = torch.randn(2, 498, 128)
    plain, bent = encoder(), encoder(stem="gelu")
    bent.load_state_dict(plain.state_dict())
    assert not torch.allclose(plain.below_fusion(x), bent.below_fusion(x))


def test_gabor_filters_lie_over_the_whole_mel_axis() -> None:
    one = encoder(filters="gabor", dim=64, heads=4, patch=[128, 8], stride=[128, 8])
    taps = one.patches.weight.detach()[:, 0]
    torch.testing.assert_close(taps.square().sum((1, 2)), torch.full((64,), 0.25))
    energy = taps.square().sum(2)
    center = (energy * torch.arange(128)).sum(1) / energy.sum(1)
    assert torch.histc(center, 8, 0, 127).min() >= 4
    steady = (taps.std(2) < 1e-6).all(1)
    assert 0.25 < steady.float().mean() < 0.75


def test_gabor_filters_differ_with_the_seed() -> None:
    torch.manual_seed(1)
    config = AudioConfig(
        dim=16,
        heads=2,
        layers_before=1,
        patch=(128, 8),
        stride=(128, 8),
        filters="gabor",
    )
    first, second = (AudioEncoder(config, 2).patches.weight for _ in range(2))
    assert not torch.equal(first, second)
