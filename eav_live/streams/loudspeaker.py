"""Sound for the person: what listening trials play, through the default output."""

import logging
from pathlib import Path

import numpy as np

from eav_offline.common.errors import SourceRefused
from eav_offline.data.media import read_audio

log = logging.getLogger(__name__)


class Loudspeaker:
    """Plays one file at a time, in the background.

    Files are decoded beforehand, so that a sound begins when it is asked for.
    """

    def __init__(self, files: set[Path]) -> None:
        """Raises MediaError for a file that holds no sound."""
        self._sounds: dict[Path, tuple[np.ndarray, float]] = {
            path: read_audio(path) for path in sorted(files)
        }
        self._playing = False

    def play(self, path: Path) -> None:
        """Begin to play. Raises SourceRefused if there is no device that can."""
        sound, rate = self._sounds[path]
        try:
            import sounddevice

            sounddevice.play(sound, rate)
        except Exception as error:  # PortAudio's own, or OSError where it is missing
            raise SourceRefused(
                f"{path.name} cannot be played ({error}); connect loudspeakers or "
                "headphones, and see that PortAudio is installed"
            ) from error
        self._playing = True

    def stop(self) -> None:
        """Be silent. May be called twice."""
        if not self._playing:
            return
        self._playing = False
        import sounddevice

        try:
            sounddevice.stop()
        except sounddevice.PortAudioError as error:
            log.warning("The loudspeaker did not stop: %s", error)
