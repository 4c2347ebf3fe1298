"""The window: PySide6 and pyqtgraph live here and nowhere else."""

# Imported before pyqtgraph anywhere in this package: pyqtgraph takes the Qt binding
# that is already loaded, and would otherwise prefer a PyQt6 that is installed beside.
import PySide6.QtWidgets  # noqa: F401
