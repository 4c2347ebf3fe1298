"""OpenCV without its Qt settings: import `cv2` from here and nowhere else."""

import os

# The wheel of opencv-python points Qt at its own plug-ins when it is imported, and
# PySide6 then fails to start (opencv-python issues 447 and 736).
_QT_SETTINGS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_SETTINGS}

# A camera that is not there is our message to give, not OpenCV's to repeat.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import cv2  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

__all__ = ["cv2"]
