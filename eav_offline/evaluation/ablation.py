"""What the exchange between modalities is worth: AMBT beside what would do without it.

The same test windows are decided by AMBT, by AMBT whose branches do not hear each
other, by the plain mean of the encoders' probabilities and by their calibrated mean.
The exchange matrix says how much each branch listens to each modality.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.metrics import nll, scaled
from eav_offline.evaluation.results import ExchangeEffect, FusionAblation, FusionScores
from eav_offline.evaluation.statistics import accuracy_interval
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import fuse_logits
from eav_offline.models.layers import KnownOnly

WAYS = ("ambt", "exchange_off", "mean", "calibrated")  # the order of tables and charts
_BATCH = 32


def mean_probabilities(
    chances: Mapping[str, np.ndarray], temperatures: Mapping[str, float] | None = None
) -> np.ndarray:
    """Mean over the modalities that are there, (n, 5) float32; NaN where none is.

    chances: by modality, (n, 5), NaN where absent. temperatures: by modality, under
    which each is taken first.
    """
    parts = np.stack(
        [
            chances[m] if temperatures is None else scaled(chances[m], temperatures[m])
            for m in MODALITIES
            if m in chances
        ]
    )
    there = ~np.isnan(parts[..., 0]).all(0)
    mean = np.full(parts.shape[1:], np.nan, np.float32)
    mean[there] = np.nanmean(parts[:, there], axis=0)
    return mean


@dataclass(frozen=True)
class BranchLogits:
    """Logits (n, 3, 5) of AMBT's branches in the order of `MODALITIES`.

    heard: as they are. deaf: each when it is the only modality there. swapped: by
    modality, when its states are those of another window. present: (n, 3) bool; of
    absent branches the logits mean nothing. partners: (n,) bool, whether the window
    and the one it swaps with have all that are fused. known: what the model can tell.
    """

    heard: Tensor
    deaf: Tensor
    swapped: dict[str, Tensor]
    present: Tensor
    partners: Tensor
    known: KnownOnly

    @classmethod
    @torch.inference_mode()
    def of(cls, model: EmotionModel, windows: WindowSet) -> "BranchLogits":
        """Compute them; the model must have AMBT and be in eval mode.

        Windows swap with those half a batch away, which are of other trials.
        """
        assert model.ambt is not None
        device = next(model.parameters()).device
        fused = [m in model.by_modality for m in MODALITIES]
        parts: list[list[Tensor]] = []
        for rows in np.array_split(
            np.arange(len(windows)), max(1, len(windows) // _BATCH)
        ):
            batch = windows.batch(rows, model.parts_read).to(device)
            states, present = model.states(batch), batch.present
            shift = len(rows) // 2
            alone = torch.eye(len(MODALITIES), dtype=torch.bool, device=device)
            deaf = [
                _branches(model, {m: states[m]}, alone[i].expand_as(present))[:, i]
                if m in states
                else torch.full((len(rows), 5), torch.nan)
                for i, m in enumerate(MODALITIES)
            ]
            swapped = [
                _branches(
                    model,
                    {k: x.roll(shift, 0) if k == m else x for k, x in states.items()},
                    present,
                )
                for m in model.by_modality
            ]
            whole = present[:, fused].all(1).cpu()
            partners = whole & whole.roll(shift) & (shift > 0)
            heard = _branches(model, states, present)
            parts.append(
                [heard, torch.stack(deaf, 1), *swapped, present.cpu(), partners]
            )
        heard, deaf_, *others, present, partners = (
            torch.cat(part) for part in zip(*parts, strict=True)
        )
        by_modality = dict(zip(model.by_modality, others, strict=True))
        known = KnownOnly(model.knows)  # on the CPU, as all of this
        return cls(heard, deaf_, by_modality, present, partners, known)

    def fused(self, logits: Tensor) -> np.ndarray:
        """Probabilities (n, 5) of the branches together, NaN where nothing is there."""
        branches = {m: logits[:, MODALITIES.index(m)] for m in self.swapped}
        return self.known(fuse_logits(branches, self.present)).softmax(1).numpy()

    def exchange_matrix(self) -> dict[str, dict[str, ExchangeEffect]]:
        """By the swapped modality and the branch that hears of it; see `Results`."""
        if not self.partners.any():
            return {}
        before = self.heard[self.partners]
        spread = before.std(0).mean(1).clamp_min(1e-9)  # (3,)
        matrix: dict[str, dict[str, ExchangeEffect]] = {}
        for m, logits in self.swapped.items():
            after = logits[self.partners]
            change = (after - before).square().mean((0, 2)).sqrt() / spread
            said, said_before = (self.known(x).argmax(2) for x in (after, before))
            turned = (said != said_before).float().mean(0)
            matrix[m] = {
                b: ExchangeEffect(logits=float(change[i]), decisions=float(turned[i]))
                for i, b in enumerate(MODALITIES)
                if b != m and b in self.swapped
            }
        return matrix


def ablate(
    model: EmotionModel,
    windows: WindowSet,
    alone: Mapping[str, np.ndarray],
    temperatures: Mapping[str, float],
    seed: int = 0,
) -> FusionAblation | None:
    """Compare AMBT with what it must beat; None of a model or windows without fusion.

    alone: by modality, each encoder's probabilities (n, 5), NaN where absent.
    temperatures: of validation windows, by modality; without, there is no calibrated
    mean. seed: of the bootstrap.
    """
    if model.ambt is None or not windows.present.any():
        return None
    branches = BranchLogits.of(model, windows)
    chances = {
        "ambt": branches.fused(branches.heard),
        "exchange_off": branches.fused(branches.deaf),
        "mean": mean_probabilities(alone),
    }
    if model.by_modality.keys() <= temperatures.keys():
        chances["calibrated"] = mean_probabilities(alone, temperatures)
    there = np.flatnonzero(windows.present.any(1))
    windows = windows.subset(there)
    truth = windows.emotion
    right = {way: p[there].argmax(1) == truth for way, p in chances.items()}
    ways, unit = {}, None
    for way, p in chances.items():
        gain = right["ambt"].astype(float) - right[way]
        interval, unit = accuracy_interval(gain, windows, seed)
        ways[way] = FusionScores(
            accuracy=float(right[way].mean()),
            nll=nll(truth, p[there]),
            ambt_gains=float(gain.mean()),
            interval=interval,
        )
    return FusionAblation(
        ways=ways,
        interval_unit=unit,
        exchange_matrix=branches.exchange_matrix(),
        sentence=sentence(ways),
    )


def sentence(ways: Mapping[str, FusionScores]) -> str:
    """What the comparison shows, in words for a report."""
    ambt, deaf, mean = (ways[way] for way in ("ambt", "exchange_off", "mean"))
    pair = f"{100 * ambt.accuracy:.1f} against {100 * deaf.accuracy:.1f} %"
    points = 100 * abs(deaf.ambt_gains)
    if deaf.interval is None:
        what = "How much the exchange adds cannot be said of so few people"
    elif deaf.interval[0] > 0:
        what = f"The exchange adds {points:.1f} points"
    elif deaf.interval[1] < 0:
        what = f"The exchange costs {points:.1f} points"
    else:
        what = "The exchange adds nothing here"
    return f"{what}: {pair}. The plain mean reaches {100 * mean.accuracy:.1f} %."


def _branches(
    model: EmotionModel, states: Mapping[str, Tensor], present: Tensor
) -> Tensor:
    """Logits (B, 3, 5) of AMBT's branches on the CPU; NaN of those without states."""
    assert model.ambt is not None
    branches = model.ambt(model.by_modality, states, present)
    nothing = torch.full((len(present), 5), torch.nan)
    return torch.stack(
        [branches[m].float().cpu() if m in branches else nothing for m in MODALITIES], 1
    )
