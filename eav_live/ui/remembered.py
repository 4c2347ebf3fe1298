"""What a window remembers: where it was, how large its letters are, its language."""

from pathlib import Path

import platformdirs
from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QWidget

MOST_LETTERS = 2.0  # times their usual size


def settings() -> QSettings:
    """The file, beside the presets; Qt reads it once and writes it when it likes."""
    path = Path(platformdirs.user_config_dir("eav-live")) / "window.ini"
    return QSettings(str(path), QSettings.Format.IniFormat)


def letters() -> float:
    """How much larger than usual letters are wanted."""
    try:
        wanted = float(str(settings().value("letters", 1.0)))
    except ValueError:  # edited by hand
        return 1.0
    return min(max(wanted, 1.0), MOST_LETTERS)


def remember_letters(wanted: float) -> None:
    """Have letters of this size next time too."""
    settings().setValue("letters", round(wanted, 2))


def language() -> str:
    """The language that was chosen in the window; empty if none was."""
    return str(settings().value("language", ""))


def remember_language(wanted: str) -> None:
    """Have windows speak this language next time too."""
    settings().setValue("language", wanted)


def remember_place(window: QWidget) -> None:
    """Have the window where and as large as it is now next time too."""
    settings().setValue(f"{type(window).__name__}/place", window.saveGeometry())


def restore_place(window: QWidget) -> bool:
    """Put the window where it was; False if it was nowhere yet."""
    place = settings().value(f"{type(window).__name__}/place")
    return isinstance(place, QByteArray) and window.restoreGeometry(place)
