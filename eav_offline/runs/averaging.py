"""The mean of several runs' probabilities, as a run of its own."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.checkpoint.file import Checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions
from eav_offline.config import BaselineConfig, Config
from eav_offline.core.labels import MODALITIES
from eav_offline.core.model_names import AVERAGE
from eav_offline.data.cache import changed_data
from eav_offline.data.window_set import WindowSet
from eav_offline.evaluation.assess import assess_probabilities
from eav_offline.evaluation.model_card import composed_card
from eav_offline.evaluation.results import Results
from eav_offline.models.average import OUTPUTS, Average
from eav_offline.models.baselines.settings import baseline_name
from eav_offline.runs.split import stored_path
from eav_offline.training.run_folder import INDEX, RunFolder, StoredSplit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """A finished run and the output of it that counts."""

    run: Path
    output: str


@dataclass(frozen=True)
class _Read:
    """A member as it lies on disk. chances: (n, 5), in the order of the index."""

    run: Path
    name: str
    split: StoredSplit
    index: dict[str, np.ndarray]
    chances: np.ndarray
    checkpoint: Checkpoint
    n_left_out: int


def parse_member(text: str) -> Member:
    """Read RUN or RUN:OUTPUT; the output is "fused" if none is named."""
    run, _, output = text.rpartition(":")
    if run and output in OUTPUTS and not Path(text).is_dir():
        return Member(Path(run), output)
    return Member(Path(text), "fused")


def average_runs(members: Sequence[Member], out: Path) -> Results:
    """Average outputs of runs, window by window, and write what `train` writes.

    All windows that some member knows count, and the members that know one count alike.
    `fused` of the results is the mean; a single modality's is that of the members that
    read it alone. model.safetensors holds all members and runs live. Raises
    InputRefused unless the runs were tested on the same windows of the same data, after
    the same split, and prepared alike.
    """
    if len(members) < 2:
        raise InputRefused("one run has no average; name two or more")
    if RunFolder(out).finished:
        raise InputRefused(f"{out} holds a run; give another --out")
    read = [_read(member) for member in members]
    first = read[0]
    for other in read[1:]:
        _check_alike(first, other)
    config = first.checkpoint.config
    baseline = BaselineConfig(name=AVERAGE, members=tuple(one.name for one in read))
    config = config.model_copy(update={"baseline": baseline})
    model = Average(
        [one.checkpoint.model for one in read], [member.output for member in members]
    )
    outputs = _outputs(model, [one.chances for one in read])
    windows = _windows(first.index)
    seed = config.train.seed
    assessment = assess_probabilities(outputs, {}, windows, {}, seed)
    demo = any(one.checkpoint.demo for one in read)
    caches = [stored_path(cache, out) for cache in first.split.caches]
    split = first.split.about | {"caches": caches}
    results = assessment.results.with_run(
        split=split,
        demo=demo,
        trial_run=False,
        knows=model.knows,
        n_left_out=first.n_left_out,
        timings={},
        members=[one.name for one in read],
        versions=package_versions(),
    )
    checkpoint = Checkpoint(
        model,
        config,
        first.checkpoint.preprocess,
        demo,
        meta=_meta(read),
        member_configs=tuple(one.checkpoint.config for one in read),
    )
    cards = [(one.name, one.checkpoint.card) for one in read]
    card = composed_card(checkpoint, cards, results)
    checkpoint = replace(checkpoint, card=card)
    RunFolder(out).write(checkpoint, results, assessment.predictions)
    return results


def _read(member: Member) -> _Read:
    run = RunFolder(member.run)
    split, checkpoint, said = run.split(), run.checkpoint(), run.predictions()
    if not checkpoint.model.decides_alone:
        raise InputRefused(f"{run.path} is an average itself; name its members instead")
    if member.output not in said.probabilities:
        raise InputRefused(
            f"{run.path} has no output {member.output}; it has "
            f"{', '.join(said.probabilities)}"
        )
    order = np.lexsort((said.position, said.trial, said.subject))
    index = {key: vars(said)[key][order].astype(np.int64) for key in INDEX}
    chances = said.probabilities[member.output][order]
    name = _name(checkpoint.config, member.output)
    left_out = run.results().n_left_out
    return _Read(run.path, name, split, index, chances, checkpoint, left_out)


def _name(config: Config, output: str) -> str:
    baseline = config.baseline
    if baseline is not None:
        return baseline_name(baseline)
    return f"AMBT-{config.model.fusion.variant} {output}"


def _check_alike(first: _Read, other: _Read) -> None:
    for what, same in (
        (
            "tested on different windows",
            all(np.array_equal(first.index[n], other.index[n]) for n in INDEX),
        ),
        (
            "trained on different splits",
            (first.split.subjects, first.split.fold)
            == (other.split.subjects, other.split.fold),
        ),
        (
            "trained to tell different emotions",
            first.checkpoint.knows == other.checkpoint.knows,
        ),
    ):
        if not same:
            raise InputRefused(
                f"{first.name} and {other.name} were {what}; average runs of one split"
            )
    changed = changed_data(
        first.split.data, other.split.data, "in the first", "in the second"
    )
    if changed:
        raise InputRefused(
            f"{first.run} and {other.run} were trained on different data ({changed}); "
            "train them on one cache"
        )
    first.checkpoint.check_preparation(
        other.checkpoint.preprocess, first.name, other.name
    )


def _outputs(model: Average, chances: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The mean of all members, and of those that read one modality alone."""
    outputs = {}
    for m in MODALITIES:
        mine = [x for i, x in enumerate(chances) if model.reads(i) == (m,)]
        if mine:
            outputs[m] = _mean(mine)
    return {**outputs, "fused": _mean(chances)}


def _mean(chances: Sequence[np.ndarray]) -> np.ndarray:
    stacked = np.stack(chances)
    known = ~np.isnan(stacked[..., 0])
    total = np.where(known[..., None], stacked, 0).sum(0)
    with np.errstate(invalid="ignore"):  # none known: 0 / 0 is the NaN wanted
        return (total / known.sum(0)[:, None]).astype(np.float32)


def _windows(index: dict[str, np.ndarray]) -> WindowSet:
    """The windows without what models read, which are scored by what was said."""
    n = len(index["emotion"])
    nowhere = np.zeros(n, dtype=np.int64)
    present = np.zeros((n, len(MODALITIES)), dtype=bool)
    return WindowSet((), nowhere, np.arange(n), **index, present=present)


def _meta(read: Sequence[_Read]) -> dict[str, Any]:
    """What a checkpoint says of its training, of the members' it is true for all."""
    meta: dict[str, Any] = {"training": read[0].checkpoint.meta.get("training", {})}
    references = {one.checkpoint.eeg_reference for one in read} - {""}
    if len(references) == 1:
        meta["eeg_reference"] = references.pop()
    return meta
