"""Run folders as training leaves them, with drawn probabilities for predictions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.config import Config, to_toml
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.evaluation.assess import SUBSETS, score
from eav_offline.evaluation.metrics import fit_temperature, probability_scores

TRIALS_A_CLASS, WINDOWS_PER_TRIAL = 3, 2
_SKILL = {"eeg": 0.7, "audio": 1.3, "video": 1.9}
_OUTPUT_KEYS = ("subject", "trial", "position", "emotion")


@dataclass
class _Windows:
    """As much of a WindowSet as scores are computed from."""

    subject: np.ndarray
    emotion: np.ndarray
    position: np.ndarray
    trial_keys: np.ndarray

    def __len__(self) -> int:
        return len(self.emotion)


def drawn_chances(
    random: np.random.Generator, emotion: np.ndarray, skill: float
) -> np.ndarray:
    """Overconfident probabilities (n, 5) that favor the truth by `skill` logits."""
    logits = random.normal(0, 1, (len(emotion), N_EMOTIONS))
    logits[np.arange(len(emotion)), emotion] += skill
    weights = np.exp(1.6 * logits)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def write_run(
    folder: Path,
    config: Config,
    subjects: Sequence[int] = (1,),
    bonus: float = 0.0,
    demo: bool = False,
    stages: Sequence[str] = (*MODALITIES, "ambt"),
    validation: bool = True,
    fold: dict[str, list[int]] | None = None,
    epochs: int = 5,
) -> Path:
    """Write a run that was tested on all of `subjects`; its seed is the config's."""
    seed = config.train.seed
    random = np.random.default_rng([seed, *subjects, round(1000 * bonus)])
    emotion = np.tile(
        np.repeat(np.arange(N_EMOTIONS), TRIALS_A_CLASS * WINDOWS_PER_TRIAL),
        len(subjects),
    )
    each = N_EMOTIONS * TRIALS_A_CLASS * WINDOWS_PER_TRIAL
    subject = np.repeat(subjects, each)
    trial = np.tile(np.arange(each) // WINDOWS_PER_TRIAL + 101, len(subjects))
    position = np.tile(np.arange(WINDOWS_PER_TRIAL), len(emotion) // WINDOWS_PER_TRIAL)
    known = [m for m in MODALITIES if m in stages]
    talent = np.repeat(
        [np.random.default_rng([77, s]).normal(0, 0.5) for s in subjects], each
    )
    outputs = {
        m: np.concatenate(
            [
                drawn_chances(random, emotion[subject == s], _SKILL[m] + talent[i])
                for i, s in zip(np.arange(0, len(emotion), each), subjects, strict=True)
            ]
        )
        for m in known
    }
    if len(known) > 1:
        outputs["averaged"] = np.mean([outputs[m] for m in known], axis=0)
    outputs["fused"] = drawn_chances(random, emotion, 2.2 + bonus)
    subsets = {
        "+".join(s): (
            outputs["fused"]
            if len(s) == len(MODALITIES)
            else drawn_chances(random, emotion, bonus + sum(_SKILL[m] for m in s) / 2)
        )
        for s in SUBSETS
        if set(s) <= set(known)
    }
    windows = _Windows(subject, emotion, position, trial_keys=1000 * subject + trial)
    temperatures = {
        name: fit_temperature(emotion, rows) if validation else None
        for name, rows in outputs.items()
    }

    def subset_scores(rows: np.ndarray, mine: np.ndarray) -> dict[str, Any]:
        right = rows[mine].argmax(1) == emotion[mine]
        return {"accuracy": float(right.mean()), "n_windows": int(mine.sum())}

    everyone = np.ones(len(emotion), dtype=bool)
    tested = sorted({int(number) for number in trial})
    trained = list(range(1, len(tested) * 7 // 3 + 1))  # 70 % of all trials
    about = {"caches": ["../cache"], "data": {}}
    split: dict[str, Any] = {
        **about,
        "kind": "within-subject",
        "protocol": "the first trials of each class train, the last test",
        "subjects": {
            str(s): {"train": trained, "validation": [], "test": tested}
            for s in subjects
        },
    }
    if fold is not None:
        parts = {part: fold.get(part, []) for part in ("train", "validation", "test")}
        whole = {n: part for part, people in parts.items() for n in people}
        empty: dict[str, list[int]] = dict.fromkeys(parts, [])
        split = {
            **about,
            "kind": "leave-subjects-out",
            "protocol": "leave subjects out",
            "subjects": {str(n): {**empty, part: tested} for n, part in whole.items()},
            "fold": parts,
        }
    shares = random.dirichlet(np.full(len(EEG_CHANNELS), 8.0))
    scores = {
        name: score(rows, windows, seed, temperatures[name]).as_json()
        for name, rows in outputs.items()
    }
    results = {
        "format": 2,
        "split": split,
        "seed": seed,
        "demo": demo,
        "n_windows": len(emotion),
        "n_trials": len(np.unique(windows.trial_keys)),
        "modalities": scores,
        "subsets": {s: subset_scores(rows, everyone) for s, rows in subsets.items()},
        "by_subject": {
            str(s): {
                "modalities": {
                    name: scores[name]
                    if len(subjects) == 1
                    else probability_scores(emotion[subject == s], rows[subject == s])
                    for name, rows in outputs.items()
                },
                "subsets": {
                    name: subset_scores(rows, subject == s)
                    for name, rows in subsets.items()
                },
                "n_windows": each,
            }
            for s in subjects
        },
        "by_position": {},
        "saliency": {"electrodes": shares.tolist(), "channels": list(EEG_CHANNELS)},
        "calibration": {
            name: {"temperature": t, "fitted_on": "validation" if t else None}
            for name, t in temperatures.items()
        },
        "timings": {stage: 10.0 + random.random() for stage in stages},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "device": "cpu",
    }
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "split.json").write_text(json.dumps(split))
    (folder / "config.toml").write_text(to_toml(config))
    (folder / "history.csv").write_text(_history(random, stages, epochs, validation))
    arrays = dict(zip(_OUTPUT_KEYS, (subject, trial, position, emotion), strict=True))
    arrays |= {f"p_{name}": rows for name, rows in outputs.items()}
    arrays |= {f"p_subset_{name}": rows for name, rows in subsets.items()}
    np.savez_compressed(folder / "predictions.npz", **arrays)
    return folder


def _history(
    random: np.random.Generator, stages: Sequence[str], epochs: int, validation: bool
) -> str:
    lines = [
        "stage,phase,epoch,learning_rate,train_loss,train_accuracy,validation_loss,"
        "validation_accuracy,seconds"
    ]
    for stage in stages:
        for epoch in range(1, epochs + 1):
            loss = 0.4 + 1.2 * np.exp(-epoch / epochs * 2) + random.normal(0, 0.03)
            right = 0.9 - 0.6 * np.exp(-epoch / epochs * 2)
            phase = "head" if epoch <= epochs // 3 else "all"
            watched = f"{loss + 0.25:.4f},{right - 0.1:.4f}" if validation else ","
            lines.append(
                f"{stage},{phase},{epoch},0.001,{loss:.4f},{right:.4f},{watched},1.5"
            )
    return "\n".join(lines) + "\n"
