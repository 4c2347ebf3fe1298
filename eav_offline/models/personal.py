"""What a model knows of the people it was trained on, and what it learned of one more.

`Population` is what features look like over the training people. `Personal` is a layer
for one person: features are brought onto the population's, and small heads answer in
the place of the encoders' own. It comes after the encoders, so that whatever computes
them, also frame by frame, computes them as it does without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.core.labels import EMOTIONS, N_EMOTIONS, known_emotions
from eav_offline.models.ambt import Fusing

_KEPT, _VOICE, _FACE = "kept:", "voice:", "face:"  # beginnings of tensors' names
N_FACE, N_VOICE = 128, 192  # numbers that say whose a face is, and a voice
_LEAST_EIGENVALUE = 1e-2  # of the mean one: a mended electrode is a mixture of others


@dataclass(frozen=True)
class Spread:
    """Features of one modality over the training people.

    mean: (n,) of the people's means. spread: (n,) deviation of a person's windows.
    within: (5, 5) covariance of the base head's logits over windows of one person and
    one emotion, less their mean over emotions. variety: how much larger, on average
    over directions, it is over a person's windows of all emotions; 1 means that the
    logits do not depend on the emotion.
    """

    mean: Tensor
    spread: Tensor
    within: Tensor
    variety: Tensor


@dataclass(frozen=True)
class Population:
    """What the training people's windows look like to a model.

    by_modality: those that can be adapted. eeg_covariance: (30, 30) µV², the mean over
    people; None without EEG.
    """

    by_modality: Mapping[str, Spread]
    eeg_covariance: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name, for a checkpoint."""
        found = {
            f"{m}.{name}": tensor
            for m, spread in self.by_modality.items()
            for name, tensor in vars(spread).items()
        }
        if self.eeg_covariance is not None:
            found["eeg_covariance"] = self.eeg_covariance
        return found

    def shapes(self) -> dict[str, tuple[str, int]]:
        """By what a message calls it, a modality and how many features it has."""
        return {
            f"the population of {m}": (m, len(spread.mean))
            for m, spread in self.by_modality.items()
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Tensor]) -> "Population":
        """What `tensors` gave. Raises LookupError or TypeError if it is not that."""
        parts = _by_modality(tensors)
        return cls(
            {m: Spread(**of) for m, of in parts.items()}, tensors.get("eeg_covariance")
        )


@dataclass(frozen=True)
class PersonalHead:
    """Features (..., n) of a person -> logits (..., 5).

    scale, shift: (n,), bring the features onto the population's. weight: (5, n), bias:
    (5,) of the head on those; its logits are calibrated.
    """

    scale: Tensor
    shift: Tensor
    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        x = features * self.scale.to(features) + self.shift.to(features)
        return x @ self.weight.to(features).T + self.bias.to(features)


@dataclass(frozen=True)
class KeptClips:
    """Features of the clips that a layer was fitted to, already on the population's.

    They are kept so that another day adds to them. features: by modality (n, features).
    present: (n, modalities) bool. emotion, clip, session: (n,) int64; clips are
    numbered over all sessions. right: (n,) float32, whether the fused answer to the
    window's clip was right while the clip was left out.
    """

    features: Mapping[str, np.ndarray]
    present: np.ndarray
    emotion: np.ndarray
    clip: np.ndarray
    session: np.ndarray
    right: np.ndarray


@dataclass(frozen=True)
class OwnVoice:
    """What a person sounds like. days: (days, 192) float32, the mean of each day's.

    Biometric data: the numbers tell this person from others (`personal.voiceprint`).
    Raises ValueError if they are of another kind.
    """

    days: np.ndarray

    def __post_init__(self) -> None:
        _check_days("voice", self.days, N_VOICE)


@dataclass(frozen=True)
class OwnFace:
    """What a person's face is like. days: (days, 128) float32, the mean of each day's.

    Biometric data: the numbers tell this person from others (`personal.faceprint`).
    Raises ValueError if they are of another kind.
    """

    days: np.ndarray

    def __post_init__(self) -> None:
        _check_days("face", self.days, N_FACE)


def _check_days(what: str, days: np.ndarray, n: int) -> None:
    if days.ndim != 2 or days.shape[1] != n:
        raise ValueError(f"the person's {what} is {days.shape}, expected (days, {n})")


@dataclass(frozen=True)
class Personal:
    """A layer for one person.

    person: a code, "" if nobody said. heads: by modality; of the others the model's own
    count. alignment: (30, 30), multiplies the EEG (Euclidean alignment, He and Wu
    2020), or None. knows: emotions. told: of whom and of how much, in words. voice,
    face: what the person sounds and looks like; None without any.
    """

    person: str
    heads: Mapping[str, PersonalHead]
    knows: tuple[str, ...]
    alignment: Tensor | None = None
    told: str = ""
    kept: KeptClips | None = field(default=None, repr=False)
    voice: OwnVoice | None = field(default=None, repr=False)
    face: OwnFace | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "knows", known_emotions(self.knows))

    def logits(self, modality: str, features: Tensor) -> Tensor:
        """Features (..., n) of a modality in `heads` -> logits (..., 5)."""
        unknown = [0.0 if name in self.knows else -torch.inf for name in EMOTIONS]
        mask = torch.tensor(unknown, dtype=features.dtype, device=features.device)
        return self.heads[modality](features) + mask

    def fusing(self, own: Fusing) -> Fusing:
        """How the answers are fused: the mean of what is calibrated.

        own: the model's way, whose temperatures those without a personal head keep.
        """
        if own.how == "mean" or not own.temperatures:
            return Fusing("mean", {}, self.told)
        others = {m: t for m, t in own.temperatures.items() if m not in self.heads}
        others |= dict.fromkeys(self.heads, 1.0)
        return Fusing("calibrated", others, self.told)

    def aligned(self, eeg_uv: Tensor) -> Tensor:
        """EEG (..., 30, samples) brought onto the population's covariance."""
        if self.alignment is None:
            return eeg_uv
        return self.alignment.to(eeg_uv) @ eeg_uv

    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a checkpoint."""
        found = {
            f"{m}.{name}": tensor
            for m, head in self.heads.items()
            for name, tensor in vars(head).items()
        }
        if self.alignment is not None:
            found["alignment"] = self.alignment
        for start, own in ((_VOICE, self.voice), (_FACE, self.face)):
            arrays = {} if own is None else vars(own)
            found |= {f"{start}{n}": torch.from_numpy(x) for n, x in arrays.items()}
        if self.kept is not None:
            kept = vars(self.kept) | {"features": None}
            arrays = {name: x for name, x in kept.items() if x is not None}
            arrays |= {f"features.{m}": x for m, x in self.kept.features.items()}
            found |= {f"{_KEPT}{n}": torch.from_numpy(x) for n, x in arrays.items()}
        return found

    def shapes(self) -> dict[str, tuple[str, int]]:
        """By what a message calls it, a modality and how many features it has."""
        return {
            f"the personal head of {m}": (m, head.weight.shape[1])
            for m, head in self.heads.items()
        }

    def as_json(self) -> dict[str, object]:
        """What is no number."""
        return {"person": self.person, "knows": list(self.knows), "told": self.told}

    @classmethod
    def of(
        cls, about: Mapping[str, object], tensors: Mapping[str, Tensor]
    ) -> "Personal":
        """What `as_json` and `tensors` gave; raises as `Population.of_tensors`."""
        kept, voice, face = (
            {
                name.removeprefix(start): tensor.cpu().numpy()
                for name, tensor in tensors.items()
                if name.startswith(start)
            }
            for start in (_KEPT, _VOICE, _FACE)
        )
        others = {n: x for n, x in tensors.items() if ":" not in n}
        return cls(
            str(about["person"]),
            {m: PersonalHead(**of) for m, of in _by_modality(others).items()},
            tuple(about["knows"]),  # type: ignore[arg-type]
            others.get("alignment"),
            str(about["told"]),
            _kept_clips(kept) if kept else None,
            # Earlier versions kept something else of a voice: nobody knows it then.
            OwnVoice(**voice) if "days" in voice else None,
            OwnFace(**face) if face else None,
        )


def _kept_clips(arrays: Mapping[str, np.ndarray]) -> KeptClips:
    start = "features."
    features = {
        name.removeprefix(start): x for name, x in arrays.items() if start in name
    }
    return KeptClips(features, **{n: x for n, x in arrays.items() if start not in n})


def _by_modality(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        modality, dot, rest = name.partition(".")
        if dot:
            found.setdefault(modality, {})[rest] = tensor
    return found


def n_inputs(head: nn.Module) -> int | None:
    """How many features a head reads, None if it is not linear in them."""
    layers = [part for part in head.children() if not isinstance(part, nn.Dropout)]
    if len(layers) != 1 or not hasattr(layers[0], "weight"):
        return None
    weight = layers[0].weight
    return int(weight.shape[1]) if isinstance(weight, Tensor) else None


@torch.no_grad()
def affine_head(head: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight (5, n) and bias (5,) float32 of a head that is linear in its features."""
    n_features = n_inputs(head)
    assert n_features is not None
    device = next(head.parameters()).device
    bias = head(torch.zeros(1, n_features, device=device))[0]
    weight = (head(torch.eye(n_features, device=device)) - bias).T
    assert weight.shape == (N_EMOTIONS, n_features)
    return weight.cpu().contiguous(), bias.cpu()


def standardizing(
    spread: Spread, mean: np.ndarray, deviation: np.ndarray
) -> tuple[Tensor, Tensor]:
    """Scale and shift (n,) that bring a person's features onto the population's.

    mean, deviation: (n,) of the person's features.
    """
    scale = spread.spread.cpu().numpy() / deviation
    shift = spread.mean.cpu().numpy() - scale * mean
    return _tensor(scale), _tensor(shift)


def covariance(eeg_uv: np.ndarray) -> np.ndarray:
    """(30, 30) float64 µV², of windows (n, 30, samples) float32."""
    x = np.asarray(eeg_uv, dtype=np.float64)
    return np.einsum("nct,ndt->cd", x, x) / (x.shape[0] * x.shape[2])


def aligning(population: Population, person: np.ndarray) -> Tensor:
    """The matrix (30, 30) that brings a person's EEG onto the population's covariance.

    person: (30, 30) µV², its own (`covariance`). He and Wu (2020) whiten everybody's;
    here what is whitened gets the training people's mean covariance again, so that a
    model that was trained on plain EEG reads it.
    """
    assert population.eeg_covariance is not None
    wanted = population.eeg_covariance.cpu().numpy().astype(np.float64)
    return _tensor(_power(wanted, 0.5) @ _power(person, -0.5))


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values = np.maximum(values, _LEAST_EIGENVALUE * max(values.mean(), 1e-12))
    return (vectors * values**exponent) @ vectors.T


def _tensor(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
