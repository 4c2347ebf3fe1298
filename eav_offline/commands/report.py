"""Commands that show: report, describe, card, export."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_json,
    answer,
    known_sizes,
)
from eav_offline.common.files import (
    MODEL_FILE,
    checkpoint_file,
    existing_checkpoint,
    output_file,
    output_folder,
)


def register(add: AddCommand) -> None:
    report = add("report", _report, "put runs on one page, with tables beside it")
    report.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUNS",
        help="folders of runs, or folders above them",
    )
    report.add_argument("--out", type=Path, required=True, metavar="report.html")

    describe = add("describe", _describe, "count a configuration's parameters")
    add_config(describe)
    add_json(describe)

    card = add("card", _card, "say what a model is worth and where it fails")
    card.add_argument(
        "model",
        type=checkpoint_file,
        metavar="MODEL",
        help="a run's folder or checkpoint",
    )
    add_json(card)

    export = add("export", _export, "write a checkpoint as ONNX files")
    export.add_argument(
        "checkpoint",
        type=checkpoint_file,
        metavar="RUN|FILE",
        help="a run's folder or checkpoint",
    )
    export.add_argument("--out", type=Path, metavar="DIR", help="default: beside it")
    export.add_argument(
        "--int8", action="store_true", help="8-bit weights for each channel"
    )
    add_json(export)


def _report(options: argparse.Namespace) -> int:
    from eav_offline.common.console import existing
    from eav_offline.report import write_report

    for place in options.runs:
        existing(str(place), "RUNS")
    output_file(options.out)
    written = write_report(options.runs, options.out, known_sizes())
    for path in (written.page, *written.tables):
        sys.stdout.write(f"{path}\n")
    return 0


def _describe(options: argparse.Namespace) -> int:
    from eav_offline.config import load_config

    config = load_config(options.config)
    from eav_offline.models.parameters import describe

    counts = describe(config)
    answer(options, counts, _shown(counts))
    return 0


def _shown(counts: Mapping[str, Any]) -> str:
    text = _table("encoder", counts["encoders"]) + _table("AMBT", counts["ambt"])
    text += "encoders and AMBT\n"
    for variant, total in counts["total"].items():
        text += f"  {variant:<15}{total:>14,}\n"
    text += f"\ntrainable, with fusion by {counts['variant']:<12}of    share  epochs\n"
    for stage in counts["stages"]:
        name = f"{stage['stage']}, {stage['phase']}"
        text += (
            f"  {name:<12}{stage['trainable']:>14,}{stage['of']:>14,}"
            f"{stage['share']:>9.3%}{stage['epochs']:>8}\n"
        )
    return text


def _table(title: str, columns: Mapping[str, Mapping[str, int]]) -> str:
    text = f"{title:<17}" + "".join(f"{name:>14}" for name in columns) + "\n"
    for part in next(iter(columns.values())):
        row = "".join(f"{counts[part]:>14,}" for counts in columns.values())
        text += f"  {part:<15}{row}\n"
    return f"{text}\n"


def _card(options: argparse.Namespace) -> int:
    path = existing_checkpoint(options.model)
    from eav_offline.checkpoint.card import NO_CARD, model_line
    from eav_offline.checkpoint.file import load

    checkpoint = load(path)
    card = checkpoint.card
    name = path.parent.name if path.name == MODEL_FILE else path.stem
    line = model_line(name, card, checkpoint.demo)
    if card is None:
        text = f"{path} has {NO_CARD}; training writes one\n"
    else:
        text = f"{line}\n\n{card.as_text()}"
    answer(options, None if card is None else card.as_json(), text)
    return 0


def _export(options: argparse.Namespace) -> int:
    path = existing_checkpoint(options.checkpoint)
    kind = "onnx-int8" if options.int8 else "onnx"
    out = output_folder(options.out or path.parent / f"{path.stem}-{kind}")
    from eav_offline.backends.onnx import MANIFEST, export_onnx
    from eav_offline.checkpoint import file as checkpoints
    from eav_offline.common.errors import InputRefused

    if out.exists() and not (out / MANIFEST).is_file():
        raise InputRefused(
            f"{out} exists and is no earlier export; give --out another folder"
        )
    manifest = export_onnx(checkpoints.load(path), path, out, options.int8)
    answer(
        options,
        manifest,
        f"{out}: {', '.join(manifest['parts'])}; probabilities differ from PyTorch by "
        f"at most {manifest['largest_difference']:.2g}\n",
    )
    return 0
