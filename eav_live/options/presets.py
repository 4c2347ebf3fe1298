"""Named options of sessions, each a file such as live.toml in the user's folder.

Beside them, the options of the last session that had a window.
"""

import re
from pathlib import Path

import platformdirs

from eav_live.options import SessionOptions
from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.files import write_atomically

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class PresetRefused(InputRefused):
    """There is no such preset, or none can be called so."""


def presets_folder() -> Path:
    """Where presets lie."""
    return Path(platformdirs.user_config_dir("eav-live")) / "presets"


def preset_names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in presets_folder().glob("*.toml"))


def preset_file(name_or_file: str) -> Path:
    """The file of a preset, given by its name or by its path.

    Raises PresetRefused if there is none, with those there are.
    """
    path = Path(name_or_file).expanduser()
    if path.suffix == ".toml" or len(path.parts) > 1:
        if path.is_file():
            return path
        raise PresetRefused(f"--preset {name_or_file}: there is no such file")
    named, names = presets_folder() / f"{name_or_file}.toml", preset_names()
    if name_or_file in names:
        return named
    guess = did_you_mean(name_or_file, names)
    there = f"there are {', '.join(names)}" if names else "there are none so far"
    raise PresetRefused(
        f"--preset {name_or_file} is unknown; {guess + ' ' if guess else ''}"
        f"{there} in {named.parent}. --save-preset {name_or_file} with a session's "
        "options makes it"
    )


def save_preset(name: str, options: SessionOptions) -> Path:
    """Keep options under a name, in place of those it had; returns the file.

    Raises PresetRefused for what is no name; OSError if it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise PresetRefused(
            f"--save-preset {name!r} cannot be used; give up to 64 letters, digits, - "
            "and _, such as lab1"
        )
    path = presets_folder() / f"{name}.toml"
    write_atomically(path, options.to_toml())
    return path


def last_session() -> Path | None:
    """The options of the last session that had a window, if there was one."""
    path = _last_file()
    return path if path.is_file() else None


def keep_last_session(options: SessionOptions) -> None:
    """Keep what `last_session` finds. Raises OSError if it cannot be written."""
    path = _last_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, options.to_toml())


def _last_file() -> Path:
    return Path(platformdirs.user_state_dir("eav-live")) / "last.toml"
