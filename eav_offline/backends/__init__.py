"""What computes the model: PyTorch as it is, compiled, or with smaller numbers; ONNX.

A backend computes the two parts of `eav_offline.models.sliding`; what of them must be
computed for a window is the recognizer's business (`eav_live.recognition.recognizer`).
"""

from eav_offline.backends.base import Backend as Backend
from eav_offline.backends.base import EagerBackend as EagerBackend
from eav_offline.backends.choice import available_backends as available_backends
from eav_offline.backends.choice import choose_backend as choose_backend
from eav_offline.backends.choice import make_backend as make_backend
from eav_offline.backends.choice import remembered_backend as remembered_backend
