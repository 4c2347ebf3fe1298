"""The datasets that `prepare` reads, and telling which one a folder holds.

EAV's layout serves three: the dataset itself, synthetic people (marked by a file in
their folder) and imported sessions (which name the person).
"""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import EAV
from eav_offline.data.clips import ClipFolder, check_clips, has_clips
from eav_offline.data.corpora import CORPORA
from eav_offline.data.dataset import Dataset, Fault
from eav_offline.data.eav.check import check_root
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.eav.subject import (
    Subject,
    find_subjects,
    open_subject,
    subject_folders,
)


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


def open_dataset(root: Path, name: str | None = None) -> Dataset:
    """The dataset in a folder; name: one of `DATASETS`, None to look which it is.

    Raises DatasetError if it is not that one, or if it could be several.
    """
    return DATASETS[name or which_dataset(root)](root)


def check_dataset(
    root: Path, subjects: Collection[int] | None = None, name: str | None = None
) -> list[Fault]:
    """All faults of all subjects (or those given) of a dataset; none is [].

    name: see `open_dataset`. Raises DatasetError if there is no subject, or not those.
    """
    name = name or which_dataset(root)
    if name == EAV:
        return check_root(root, subjects)
    return check_clips(CORPORA[name], root, subjects)


def which_dataset(root: Path) -> str:
    """Which of `DATASETS` a folder holds, by its folders and the names of its files.

    Raises DatasetError if it could be several, or holds released features.
    """
    found = [EAV] if _has_subjects(root) else []
    found += [name for name, corpus in CORPORA.items() if has_clips(root, corpus)]
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
