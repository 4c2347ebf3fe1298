"""What an interrupted training run goes on from, written after every epoch.

    RUN/resume/run.json    what is being trained: a run of anything else is refused
               stages.pt   weights of the finished stages, and their history
               epoch.pt    the stage at work: weights, optimizer, best so far
               states/     frozen states (see `frozen`)

The folder goes when the run is complete.
"""

import json
import logging
import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import naming, write_atomically
from eav_offline.training.run_folder import MadeFrom

log = logging.getLogger(__name__)

FOLDER, MARKER = "resume", "run.json"


class JournalError(InputRefused, ValueError):
    """An interrupted run that cannot be gone on with; the message says why."""


@dataclass(frozen=True)
class KeptEpoch:
    """The newest finished epoch of the phase at work."""

    epoch: int
    tensors: dict[str, Any]
    history: list[dict[str, Any]]


def interrupted(out: Path) -> MadeFrom | None:
    """What the interrupted run in a folder is made from (`Journal`), if one is there.

    Raises JournalError if that cannot be read.
    """
    path = out / FOLDER / MARKER
    try:
        return MadeFrom.of(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise JournalError(
            f"{path} is damaged ({error}); delete {path.parent} to begin anew"
        ) from error


class Journal:
    """The folder `resume` of a run.

    about: plain values that decide the result, such as configuration and split; "data":
    of `cache.data_identity`. anew: give an interrupted run up if nothing but its data
    has changed. Raises JournalError if the folder holds an interrupted run of something
    else.
    """

    def __init__(self, out: Path, about: dict[str, Any], anew: bool = False) -> None:
        self.folder = out / FOLDER
        now = MadeFrom.of(about)
        before = interrupted(out) or now
        if before.settings != now.settings:
            raise JournalError(
                f"{out} holds an interrupted run of another configuration, split or "
                "set of stages: train it to its end as it was begun, delete "
                f"{self.folder} to give it up, or use another --out"
            )
        changed = before.changed(now)
        if changed and not anew:
            raise JournalError(
                f"{out} holds an interrupted run on other data ({changed}): go on with "
                f"those it was begun with, delete {self.folder} to give it up, or use "
                "another --out"
            )
        if changed:
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / MARKER, json.dumps(about, indent=1))
        self._stages = self._read("stages.pt")
        self._epoch = self._read("epoch.pt")

    @property
    def states(self) -> Path:
        """Where frozen states may lie until the run is complete."""
        return self.folder / "states"

    @property
    def finished(self) -> list[str]:
        """The stages that need not be trained again."""
        return list(self._stages["stages"]) if self._stages else []

    @property
    def model(self) -> dict[str, Tensor] | None:
        """Weights after the finished stages, None before the first."""
        return self._stages["model"] if self._stages else None

    @property
    def history(self) -> list[dict[str, Any]]:
        """Of the finished stages."""
        return list(self._stages["history"]) if self._stages else []

    def has_begun(self, stage: str) -> bool:
        """Whether an epoch of the stage is behind us."""
        return self._epoch is not None and self._epoch["stage"] == stage

    def epoch_of(self, stage: str, phase: str) -> KeptEpoch | None:
        """Where to go on in a phase; None if it has not finished an epoch."""
        kept = self._epoch
        if kept is None or (kept["stage"], kept["phase"]) != (stage, phase):
            return None
        return KeptEpoch(kept["epoch"], kept["tensors"], kept["history"])

    def keep_epoch(
        self,
        stage: str,
        phase: str,
        epoch: int,
        tensors: dict[str, Any],
        history: list[dict[str, Any]],
    ) -> None:
        """Write the epoch just finished in place of the one before."""
        kept = {
            "stage": stage,
            "phase": phase,
            "epoch": epoch,
            "tensors": tensors,
            "history": history,
        }
        self._write("epoch.pt", kept)

    def keep_stage(
        self, stage: str, model: dict[str, Tensor], history: list[dict[str, Any]]
    ) -> None:
        """Write all weights after a finished stage, and the history up to it."""
        self._stages = {
            "stages": [*self.finished, stage],
            "model": model,
            "history": history,
        }
        self._write("stages.pt", self._stages)

    def close(self) -> None:
        """The run is complete: nothing to go on from."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, value: dict[str, Any]) -> None:
        unfinished = self.folder / f"{name}.unfinished"
        with naming(self.folder / name), unfinished.open("wb") as file:
            try:
                torch.save(value, file)
            except RuntimeError as error:  # torch's own words for what the disk said
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.folder / name)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            kept: dict[str, Any] = torch.load(
                path, map_location="cpu", weights_only=True
            )
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            raise JournalError(
                f"{path} is damaged ({error}); delete {self.folder} to begin anew"
            ) from error
        return kept
