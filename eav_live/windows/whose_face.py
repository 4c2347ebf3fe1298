"""Is it the face that the model was calibrated to, or somebody else's?"""

from collections import deque
from functools import lru_cache

import numpy as np

from eav_live.recognition.assets import asset
from eav_offline.core.window import FaceFrame
from eav_offline.models.personal import OwnFace
from eav_offline.personal.faceprint import FacePrints

FACES = "faces.safetensors"
LOOKS = 3  # the middle one of so many distances counts
EVERY_SECONDS = 2.0  # a look takes some 15 ms of a core
_FORGOTTEN_SECONDS = 60.0  # who was seen longer ago may have left
# The network was trained, and is used by its author, with 0.6 as the bound between one
# person and another; it is not fitted to anybody here.
_ANOTHER, _AGAIN = 0.6, 0.55


class FaceWatch:
    """Follows whose face is seen, every two seconds.

    face: the person's.
    """

    def __init__(self, face: OwnFace) -> None:
        self._known = face.days
        self._prints = face_prints()
        self._looks: deque[tuple[float, float]] = deque(maxlen=LOOKS)
        self._looked = -np.inf
        self.strange = False

    def look(self, frame: FaceFrame) -> bool:
        """Whether the last three looks, six seconds, saw somebody else.

        frame: one in which a face was found. Until there were three it is the person's,
        as it is once no face has been seen for a minute.
        """
        if abs(frame.time - self._looked) < EVERY_SECONDS:
            return self.strange
        self._looked = frame.time
        numbers = self._prints.of(frame)
        return self.strange if numbers is None else self.take(numbers, frame.time)

    def take(self, numbers: np.ndarray, time: float) -> bool:
        """The same for a face, (128,), that was seen at `time`, seconds."""
        recent = [x for x in self._looks if abs(time - x[0]) < _FORGOTTEN_SECONDS]
        if not recent:
            self.strange = False
        away = float(np.linalg.norm(self._known - numbers, axis=1).min())
        self._looks = deque([*recent, (time, away)], maxlen=LOOKS)
        if len(self._looks) == LOOKS:
            middle = float(np.median([x for _, x in self._looks]))
            self.strange = middle > (_AGAIN if self.strange else _ANOTHER)
        return self.strange


@lru_cache(maxsize=1)
def face_prints() -> FacePrints:
    """What says whose a face is, read once."""
    return FacePrints(asset(FACES))
