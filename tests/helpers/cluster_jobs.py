"""Jobs that tests send to workers, which import them from here."""

import threading
import time
from pathlib import Path
from typing import Any

from eav_offline.runs.study import Job, StudySettings, run_job
from eav_offline.training.runtime import Progress


def attempt_held_once(
    job: Job, settings: StudySettings, progress: Progress | None = None
) -> dict[str, Any]:
    """As `run_job`; but whoever does the first job first, stays in its first epoch."""
    marker = settings.out / "held"

    def hold(stage: str, epoch: int, epochs: int, loss: float) -> None:
        first = job.name == "subject01/seed0" and not marker.exists()
        if first:
            marker.touch()
        if progress is not None:
            progress(stage, epoch, epochs, loss)
        if first:
            threading.Event().wait(60)

    return run_job(job, settings, hold)


def answer(job: int, settings: Any, progress: Progress | None = None) -> dict[str, Any]:
    """The square of an even number."""
    if job % 2:
        raise ValueError(f"{job} is odd")
    return {"name": str(job), "status": "done", "square": job**2}


def never_end(
    job: Path, settings: Any, progress: Progress | None = None
) -> dict[str, Any]:
    """Work until somebody stops it, and leave a note then."""
    job.with_name("begun").touch()
    try:
        while True:
            time.sleep(0.05)
    finally:
        job.touch()


def end_worker(
    job: int, settings: Any, progress: Progress | None = None
) -> dict[str, Any]:
    """Take the worker's process along."""
    import os

    os._exit(1)
