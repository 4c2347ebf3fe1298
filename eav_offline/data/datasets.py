"""The datasets that `prepare` reads, and telling which one a folder holds.

EAV's layout serves three: the dataset itself, synthetic people (marked by a file in
their folder) and imported sessions (which name the person).
"""

from collections.abc import Callable
from pathlib import Path

from eav_offline.core.labels import EMOTIONS
from eav_offline.data.cache import EAV
from eav_offline.data.dataset import Dataset
from eav_offline.data.eav.files import DatasetError
from eav_offline.data.eav.subject import (
    Subject,
    find_subjects,
    open_subject,
    subject_folders,
)
from eav_offline.data.ravdess import RavdessClips, has_actors


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
    RavdessClips.name: RavdessClips,
}


def open_dataset(root: Path, name: str | None = None) -> Dataset:
    """The dataset in a folder; name: one of `DATASETS`, None to look which it is.

    Raises DatasetError if it is not that one, or if it could be either.
    """
    if name is not None:
        return DATASETS[name](root)
    eav, ravdess = _has_subjects(root), has_actors(root)
    if eav and ravdess:
        raise DatasetError(
            "two-datasets",
            f"{root} holds both subject1, ... and Actor_01, ...; say with --dataset "
            f"which is meant ({' or '.join(DATASETS)})",
        )
    if not eav and not ravdess and any(root.glob("subject_*_*.pkl")):
        raise DatasetError(
            "released-features",
            f"{root} holds released features, not recordings; use `eav-offline "
            "import-features`",
        )
    return DATASETS[RavdessClips.name if ravdess else EAV](root)


def _has_subjects(root: Path) -> bool:
    try:
        return bool(subject_folders(root))
    except DatasetError:
        return False
