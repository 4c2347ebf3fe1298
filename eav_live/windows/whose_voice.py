"""Does the person speak whom the model was calibrated to, or somebody else?"""

from collections import deque
from functools import lru_cache

import numpy as np

from eav_live.recognition.assets import asset
from eav_offline.core.window import WINDOW_SECONDS
from eav_offline.models.baselines.features import speech_statistics
from eav_offline.models.personal import OwnVoice
from eav_offline.personal.voiceprint import STRETCH, Speakers
from eav_offline.preprocess.audio import log_mel

SPEAKERS = "speakers.safetensors"
_SAYS_ALL = 1e-3  # seconds by which a window may begin before the last one's end
_FORGOTTEN_SECONDS = 60.0  # what was said longer ago says nothing of now


class VoiceWatch:
    """Follows whose voice is heard, by windows of speech that do not overlap.

    voice: the person's.
    """

    def __init__(self, voice: OwnVoice) -> None:
        self._known = _speakers().knowing(voice)
        self._heard: deque[tuple[float, np.ndarray]] = deque(maxlen=STRETCH)
        self.strange = False

    def hear(self, sound: np.ndarray, rate: float, t_end: float) -> bool:
        """Whether the last stretch of speech is somebody else's.

        sound: (samples,), five seconds that end at `t_end`, seconds, and hold speech.
        Until there is a stretch of 15 s, it is the person's, as it is once nobody has
        spoken for a minute.
        """
        if self._heard and abs(t_end - self._heard[-1][0]) < WINDOW_SECONDS - _SAYS_ALL:
            return self.strange
        recent = [x for x in self._heard if abs(t_end - x[0]) < _FORGOTTEN_SECONDS]
        if not recent:
            self.strange = False
        features = speech_statistics(log_mel(sound, rate)[None])[0]
        self._heard = deque([*recent, (t_end, features)], maxlen=STRETCH)
        if len(self._heard) == STRETCH:
            heard = np.mean([x for _, x in self._heard], axis=0)
            self.strange = bool(self._known.strange(heard))
        return self.strange


@lru_cache(maxsize=1)
def _speakers() -> Speakers:
    return Speakers.load(asset(SPEAKERS))
