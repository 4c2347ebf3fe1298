"""A stand-in for the search for faces, which is most of the work of a preparation."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from eav_offline.core.window import FaceFrame


class Unsearched:
    """Takes the whole of every frame for a face."""

    def reset(self) -> None: ...

    def update(self, image: np.ndarray, time: float) -> FaceFrame:
        height, width = image.shape[:2]
        return FaceFrame(time, image, np.array([0, 0, width, height], "f4"), True)


@contextmanager
def no_search() -> Iterator[None]:
    """In here, preparing in this process searches no frame."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eav_offline.data.prepared.FaceTracker", Unsearched)
        yield
