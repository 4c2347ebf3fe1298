"""What became of the subjects that a cache was to take in."""

from dataclasses import asdict, dataclass, field
from typing import Any

from eav_offline.console import counted


@dataclass
class PrepareSummary:
    """What became of each subject.

    windows: number of windows of each subject prepared now. unchanged: subjects that
    were complete before. refused: why a subject could not be used. skipped: trials
    left out of a prepared subject, and why.
    """

    windows: dict[int, int] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, dict[int, str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether some subject could not be prepared."""
        return bool(self.refused)

    def __str__(self) -> str:
        lines = [
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
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)
