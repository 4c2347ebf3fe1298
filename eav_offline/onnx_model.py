"""The two parts of the sliding recogniser as ONNX Runtime computes them on the CPU."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models.ambt import fuse_logits
from eav_offline.models.sliding import FrameStates, fused_logits

FUSION = "fusion"
FRAME_OUTPUTS = ("tokens", "told", "alone")
FUSION_INPUTS = (*MODALITIES, *(f"{m}_told" for m in MODALITIES), "present")


def part_file(part: str, int8: bool) -> str:
    """Name of a part's file: "eeg.onnx", or "eeg.int8.onnx"."""
    return f"{part}.int8.onnx" if int8 else f"{part}.onnx"


class OnnxModel:
    """The exported parts in a folder; computes what an eager backend computes."""

    def __init__(self, folder: Path, modalities: tuple[str, ...], int8: bool) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # Threads that spin between two windows take the face tracker's cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self.name = "onnx-int8" if int8 else "onnx"

        def open_part(part: str) -> "onnxruntime.InferenceSession":
            return onnxruntime.InferenceSession(
                str(folder / part_file(part, int8)),
                options,
                providers=["CPUExecutionProvider"],
            )

        self._encoders = {m: open_part(m) for m in modalities}
        self._fusion = None
        if (folder / part_file(FUSION, int8)).exists():
            self._fusion = open_part(FUSION)

    def encode(self, modality: str, frames: np.ndarray) -> FrameStates:
        """frames as `FrameEncoder` reads them -> their states."""
        frames = np.ascontiguousarray(frames)
        parts = self._encoders[modality].run(list(FRAME_OUTPUTS), {"x": frames})
        return FrameStates(*(torch.from_numpy(part) for part in parts))

    def fuse(
        self, states: Mapping[str, FrameStates], present: tuple[str, ...]
    ) -> Tensor:
        """Fused logits (5,) of the modalities present; NaN if there are none."""
        if self._fusion is None or not present:
            return fused_logits(None, states, present)
        here = np.array([[m in present for m in MODALITIES]])
        feed = {"present": here}
        for one in self._fusion.get_inputs():
            m = one.name.removesuffix("_told")
            if m not in MODALITIES:
                continue
            if m in present:
                part = states[m].told if one.name != m else states[m].tokens
                feed[one.name] = part.numpy()
            else:  # one frame of zeros is the least that can be computed in its place
                shape = (1, *one.shape[1:])
                feed[one.name] = np.zeros(shape, dtype=np.float32)
        logits = torch.from_numpy(self._fusion.run(None, feed)[0])
        assert logits.shape == (len(MODALITIES), N_EMOTIONS)
        rows = {m: logits[i][None] for i, m in enumerate(MODALITIES) if m in present}
        return fuse_logits(rows, torch.from_numpy(here))[0]
