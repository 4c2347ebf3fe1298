"""The joint space: EEG and sound-with-face vectors side by side, classes together.

The encoders stay as they are. Each side's vectors are centered, scaled and reduced to
their principal components, then mapped linearly into one space and put on the sphere.
Linear maps keep the arrangement of classes: a class that lies between others in EEG
lies between them in the joint space, though no EEG of it was learned from.

No EEG of a held-out class comes to training: scaling statistics, the encoder, the joint
space and its classifier all read EEG from `GuardedWindows`, or check the classes of EEG
vectors they are given with `Guard.check`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.models import EmotionModel
from eav_offline.training.loop import EVALUATION_BATCH, split

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

_LEAST_DEVIATION = 1e-3  # a feature that never changes stays near zero


@dataclass(frozen=True)
class SpaceSettings:
    """How the joint space is learned.

    components: of each side, at most. dim: of the joint space. temperature: of the
    contrast, 0.07 as published. pull: weight of the squared distance of EEG vectors to
    their class's centroid of sound and face.
    """

    components: int = 20
    dim: int = 32
    steps: int = 150
    batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    temperature: float = 0.07
    pull: float = 1.0


class Side(nn.Module):
    """One side's vectors -> the joint space, (n, features) -> (n, dim)."""

    mean: Tensor
    deviation: Tensor
    basis: Tensor

    def __init__(self, training: Tensor, components: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", training.mean(0))
        deviation = training.std(0).clamp_min(_LEAST_DEVIATION)
        self.register_buffer("deviation", deviation)
        scaled = (training - self.mean) / deviation
        _, size, axes = torch.linalg.svd(scaled, full_matrices=False)
        kept = min(components, int((size > size[0] * 1e-4).sum()))
        # One scale for all: the first component has a deviation of 1, and later ones
        # are as much smaller as they are in the data.
        first = size[0] / len(training) ** 0.5
        self.register_buffer("basis", axes[:kept].T / first)
        self.map = nn.Linear(kept, dim)

    def components(self, x: Tensor) -> Tensor:
        """Principal components of the scaled vectors, (n, kept)."""
        reduced: Tensor = ((x - self.mean) / self.deviation) @ self.basis
        return reduced

    def forward(self, x: Tensor) -> Tensor:
        mapped: Tensor = self.map(self.components(x))
        return mapped


@dataclass(frozen=True)
class Vectors:
    """values: (n, features) float32, emotion: (n,) int64, trial: (n,) keys."""

    values: Tensor
    emotion: np.ndarray
    trial: np.ndarray

    def __len__(self) -> int:
        return len(self.emotion)

    def of(self, classes: Sequence[int]) -> "Vectors":
        """Those of some classes."""
        return self.subset(np.isin(self.emotion, list(classes)))

    def subset(self, keep: np.ndarray) -> "Vectors":
        """Those of a mask (n,)."""
        rows = np.flatnonzero(keep)
        return Vectors(self.values[rows], self.emotion[rows], self.trial[rows])


class JointSpace(nn.Module):
    """Both sides; sizes come from the vectors they are fitted to."""

    def __init__(self, eeg: Tensor, av: Tensor, settings: SpaceSettings) -> None:
        super().__init__()
        self.eeg = Side(eeg, settings.components, settings.dim)
        self.av = Side(av, settings.components, settings.dim)

    @torch.no_grad()
    def place(self, side: str, vectors: Vectors) -> Tensor:
        """(n, dim) on the unit sphere. side: "eeg" or "av"."""
        self.eval()
        mapped = {"eeg": self.eeg, "av": self.av}[side](vectors.values)
        return F.normalize(mapped, dim=1)


def contrast(
    anchors: Tensor, others: Tensor, same: Tensor, temperature: float
) -> Tensor:
    """Supervised contrastive loss from one side to the other (Khosla et al. 2020).

    anchors (n, dim), others (m, dim), both on the sphere. same: (n, m) bool, of one
    class. All pairs of a class attract each other, so none of them is a negative.
    Anchors without a partner say nothing.
    """
    log_share = F.log_softmax(anchors @ others.T / temperature, dim=1)
    has = same.any(1)
    mean = (log_share * same).sum(1)[has] / same.sum(1)[has]
    return -mean.mean()


@dataclass(frozen=True)
class Guard:
    """Classes of which no EEG may be learned from; empty: nothing is held out."""

    unseen: frozenset[int]

    def check(self, emotion: np.ndarray, stage: str) -> None:
        """Raise UnseenClassLeak if EEG of these classes may not be learned from.

        emotion: (n,) int. stage: who wants to learn, for the message.
        """
        # No `assert` statement: python -O must not open the door.
        leaked = sorted(self.unseen & {int(e) for e in np.unique(emotion)})
        if leaked:
            names = ", ".join(EMOTIONS[e] for e in leaked)
            n = int(np.isin(emotion, leaked).sum())
            raise UnseenClassLeak(
                f"{stage}: {n} EEG windows of {names}, which EEG training must not "
                "see; leave them out with seen_only()"
            )


def fit_space(
    eeg: Vectors, av: Vectors, guard: Guard, settings: SpaceSettings, seed: int
) -> JointSpace:
    """Learn the joint space from training vectors.

    eeg: must pass the guard. av: may hold classes that `eeg` lacks; they are then
    negatives only. The same vectors, settings and seed give the same space.
    """
    guard.check(eeg.emotion, "scaling EEG for the joint space")
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        space = JointSpace(eeg.values, av.values, settings)
    optimizer = torch.optim.AdamW(
        space.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    # The reduction has nothing to learn, so it is done once.
    with torch.no_grad():
        eeg_in, av_in = space.eeg.components(eeg.values), space.av.components(av.values)
    eeg_class, av_class = torch.from_numpy(eeg.emotion), torch.from_numpy(av.emotion)
    one_hot = F.one_hot(av_class, N_EMOTIONS).float()
    space.train()
    for _ in range(settings.steps):
        rows = torch.randperm(len(eeg), generator=random)[: settings.batch]
        partners = torch.randperm(len(av), generator=random)[: settings.batch]
        truth = eeg_class[rows]
        guard.check(truth.numpy(), "aligning EEG in the joint space")
        ours, theirs = space.eeg.map(eeg_in[rows]), space.av.map(av_in[partners])
        same = truth[:, None] == av_class[partners]
        one, other = F.normalize(ours, dim=1), F.normalize(theirs, dim=1)
        loss = 0.5 * (
            contrast(one, other, same, settings.temperature)
            + contrast(other, one, same.T, settings.temperature)
        )
        if settings.pull:
            here = one_hot[partners]
            center = (here.T @ theirs) / here.sum(0).clamp_min(1)[:, None]
            there = (here.sum(0) > 0)[truth]
            # Only EEG moves: sound and face would otherwise shrink to meet it.
            apart = (ours - center[truth].detach())[there].square().sum(1)
            loss = loss + settings.pull * apart.sum() / len(rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    space.eval()
    return space


def av_centroids(space: JointSpace, av: Vectors) -> Tensor:
    """(5, dim) on the sphere: each class's mean over training sounds and faces.

    Computed once, when the space is finished. NaN for a class that is not there.
    """
    placed = space.place("av", av)
    means = [placed[np.flatnonzero(av.emotion == c)].mean(0) for c in range(N_EMOTIONS)]
    return F.normalize(torch.stack(means), dim=1)


def fit_classifier(
    space: JointSpace, eeg: Vectors, av: Vectors, guard: Guard
) -> "LogisticRegression":
    """Logistic regression in the joint space: sound and face of all classes, and EEG.

    Each side counts the same, and each class within it.
    """
    from sklearn.linear_model import LogisticRegression

    guard.check(eeg.emotion, "training the classifier on EEG")
    x = torch.cat([space.place("eeg", eeg), space.place("av", av)]).numpy()
    y = np.concatenate([eeg.emotion, av.emotion])
    weight = np.concatenate([_even(eeg.emotion), _even(av.emotion)])
    return LogisticRegression(max_iter=1000).fit(x, y, sample_weight=weight * len(y))


def scores(
    space: JointSpace,
    eeg: Vectors,
    centroids: Tensor,
    classifier: "LogisticRegression",
) -> Mapping[str, np.ndarray]:
    """(n, 5) for each rule, the larger the likelier; minus infinity if unknown.

    nearest: cosine to each centroid. classifier: log-probabilities.
    """
    placed = space.place("eeg", eeg)
    cosine = torch.nan_to_num(placed @ centroids.T, nan=-torch.inf).numpy()
    chances = np.full((len(eeg), N_EMOTIONS), -np.inf)
    if len(eeg):
        chances[:, classifier.classes_] = classifier.predict_log_proba(placed.numpy())
    return {"nearest": cosine, "classifier": chances}


def _even(emotion: np.ndarray) -> np.ndarray:
    """Weights (n,) that add up to 1/2, every class having the same share."""
    count = np.bincount(emotion, minlength=N_EMOTIONS)
    return np.asarray(0.5 / (count[emotion] * np.count_nonzero(count)))


@torch.no_grad()
def encoder_vectors(
    model: EmotionModel,
    windows: WindowSet,
    modalities: Sequence[str],
    frames: int | None = None,
) -> Vectors:
    """What the heads of these encoders read, side by side, averaged over frames.

    Only windows that have all of the modalities. frames: faces of a window that are
    looked at, evenly spaced, None for all. The encoders are put into eval mode: batch
    statistics and dropout belong to their own training.
    """
    for m in modalities:
        windows = windows.with_modality(m)
        model.by_modality[m].eval()
    device = next(model.parameters()).device
    chosen = None
    if frames is not None:
        n_frames = windows.sources[0].faces.shape[1]
        chosen = np.linspace(0, n_frames - 1, frames).round().astype(int)
    ordered = [m for m in MODALITIES if m in modalities]
    read = [model.by_modality[m].part(m) for m in ordered]
    parts = []
    for rows in (
        split(np.arange(len(windows)), EVALUATION_BATCH) if len(windows) else ()
    ):
        batch = windows.batch(rows, read, chosen).to(device)
        features = []
        for m in ordered:
            encoder = model.by_modality[m]
            states = encoder.below_fusion(batch.parts[encoder.part(m)])
            features.append(encoder.frame_features(states).mean(1))
        parts.append(torch.cat(features, 1).float().cpu())
    n_features = sum(model.by_modality[m].n_features for m in ordered)
    values = torch.cat(parts) if parts else torch.zeros(0, n_features)
    return Vectors(values, windows.emotion, windows.trial_keys)


class UnseenClassLeak(AssertionError):
    """EEG of a class that is to be unseen was about to be learned from: a bug."""


@dataclass(frozen=True)
class GuardedWindows(WindowSet):
    """Windows whose EEG cannot be read if it is of a held-out class."""

    guard: Guard

    def subset(self, rows: np.ndarray) -> "GuardedWindows":
        """The windows of these indices, or of a mask (n,), behind the same guard."""
        return guarded(super().subset(rows), self.guard)

    def array(
        self, modality: str, rows: np.ndarray, frames: np.ndarray | None = None
    ) -> np.ndarray:
        """As of any WindowSet. Raises UnseenClassLeak for EEG of a held-out class."""
        if modality == "eeg":
            self.guard.check(self.emotion[rows], "reading EEG to learn from")
        return super().array(modality, rows, frames)


def guarded(windows: WindowSet, guard: Guard) -> GuardedWindows:
    """The same windows behind a guard, those of held-out classes among them."""
    return GuardedWindows(**{**vars(windows), "guard": guard})


def seen_only(windows: WindowSet, unseen: Collection[int]) -> GuardedWindows:
    """The windows of all other classes, behind a guard."""
    guard = Guard(frozenset(int(e) for e in unseen))
    kept = windows.subset(~np.isin(windows.emotion, sorted(guard.unseen)))
    return guarded(kept, guard)
