"""A personal layer from a few labeled clips: small heads that begin as the model's own.

What the clips tell is judged on clips that were left out while the heads were fitted,
beside the model as it was.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.data.window_set import WindowSet
from eav_offline.models.personal import (
    N_VOICE,
    KeptClips,
    OwnFace,
    OwnVoice,
    Personal,
    PersonalHead,
    Spread,
    affine_head,
    aligning,
    standardizing,
)
from eav_offline.personal.adaptation import believed
from eav_offline.personal.heads import Head, fit_head
from eav_offline.personal.reading import Features, read_features
from eav_offline.personal.voiceprint import voice_prints
from eav_offline.personal.worth import (
    Calibrated,
    kept_enough,
    right_clips,
    sureness_of,
    unfollowed,
    worth,
)
from eav_offline.preprocess import Inputs

LEAST_CLIPS = 10
_BOOST = (1.0, 3.0, 9.0)  # how much more earlier days' clips count, if they must
_LEAST_SPREAD = 1e-4
_Own = TypeVar("_Own", OwnVoice, OwnFace)
_UNKNOWN_LOGIT = -1.0  # at first, of an emotion new to the model, among centered ones


@dataclass(frozen=True)
class Clips:
    """Labeled windows of one person. emotion, clip: (n,) int64; a clip is one cue's."""

    features: Features
    emotion: np.ndarray
    clip: np.ndarray


def calibrate(
    checkpoint: Checkpoint,
    windows: WindowSet | Sequence[Inputs],
    emotion: np.ndarray,
    clip: np.ndarray,
    person: str,
    faces: np.ndarray | None = None,
) -> Calibrated:
    """Fit a personal layer to labeled windows, and to those of earlier days if any.

    windows: prepared as the model wants them. emotion, clip: (n,) integers; windows of
    one cue's clip have the same number. person: a code; an earlier layer must be of the
    same person. faces: (k, 128), the person's in the clips (`FacePrints`), of which
    the mean is kept. Deterministic. Raises InputRefused if there are too few clips or
    emotions, if the model cannot be adapted, or if it is adapted to somebody else.
    """
    before = read_features(checkpoint.model, windows)
    _check(checkpoint, Clips(before, emotion, clip), person)
    aligned, features = with_alignment(checkpoint, before), before
    if aligned is not checkpoint:
        features = read_features(aligned.model, windows)
    clips = Clips(features, emotion, clip)
    earlier = checkpoint.model.personal
    old = (None, None) if earlier is None else (earlier.voice, earlier.face)
    # Drawn people have no voice of their own.
    heard = None if checkpoint.demo else _voices(windows)
    voice = _with_day(OwnVoice, old[0], heard)
    face = _with_day(OwnFace, old[1], faces)
    return calibrate_clips(checkpoint, clips, person, before, aligned, voice, face)


def _with_day(
    kind: type[_Own], earlier: _Own | None, numbers: np.ndarray | None
) -> _Own | None:
    """What the person is like: in these clips, (k, n), and on earlier days."""
    if numbers is None or len(numbers) < LEAST_CLIPS:
        return earlier
    new = numbers.mean(axis=0, keepdims=True)
    return kind(new if earlier is None else np.concatenate([earlier.days, new]))


def _voices(windows: WindowSet | Sequence[Inputs]) -> np.ndarray:
    """Whose voice is in the windows that have one, (k, 192)."""
    if isinstance(windows, WindowSet):
        rows = np.flatnonzero(windows.present[:, MODALITIES.index("audio")])
        heard = list(windows.array("audio", rows))
    else:
        heard = [one.log_mel for one in windows if one.log_mel is not None]
    if len(heard) < LEAST_CLIPS:
        return np.zeros((0, N_VOICE), np.float32)
    prints = voice_prints()
    found = [numbers for mel in heard if (numbers := prints.of(mel)) is not None]
    return np.array(found, np.float32).reshape(-1, N_VOICE)


def calibrate_clips(
    checkpoint: Checkpoint,
    clips: Clips,
    person: str,
    before: Features | None = None,
    aligned: Checkpoint | None = None,
    voice: OwnVoice | None = None,
    face: OwnFace | None = None,
) -> Calibrated:
    """The same for features that were read already.

    before: read by `checkpoint`, where those of `clips` are by `aligned`. voice, face:
    as `Personal` has them.
    """
    _check(checkpoint, clips, person)
    earlier = checkpoint.model.personal
    kept = None if earlier is None else earlier.kept
    data = _joined(_standardized(checkpoint, clips), kept)
    base = _Base.of(checkpoint, data)
    new = data.session == data.session.max()
    first = float(data.right[~new].mean()) if (~new).any() else None
    fit, right, forgotten = None, data.right, None
    for boost in _BOOST:
        weights = np.where(new, 1.0, boost)
        fit = _fit_all(base, data, weights)
        right = right_clips(fit.left_out, data)
        if first is None:
            break
        forgotten = first - float(right[~new].mean())
        if kept_enough(forgotten):
            break
    assert fit is not None
    made = checkpoint
    if kept_enough(forgotten):
        judged = replace(data, right=right)
        layer = _layer(aligned or checkpoint, clips, person, base, fit, judged)
        layer = replace(layer, voice=voice, face=face)
        made = with_personal(checkpoint, layer)
        sure = sureness_of(fit.left_out, data) or unfollowed(checkpoint.sureness)
        made = replace(made, sureness=sure)
    was = _before(checkpoint, before or clips.features, base)
    learned = tuple(name for name in fit.knows if name not in base.knows)
    return worth(made, was, fit.left_out, data, new, learned, forgotten)


def with_personal(checkpoint: Checkpoint, layer: Personal | None) -> Checkpoint:
    """The checkpoint with another personal layer; the one given is left as it is."""
    model = copy(checkpoint.model)  # its weights are shared
    model.personal = layer
    card = checkpoint.card
    if card is not None:
        told = "" if layer is None else f"{layer.person or 'a person'}: {layer.told}"
        news = {"adapted": told, "gained": (), "knows": model.knows}
        card = card.model_copy(update=news)
    return replace(checkpoint, model=model, card=card)


def with_alignment(checkpoint: Checkpoint, features: Features) -> Checkpoint:
    """The checkpoint that brings EEG of this covariance onto its training people's.

    features: read without a personal layer. One that aligns already, or without EEG, is
    returned as it is.
    """
    population, mine = checkpoint.population, checkpoint.model.personal
    there = features.eeg_covariance
    if there is None or population is None or population.eeg_covariance is None:
        return checkpoint
    if mine is not None and mine.alignment is not None:
        return checkpoint
    matrix = aligning(population, there)
    if mine is None:
        mine = Personal("", {}, checkpoint.knows, told="aligned EEG")
    return with_personal(checkpoint, replace(mine, alignment=matrix))


def _check(checkpoint: Checkpoint, clips: Clips, person: str) -> None:
    mine = checkpoint.model.personal
    if not _modalities(checkpoint, clips.features):
        raise InputRefused(
            f"nothing of this model can be adapted by these clips: they have "
            f"{', '.join(clips.features.by_modality) or 'nothing that it reads'}; "
            "expected a modality that one encoder with a linear head reads"
        )
    if mine is not None and mine.heads and mine.person != person:
        raise InputRefused(
            f"this model is adapted to {mine.person or 'somebody'}, not to {person}; "
            "give the model that it was made of"
        )
    n = len(np.unique(clips.clip))
    if n < LEAST_CLIPS:
        raise InputRefused(
            f"{n} labeled clips of {person} were found, expected {LEAST_CLIPS} or more"
        )
    shown = np.unique(clips.emotion)
    if len(shown) < 2:
        raise InputRefused(
            f"all clips of {person} show {EMOTIONS[shown[0]]}; expected two emotions "
            "or more: what is common to all of them cannot be told from the person"
        )


@dataclass(frozen=True)
class _Base:
    """The model's own heads on the population's features, by modality.

    mean, spread: of the population's features, or where it is not known of the clips'.
    """

    heads: Mapping[str, tuple[np.ndarray, np.ndarray]]
    mean: Mapping[str, np.ndarray]
    spread: Mapping[str, np.ndarray]
    knows: tuple[str, ...]
    temperatures: Mapping[str, float]

    @classmethod
    def of(cls, checkpoint: Checkpoint, clips: KeptClips) -> "_Base":
        model, mean, spread = checkpoint.model, {}, {}
        for m, x in clips.features.items():
            own = _spread(checkpoint, m)
            if own is not None:
                mean[m], spread[m] = own.mean.cpu().numpy(), own.spread.cpu().numpy()
                continue
            seen = x[clips.present[:, MODALITIES.index(m)]]
            mean[m] = seen.mean(0)
            spread[m] = np.maximum(seen.std(0), _LEAST_SPREAD)
        affine = {m: affine_head(head) for m, head in model.heads().items()}
        heads = {m: (w.numpy(), b.numpy()) for m, (w, b) in affine.items()}
        return cls(heads, mean, spread, model.known.knows, model.fusing.temperatures)

    def logits(self, modality: str, x: np.ndarray) -> np.ndarray:
        """(n, 5) of features on the population's, those not known at their start."""
        weight, bias = self.heads[modality]
        known = np.array([name in self.knows for name in EMOTIONS])
        logits = x @ weight.T + bias
        logits = logits - logits[:, known].mean(1, keepdims=True)
        return np.where(known, logits, _UNKNOWN_LOGIT)


@dataclass(frozen=True)
class _Fit:
    """Heads by modality, and logits (n, 5) of each window by heads without its clip."""

    heads: dict[str, Head]
    left_out: dict[str, np.ndarray]
    knows: tuple[str, ...]


def _standardized(checkpoint: Checkpoint, clips: Clips) -> KeptClips:
    """The clips with their features on the population's."""
    n = len(clips.emotion)
    found = {}
    for m in _modalities(checkpoint, clips.features):
        scale, shift = _own_scale(checkpoint, clips.features, m)
        found[m] = (clips.features.by_modality[m] * scale + shift).astype(np.float32)
    _, number = np.unique(clips.clip, return_inverse=True)
    return KeptClips(
        found,
        clips.features.present,
        clips.emotion.astype(np.int64),
        number.astype(np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.float32),
    )


def _modalities(checkpoint: Checkpoint, features: Features) -> list[str]:
    heads = checkpoint.model.heads()
    return [m for m in MODALITIES if m in heads and len(features.rows(m))]


def _spread(checkpoint: Checkpoint, modality: str) -> Spread | None:
    population = checkpoint.population
    return None if population is None else population.by_modality.get(modality)


def _own_scale(
    checkpoint: Checkpoint, features: Features, modality: str
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift (n,), as adaptation without labels finds them."""
    spread = _spread(checkpoint, modality)
    if spread is None:
        n = features.by_modality[modality].shape[1]
        return np.ones(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    x = features.by_modality[modality][features.rows(modality)].astype(np.float64)
    prior = spread.mean.cpu().numpy(), spread.spread.cpu().numpy()
    found = believed(len(x), x.mean(0), x.var(0), *prior)
    scale, shift = standardizing(spread, *found)
    return scale.numpy(), shift.numpy()


def _joined(new: KeptClips, old: KeptClips | None) -> KeptClips:
    if old is None:
        return new
    both = (old, new)
    features = {}
    for m in MODALITIES:
        widths = [one.features[m].shape[1] for one in both if m in one.features]
        if widths:
            features[m] = np.concatenate(
                [
                    one.features.get(m, np.zeros((len(one.clip), widths[0]), "f4"))
                    for one in both
                ]
            )
    return KeptClips(
        features,
        np.concatenate([one.present for one in both]),
        np.concatenate([one.emotion for one in both]),
        np.concatenate([old.clip, new.clip + old.clip.max() + 1]),
        np.concatenate([old.session, new.session + old.session.max() + 1]),
        np.concatenate([old.right, new.right]),
    )


def _fit_all(base: _Base, data: KeptClips, weights: np.ndarray) -> _Fit:
    knows = _knows(base, data)
    heads, left_out = {}, {}
    for m in data.features:
        rows = np.flatnonzero(data.present[:, MODALITIES.index(m)])
        if len(np.unique(data.clip[rows])) >= LEAST_CLIPS:
            heads[m], left_out[m] = _fit_one(base, m, data, rows, weights, knows)
    return _Fit(heads, left_out, knows)


def _fit_one(
    base: _Base,
    modality: str,
    data: KeptClips,
    rows: np.ndarray,
    weights: np.ndarray,
    knows: Sequence[str],
) -> tuple[Head, np.ndarray]:
    """A modality's head, and logits (n, 5) of each window by one without its clip."""
    x = data.features[modality][rows]
    z = (x - base.mean[modality]) / base.spread[modality]
    logits, truth, clip = base.logits(modality, x), data.emotion[rows], data.clip[rows]
    head, without = fit_head(logits, z, truth, clip, weights[rows], knows)
    out = np.full((len(data.clip), N_EMOTIONS), np.nan)
    out[rows] = without
    return head, out


def _knows(base: _Base, data: KeptClips) -> tuple[str, ...]:
    shown = {EMOTIONS[i] for i in np.unique(data.emotion)}
    return tuple(name for name in EMOTIONS if name in shown | set(base.knows))


def _layer(
    checkpoint: Checkpoint,
    clips: Clips,
    person: str,
    base: _Base,
    fit: _Fit,
    kept: KeptClips,
) -> Personal:
    heads = {}
    earlier = checkpoint.model.personal
    for m, head in fit.heads.items():
        if m in clips.features.by_modality and len(clips.features.rows(m)):
            scale, shift = _own_scale(checkpoint, clips.features, m)
        else:  # not there today
            assert earlier is not None
            scale = earlier.heads[m].scale.numpy()
            shift = earlier.heads[m].shift.numpy()
        heads[m] = _personal_head(base, m, head, scale, shift)
    n_days = int(kept.session.max()) + 1
    told = f"{len(np.unique(kept.clip))} labeled clips"
    if n_days > 1:
        told += f" of {n_days} days"
    alignment = None if earlier is None else earlier.alignment
    return Personal(person, heads, fit.knows, alignment, told, kept)


def _personal_head(
    base: _Base, modality: str, head: Head, scale: np.ndarray, shift: np.ndarray
) -> PersonalHead:
    """The same in one affine map of standardized features."""
    weight, bias = (part.astype(np.float64) for part in base.heads[modality])
    known = np.array([name in base.knows for name in EMOTIONS])
    weight = np.where(known[:, None], weight - weight[known].mean(0), 0.0)
    bias = np.where(known, bias - bias[known].mean(), _UNKNOWN_LOGIT)
    slope = head.delta / base.spread[modality]
    weight = (head.gain * weight + slope) / head.temperature
    offset = head.gain * bias + head.shift - slope @ base.mean[modality]
    parts = (scale, shift, weight, offset / head.temperature)
    return PersonalHead(*(torch.from_numpy(part.astype(np.float32)) for part in parts))


def _before(
    checkpoint: Checkpoint, features: Features, base: _Base
) -> dict[str, np.ndarray]:
    """Logits (n, 5) of the clips by the layer there was, else by the model's own."""
    mine, found = checkpoint.model.personal, {}
    known = np.array([name in base.knows for name in EMOTIONS])
    for m in _modalities(checkpoint, features):
        x = features.by_modality[m]
        if mine is not None and m in mine.heads:
            found[m] = mine.logits(m, torch.from_numpy(x)).double().numpy()
            continue
        weight, bias = base.heads[m]
        logits = (x @ weight.T + bias) / base.temperatures.get(m, 1.0)
        found[m] = np.where(known, logits, -np.inf).astype(np.float64)
    return found
