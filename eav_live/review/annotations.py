"""Notes on moments of a recording, in a file beside it; the recording is never touched.

    FILE.annotations.json    {"recording": "FILE.xdf", "annotations": [{"t", "text"}]}

`t` is on the recording's clock, as the stamps of its streams are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import private_files, write_atomically

SUFFIX = ".annotations.json"


@dataclass(frozen=True, order=True)
class Annotation:
    """One note: seconds on the recording's clock, and what is noted."""

    t: float
    text: str


class Annotations:
    """The notes on a recording, in order of time. Each change is saved at once."""

    def __init__(self, recording: Path) -> None:
        """recording: FILE.xdf, or a subject's folder.

        Raises InputRefused if its notes cannot be read.
        """
        name = recording.name if recording.is_dir() else recording.stem
        self.path = recording.with_name(f"{name}{SUFFIX}")
        self._recording = recording.name
        self._all = _read(self.path)

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, t: float, text: str) -> Annotation:
        """Note something at `t`, seconds. Raises OSError if it cannot be saved."""
        made = Annotation(t, text)
        self._save([*self._all, made])
        return made

    def rename(self, annotation: Annotation, text: str) -> Annotation:
        """Say it otherwise. Raises OSError if it cannot be saved."""
        changed = replace(annotation, text=text)
        self._save([*self._without(annotation), changed])
        return changed

    def delete(self, annotation: Annotation) -> None:
        """Take it away. Raises OSError if it cannot be saved."""
        self._save(self._without(annotation))

    def last_until(self, t: float) -> Annotation | None:
        """The note at `t` or, if there is none, the last before it."""
        return next((one for one in reversed(self._all) if one.t <= t), None)

    def _without(self, annotation: Annotation) -> list[Annotation]:
        rest = list(self._all)
        rest.remove(annotation)
        return rest

    def _save(self, annotations: list[Annotation]) -> None:
        annotations = sorted(annotations)
        said = [{"t": one.t, "text": one.text} for one in annotations]
        content = {"recording": self._recording, "annotations": said}
        with private_files():  # as the recording
            write_atomically(
                self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            )
        self._all = annotations


def _read(path: Path) -> list[Annotation]:
    try:
        content = json.loads(path.read_text("utf-8"))
        said = content["annotations"]
        return sorted(Annotation(float(one["t"]), str(one["text"])) for one in said)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            f"{path} cannot be read as annotations ({error!r}): expected an object "
            'with "annotations", a list of objects with "t" in seconds and "text"; '
            "mend the file or move it away"
        ) from error
