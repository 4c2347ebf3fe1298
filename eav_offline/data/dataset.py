"""What preparing asks of a dataset, whatever its files look like.

A reader of another dataset implements the two protocols here and is given to
`data.prepared.prepare_dataset`; docs/datasets.md works one out. Nothing after the
cache knows which dataset it was.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from eav_offline.data.recording import Recording


class DatasetSubject(Protocol):
    """One person's recordings; trials are numbered from 1, in their order in time."""

    @property
    def name(self) -> str:
        """For messages, such as "subject1"."""

    @property
    def synthetic(self) -> bool:
        """Whether the person does not exist; figures say so then."""

    @property
    def person(self) -> str | None:
        """A code by which everything of this person can be found and forgotten."""

    def sources(self) -> list[Path]:
        """The files read; once they change, the subject is prepared again."""

    def trials(self, task: str) -> list[int]:
        """Trial numbers of a task ("speaking", "listening" or "both"), ascending."""

    def recording(self, trial: int) -> Recording:
        """One trial, at least five seconds long, with its emotion, task and number.

        Raises TrialError if this trial cannot be used, DatasetError or MediaError.
        """


class Dataset(Protocol):
    """Subjects by number, and what the dataset's words for emotions mean here."""

    @property
    def name(self) -> str:
        """One word; caches of datasets with different names are kept apart."""

    @property
    def root(self) -> Path:
        """The folder it lies in."""

    @property
    def labels(self) -> Mapping[str, str | None]:
        """From its words to one of `labels.EMOTIONS`; None for what is left out."""

    def subjects(self) -> list[int]:
        """Their numbers, from 1 to 9999, ascending."""

    def open_subject(self, number: int) -> DatasetSubject:
        """Look a subject over. Raises DatasetError if it cannot be used."""


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of files' names and sizes, the same for any copy of them."""
    listing = sorted((path.name, path.stat().st_size) for path in paths)
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16]
