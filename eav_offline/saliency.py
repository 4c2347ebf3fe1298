"""Which electrodes the EEG encoder's decision hangs on."""

import numpy as np
import torch

from eav_offline.data.window_set import WindowSet
from eav_offline.models import Recogniser

MOST_WINDOWS = 256
BATCH = 16


def electrode_saliency(model: Recogniser, windows: WindowSet) -> np.ndarray | None:
    """Share of each electrode in the true class's EEG logit, (30,) float64, sum 1.

    |input x gradient|, summed over the window's time steps and averaged over windows:
    how much the logit would change, to first order, if the electrode were silent. At
    most 256 windows, spread evenly. None if the model has no EEG or no gradient, if no
    window has any, or if nothing the electrodes say reaches the logit.
    """
    encoder = model.by_modality.get("eeg")
    windows = windows.with_modality("eeg")
    if encoder is None or not encoder.differentiable or len(windows) == 0:
        return None
    n = min(MOST_WINDOWS, len(windows))
    chosen = np.linspace(0, len(windows) - 1, n).round().astype(np.int64)
    device = next(model.parameters()).device
    total = np.zeros(windows.array("eeg", chosen[:1]).shape[1])
    for start in range(0, n, BATCH):
        rows = chosen[start : start + BATCH]
        x = torch.from_numpy(windows.array("eeg", rows)).to(device)
        x = x.float().requires_grad_(True)
        truth = torch.from_numpy(windows.emotion[rows]).to(device)
        with torch.enable_grad():
            logit = encoder(x).gather(1, truth[:, None]).sum()
        (slope,) = torch.autograd.grad(logit, x)  # windows do not touch: eval mode
        total += (x * slope).detach().abs().sum((0, 2)).double().cpu().numpy()
    whole = total.sum()
    return total / whole if np.isfinite(whole) and whole > 0 else None
