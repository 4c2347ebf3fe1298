"""What became of the subjects that a cache was to take in."""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eav_offline.common.console import counted
from eav_offline.data.cache import why_prepare

log = logging.getLogger(__name__)


@dataclass
class PrepareSummary:
    """What became of each subject.

    windows: number of windows of each subject prepared now. again: why one that was
    there did not stay as it was. unchanged: subjects that were complete before.
    refused: why a subject could not be used. skipped: trials left out of a prepared
    subject, and why.
    """

    windows: dict[int, int] = field(default_factory=dict)
    again: dict[int, str] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, dict[int, str]] = field(default_factory=dict)

    def needs(self, cache: Path, number: int, source: str) -> bool:
        """Whether a subject is to be prepared; noted and logged if not, or why again.

        source: what its files are now.
        """
        why = why_prepare(cache, number, source)
        if why is None:
            log.info("Subject %d is prepared already", number)
            self.unchanged.append(number)
        elif why:
            log.warning("Subject %d is prepared again: %s", number, why)
            self.again[number] = why
        return why is not None

    @property
    def usable(self) -> bool:
        """Whether some subject can be trained on now."""
        return bool(self.windows or self.unchanged)

    @property
    def failed(self) -> bool:
        """Whether some subject could not be prepared."""
        return bool(self.refused)

    def __str__(self) -> str:
        lines = [f"subject {n}: prepared again: {why}" for n, why in self.again.items()]
        lines += [
            f"subject {n}: {counted(count, 'window')}"
            for n, count in self.windows.items()
        ]
        lines += [f"subject {n}: prepared already" for n in self.unchanged]
        lines += [
            f"subject {n}: trial {trial} left out: {reason}"
            for n, trials in self.skipped.items()
            for trial, reason in trials.items()
        ]
        lines += [f"subject {n}: refused: {why}" for n, why in self.refused.items()]
        if not self.usable:
            lines.append("No subject was prepared: nothing to train on")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)
