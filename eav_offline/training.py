"""A training run: the three encoders one by one, then AMBT, and what is written."""

import csv
import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eav_offline.checkpoint import Checkpoint, load, save_checkpoint, write_atomically
from eav_offline.config import STAGES, Config, to_toml
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation import evaluate
from eav_offline.fitting import Progress, TrainingError, fit_ambt, fit_encoder
from eav_offline.labels import MODALITIES
from eav_offline.models import Recogniser
from eav_offline.preprocess import PreprocessSettings

__all__ = ["Progress", "TrainingData", "TrainingError", "new_model", "train"]

log = logging.getLogger(__name__)

MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class TrainingData:
    """Windows of a split, and how they came about.

    validation: watched, and deciding if the configuration says so. test: scored once
    at the end. split: a description for split.json.
    """

    train: WindowSet
    validation: WindowSet | None
    test: WindowSet | None
    preprocess: PreprocessSettings
    split: dict[str, Any] = field(default_factory=dict)


def train(
    stages: Sequence[str],
    data: TrainingData,
    config: Config,
    out: Path,
    progress: Progress | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train some of `STAGES` and write a run.

    Named alone, a stage goes on from the run that is in `out`; "ambt" needs the three
    encoders. Writes model.safetensors, config.toml, split.json, history.csv and
    results.json (on the test windows), each whole or not at all, and returns what is
    in results.json. The same data, configuration, stages and number of threads give
    the same weights. Raises TrainingError if a trial is in two parts of the split, or
    if the run in `out` is of another configuration or split.
    """
    stages = [stage for stage in STAGES if stage in stages]
    _check(stages, data, config)
    kept, history = _previous(out, stages, data, config)
    modalities = [m for m in MODALITIES if m in kept or m in stages]
    if "ambt" in stages and len(modalities) < len(MODALITIES):
        missing = ", ".join(m for m in MODALITIES if m not in modalities)
        raise TrainingError(
            f"AMBT needs a trained encoder for {missing}: train it first"
        )
    model = new_model(config, modalities, fusion="ambt" in stages)
    for m, encoder in kept.items():
        model.encoders[m].load_state_dict(encoder.state_dict())
    model.to(device)
    for stage in stages:
        log.info("training %s on %d windows", stage, len(data.train))
        if stage == "ambt":
            history += fit_ambt(model, data.train, data.validation, config, progress)
        else:
            history += fit_encoder(
                model, stage, data.train, data.validation, config, progress
            )
    model.eval()
    results = _results(model, data, config)
    meta = {"training": {"stages": list(stages), **_counts(data)}}
    demo = data.train.synthetic
    checkpoint = Checkpoint(model, config, data.preprocess, demo, meta=meta)
    save_checkpoint(out / MODEL_FILE, checkpoint)
    write_atomically(out / "config.toml", to_toml(config))
    write_atomically(out / "split.json", json.dumps(data.split, indent=1))
    write_atomically(out / "history.csv", _as_csv(history))
    write_atomically(out / "results.json", json.dumps(results, indent=1))
    return results


def new_model(config: Config, modalities: Sequence[str], fusion: bool) -> Recogniser:
    """An untrained recogniser, drawn from the configuration's seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        return Recogniser(config.model, modalities, fusion)


def _check(stages: Sequence[str], data: TrainingData, config: Config) -> None:
    if not stages:
        raise TrainingError(f"nothing to train; name some of {', '.join(STAGES)}")
    parts = {
        "training": data.train,
        "validation": data.validation,
        "test": data.test,
    }
    trials = {
        name: set(windows.trial_keys.tolist())
        for name, windows in parts.items()
        if windows is not None
    }
    names = list(trials)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            shared = len(trials[name] & trials[other])
            if shared:
                raise TrainingError(
                    f"{shared} trials are in both the {name} and the {other} part of "
                    "the split; every trial must be in one part only"
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
    out: Path, stages: Sequence[str], data: TrainingData, config: Config
) -> tuple[dict[str, nn.Module], list[dict[str, Any]]]:
    """Encoders of the run in `out` that these stages leave as they are; its history."""
    if set(MODALITIES) <= set(stages) or not (out / MODEL_FILE).is_file():
        return {}, []
    checkpoint = load(out / MODEL_FILE)
    split = json.loads((out / "split.json").read_text(encoding="utf-8"))
    if (
        checkpoint.config.model != config.model
        or checkpoint.preprocess != data.preprocess
    ):
        raise TrainingError(
            f"the run in {out} has another configuration or preprocessing; use those, "
            "or another --out"
        )
    if split != json.loads(json.dumps(data.split)):
        # Its encoders may have seen what is now the test part.
        raise TrainingError(f"the run in {out} has another split; use another --out")
    kept = {
        m: encoder
        for m, encoder in checkpoint.model.by_modality.items()
        if m not in stages
    }
    with (out / "history.csv").open(newline="", encoding="utf-8") as file:
        history = [row for row in csv.DictReader(file) if row["stage"] in kept]
    return dict(kept), history


def _counts(data: TrainingData) -> dict[str, int]:
    return {
        "subjects": len(data.train.sources),
        "train_windows": len(data.train),
        "validation_windows": len(data.validation) if data.validation else 0,
        "test_windows": len(data.test) if data.test else 0,
    }


def _results(model: Recogniser, data: TrainingData, config: Config) -> dict[str, Any]:
    about = {
        "split": data.split,
        "seed": config.train.seed,
        "demo": data.train.synthetic,
    }
    if data.test is None or len(data.test) == 0:
        return {**about, "n_windows": 0, "modalities": {}}
    return {**about, **evaluate(model, data.test, config.train.seed)}


def _as_csv(history: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()
