"""What a model's heads read of windows, and what that looks like over many people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.window import N_FRAMES
from eav_offline.data.window_set import WindowSet
from eav_offline.models import Batch, EmotionModel, collate
from eav_offline.models.personal import Population, Spread, affine_head, covariance
from eav_offline.personal.adaptation import centered, variety
from eav_offline.preprocess import Inputs

WINDOWS_OF_A_PERSON = 200  # more move no statistic
_BATCH = 16
_LEAST_DEVIATION = 1e-4
_LEAST_WINDOWS = 2  # of a person and an emotion, for a spread


@dataclass(frozen=True)
class Features:
    """What heads read of windows.

    by_modality: (n, features) float32; rows in which `present`, (n, 3) bool in the
    order of `MODALITIES`, is False mean nothing. eeg_covariance: (30, 30) µV² of all
    windows that have EEG, before any alignment; None if none has.
    """

    by_modality: dict[str, np.ndarray]
    present: np.ndarray
    eeg_covariance: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.present)

    def has(self, modality: str, row: int) -> bool:
        """Whether a window has a modality."""
        return bool(self.present[row, MODALITIES.index(modality)])

    def rows(self, modality: str) -> np.ndarray:
        """Indices of the windows that have a modality."""
        if modality not in self.by_modality:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.present[:, MODALITIES.index(modality)])


@torch.inference_mode()
def read_features(
    model: EmotionModel, windows: WindowSet | Sequence[Inputs]
) -> Features:
    """Features of every window, by whatever personal alignment the model has.

    The model must be in eval mode. Raises ValueError if there is no window.
    """
    if len(windows) == 0:
        raise ValueError("there are no windows to read; give one or more")
    device = next(model.parameters()).device
    parts: dict[str, list[np.ndarray]] = {}
    here, covariances = [], []
    size = _batch_size(model)
    for start in range(0, len(windows), size):
        rows = np.arange(start, min(start + size, len(windows)))
        batch = _batch(model, windows, rows)
        here.append(batch.present.numpy())
        if "eeg" in batch.parts:
            eeg = batch.parts["eeg"].numpy()[batch.present[:, 0].numpy()]
            covariances.append((len(eeg), covariance(eeg)))
        batch = batch.to(device)
        found = model.features(model.states(batch))
        for m, x in found.items():
            before = parts.setdefault(m, [])
            missing = start - sum(map(len, before))
            if missing:  # windows before the first that has it
                before.append(np.zeros((missing, x.shape[1]), dtype=np.float32))
            before.append(x.float().cpu().numpy())
    n = sum(map(len, here))
    return Features(
        {m: _filled(p, n) for m, p in parts.items()},
        np.concatenate(here),
        _mean(covariances),
    )


def population_of(model: EmotionModel, windows: WindowSet) -> Population | None:
    """What labeled windows of the training people look like.

    Of each person the same number of windows at most. None if no head of the model can
    be adapted.
    """
    if not model.heads():
        return None
    chosen = np.concatenate(
        [_spread_out(np.flatnonzero(windows.subject == one)) for one in people(windows)]
    )
    windows = windows.subset(np.sort(chosen))
    features = read_features(model, windows)
    return Population(
        {
            m: spread
            for m in model.heads()
            if (spread := _spread(model, m, features, windows.subject, windows.emotion))
        },
        _eeg_covariance(model, windows),
    )


def people(windows: WindowSet) -> np.ndarray:
    """Numbers of the people that windows are of."""
    return np.unique(windows.subject)


def _spread(
    model: EmotionModel,
    modality: str,
    features: Features,
    person: np.ndarray,
    emotion: np.ndarray,
) -> Spread | None:
    rows = features.rows(modality)
    if len(rows) < _LEAST_WINDOWS:
        return None
    x = features.by_modality[modality][rows]
    weight, bias = affine_head(model.heads()[modality])
    knows = model.known.knows
    return spread_of(x, person[rows], emotion[rows], weight, bias, knows)


def spread_of(
    x: np.ndarray,
    person: np.ndarray,
    emotion: np.ndarray,
    weight: torch.Tensor,
    bias: torch.Tensor,
    knows: Sequence[str],
) -> Spread:
    """The `Spread` of features (n, features) of labeled people, each counting alike."""
    x = x.astype(np.float64)
    logits = centered(x @ weight.numpy().T + bias.numpy(), knows)
    alike = person * len(EMOTIONS) + emotion
    means = np.stack([x[person == one].mean(0) for one in np.unique(person)])
    variances = np.stack([x[person == one].var(0) for one in np.unique(person)])
    within = _covariance_within(logits, alike)
    deviation = np.sqrt(variances.mean(0))
    whole = _covariance_within(logits, person)
    return Spread(
        torch.from_numpy(means.mean(0)).float(),
        torch.from_numpy(np.maximum(deviation, _LEAST_DEVIATION)).float(),
        torch.from_numpy(within).float(),
        torch.tensor(variety(whole, within)).float(),
    )


def _covariance_within(x: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Covariance (k, k) of rows (n, k) around the means of their groups."""
    rest, n_means = np.zeros_like(x), 0
    for group in np.unique(groups):
        rows = groups == group
        if rows.sum() >= _LEAST_WINDOWS:
            rest[rows] = x[rows] - x[rows].mean(0)
            n_means += 1
    counted = int(np.isin(groups, _large(groups)).sum())
    return rest.T @ rest / max(counted - n_means, 1)


def _large(groups: np.ndarray) -> np.ndarray:
    names, counts = np.unique(groups, return_counts=True)
    return names[counts >= _LEAST_WINDOWS]


def _eeg_covariance(model: EmotionModel, windows: WindowSet) -> torch.Tensor | None:
    """The mean over people, whose amplitudes differ: each scaled to the same trace."""
    if "eeg" not in model.parts_read:
        return None
    windows = windows.with_modality("eeg")
    found = []
    for one in people(windows):
        mine = windows.subset(windows.subject == one)
        found.append(covariance(mine.array("eeg", np.arange(len(mine)))))
    return torch.from_numpy(np.mean(found, axis=0)).float() if found else None


def _spread_out(rows: np.ndarray) -> np.ndarray:
    n = min(len(rows), WINDOWS_OF_A_PERSON)
    return rows[np.linspace(0, len(rows) - 1, n).round().astype(np.int64)]


def _batch(
    model: EmotionModel, windows: WindowSet | Sequence[Inputs], rows: np.ndarray
) -> Batch:
    if isinstance(windows, WindowSet):
        return windows.batch(rows, model.parts_read)
    return collate([windows[i] for i in rows])


def _batch_size(model: EmotionModel) -> int:
    video = model.by_modality.get("video")
    tokens = 1 if video is None else N_FRAMES * video.n_tokens
    return max(1, min(_BATCH, 20_000 // int(tokens)))


def _filled(parts: list[np.ndarray], n: int) -> np.ndarray:
    whole = np.zeros((n, parts[0].shape[1]), dtype=np.float32)
    joined = np.concatenate(parts)
    whole[: len(joined)] = joined
    return whole


def _mean(covariances: list[tuple[int, np.ndarray]]) -> np.ndarray | None:
    counted = [(n, c) for n, c in covariances if n]
    if not counted:
        return None
    weights = [n for n, _ in counted]
    return np.average([c for _, c in counted], axis=0, weights=weights)
