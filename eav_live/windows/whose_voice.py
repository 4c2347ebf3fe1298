"""Does the person speak whom the model was calibrated to, or somebody else?"""

from collections import deque

import numpy as np

from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.models.personal import OwnVoice
from eav_offline.personal.voiceprint import STRETCH, likeness, voice_prints
from eav_offline.preprocess.audio import log_mel

_SAYS_ALL = 1e-3  # seconds by which a window may begin before the last one's end
_FORGOTTEN_SECONDS = 60.0  # what was said longer ago says nothing of now
# Cosines of the last window, two and three, under any of which a voice is another's:
# the more is heard, the surer is what it is like. Set with the figures of
# docs/new-person.md in sight.
_ANOTHER = (0.4, 0.5, 0.55)
# Of all three and of the last one, both of which bring a voice back.
_AGAIN, _LAST_AGAIN = 0.6, 0.5


class VoiceWatch:
    """Follows whose voice is heard, by windows of speech that do not overlap.

    voice: the person's.
    """

    def __init__(self, voice: OwnVoice) -> None:
        self._known = voice.days
        self._prints = voice_prints()
        self._heard: deque[tuple[float, np.ndarray]] = deque(maxlen=STRETCH)
        self._asked = -np.inf
        self.strange = False

    def hear(self, sound: np.ndarray, rate: float, t_end: float) -> bool:
        """Whether what was last said is somebody else's.

        sound: (samples,), five seconds that end at `t_end`, seconds, and hold speech.
        Once nobody has spoken for a minute, what is said next is judged by itself.
        """
        if abs(t_end - self._asked) < WINDOW_SECONDS - _SAYS_ALL:
            return self.strange
        self._asked = t_end
        numbers = self._prints.of(log_mel(sound, rate))
        return self.strange if numbers is None else self.take(numbers, t_end)

    def take(self, numbers: np.ndarray, t_end: float) -> bool:
        """The same for a window, (192,), that ended at `t_end`, seconds."""
        recent = [x for x in self._heard if abs(t_end - x[0]) < _FORGOTTEN_SECONDS]
        if not recent:
            self.strange = False
        self._heard = deque([*recent, (t_end, numbers)], maxlen=STRETCH)
        last = [x for _, x in reversed(self._heard)]
        alike = [likeness(self._known, last[: n + 1]) for n in range(len(last))]
        if self.strange:
            self.strange = alike[-1] < _AGAIN or alike[0] < _LAST_AGAIN
        else:
            self.strange = any(x < y for x, y in zip(alike, _ANOTHER, strict=False))
        return self.strange
