"""Puts runs of one model together: same configuration, protocol and stages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eav_offline.config import Config
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.evaluation.results import OUTPUTS
from eav_offline.models.baselines.settings import baseline_name
from eav_offline.report.runs import Run

_NAMED_KEYS = 3  # differing settings that a model's name has room for

Settings = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """Runs that differ only in seed, subjects and fold.

    name: short, and no other model's. protocol: who trained and who tested, short.
    split: the same in the words of split.json.
    """

    name: str
    protocol: str
    split: str
    runs: tuple[Run, ...]

    @property
    def config(self) -> Config:
        """Of the first run; the others differ in their seed."""
        return self.runs[0].config

    @property
    def made_with(self) -> dict[str, Any]:
        """Preprocessing and public weights, as far as the runs tell."""
        return self.runs[0].made_with

    @property
    def stages(self) -> tuple[str, ...]:
        """What was trained, in training order."""
        return self.runs[0].stages

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that some run was scored on, in the order of the tables.

        Of a model of one modality the fused output is that modality's again, and left
        out; an average of models of one modality still fuses them.
        """
        known = [
            name
            for name in OUTPUTS
            if any(name in run.results.modalities for run in self.runs)
        ]
        alone = len(self.modalities) == 1 and not self.runs[0].is_average
        return tuple(name for name in known if name != "fused" or not alone)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that some run was scored on."""
        return tuple(
            m for m in MODALITIES if any(m in r.results.modalities for r in self.runs)
        )

    @property
    def main_output(self) -> str:
        """The output that stands for the model: fused, or its single modality."""
        return "fused" if "fused" in self.outputs else self.outputs[-1]

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions that the model of some run can tell."""
        told = {name for run in self.runs for name in run.results.knows}
        return tuple(name for name in EMOTIONS if name in told)

    @property
    def subjects(self) -> tuple[int, ...]:
        """Everybody tested, ascending."""
        tested = {subject for run in self.runs for subject in run.results.by_subject}
        return tuple(sorted(tested))

    @property
    def seeds(self) -> tuple[int, ...]:
        """All training seeds, ascending."""
        return tuple(sorted({run.results.seed for run in self.runs}))

    @property
    def is_synthetic(self) -> bool:
        """Whether any run saw synthetic people."""
        return any(run.results.demo for run in self.runs)

    @property
    def repeated(self) -> tuple[str, ...]:
        """Runs that test a subject under a seed which another run already tested."""
        seen: set[tuple[int, int]] = set()
        names = []
        for run in self.runs:
            tested = {(subject, run.results.seed) for subject in run.results.by_subject}
            if tested & seen:
                names.append(run.name)
            seen |= tested
        return tuple(names)


def group_runs(runs: Sequence[Run], sizes: Mapping[str, Settings]) -> list[Model]:
    """One model for each configuration, protocol and set of stages, in reading order.

    People who lack a trial or two do not make another protocol.

    sizes: the `model` section of known configurations by their names, such as compact.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        key = json.dumps(
            [_settings(run), protocol_key(run), run.stages], sort_keys=True
        )
        groups.setdefault(key, []).append(run)
    models = [
        Model(
            name=_short_name(members[0], sizes),
            protocol=protocol_of(members),
            split=members[0].protocol,
            runs=tuple(members),
        )
        for members in groups.values()
    ]
    return _told_apart(models)


def protocol_of(runs: Sequence[Run]) -> str:
    """Who trained and who tested in runs of one kind, in a few words."""
    kind = _kind(runs[0])
    if runs[0].split.fold is not None:
        return kind
    told = [f"{_percent_of_trials(runs, 'train')} of trials train"]
    if any(split.validation for run in runs for split in run.split.subjects.values()):
        told.append(f"{_percent_of_trials(runs, 'validation')} validate")
    return ", ".join([kind, *told])


def protocol_key(run: Run) -> tuple[str, bool, int, str]:
    """Alike for runs of one protocol: the wording of its share may differ by a trial.

    The share of trials that do not test is taken in fifths: 50, 67, 70 and 75 % lie
    well within one.
    """
    splits = run.split.subjects.values()
    trained = sum(len(s.train) + len(s.validation) for s in splits)
    tested = sum(len(split.test) for split in splits)
    fifth = 5 * trained // max(1, trained + tested)
    return _kind(run), any(split.validation for split in splits), fifth, run.protocol


def _kind(run: Run) -> str:
    if run.split.fold is None:
        n = len(run.split.subjects)
        return "within subject" if n == 1 else f"within {n} subjects, one model"
    validates = any(split.validation for split in run.split.subjects.values())
    # A study names its runs so; the fold itself does not tell how many there are.
    folds = re.search(r"fold\d+of(\d+)", run.folder.parent.name)
    if folds:
        who = f"new people, {folds[1]} folds"
    elif re.match(r"loso\d+", run.folder.parent.name):
        who = "new people, one at a time"
    else:
        who = "new people"
    return f"{who}, others validate" if validates else who


def _percent_of_trials(runs: Sequence[Run], part: str) -> str:
    """The share of all trials that are in a part, over runs: 70 % or 68 to 70 %."""
    shares = []
    for run in runs:
        splits = run.split.subjects.values()
        every = sum(len(s.train) + len(s.validation) + len(s.test) for s in splits)
        mine = sum(len(getattr(split, part)) for split in splits)
        shares.append(f"{100 * mine / max(1, every):.0f}")
    low, high = min(shares, key=int), max(shares, key=int)
    return f"{low} %" if low == high else f"{low} to {high} %"


def flat(settings: Mapping[str, Any], above: str = "") -> Settings:
    """Nested settings as `section.key` -> value."""
    found: Settings = {}
    for key, value in settings.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        else:
            found[name] = value
    return found


def _settings(run: Run) -> Settings:
    settings = flat(run.config.model_dump(mode="json"))
    del settings["train.seed"]
    # Synthetic and real people are never averaged, though their numbers may be alike.
    return {**settings, **flat(run.made_with), "synthetic": run.results.demo}


def _short_name(run: Run, sizes: Mapping[str, Settings]) -> str:
    if run.config.baseline is not None:
        return baseline_name(run.config.baseline)
    model = run.config.model.model_dump(mode="json")
    size = next((s for s, known in sizes.items() if _alike(model, known)), "custom")
    if "ambt" in run.stages:
        return f"{size} AMBT-{run.config.model.fusion.variant}"
    names = {"eeg": "EEG", "audio": "audio", "video": "video"}
    trained = [names[m] for m in MODALITIES if m in run.stages]
    return f"{size} {', '.join(trained)} only"


def _alike(model: Settings, known: Mapping[str, Any]) -> bool:
    """Whether two model sections are of one size, whatever the fusion variant."""
    here, there = flat(model), flat(known)
    here.pop("fusion.variant", None)
    there.pop("fusion.variant", None)
    return here == there


def _text(settings: Settings, key: str) -> str:
    return json.dumps(settings[key]) if key in settings else "none"


def _told_apart(models: Sequence[Model]) -> list[Model]:
    """The models with the settings that differ in the names that several share."""
    names: dict[int, str] = {}
    for i, model in enumerate(models):
        twins = [
            m for m in models if (m.name, m.protocol) == (model.name, model.protocol)
        ]
        names[i] = model.name
        if len(twins) > 1:
            mine = _settings(model.runs[0])
            others = [_settings(twin.runs[0]) for twin in twins]
            keys = dict.fromkeys(key for other in others for key in other)
            differing = [k for k in keys if len({_text(o, k) for o in others}) > 1]
            shown = [f"{k} {_text(mine, k)}" for k in differing[:_NAMED_KEYS]]
            if len(differing) > _NAMED_KEYS:
                shown.append("…")
            if shown:
                names[i] += f" ({', '.join(shown)})"
    taken: set[str] = set()
    result = []
    for i, model in enumerate(models):
        name, n = names[i], 2
        if any(m.name == model.name and m.protocol != model.protocol for m in models):
            name = f"{name}, {model.protocol}"
        unique = name
        while unique in taken:
            unique, n = f"{name} #{n}", n + 1
        taken.add(unique)
        result.append(Model(unique, model.protocol, model.split, model.runs))
    return sorted(result, key=lambda m: (m.protocol, m.name))
