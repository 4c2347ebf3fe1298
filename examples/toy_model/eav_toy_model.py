"""An EEG model of one's own: the log power of each electrode behind learned filters.

eav-offline train toy-filters --data cache --out runs/toy
eav-live --eeg-stream BrainAmp --audio none --video none --model runs/toy
"""

from torch import Tensor, nn

from eav_offline.models.baselines.networks import ScaledEegEncoder
from eav_offline.models.layers import make_head


class ToyFilters(ScaledEegEncoder):
    """Eight filters of a quarter of a second, shared by the 30 electrodes."""

    modality = "eeg"  # whose transformer it stands in for
    training = {"epochs": 20, "batch": 32}  # else as the configuration trains that
    n_features = 8 * 30

    def __init__(self) -> None:
        super().__init__()
        self.dim = self.n_features
        self.filters = nn.Conv2d(1, 8, (1, 25), bias=False)
        self.norm = nn.BatchNorm1d(self.n_features)
        self.head = make_head(self.n_features, dropout=0.5)

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 30, 500) µV at 100 Hz -> (B, 1, 1, 240): frames, tokens, features."""
        power = self.filters(self.scaled(x)).square().mean(3)  # (B, 8, 30)
        return self.norm(power.clamp_min(1e-6).log().flatten(1))[:, None, None]
