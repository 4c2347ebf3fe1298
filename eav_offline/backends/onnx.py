"""A checkpoint as ONNX files for other runtimes, checked against PyTorch.

One file for each modality's `FrameEncoder`, one for `Fusion`
(`eav_offline.models.sliding`), and manifest.json, which says what they are.
"""

import hashlib
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eav_offline.backends.base import EagerBackend, answers
from eav_offline.backends.reference_windows import reference_windows
from eav_offline.checkpoint.file import Checkpoint, window_spec
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import file_digest, package_versions
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models.ambt import Fusing
from eav_offline.models.sliding import FrameStates, fused_logits, mean_logits

log = logging.getLogger(__name__)
OPSET = 18
FORMAT = "eav-live onnx 4"  # of the parts and the manifest
MANIFEST = "manifest.json"
TOLERANCE = {"fp32": 1e-4, "int8": 0.02}  # of a probability, against PyTorch
N_WINDOWS = 4
FUSION = "fusion"
FRAME_OUTPUTS = ("tokens", "message", "logits", "features")
FUSION_INPUTS = (*MODALITIES, *(f"{m}_message" for m in MODALITIES), "present")


def fingerprint(checkpoint: Checkpoint, path: Path | None) -> str:
    """sha256 of the checkpoint's file; without one, of its tensors and settings."""
    if path is not None:
        return file_digest(path)
    digest = hashlib.sha256()
    digest.update(checkpoint.config.model_dump_json().encode())
    digest.update(" ".join(checkpoint.knows).encode())
    for name, tensor in checkpoint.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def export_onnx(
    checkpoint: Checkpoint, path: Path | None, out: Path, int8: bool = False
) -> dict[str, Any]:
    """Write the parts to `out`, which is replaced; returns the manifest.

    path: the checkpoint's file. int8: weights as 8-bit integers for each channel, and
    activations likewise while computing.
    Raises InputRefused, and writes nothing, if the model cannot be exported or the
    files' probabilities differ from PyTorch's by more than `TOLERANCE`.
    """
    _refuse_baselines(checkpoint)
    kind = "int8" if int8 else "fp32"
    modalities = checkpoint.modalities
    model = checkpoint.model.cpu()
    eager = EagerBackend(model)
    if model.ambt is not None:  # its part is written, and so compared, in any case
        eager.fusing = Fusing("ambt")
    windows = reference_windows(checkpoint.config, N_WINDOWS)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".onnx-", dir=out.parent) as temporary:
        made = Path(temporary) / "parts"
        made.mkdir()
        _write_parts(eager, windows[0], made)
        if int8:
            _quantize(made)
        exported = OnnxModel(made, modalities, int8, eager.fusing)
        difference = max(
            float(
                np.abs(
                    answers(exported, window, modalities)
                    - answers(eager, window, modalities)
                ).max()
            )
            for window in windows
        )
        if not difference <= TOLERANCE[kind]:
            raise InputRefused(
                f"the {kind} export differs from PyTorch by {difference:.2g} of a "
                f"probability, more than {TOLERANCE[kind]:g}; "
                + ("export without --int8" if int8 else "use PyTorch for this model")
            )
        manifest = {
            "format": FORMAT,
            "checkpoint_sha256": fingerprint(checkpoint, path),
            "labels": list(checkpoint.labels),
            "knows": list(checkpoint.knows),
            "window": window_spec(),
            "modalities": list(modalities),
            "preprocess": checkpoint.preprocess.as_values(),
            "demo": checkpoint.demo,
            "fusing": asdict(model.fusing),
            "numbers": kind,
            "parts": sorted(file.name for file in made.iterdir()),
            "opset": OPSET,
            "largest_difference": difference,
            "versions": {**package_versions(), **_onnx_versions()},
        }
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    return manifest


def _refuse_baselines(checkpoint: Checkpoint) -> None:
    model = checkpoint.model
    if model.ambt is not None and len(model.by_modality) < len(MODALITIES):
        raise InputRefused(
            f"its AMBT fuses {' and '.join(model.by_modality)} alone; only one of all "
            "three can be exported"
        )
    for m, encoder in model.by_modality.items():
        if not encoder.exportable:
            raise InputRefused(
                f"the {m} part is the baseline {type(encoder).__name__}; only "
                "transformers can be exported"
            )


def _write_parts(
    eager: EagerBackend, window: Mapping[str, np.ndarray], out: Path
) -> None:
    states: dict[str, FrameStates] = {}
    for m, encoder in eager.encoders.items():
        names = ("x", *FRAME_OUTPUTS) if m == "video" else ()
        x = torch.from_numpy(window[m])
        _export(encoder, (x,), out / part_file(m, False), ("x",), FRAME_OUTPUTS, names)
        with torch.no_grad():
            states[m] = FrameStates(*encoder(x))
    if eager.fusion is not None:
        arguments = (
            *(states[m].tokens for m in MODALITIES),
            *(states[m].message for m in MODALITIES),
            torch.ones(1, len(MODALITIES), dtype=torch.bool),
        )
        file = out / part_file(FUSION, False)
        frames = ("video", "video_message")
        _export(eager.fusion, arguments, file, FUSION_INPUTS, ("logits",), frames)


def _export(
    module: nn.Module,
    arguments: tuple[Tensor, ...],
    file: Path,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    by_frame: tuple[str, ...],
) -> None:
    with warnings.catch_warnings():
        # The exporter that traces; its successor needs two more
        # packages.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            arguments,
            str(file),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "frames"} for name in by_frame},
        )


def _quantize(folder: Path) -> None:
    """Replace the parts in a folder by quantized ones."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    for file in sorted(folder.glob("*.onnx")):
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.ERROR)  # it advises a step that these parts do not need
        try:
            quantize_dynamic(
                file,
                folder / part_file(file.stem, True),
                op_types_to_quantize=["MatMul", "Gemm"],
                per_channel=True,
                # Signed ones overflow the 16 bits in which processors without VNNI add.
                weight_type=QuantType.QUInt8,
            )
        finally:
            root.setLevel(level)
        file.unlink()


def _onnx_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("onnx", "onnxruntime")}


def part_file(part: str, int8: bool) -> str:
    """Name of a part's file: "eeg.onnx", or "eeg.int8.onnx"."""
    return f"{part}.int8.onnx" if int8 else f"{part}.onnx"


class OnnxModel:
    """The exported parts in a folder; computes what an eager backend backend."""

    def __init__(
        self, folder: Path, modalities: tuple[str, ...], int8: bool, fusing: Fusing
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # Threads that spin between two windows take the face tracker's cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self.name = "onnx-int8" if int8 else "onnx"
        self.fusing = fusing

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
        if self._fusion is None or not present or self.fusing.how != "ambt":
            return fused_logits(None, self.fusing, states, present)
        here = np.array([[m in present for m in MODALITIES]])
        feed = {"present": here}
        for one in self._fusion.get_inputs():
            m = one.name.removesuffix("_message")
            if m not in MODALITIES:
                continue
            if m in present:
                part = states[m].message if one.name != m else states[m].tokens
                feed[one.name] = part.numpy()
            else:  # one frame of zeros is the least that can be computed in its place
                shape = (1, *one.shape[1:])
                feed[one.name] = np.zeros(shape, dtype=np.float32)
        logits = torch.from_numpy(self._fusion.run(None, feed)[0])
        assert logits.shape == (len(MODALITIES), N_EMOTIONS)
        rows = dict(zip(MODALITIES, logits[:, None], strict=True))
        return mean_logits({m: rows[m] for m in present})
