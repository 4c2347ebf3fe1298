"""The command `eav-offline export`: a checkpoint as files for other runtimes."""

import argparse
import sys
from pathlib import Path

from eav_offline.commands.options import AddCommand, add_json
from eav_offline.common.files import checkpoint_file


def register(add: AddCommand) -> None:
    """Add the commands of this module."""
    export = add("export", _export, "write a checkpoint as ONNX files")
    export.add_argument(
        "checkpoint",
        type=checkpoint_file,
        metavar="RUN|FILE",
        help="a run's folder or checkpoint",
    )
    export.add_argument("--format", choices=("onnx",), default="onnx")
    export.add_argument("--out", type=Path, metavar="DIR", help="default: beside it")
    export.add_argument(
        "--int8", action="store_true", help="8-bit weights for each channel"
    )
    add_json(export)


def _export(options: argparse.Namespace) -> int:
    from eav_offline import checkpoint as checkpoints
    from eav_offline.backends.onnx import MANIFEST, export_onnx
    from eav_offline.common.console import write_json
    from eav_offline.common.errors import InputRefused

    path = options.checkpoint
    kind = "onnx-int8" if options.int8 else "onnx"
    out = options.out or path.parent / f"{path.stem}-{kind}"
    if out.exists() and not (out / MANIFEST).is_file():
        raise InputRefused(
            f"{out} exists and is no earlier export; give --out another folder"
        )
    manifest = export_onnx(checkpoints.load(path), path, out, options.int8)
    write_json(options.json, manifest)
    if options.json != "-":
        sys.stdout.write(
            f"{out}: {', '.join(manifest['parts'])}; probabilities differ from "
            f"PyTorch by at most {manifest['largest_difference']:.2g}\n"
        )
    return 0
