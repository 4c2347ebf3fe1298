"""One person, one seed: encoders, joint space and figures for held-out classes.

Cross-modal transfer, the default: the encoders of sound and face have learned the
held-out class with its label, only EEG has not. Strict: they have not either, nor has
the joint space. In both, the class is then known by the sounds and faces of it, that
the finished encoders place in the finished space: its centroid, and the classifier's
examples. That is what tells EEG what the class is.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from eav_offline.config import Config
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.models import EmotionModel
from eav_offline.training.runtime import Progress, Runtime, TrainingError
from eav_offline.training.stages import fit_encoder
from eav_offline.training.train import TrainingData, new_model
from eav_offline.zero_shot.scoring import mean_recall, plane_maps, rule_scores
from eav_offline.zero_shot.space import (
    JointSpace,
    SpaceSettings,
    Vectors,
    av_centroids,
    encoder_vectors,
    fit_classifier,
    fit_space,
    scores,
    seen_only,
)

log = logging.getLogger(__name__)

TRANSFER, STRICT = "cross-modal transfer", "strict"
AV = ("audio", "video")
Unseen = tuple[int, ...]


@dataclass(frozen=True)
class ZeroShot:
    """results: ready for JSON. maps: arrays of the t-SNE, see `maps.plane_maps`."""

    results: dict[str, Any]
    maps: dict[str, np.ndarray]


def held_out_name(unseen: Sequence[int]) -> str:
    """happiness, anger+happiness, or none."""
    return "+".join(EMOTIONS[c] for c in sorted(unseen)) or "none"


def learn_zero_shot(
    data: TrainingData,
    unseen: Sequence[Unseen],
    config: Config,
    strict: bool = False,
    space: SpaceSettings | None = None,
    maps: bool = True,
    device: str = "cpu",
    progress: Progress | None = None,
) -> ZeroShot:
    """Hold each set of classes out of EEG in turn, train, and score the test windows.

    unseen: sets of classes; an empty one is the all-classes mode. maps: also compute
    the t-SNE. Keys of the results: `mode`, `modalities` of the other side, `space`,
    `seconds`, and `held_out` by `held_out_name`: see `_figures`. Raises TrainingError
    if the windows do not allow it.
    """
    space = space or SpaceSettings()
    modalities = _check(data, unseen)
    run = _Run(data, config, modalities, strict, space, device, progress)
    held_out: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for classes in unseen:
        name = held_out_name(classes)
        began = time.perf_counter()
        log.info("EEG without %s", name)
        figures, before_and_after = run.hold_out(classes)
        if maps:
            drawn = plane_maps(before_and_after, config.train.seed)
            arrays |= {f"{name}.{key}": values for key, values in drawn.items()}
        figures["seconds"] = round(time.perf_counter() - began, 2)
        held_out[name] = figures
    results = {
        "mode": STRICT if strict else TRANSFER,
        "modalities": list(modalities),
        "space": asdict(space),
        "held_out": held_out,
    }
    return ZeroShot(results, arrays)


class _Run:
    """What all held-out sets of a run share; sound and face are learned once."""

    def __init__(
        self,
        data: TrainingData,
        config: Config,
        modalities: tuple[str, ...],
        strict: bool,
        space: SpaceSettings,
        device: str,
        progress: Progress | None,
    ) -> None:
        assert data.test is not None
        self.train, self.test, self.validation = data.train, data.test, data.validation
        self.config, self.modalities, self.strict = config, modalities, strict
        self.space, self.device, self.progress = space, device, progress
        self._av: tuple[Vectors, Vectors] | None = None

    def hold_out(self, unseen: Unseen) -> tuple[dict[str, Any], dict[str, Vectors]]:
        """Figures of one set, and test vectors of both sides before and after."""
        av_train, av_test = self._av_vectors(unseen)
        seen = seen_only(self.train.with_modality("eeg"), unseen)
        guard = seen.guard
        encoder = self._fitted(("eeg",), seen, unseen)
        eeg_train = encoder_vectors(encoder, seen, ("eeg",))
        # The test windows are behind no guard: of them nothing is learned.
        test = self.test.with_modality("eeg")
        eeg_test = encoder_vectors(encoder, test, ("eeg",))
        learned = av_train
        if self.strict:
            learned = av_train.subset(~np.isin(av_train.emotion, unseen))
        seed = self.config.train.seed
        space = fit_space(eeg_train, learned, guard, self.space, seed)
        centroids = av_centroids(space, av_train)
        classifier = fit_classifier(space, eeg_train, av_train, guard)
        by_rule = scores(space, eeg_test, centroids, classifier)
        figures = _figures(by_rule, eeg_test, unseen)
        own = _own_head(encoder, eeg_test)
        seen_classes = [c for c in range(N_EMOTIONS) if c not in unseen]
        figures["eeg_head_seen"] = mean_recall(own, eeg_test.emotion, seen_classes)
        other = _nearest_of_av(space, av_test, centroids)
        figures["av_nearest"] = mean_recall(other, av_test.emotion, range(N_EMOTIONS))
        drawn: dict[str, Vectors] = {}
        for side, vectors in (("eeg", eeg_test), ("av", av_test)):
            placed = replace(vectors, values=space.place(side, vectors))
            drawn |= {f"{side}_before": vectors, f"{side}_after": placed}
        return figures, drawn

    def _av_vectors(self, unseen: Unseen) -> tuple[Vectors, Vectors]:
        """Training and test vectors of sound and face."""
        if self._av is not None and not self.strict:
            return self._av
        windows = seen_only(self.train, unseen) if self.strict else self.train
        hidden = unseen if self.strict else ()
        encoders = self._fitted(self.modalities, windows, hidden)
        frames = self.config.train.ambt.frames  # as the fusion looks at faces
        found = (
            encoder_vectors(encoders, self.train, self.modalities, frames),
            encoder_vectors(encoders, self.test, self.modalities, frames),
        )
        self._av = found
        return found

    def _fitted(
        self, modalities: Sequence[str], windows: WindowSet, unseen: Unseen
    ) -> EmotionModel:
        """Encoders of windows that lack the unseen classes, as do the watched ones."""
        watched = self.validation
        if watched is not None:
            watched = seen_only(watched, unseen)
        model = new_model(self.config, modalities, fusion=False).to(self.device)
        runtime = Runtime(device=torch.device(self.device), progress=self.progress)
        for m in modalities:
            fit_encoder(model, m, windows, watched, self.config, runtime)
        return model.eval()


def _nearest_of_av(
    space: JointSpace, av: Vectors, centroids: torch.Tensor
) -> np.ndarray:
    """The nearest centroid of each window's sound and face, (n,)."""
    cosine = space.place("av", av) @ centroids.T
    return np.asarray(torch.nan_to_num(cosine, nan=-torch.inf).argmax(1).numpy())


def _figures(
    by_rule: Mapping[str, np.ndarray], test: Vectors, unseen: Unseen
) -> dict[str, Any]:
    """`unseen` classes, `n_seen` and `n_unseen` test windows, `rules`: `rule_scores`.

    `hold_out` adds `eeg_head_seen`, the EEG encoder's own head on the seen classes,
    and `av_nearest`, sound and face by the same centroids.
    """
    of_unseen = np.isin(test.emotion, unseen)
    return {
        "unseen": [int(c) for c in sorted(unseen)],
        "n_seen": int((~of_unseen).sum()),
        "n_unseen": int(of_unseen.sum()),
        "rules": {
            rule: rule_scores(values, test.emotion, unseen)
            for rule, values in by_rule.items()
        },
    }


@torch.no_grad()
def _own_head(model: EmotionModel, eeg: Vectors) -> np.ndarray:
    """What the EEG encoder's head says of its vectors, (n,)."""
    head = model.by_modality["eeg"].head
    device = next(model.parameters()).device
    return np.asarray(head(eeg.values.to(device)).argmax(1).cpu().numpy())


def _check(data: TrainingData, unseen: Sequence[Unseen]) -> tuple[str, ...]:
    """The modalities of the other side: those that training and test have."""
    if data.test is None or not len(data.test):
        raise TrainingError("there are no test trials to score zero-shot EEG on")
    if not unseen:
        raise TrainingError("no set of classes is given; name one, or none or all")
    parts = (data.train, data.test)
    there = [m for m in AV if all(len(p.with_modality(m)) for p in parts)]
    if not there:
        raise TrainingError(
            "neither sound nor face is in both the training and the test windows; "
            "zero-shot EEG learns from them what an unseen class is"
        )
    both = data.train
    for m in there:
        both = both.with_modality(m)
    lacking = sorted(set(range(N_EMOTIONS)) - set(both.emotion.tolist()))
    if lacking:
        raise TrainingError(
            f"no training window of {', '.join(EMOTIONS[c] for c in lacking)} has "
            f"{' and '.join(there)}; every class needs some to be known by"
        )
    for classes in unseen:
        left = N_EMOTIONS - len(set(classes))
        if left < 2:
            raise TrainingError(
                f"{held_out_name(classes)} leaves {left} classes to EEG; leave two"
            )
    return tuple(there)
