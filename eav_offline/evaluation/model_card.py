"""The card of a trained model, from its results and from what is known of its data."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import numpy as np

from eav_offline.checkpoint.card import NAMES, NOT_STATED, Card, DataSet, Figure
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.console import counted
from eav_offline.common.files import package_versions
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.splits import HELD_OUT, WITHIN
from eav_offline.evaluation.results import OutputScores, Results

_UNITS: dict[str, Literal["person", "trial"]] = {"subject": "person", "trial": "trial"}


def trained_card(
    checkpoint: Checkpoint,
    data: Sequence[DataSet] = (),
    results: Results | None = None,
    what: str = "",
) -> Card:
    """What `train` can say of a model; nothing is made up, and no person is named.

    results: of its test windows, None or of no window if it was not tested. what: the
    kind of model, if the configuration does not say.
    """
    if results is not None and results.n_windows == 0:
        results = None
    about = {} if results is None else results.split
    return Card(
        what=what or _kind(checkpoint),
        reads=checkpoint.modalities,
        knows=checkpoint.knows,
        shown=_shown(checkpoint, results),
        data=tuple(data),
        protocol=str(about.get("protocol", NOT_STATED)),
        figures=() if results is None else tuple(_figures(results)),
        failures=tuple(_failures(checkpoint, results)),
        license=_license(data),
        made_with=_made_with(checkpoint),
    )


def composed_card(
    checkpoint: Checkpoint, members: Sequence[tuple[str, Card | None]], results: Results
) -> Card:
    """The card of an average: its own figures, and the data of all its members.

    members: names of the kinds of models, and the cards that they have.
    """
    cards = [card for _, card in members if card is not None]
    data = dict.fromkeys(one for card in cards for one in card.data)
    names = ", ".join(name for name, _ in members)
    what = f"the mean of the probabilities of {len(members)} models: {names}"
    return trained_card(checkpoint, tuple(data), results, what)


def _kind(checkpoint: Checkpoint) -> str:
    baseline = checkpoint.config.baseline
    if baseline is not None:
        return f"{baseline.name}, a baseline"
    if checkpoint.model.ambt is not None:
        variant = checkpoint.config.model.fusion.variant
        return f"transformers of each modality, joined by AMBT ({variant})"
    return f"transformer of {' and of '.join(checkpoint.modalities)}"


def _shown(checkpoint: Checkpoint, results: Results | None) -> str:
    if checkpoint.demo:
        return "synthetic people only, not valid for real people"
    if results is None:
        return "not tested"
    n = len(results.by_subject)
    people = counted(n, "person", "people")
    whom = {
        HELD_OUT: f"{people} it was not trained on",
        WITHIN: f"later trials of the {people} it was trained on",
    }.get(_split_kind(results), f"{people}, trained on or not")
    figure = results.modalities.get("fused") or next(iter(results.modalities.values()))
    chance = 1 / len(results.knows)
    cut = "a trial run, " if results.trial_run else ""
    return f"{cut}{figure.accuracy:.0%} right (chance {chance:.0%}) on {whom}"


def _split_kind(results: Results) -> str:
    return str(results.split.get("kind", ""))


def _figures(results: Results) -> list[Figure]:
    return [
        Figure(
            output=name,
            on=f"{scores.n_windows} windows",
            value=scores.accuracy,
            interval=_pair(scores.interval),
            interval_by=_UNITS.get(scores.interval_unit or ""),
            people=len(results.by_subject),
            chance=1 / len(results.knows),
        )
        for name, scores in results.modalities.items()
    ]


def _pair(interval: Sequence[float] | None) -> tuple[float, float] | None:
    return None if interval is None else (interval[0], interval[1])


def _failures(checkpoint: Checkpoint, results: Results | None) -> list[str]:
    """What the figures show; what nobody looked for is not among them."""
    found = []
    if checkpoint.demo:
        found.append("It knows synthetic people only and says nothing of real ones.")
    if results is None:
        return found
    if _split_kind(results) == WITHIN:
        found.append("Of people it was not trained on nothing was tested.")
    if results.n_left_out:
        found.append(
            f"{counted(results.n_left_out, 'test window')} showed what it does not "
            "know."
        )
    for name, scores in results.modalities.items():
        low = None if scores.interval is None else scores.interval[0]
        if low is not None and low <= 1 / len(results.knows):
            found.append(
                f"{NAMES.get(name, name)}: not shown to be better than chance."
            )
    if "fused" in results.modalities:
        found.extend(_weakest(results.modalities["fused"]))
    return found


def _weakest(scores: OutputScores) -> list[str]:
    """The emotion that is recognized least, and what it is taken for."""
    counts = np.array(scores.confusion)
    shown = counts.sum(1)
    if not shown.any():
        return []
    recall = np.divide(
        counts.diagonal(), shown, out=np.ones(len(shown)), where=shown > 0
    )
    least = int(recall.argmin())
    wrong = counts[least].copy()
    wrong[least] = 0
    if not wrong.any():
        return []
    return [
        f"{EMOTIONS[least]} is recognized least, in {recall[least]:.0%} of its "
        f"windows; it is taken for {EMOTIONS[int(wrong.argmax())]} most often."
    ]


def _license(data: Sequence[DataSet]) -> str:
    """That of the data is known to bind a model; that of the weights nobody states."""
    bound = [f"{one.name} is under {one.license}" for one in data if one.license]
    return "; ".join([NOT_STATED, *bound])


def _made_with(checkpoint: Checkpoint) -> dict[str, str]:
    meta = checkpoint.meta
    versions = {**package_versions(), **meta.get("versions", {})}
    n = sum(parameter.numel() for parameter in checkpoint.model.parameters())
    made = {
        "eav-live": versions["eav-live"],
        "torch": versions["torch"],
        "configuration": f"{n:,} parameters, seed {checkpoint.config.train.seed}",
    }
    training = meta.get("training", {})
    if "stages" in training:
        made["stages"] = ", ".join(training["stages"])
    for m, source in meta.get("weights", {}).items():
        # Of a folder only its name: where it lay is nobody's business.
        made[f"{m} begun from"] = PurePath(source).name
    return made
