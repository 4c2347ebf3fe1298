"""The command on classifiers of others: experts."""

import argparse
from pathlib import Path

from eav_offline.commands.expert_options import add_experts, found_experts
from eav_offline.commands.options import AddCommand, add_json, answer
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import output_file


def register(add: AddCommand) -> None:
    experts = add("experts", _experts, "make a checkpoint of published classifiers")
    add_experts(experts)
    experts.add_argument("--out", type=Path, required=True, metavar="FILE")
    add_json(experts)


def _experts(options: argparse.Namespace) -> int:
    from eav_offline.common.console import DONE, require_folder, terminal

    require_folder(options.out.parent, f"--out {options.out}")
    if options.out.is_dir() or options.out.suffix != ".safetensors":
        raise InputRefused(
            f"--out {options.out}: give the checkpoint to be written, such as "
            "experts.safetensors"
        )
    output_file(options.out)
    experts = found_experts(options)
    if not experts:
        raise InputRefused("give --face-model, --voice-model or both")
    from eav_offline.checkpoint.experts.building import write_experts

    told = {
        one.modality: {
            "source": one.source,
            "license": one.license,
            "card": one.card,
            "classes": dict(one.classes),
        }
        for one in experts
    }
    text = "".join(f"{one.as_text()}\n" for one in experts)
    answer(options, told | {"out": str(options.out)}, text)
    write_experts(experts, options.out, terminal(), options.yes)
    return DONE
