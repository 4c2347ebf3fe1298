"""The datasets that `prepare` reads, and telling which one a folder holds.

EAV's layout serves three: the dataset itself, synthetic people (marked by a file in
their folder) and imported sessions (which name the person). Packages that are
installed add others, by entry points of the group `eav_live.datasets`: a `Corpus`, or a
`Dataset` made of its folder.
"""

import logging
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from eav_offline.common.plugins import DATASETS as GROUP
from eav_offline.common.plugins import PluginError, load_offered, not_fit, offered_names
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.clips import ClipFolder, check_clips, has_clips
from eav_offline.data.corpora import CORPORA, Corpus
from eav_offline.data.dataset import Dataset, Fault, require_subjects
from eav_offline.data.eav.check import check_root
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.eav.subject import (
    Subject,
    find_subjects,
    open_subject,
    subject_folders,
)
from eav_offline.data.media import MediaError
from eav_offline.data.recipe import EAV

log = logging.getLogger(__name__)
_PARTS = ("name", "root", "labels", "subjects", "open_subject")  # of a `Dataset`


class EavDataset:
    """A root of EAV: subject1, subject2, ... Raises DatasetError if it is none."""

    name = EAV
    labels = {name.title(): name for name in EMOTIONS}

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders = find_subjects(root)

    def subjects(self) -> list[int]:
        """Numbers of the subject folders."""
        return list(self._folders)

    def open_subject(self, number: int) -> Subject:
        """Refused with DatasetError if its files contradict each other."""
        return open_subject(self._folders[number])


DATASETS: dict[str, Callable[[Path], Dataset]] = {
    EAV: EavDataset,
    **{name: partial(ClipFolder, corpus=corpus) for name, corpus in CORPORA.items()},
}


def corpora() -> dict[str, Corpus]:
    """All collections of clips by name, those of packages too."""
    found = dict(CORPORA)
    for name in offered_names(GROUP, DATASETS):
        try:
            offers = load_offered(GROUP, name)
        except PluginError as error:  # which must not keep other data from being read
            log.warning("%s", error)
            continue
        if isinstance(offers, Corpus):
            found[name] = offers
    return found


def open_dataset(root: Path, name: str | None = None) -> Dataset:
    """The dataset in a folder.

    name: of `DATASETS` or of a package's; None to look which it is. Raises DatasetError
    if it is not that one, or if it could be several.
    """
    name = name or which_dataset(root)
    if name in DATASETS:
        return DATASETS[name](root)
    offers = load_offered(GROUP, name)
    if isinstance(offers, Corpus):
        return ClipFolder(root, corpus=offers)
    made: Any = offers(root) if callable(offers) else None
    if not all(hasattr(made, part) for part in _PARTS):
        raise not_fit(GROUP, name, "Corpus, nor makes a Dataset of its folder")
    dataset: Dataset = made
    return dataset


def check_dataset(
    root: Path, subjects: Collection[int] | None = None, name: str | None = None
) -> list[Fault]:
    """All faults of all subjects (or those given) of a dataset; none is [].

    name: see `open_dataset`. Raises DatasetError if there is no subject, or not those.
    """
    name = name or which_dataset(root)
    if name == EAV:
        return check_root(root, subjects)
    corpus = corpora().get(name)
    if corpus is not None:
        return check_clips(corpus, root, subjects)
    return _check_all(open_dataset(root, name), subjects)


def _check_all(dataset: Dataset, subjects: Collection[int] | None) -> list[Fault]:
    """Read every trial of a dataset of which nothing else is known."""
    there = dataset.subjects()
    require_subjects(subjects, there, dataset.root)
    faults = []
    for number in there if subjects is None else sorted(subjects):
        try:
            subject = dataset.open_subject(number)
        except DatasetError as error:
            faults.append(Fault(number, None, error.code, str(error)))
            continue
        for trial in subject.trials("both"):
            try:
                subject.recording(trial)
            except DatasetError as error:
                faults.append(Fault(number, trial, error.code, str(error)))
            except MediaError as error:
                faults.append(Fault(number, trial, "damaged-media", str(error)))
    return faults


def which_dataset(root: Path) -> str:
    """Which data set a folder holds, by its folders and the names of its files.

    EAV or a collection of clips, of packages too. Raises DatasetError if it could be
    several, or holds released features.
    """
    found = [EAV] if _has_subjects(root) else []
    found += [name for name, corpus in corpora().items() if has_clips(root, corpus)]
    if len(found) > 1:
        raise DatasetError(
            "two-datasets",
            f"{root} holds files of {' and '.join(found)}; say with --dataset which "
            "is meant",
        )
    if not found and any(root.glob("subject_*_*.pkl")):
        raise DatasetError(
            "released-features",
            f"{root} holds released features, not recordings; use `eav-offline "
            "import-features`",
        )
    return found[0] if found else EAV


def _has_subjects(root: Path) -> bool:
    try:
        return bool(subject_folders(root))
    except DatasetError:
        return False
