"""A training run: the three encoders one by one, then AMBT, and what is written."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from eav_offline.checkpoint.card import NOT_STATED, DataSet
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.console import counted
from eav_offline.common.files import package_versions
from eav_offline.config import Config
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.core.model_names import FEATURES, STAGES
from eav_offline.core.sureness import Sureness
from eav_offline.data.splits import split_alone
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import assess, choose_fusing
from eav_offline.evaluation.conformal import calibrate, source_of
from eav_offline.evaluation.model_card import trained_card
from eav_offline.evaluation.results import NoSignal, Results
from eav_offline.models import EmotionModel
from eav_offline.personal.reading import population_of
from eav_offline.preprocess import PreprocessSettings
from eav_offline.training.classifiers import fit_features, load_baseline
from eav_offline.training.journal import Journal
from eav_offline.training.pretrained import load_audio, load_video
from eav_offline.training.run_folder import MadeFrom, RunFolder
from eav_offline.training.runtime import (
    Progress,
    Runtime,
    TrainingError,
    make_accelerator,
)
from eav_offline.training.stages import fit_ambt, fit_encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Windows of a split, and how they came about.

    validation: watched, and deciding if the configuration says so. test: scored once
    at the end. split: a description for split.json. no_signal: what is right of the
    test windows by the time of recording alone, for results.json. data_sets: whom the
    training windows are of, for the card.
    """

    train: WindowSet
    validation: WindowSet | None
    test: WindowSet | None
    preprocess: PreprocessSettings
    split: dict[str, Any] = field(default_factory=dict)
    no_signal: Mapping[str, NoSignal] = field(default_factory=dict)
    data_sets: tuple[DataSet, ...] = ()

    def learned_from(self) -> tuple[DataSet, ...]:
        """`data_sets`, or the little that the windows say themselves."""
        synthetic = self.train.synthetic
        name = "synthetic people" if synthetic else NOT_STATED
        people = len(np.unique(self.train.subject))
        alone = DataSet(name=name, people=people, synthetic=synthetic)
        return self.data_sets or (alone,)


def train(
    stages: Sequence[str],
    data: TrainingData,
    config: Config,
    out: Path,
    progress: Progress | None = None,
    device: str = "cpu",
    weights: Mapping[str, str] | None = None,
    states: Path | None = None,
    max_steps: int | None = None,
    anew: bool = False,
) -> Results:
    """Train some of `STAGES` and write a run.

    Named alone, a stage goes on from the run that is in `out`; "ambt" needs the three
    encoders. An interrupted run goes on after its last finished epoch and ends with
    the weights of an uninterrupted one.

    weights: by "audio" or "video", public weights to begin with (see `pretrained`).
    states: folder to keep frozen states in; None: they go with the run's end.
    max_steps: each phase is one epoch of so many optimizer steps, to try a
    configuration out.
    anew: replace what is in `out` if nothing but its data has changed since.

    Writes what a `RunFolder` holds and returns what is in results.json. The same data,
    configuration, stages and number of threads give the same weights. Raises
    TrainingError if a trial is in two parts of the split, if the run in `out` is of
    another configuration, split or data, when memory runs out or the loss is no number.
    """
    stages = [stage for stage in STAGES if stage in stages]
    data = of_what_trains(wanted(data, config))
    there = data.train.modalities
    stages = of_what_is_there(stages, there)
    weights = {m: w for m, w in (weights or {}).items() if m in stages}
    _check(stages, data, config)
    run = RunFolder(out)
    kept, before, known = _previous(run, stages, data, config, anew)
    modalities = [m for m in MODALITIES if m in kept or m in stages]
    missing = [m for m in there if m not in modalities]
    if "ambt" in stages and (missing or len(modalities) < 2):
        raise TrainingError(
            "AMBT needs a trained encoder for "
            f"{', '.join(missing) or 'a second modality'}: train it first"
        )
    model = new_model(config, modalities, "ambt" in stages, data.train.emotions)
    for m, encoder in kept.items():
        model.encoders[m].load_state_dict(encoder.state_dict())
    if config.baseline is None:
        begin_from(model, weights)
    else:
        load_baseline(model, config.baseline, weights)
    accelerator = make_accelerator(config.train.precision, device, "ambt" in stages)
    if accelerator.num_processes > 1 or device == "cuda":
        device = str(accelerator.device)
    model.to(device)
    about = _about(stages, data, config, weights, max_steps)
    if accelerator.is_main_process:
        journal = Journal(out, about, anew)
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:  # reads what the first process has written
        journal = Journal(out, about)
    if journal.model is not None:
        model.load_state_dict(journal.model)
    history = journal.history or before
    runtime = Runtime(
        device=torch.device(device),
        accelerator=accelerator,
        states=states or journal.states,
        journal=journal,
        progress=progress,
        on_history=lambda rows: run.write_history([*history, *rows]),
        max_steps=max_steps,
    )
    for stage in stages:
        if stage in journal.finished:
            continue
        log.info("training %s on %d windows", stage, len(data.train))
        if stage == "ambt":
            rows = fit_ambt(model, data.train, data.validation, config, runtime)
        elif config.baseline is not None and config.baseline.name in FEATURES:
            rows = fit_features(model, stage, data.train, data.validation)
        else:
            rows = fit_encoder(
                model, stage, data.train, data.validation, config, runtime
            )
        history = [*history, *rows]
        if accelerator.is_main_process:
            journal.keep_stage(stage, model.state_dict(), history)
    model.eval()
    model.fusing = choose_fusing(model, data.validation)
    log.info("fused by %s: %s", model.fusing.how, model.fusing.reason)
    results, predictions = _results(model, data, config, history, device, max_steps)
    if accelerator.is_main_process:
        training = {"stages": list(stages), **_counts(data)}
        begun_from = {m: w for m, w in {**known, **weights}.items() if m in modalities}
        meta: dict[str, Any] = {"training": training}
        if config.train.eeg_reference:
            meta["eeg_reference"] = config.train.eeg_reference
        if begun_from:
            meta["weights"] = begun_from
        demo = data.train.synthetic
        population = population_of(model, data.train)
        checkpoint = Checkpoint(
            model, config, data.preprocess, demo, meta=meta, population=population
        )
        card = trained_card(checkpoint, data.learned_from(), results)
        sureness = _sureness(checkpoint, data)
        checkpoint = replace(checkpoint, card=card, sureness=sureness)
        run.write(checkpoint, results, predictions, history)
        journal.close()
    accelerator.wait_for_everyone()
    return results


def _sureness(checkpoint: Checkpoint, data: TrainingData) -> Sureness | None:
    """Thresholds by the validation trials, which no weights were fitted to."""
    if data.validation is None:
        return None
    source = source_of(data.train, data.validation)
    sureness = calibrate(checkpoint, data.validation, source)
    if sureness is None:
        log.info(
            "too few validation windows to say how sure the model may be: it will "
            "always decide"
        )
    return sureness


def wanted(data: TrainingData, config: Config) -> TrainingData:
    """The windows that the configuration wants of a split.

    Raises TrainingError if it wants no first windows and trials have no others.
    """
    if config.train.first_windows:
        return data
    train, validation, test = (
        None if part is None else part.without_first()
        for part in (data.train, data.validation, data.test)
    )
    assert train is not None
    if len(train) == 0:
        raise TrainingError(
            "train.first_windows = false leaves no window to train on: every trial has "
            "one only; set it to true"
        )
    return replace(data, train=train, validation=validation, test=test)


def of_what_trains(data: TrainingData) -> TrainingData:
    """Without the validation windows of emotions that no training window shows.

    A model does not know those, which is logged. Test windows of them stay, to be
    counted. Raises TrainingError if fewer than two emotions are left.
    """
    knows = data.train.emotions
    if len(knows) < 2:
        raise TrainingError(
            f"the training trials show {' and '.join(knows) or 'no emotion'} alone; "
            "give trials of two emotions or more"
        )
    unknown = [name for name in EMOTIONS if name not in knows]
    if not unknown:
        return data
    others = (data.validation, data.test)
    n = sum(len(part.of_emotions(unknown)) for part in others if part is not None)
    log.warning(
        "no training trial shows %s, which the model will not know%s",
        " or ".join(unknown),
        f"; {counted(n, 'validation or test window')} left out" if n else "",
    )
    watched = None if data.validation is None else data.validation.of_emotions(knows)
    return replace(data, validation=watched)


def of_what_is_there(stages: list[str], there: Sequence[str]) -> list[str]:
    """The stages of a run of all, without those of what no training window has.

    there: the modalities that some window has. Stages named alone stay as they are.
    Raises TrainingError for a run of all if there is but one modality.
    """
    if stages != list(STAGES) or len(there) == len(MODALITIES):
        return stages
    if len(there) < 2:
        raise TrainingError(
            f"the training windows have {' and '.join(there) or 'nothing'} alone, of "
            "which nothing can be fused; name the one model to train, as in `train "
            f"{there[0] if there else 'audio'}`"
        )
    log.warning(
        "no training window has %s: the model will read %s",
        " or ".join(m for m in MODALITIES if m not in there),
        " and ".join(there),
    )
    return [*there, "ambt"]


def begin_from(model: EmotionModel, weights: Mapping[str, str]) -> None:
    """Load public weights into encoders: by "audio" or "video", a folder or hub id."""
    encoders = model.by_modality
    for m, load_weights in (("audio", load_audio), ("video", load_video)):
        if m in weights and m in encoders:
            report = load_weights(encoders[m], weights[m])  # type: ignore[arg-type]
            log.info("%s begins from %s", m, report)


def new_model(
    config: Config,
    modalities: Sequence[str],
    fusion: bool,
    knows: Sequence[str] = EMOTIONS,
) -> EmotionModel:
    """An untrained recognizer, drawn from the configuration's seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        return EmotionModel(config.model, modalities, fusion, config.baseline, knows)


def _check(stages: Sequence[str], data: TrainingData, config: Config) -> None:
    if not stages:
        raise TrainingError(f"nothing to train; name some of {', '.join(STAGES)}")
    baseline = config.baseline
    if baseline is not None and list(stages) != [baseline.modality]:
        raise TrainingError(
            f"{baseline.name} is trained by itself, as stage {baseline.modality}; the "
            f"stages given are {', '.join(stages)}"
        )
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    trials = {
        name: set(windows.trial_keys.tolist())
        for name, windows in parts.items()
        if windows is not None
    }
    for name, other in combinations(trials, 2):
        shared = len(trials[name] & trials[other])
        if shared:
            raise TrainingError(
                f"{shared} trials are in both the {name} and the {other} part of the "
                "split; every trial must be in one part only"
            )
    if config.train.select == "validation" and not trials.get("validation"):
        raise TrainingError(
            'train.select = "validation" needs validation trials; split some off the '
            'training part or set train.select = "fixed"'
        )
    side = config.model.video.side
    if {"video", "ambt"} & set(stages) and data.preprocess.face_size != side:
        raise TrainingError(
            f"faces were prepared at {data.preprocess.face_size} px, model.video.side "
            f"is {side}; prepare them at {side} or change the configuration"
        )


def _previous(
    run: RunFolder,
    stages: Sequence[str],
    data: TrainingData,
    config: Config,
    anew: bool,
) -> tuple[dict[str, nn.Module], list[dict[str, Any]], dict[str, str]]:
    """Encoders of the run that is there which these stages leave as they are.

    Also their history, and the public weights they began from.
    """
    if {*data.train.modalities, "ambt"} <= set(stages) or not run.has_model:
        return {}, [], {}
    checkpoint, split = run.checkpoint(), run.about_split()
    before = _encoders_made_from(checkpoint.config, checkpoint.preprocess, split)
    now = _encoders_made_from(config, data.preprocess, data.split)
    if other := before.other(now):  # encoders may have seen what is now the test part
        raise TrainingError(
            f"the run in {run.path} has another {' and '.join(other)}; use what it was "
            "trained with, or another --out"
        )
    kept = {
        m: encoder
        for m, encoder in checkpoint.model.by_modality.items()
        if m not in stages
    }
    changed = before.changed(now)
    if changed and anew and not kept:
        return {}, [], {}
    if changed:
        raise TrainingError(
            f"the run in {run.path} was trained on other data ({changed}); give the "
            "cache it was trained on, or use another --out"
        )
    history = [row for row in run.history() if row["stage"] in kept]
    weights = dict(checkpoint.meta.get("weights", {}))
    return dict(kept), history, {m: w for m, w in weights.items() if m in kept}


def _encoders_made_from(
    config: Config, preprocess: PreprocessSettings, split: Mapping[str, Any]
) -> MadeFrom:
    """What must be the same for encoders to be taken over."""
    decisive = config.model_dump(mode="json", include={"model", "baseline"})
    return MadeFrom.of(
        {
            "configuration": [decisive, config.train.first_windows],
            "preprocessing": preprocess.as_values(),
            "split": split_alone(split),
            "data": split.get("data", {}),
        }
    )


def _counts(data: TrainingData) -> dict[str, int]:
    return {
        "subjects": len(data.train.sources),
        "train_windows": len(data.train),
        "validation_windows": len(data.validation) if data.validation else 0,
        "test_windows": len(data.test) if data.test else 0,
    }


def _about(
    stages: Sequence[str],
    data: TrainingData,
    config: Config,
    weights: Mapping[str, str],
    max_steps: int | None,
) -> dict[str, Any]:
    """What decides the weights: an interrupted run of anything else is refused."""
    return {
        "stages": list(stages),
        "config": config.model_dump(mode="json"),
        "preprocess": data.preprocess.as_values(),
        "split": split_alone(data.split),
        "data": data.split.get("data", {}),
        "windows": [len(data.train), int(data.train.emotion.sum())],
        "weights": dict(weights),
        "max_steps": max_steps,
    }


def _results(
    model: EmotionModel,
    data: TrainingData,
    config: Config,
    history: Sequence[dict[str, Any]],
    device: str,
    max_steps: int | None,
) -> tuple[Results, dict[str, np.ndarray]]:
    timings: dict[str, float] = {}
    for row in history:
        timings[row["stage"]] = timings.get(row["stage"], 0.0) + float(row["seconds"])
    about: dict[str, Any] = {
        "split": data.split,
        "no_signal": dict(data.no_signal),
        "seed": config.train.seed,
        "demo": data.train.synthetic,
        "trial_run": max_steps is not None,
        "timings": {stage: round(seconds, 2) for stage, seconds in timings.items()},
        "device": device,
        "threads": torch.get_num_threads(),
        "versions": package_versions(),
    }
    if device.startswith("cuda"):
        about["gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 2**20)
    if data.test is None or len(data.test.of_emotions(model.knows)) == 0:
        # Not a model that may be read: a report refuses a run that was not tested.
        return Results.model_construct(**about, n_windows=0, modalities={}), {}
    assessment = assess(model, data.test, data.validation, config.train.seed)
    return assessment.results.with_run(**about), assessment.predictions
