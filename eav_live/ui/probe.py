"""Begins Qt and says on which screen: `python -m eav_live.ui.probe`."""

import sys

from PySide6.QtWidgets import QApplication


def main() -> int:
    """Returns the exit status; Qt ends the process itself if it finds no display."""
    app = QApplication(["eav-live"])
    size = app.primaryScreen().size()
    sys.stdout.write(
        f"{app.platformName()}, screen of {size.width()}x{size.height()}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
