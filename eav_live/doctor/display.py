"""Is there a screen to open a window on? Asked without Qt, and without the models."""

import os
import subprocess
import sys

NO_DISPLAY = "no display: DISPLAY and WAYLAND_DISPLAY are not set"
_DISPLAY_SECONDS = 30.0


def lacks_display() -> bool:
    """Whether no screen is named to open a window on."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform.startswith("linux") and not any(map(os.environ.get, named))


def find_display() -> tuple[str, str]:
    """The screen that windows open on, and why none does; one of them is empty.

    Tried in a process of its own, because Qt aborts the one that it cannot serve.
    """
    if lacks_display():
        return "", NO_DISPLAY
    # OpenCV, once imported, points Qt at plug-ins of its own.
    environment = {k: v for k, v in os.environ.items() if "cv2" not in v}
    try:
        opened = subprocess.run(
            [sys.executable, "-m", "eav_live.ui.probe"],
            capture_output=True,
            text=True,
            timeout=_DISPLAY_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return "", f"no window can be opened within {_DISPLAY_SECONDS:g} s"
    if opened.returncode != 0:
        said = opened.stderr.strip().splitlines() or ["no reason given"]
        return "", f"Qt opens no window: {said[0]}"
    return opened.stdout.strip(), ""
