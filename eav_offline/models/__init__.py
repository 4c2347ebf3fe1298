"""The recognizer: encoders and AMBT in one module; windows in, probabilities out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.common.plugins import MODELS, load_offered, not_fit
from eav_offline.config import BaselineConfig, ModelConfig
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.model_names import EXPERTS, FEATURES, NETWORKS
from eav_offline.models.ambt import Ambt, Fusing, fuse_logits
from eav_offline.models.baselines.classifiers import feature_encoder
from eav_offline.models.baselines.networks import BUILD
from eav_offline.models.encoders import AudioEncoder, EegEncoder, VideoEncoder
from eav_offline.models.layers import Encoder, KnownOnly
from eav_offline.models.mini_xception import MiniXception
from eav_offline.models.personal import Personal, n_inputs
from eav_offline.models.published import published_encoder
from eav_offline.preprocess import OF_SOUND, Inputs


@dataclass(frozen=True)
class Batch:
    """What the models read, stacked over windows.

    parts: by modality, without those that no window of the batch has; eeg (B, 30, 500)
    float32 µV, audio (B, 498, 128) float32 log-mel, video (B, frames, side, side, 3)
    uint8. For models that read them, `SOUND_FEATURES` (B, 180) and `WAVE` (B, 80000),
    float32. present: (B, 3) bool in the order of `MODALITIES`; a row's content counts
    only where it is True.
    """

    parts: dict[str, Tensor]
    present: Tensor

    def to(self, device: str | torch.device) -> "Batch":
        """The same on another device."""
        return Batch(
            {m: x.to(device) for m, x in self.parts.items()}, self.present.to(device)
        )


@dataclass(frozen=True)
class Probabilities:
    """Over `EMOTIONS`, float32; rows are NaN where a modality is absent.

    fused: (n, 5) of all modalities present. by_modality: of each alone, (n, 5).
    Those that the model does not know have 0, and NaN from `eav_offline.predict`.
    """

    fused: np.ndarray
    by_modality: dict[str, np.ndarray]


class EmotionModel(nn.Module):
    """One, two or three encoders and, once trained, AMBT over two or three.

    Two steps make it cheap to slide: `states` is everything below fusion, and
    `alone` and `fused` are what is left to do with them. A baseline stands in the place
    of its modality's encoder. `fusing` may be replaced; it holds no weights. So may
    `personal`, a layer for one person, which fuses by a mean.

    knows: the emotions it can tell, two or more of `EMOTIONS`. Logits of the others are
    minus infinity in all that `alone` and `fused` return.
    """

    # Whether its own encoders decide: then it knows subsets of them, and how much hangs
    # on each electrode.
    decides_alone = True
    outputs: tuple[str, ...] = ()  # of each of `recognizers`
    personal: Personal | None = None

    def __init__(
        self,
        config: ModelConfig,
        modalities: Sequence[str],
        fusion: bool,
        baseline: BaselineConfig | None = None,
        knows: Collection[str] = EMOTIONS,
    ) -> None:
        super().__init__()
        if fusion and len(set(modalities)) < 2:
            raise ValueError(
                f"AMBT fuses two or three of {', '.join(MODALITIES)}; only "
                f"{', '.join(modalities)} given: train another first"
            )
        layers = config.fusion.layers
        build: dict[str, Callable[[], Encoder]] = {
            "eeg": lambda: EegEncoder(config.eeg, layers),
            "audio": lambda: AudioEncoder(config.audio, layers),
            "video": lambda: VideoEncoder(config.video, layers),
        }
        if baseline is not None:
            build[baseline.modality] = lambda: _baseline(baseline, config)
        self.encoders = nn.ModuleDict(
            {m: build[m]() for m in MODALITIES if m in modalities}
        )
        self.ambt = Ambt(config.fusion, self.by_modality) if fusion else None
        self.known = KnownOnly(knows)
        self.fusing = Fusing("ambt" if fusion else "mean")

    @property
    def recognizers(self) -> "tuple[EmotionModel, ...]":
        """Those that it is the average of, each by one of `outputs`; none."""
        return ()

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions it can tell, in the order of `EMOTIONS`."""
        return self.known.knows if self.personal is None else self.personal.knows

    @property
    def by_modality(self) -> dict[str, Encoder]:
        """The encoders by modality, in the order of `MODALITIES`."""
        return {m: self.encoders[m] for m in MODALITIES if m in self.encoders}  # type: ignore[misc]

    @property
    def parts_read(self) -> tuple[str, ...]:
        """Names of the parts of a batch that the encoders read."""
        return tuple(e.part(m) for m, e in self.by_modality.items())

    def states(self, batch: Batch) -> dict[str, Tensor]:
        """States below fusion, (B, frames, tokens, dim), of the modalities there.

        Raises ValueError if there is sound without the features that are read of it.
        """
        batch, states = self.aligned(batch), {}
        for i, (m, encoder) in enumerate(
            (m, self.by_modality.get(m)) for m in MODALITIES
        ):
            if encoder is None:
                continue
            part = encoder.part(m)
            if part not in batch.parts:
                if m in batch.parts:
                    raise ValueError(
                        f"the batch has {m} without the {part} that the model reads; "
                        "ask for its `parts_read`"
                    )
                continue
            x = batch.parts[part]
            here = batch.present[:, i]
            if not bool(here.any()):
                continue
            # Whatever stands in an absent row, NaN included, must not spread.
            here = here.reshape(-1, *[1] * (x.ndim - 1))
            states[m] = encoder.below_fusion(torch.where(here, x, torch.zeros_like(x)))
        return states

    def aligned(self, batch: Batch) -> Batch:
        """The batch with its EEG as the personal layer wants it."""
        if self.personal is None or "eeg" not in batch.parts:
            return batch
        eeg = self.personal.aligned(batch.parts["eeg"])
        return replace(batch, parts={**batch.parts, "eeg": eeg})

    def heads(self) -> dict[str, nn.Module]:
        """By modality, what makes logits of `features`: all that can be adapted."""
        found = {m: encoder.head for m, encoder in self.by_modality.items()}
        return {m: head for m, head in found.items() if n_inputs(head) is not None}

    def features(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the heads read, (B, n_features), averaged over a window's frames."""
        encoders = self.by_modality
        return {m: encoders[m].frame_features(x).mean(1) for m, x in states.items()}

    def alone(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits (B, 5) of each modality that knows nothing of the others."""
        if self.personal is None:
            return self._own(states)
        mine = self.personal.heads
        others = {m: x for m, x in states.items() if m not in mine}
        read = {m: x for m, x in states.items() if m in mine}
        told = {m: self.personal.logits(m, x) for m, x in self.features(read).items()}
        return {**self._own(others), **told}

    def _own(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        encoders = self.by_modality
        return {m: self.known(encoders[m].from_states(x)) for m, x in states.items()}

    def fused(
        self,
        states: Mapping[str, Tensor],
        present: Tensor,
        alone: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Fused logits (B, 5) and those of each branch.

        present: (B, 3) bool. `fusing` says how; but for AMBT they are made of the
        `alone` ones, which are computed if not given.
        """
        if not states:
            return torch.full((len(present), N_EMOTIONS), torch.nan), {}
        exchange = self.fusing.how == "ambt" and self.personal is None
        if self.ambt is not None and exchange:
            branches = self.ambt(self.by_modality, states, present)
            return self.known(fuse_logits(branches, present)), branches
        branches = dict(alone) if alone is not None else self.alone(states)
        fusing = self.fusing
        if self.personal is not None:
            fusing = self.personal.fusing(fusing)
        return fusing.average(branches, present), branches


def _baseline(baseline: BaselineConfig, config: ModelConfig) -> Encoder:
    if baseline.published is not None:
        return published_encoder(baseline.modality, baseline.published)
    if baseline.name in EXPERTS:
        return MiniXception()
    if baseline.name in NETWORKS:
        return BUILD[baseline.name]()
    if baseline.name not in FEATURES:
        return _offered_encoder(baseline.name)
    return feature_encoder(baseline.name, config.video, config.fusion.layers)


def _offered_encoder(name: str) -> Encoder:
    """A new encoder of the kind that a package offers. Raises PluginError."""
    made = load_offered(MODELS, name)()
    if not isinstance(made, Encoder):
        raise not_fit(MODELS, name, "Encoder, such as a PlainEncoder")
    return made


def collate(inputs: Sequence[Inputs]) -> Batch:
    """Stack windows; a modality that some lack is zero there and marked absent.

    Raises ValueError if only some of the sounds have their features, or their wave.
    """
    columns = {
        "eeg": [one.eeg for one in inputs],
        "audio": [one.log_mel for one in inputs],
        "video": [one.faces for one in inputs],
    }
    present = [[part is not None for part in columns[m]] for m in MODALITIES]
    for name in OF_SOUND:
        if any(getattr(one, name) is not None for one in inputs):
            columns[name] = [one.part(name) for one in inputs]
    parts = {}
    for m in columns:
        there = next((part for part in columns[m] if part is not None), None)
        if there is not None:
            empty = np.zeros_like(there)
            rows = [empty if part is None else part for part in columns[m]]
            parts[m] = torch.from_numpy(np.stack(rows))
    return Batch(parts, torch.tensor(present).T)


@torch.inference_mode()
def read_out(
    model: EmotionModel, states: Mapping[str, Tensor], present: Tensor
) -> Probabilities:
    """Probabilities from states below fusion, (B, frames, tokens, dim) by modality.

    present: (B, 3) bool in the order of `MODALITIES`. The model must be in eval mode.
    """
    alone = model.alone(states)
    fused, _ = model.fused(states, present, alone)
    nothing = np.full((len(present), N_EMOTIONS), np.nan, dtype=np.float32)
    by_modality = {m: nothing.copy() for m in MODALITIES}
    for i, m in enumerate(MODALITIES):
        if m in alone:
            chances = alone[m].softmax(1).masked_fill(~present[:, i, None], torch.nan)
            by_modality[m] = chances.float().cpu().numpy()
    return Probabilities(fused.softmax(1).float().cpu().numpy(), by_modality)


@torch.inference_mode()
def predict(model: EmotionModel, inputs: Sequence[Inputs]) -> Probabilities:
    """What the model says of prepared windows, any modalities of which may be absent.

    The model must be in eval mode. Returns rows in the order of `inputs`; fused is
    NaN where no modality that the model knows is present.
    """
    batch = collate(inputs).to(next(model.parameters()).device)
    return read_out(model, model.states(batch), batch.present)
