"""What a trained model gets right on windows it has never seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.sureness import Smoother
from eav_offline.core.window import EEG_CHANNELS, N_FRAMES, WINDOW_SECONDS
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.ablation import ablate, mean_probabilities
from eav_offline.evaluation.metrics import (
    confusion,
    decision_scores,
    ece,
    fit_temperature,
    nll,
    probability_scores,
    reliability,
    scaled,
)
from eav_offline.evaluation.results import (
    FORMAT,
    Calibration,
    DecisionScores,
    FirstWindows,
    OutputScores,
    Reliability,
    Results,
    Saliency,
    Scores,
    SubjectScores,
    SubsetScores,
)
from eav_offline.evaluation.statistics import accuracy_interval
from eav_offline.models import EmotionModel
from eav_offline.models.ambt import Fusing

AVERAGED = "averaged"  # the plain mean of the modalities' probabilities
SUBSETS = tuple(
    subset
    for size in range(1, len(MODALITIES) + 1)
    for subset in combinations(MODALITIES, size)
)
_BATCH = 32
_MOST_TOKENS = 20_000  # of faces in a batch: four windows of ViT-B fit beside it
MOST_WINDOWS = 256
BATCH = 16


@dataclass(frozen=True)
class Assessment:
    """A model's figures on test windows, and what they were computed from.

    predictions: of each test window, subject, trial, position, emotion (n,) int64, and
    probabilities (n, 5) float32, NaN where absent: p_eeg, p_audio, p_video, p_fused,
    p_averaged, p_subset_eeg+audio, ...
    """

    results: Results
    predictions: dict[str, np.ndarray]


def assess(
    model: EmotionModel,
    windows: WindowSet,
    validation: WindowSet | None = None,
    seed: int = 0,
) -> Assessment:
    """Score a model in eval mode on test windows.

    validation: decides the temperatures, and nothing else. The subsets are all that
    the model knows. Windows of emotions that it does not know are counted and left out.
    Raises ValueError if there are no others.
    """
    n_given, windows = len(windows), windows.of_emotions(model.knows)
    if validation is not None:
        validation = validation.of_emotions(model.knows)
    if len(windows) == 0:
        raise ValueError("there are no windows to evaluate on; choose more test trials")
    alone = model.decides_alone
    outputs, by_subset = _predict(model, windows, _subsets(model) if alone else ())
    if alone:
        _add_average(outputs)
    temperatures = _temperatures(model, validation)
    assessment = assess_probabilities(outputs, by_subset, windows, temperatures, seed)
    more: dict[str, Any] = {"knows": model.knows, "n_left_out": n_given - len(windows)}
    if not alone:
        return replace(assessment, results=assessment.results.with_run(**more))
    more["fuse"], more["fuse_reason"] = model.fusing.how, model.fusing.reason
    fusion = ablate(model, windows, outputs, temperatures, seed)
    if fusion is not None:
        more["fusion"] = fusion
    electrodes = electrode_saliency(model, windows)
    if electrodes is not None:
        more["saliency"] = Saliency(
            electrodes=electrodes.tolist(), channels=list(EEG_CHANNELS)
        )
    return replace(assessment, results=assessment.results.with_run(**more))


def choose_fusing(model: EmotionModel, validation: WindowSet | None) -> Fusing:
    """How this model's answers are best fused, by validation windows.

    The least negative log-likelihood wins, AMBT's under a temperature of its own, as
    the calibrated mean has some. Without validation windows nothing is chosen: AMBT if
    there is one, else the plain mean.
    """
    as_trained = "mean" if model.ambt is None else "ambt"
    if len(model.by_modality) < 2:
        return Fusing("mean", {}, "it knows one modality only")
    if validation is None or len(validation) == 0:
        return Fusing(as_trained, {}, "there were no validation trials to choose by")
    model.fusing = Fusing(as_trained)
    outputs, _ = _predict(model, validation, subsets=())
    truth = validation.emotion
    alone = {m: outputs[m] for m in MODALITIES if m in outputs}
    heard = {m: ~np.isnan(p[:, 0]) for m, p in alone.items()}
    temperatures = {
        m: fit_temperature(truth[heard[m]], p[heard[m]])
        for m, p in alone.items()
        if heard[m].any()
    }
    chances = {"mean": mean_probabilities(alone)}
    if temperatures.keys() == alone.keys():
        chances["calibrated"] = mean_probabilities(alone, temperatures)
    if model.ambt is not None:
        fused, there = outputs["fused"], ~np.isnan(outputs["fused"][:, 0])
        by = fit_temperature(truth[there], fused[there])
        chances["ambt"] = np.where(there[:, None], scaled(fused, by), np.nan)
    costs = {}
    for how, p in chances.items():
        there = ~np.isnan(p[:, 0])
        costs[how] = nll(truth[there], p[there])
    best = min(costs, key=lambda how: costs[how])
    said = ", ".join(f"{how} {cost:.3f}" for how, cost in sorted(costs.items()))
    return Fusing(
        best, temperatures, f"least NLL on {len(validation)} validation windows: {said}"
    )


def assess_probabilities(
    outputs: Mapping[str, np.ndarray],
    by_subset: Mapping[str, np.ndarray],
    windows: WindowSet,
    temperatures: Mapping[str, float],
    seed: int = 0,
) -> Assessment:
    """The answer of `assess`, without saliency, to probabilities wherever from.

    outputs, by_subset: (n, 5) each, NaN where absent. windows: what they are of; only
    their index is read, not what the models would.
    """
    modalities, by_position, first_windows = {}, {}, {}
    for name, chances in outputs.items():
        there = ~np.isnan(chances[:, 0])
        if there.any():
            these = windows.subset(there)
            temperature = temperatures.get(name)
            modalities[name] = score(chances[there], these, seed, temperature)
            by_position[name] = _by_position(chances[there], these)
            first = windows.position == 0
            first_windows[name] = FirstWindows(
                only=_subset_scores(chances[first], windows.subset(first)),
                without=_subset_scores(chances[~first], windows.subset(~first)),
            )
    results = Results(
        seed=seed,
        demo=windows.synthetic,
        format=FORMAT,
        n_windows=len(windows),
        n_trials=len(np.unique(windows.trial_keys)),
        modalities=modalities,
        subsets={s: _subset_scores(p, windows) for s, p in by_subset.items()},
        by_subject={
            int(subject): _one_subject(outputs, by_subset, windows, subject)
            for subject in np.unique(windows.subject)
        },
        by_position=by_position,
        first_windows=first_windows,
        calibration={
            name: Calibration(
                temperature=temperatures.get(name),
                fitted_on="validation" if name in temperatures else None,
            )
            for name in modalities
        },
    )
    predictions = {
        "subject": windows.subject,
        "trial": windows.trial,
        "position": windows.position,
        "emotion": windows.emotion,
        **{f"p_{name}": chances for name, chances in outputs.items()},
        **{f"p_subset_{name}": chances for name, chances in by_subset.items()},
    }
    return Assessment(results, predictions)


def score(
    chances: np.ndarray,
    windows: WindowSet,
    seed: int = 0,
    temperature: float | None = None,
) -> OutputScores:
    """All the scores of probabilities (n, 5) of these windows, none of them NaN."""
    truth, said = windows.emotion, chances.argmax(1)
    interval, unit = accuracy_interval(said == truth, windows, seed)
    corrected = None if temperature is None else scaled(chances, temperature)
    keys = windows.trial_keys
    of_trials, truth_of_trials = over_trials(chances, truth, keys)
    trial = Scores(**probability_scores(truth_of_trials, of_trials))
    decided = smoothed(chances, keys, windows.position)
    return OutputScores(
        **probability_scores(truth, chances),
        nll_scaled=None if corrected is None else nll(truth, corrected),
        ece_scaled=None if corrected is None else ece(truth, corrected),
        confusion=confusion(truth, said),
        interval=interval,
        interval_unit=unit,
        n_windows=len(windows),
        trial_accuracy=trial.accuracy,
        reliability=Reliability(**reliability(truth, chances)),
        trial=trial,
        smoothed=DecisionScores(**decision_scores(truth, decided)),
    )


def window_probabilities(
    model: EmotionModel, windows: WindowSet
) -> dict[str, np.ndarray]:
    """Probabilities (n, 5) of each modality alone and "fused"; NaN where absent."""
    return _predict(model, windows, subsets=())[0]


def subset_probabilities(
    model: EmotionModel, windows: WindowSet
) -> dict[str, np.ndarray]:
    """Fused probabilities (n, 5) by subset, such as "audio+video".

    NaN where a window lacks one of the subset. Of models whose own encoders decide.
    """
    return _predict(model, windows, _subsets(model))[1]


def _subsets(model: EmotionModel) -> list[tuple[str, ...]]:
    return [s for s in SUBSETS if set(s) <= set(model.by_modality)]


@torch.inference_mode()
def _predict(
    model: EmotionModel, windows: WindowSet, subsets: Sequence[tuple[str, ...]]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Probabilities by modality and fused, and fused ones by subset, (n, 5) each."""
    device = next(model.parameters()).device
    known = tuple(model.by_modality)
    shape = (len(windows), N_EMOTIONS)
    outputs = {name: np.full(shape, np.nan, np.float32) for name in (*known, "fused")}
    by_subset = {"+".join(s): np.full(shape, np.nan, np.float32) for s in subsets}
    size = _batch_size(model)
    for start in range(0, len(windows), size):
        rows = np.arange(start, min(start + size, len(windows)))
        batch = windows.batch(rows, model.parts_read).to(device)
        states = model.states(batch)
        alone = model.alone(states)
        for m, logits in alone.items():
            here = batch.present[:, MODALITIES.index(m), None]
            outputs[m][rows] = _softmax(logits.masked_fill(~here, torch.nan))
        fused, _ = model.fused(states, batch.present, alone)
        outputs["fused"][rows] = _softmax(fused)
        for subset in subsets:
            asked = torch.tensor([m in subset for m in MODALITIES], device=device)
            # A window that lacks one of the subset does not count for it.
            whole = (batch.present | ~asked).all(1, keepdim=True)
            if len(subset) == len(known):  # what is fused already
                logits = fused.masked_fill(~whole.to(fused.device), torch.nan)
            else:
                kept = {m: x for m, x in states.items() if m in subset}
                theirs = {m: x for m, x in alone.items() if m in subset}
                logits, _ = model.fused(kept, batch.present & asked & whole, theirs)
            by_subset["+".join(subset)][rows] = _softmax(logits)
    return outputs, by_subset


def _softmax(logits: Tensor) -> np.ndarray:
    return logits.float().softmax(1).cpu().numpy()


def _batch_size(model: EmotionModel) -> int:
    video = model.by_modality.get("video")
    if video is None:
        return _BATCH
    tokens = N_FRAMES * video.n_tokens
    return max(1, min(_BATCH, _MOST_TOKENS // int(tokens)))


def _add_average(outputs: dict[str, np.ndarray]) -> None:
    """Add the mean of the single modalities' probabilities, where there are several."""
    alone = {m: outputs[m] for m in MODALITIES if m in outputs}
    if len(alone) > 1:
        outputs[AVERAGED] = mean_probabilities(alone)


def _temperatures(
    model: EmotionModel, validation: WindowSet | None
) -> dict[str, float]:
    """One for each output that validation windows have."""
    if validation is None or len(validation) == 0:
        return {}
    outputs, _ = _predict(model, validation, subsets=())
    _add_average(outputs)
    found = {}
    for name, chances in outputs.items():
        there = ~np.isnan(chances[:, 0])
        if there.any():
            found[name] = fit_temperature(validation.emotion[there], chances[there])
    return found


def _one_subject(
    outputs: Mapping[str, np.ndarray],
    by_subset: Mapping[str, np.ndarray],
    windows: WindowSet,
    subject: int,
) -> SubjectScores:
    mine = windows.subject == subject
    truth = windows.emotion[mine]
    modalities = {}
    for name, chances in outputs.items():
        there = ~np.isnan(chances[mine, 0])
        if there.any():
            scores = probability_scores(truth[there], chances[mine][there])
            modalities[name] = Scores(**scores)
    theirs = windows.subset(mine)
    return SubjectScores(
        modalities=modalities,
        subsets={s: _subset_scores(p[mine], theirs) for s, p in by_subset.items()},
        n_windows=int(mine.sum()),
    )


def _subset_scores(chances: np.ndarray, windows: WindowSet) -> SubsetScores:
    there = ~np.isnan(chances[:, 0])
    truth, chances = windows.emotion[there], chances[there]
    names = ("accuracy", "balanced_accuracy", "macro_f1", "nll")
    figures: dict[str, Any] = dict.fromkeys(names)
    if len(truth):
        figures = decision_scores(truth, chances.argmax(1))
        figures["nll"] = nll(truth, chances)
    return SubsetScores(**figures, n_windows=len(truth))


def _by_position(chances: np.ndarray, windows: WindowSet) -> dict[int, float]:
    right = chances.argmax(1) == windows.emotion
    return {
        int(position): float(right[windows.position == position].mean())
        for position in np.unique(windows.position)
    }


def over_trials(
    chances: np.ndarray, emotion: np.ndarray, keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean probabilities (trials, 5) and emotion (trials,) of each trial.

    chances: (n, 5); emotion, keys: of each window, (n,); a trial has a key of its own.
    """
    _, first, trial = np.unique(keys, return_index=True, return_inverse=True)
    total = np.zeros((len(first), N_EMOTIONS))
    np.add.at(total, trial, chances)
    return total / np.bincount(trial)[:, None], emotion[first]


def smoothed(chances: np.ndarray, keys: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Decisions (n,) of the live smoother, begun anew with each trial.

    chances: (n, 5); keys, position: of each window, (n,), as for `over_trials`.
    """
    said = np.empty(len(chances), dtype=np.int64)
    smoother = Smoother()
    before = None
    for row in np.lexsort((position, keys)):
        if keys[row] != before:
            smoother.reset()
            before = keys[row]
        t = float(position[row]) * WINDOW_SECONDS
        said[row] = EMOTIONS.index(smoother.update(chances[row], t)[1])
    return said


def electrode_saliency(model: EmotionModel, windows: WindowSet) -> np.ndarray | None:
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
