"""Brings the windows' translations up to date: `./dev words`, after a text has changed.

Then translate what is new in the .ts (`pyside6-linguist FILE`, or any editor), and run
it again.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "eav_live_zh_CN"


def main(folder: Path = ROOT / "assets" / "i18n") -> None:
    """Bring NAME.ts in a folder up to date with eav_live/ui, and NAME.qm with it."""
    ts = folder / f"{NAME}.ts"
    find = ["-extensions", "py", "-tr-function-alias", "QT_TR_NOOP+=later"]
    plain = ["-no-obsolete", "-locations", "none", "-source-language", "en_US"]
    ui = str(ROOT / "eav_live" / "ui")
    _run("pyside6-lupdate", "-silent", *find, *plain, ui, "-ts", str(ts))
    _run("pyside6-lrelease", "-silent", str(ts), "-qm", str(ts.with_suffix(".qm")))


def _run(program: str, *options: str) -> None:
    beside = Path(sys.executable).with_name(program)  # where no environment is active
    subprocess.run([str(beside), *options], check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
