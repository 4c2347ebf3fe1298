"""The command `eav-offline`: from the dataset to a checkpoint and its figures."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_offline.errors import InputRefused

if TYPE_CHECKING:
    from eav_offline.data.prepared import PreparedSubject
    from eav_offline.preprocess import PreprocessSettings

log = logging.getLogger(__name__)

_HOW_TO_GET_EAV = """\
EAV (Lee et al., Scientific Data 11:1026, 2024) is given out on request.

1. Open Zenodo record 10205702 (https://zenodo.org/records/10205702), sign in, and
   ask for access. The owners send a data-use agreement; recordings may not be
   passed on.
2. Unpack it so that one folder holds all subjects:

       EAV/subject1/Video/001_Trial_01_Listening_Neutral.mp4   200 clips
       EAV/subject1/Audio/002_Trial_02_Speaking_Neutral_aud.wav   100 clips
       EAV/subject1/EEG/subject1_eeg.mat  subject1_eeg_label.mat
       EAV/subject2/...

   subject01 and Subject1 are understood as well.
3. eav-offline check EAV        lists every fault of every subject
   eav-offline prepare EAV --out cache
   eav-offline train --data cache --subjects 1 --out runs/s1

Without EAV, `eav-offline synth OUT` writes synthetic people in the same layout.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `eav-offline`."""
    options = _parser().parse_args(argv)
    from eav_offline.console import configure_logging, run

    configure_logging(options.verbose)
    return run(lambda: options.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eav-offline",
        description="Train and evaluate emotion models on the EAV dataset.",
        epilog="Exit status: 0 done, 1 failed (or faults found), 2 input refused, "
        "130 Ctrl-C.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, call: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=call)
        sub.add_argument("-v", "--verbose", action="store_true")
        return sub

    command("data", _data, "say how EAV is requested and where to put it")

    check = command("check", _check, "list every fault of every subject")
    check.add_argument("root", type=Path, metavar="ROOT")
    _add_subjects(check)
    _add_json(check)

    synth = command("synth", _synth, "write synthetic people in EAV layout")
    synth.add_argument("out", type=Path, metavar="OUT")
    synth.add_argument("--subjects", type=int, default=1, metavar="N")
    synth.add_argument(
        "--trials", type=int, default=200, metavar="T", help="a multiple of 10"
    )
    synth.add_argument("--seed", type=int, default=0, metavar="S")
    synth.add_argument(
        "--effect",
        type=float,
        metavar="E",
        help="0 (labels mean nothing) to 1 (always shown); default 0.8",
    )
    synth.add_argument("--listening", action="store_true", help="listening videos too")
    _add_jobs(synth)
    _add_json(synth)

    prepare = command("prepare", _prepare, "cache windows: filter, log-mel, face crops")
    prepare.add_argument("root", type=Path, metavar="ROOT")
    prepare.add_argument("--out", type=Path, required=True, metavar="CACHE")
    _add_subjects(prepare)
    prepare.add_argument(
        "--task", choices=("speaking", "listening", "both"), default="speaking"
    )
    prepare.add_argument(
        "--reference", choices=("as-recorded", "average"), default="as-recorded"
    )
    prepare.add_argument("--face-size", type=int, default=56, metavar="PIXELS")
    prepare.add_argument("--faces", choices=("on", "off"), default="on")
    _add_jobs(prepare)
    _add_json(prepare)

    train = command("train", _train, "train the three models, then AMBT")
    train.add_argument(
        "model", nargs="?", choices=("eeg", "audio", "video", "ambt"), metavar="MODEL"
    )
    train.add_argument("--data", type=Path, required=True, metavar="CACHE")
    _add_subjects(train)
    train.add_argument("--config", type=Path, metavar="FILE", help="default: compact")
    train.add_argument("--out", type=Path, required=True, metavar="RUN")
    train.add_argument("--seed", type=int, metavar="S", help="instead of the config's")
    train.add_argument(
        "--train-windows",
        type=int,
        metavar="W",
        help="of 80 a class, as the papers count: 56 or 40 (default: 70 %% of trials)",
    )
    train.add_argument(
        "--device", default="auto", help="auto (default), cpu, cuda, mps"
    )
    _add_json(train)

    evaluate = command("evaluate", _evaluate, "score a run on its test trials again")
    evaluate.add_argument("run", type=Path, metavar="RUN")
    evaluate.add_argument("--data", type=Path, metavar="CACHE", help="if it has moved")
    evaluate.add_argument("--device", default="auto")
    _add_json(evaluate)

    bench = command("bench", _bench, "measure: `bench synthetic`")
    bench.add_argument("what", choices=("synthetic",), metavar="synthetic")
    bench.add_argument("--work", type=Path, metavar="DIR", help="keep and resume there")
    bench.add_argument("--trials", type=int, default=200, metavar="T")
    bench.add_argument("--null-subjects", type=int, default=3, metavar="N")
    bench.add_argument("--null-seeds", type=int, default=5, metavar="K")
    bench.add_argument("--effect", type=float, metavar="E", help="of the first person")
    bench.add_argument("--config", type=Path, metavar="FILE")
    _add_jobs(bench)
    _add_json(bench)
    return parser


def _add_subjects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--subjects", metavar="1,3-5", help="default: all")


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="PATH|-", help="write the answer as JSON")


def _data(options: argparse.Namespace) -> int:
    sys.stdout.write(_HOW_TO_GET_EAV)
    return 0


def _check(options: argparse.Namespace) -> int:
    from eav_offline.console import DONE, FAILED, write_json
    from eav_offline.data.check import check_root

    faults = check_root(_folder(options.root), _numbers(options.subjects))
    write_json(options.json, [fault.as_json() for fault in faults])
    if options.json != "-":
        for fault in faults:
            sys.stdout.write(f"{fault}\n")
        sys.stdout.write(f"{len(faults)} faults\n" if faults else "No faults\n")
    return FAILED if faults else DONE


def _synth(options: argparse.Namespace) -> int:
    from eav_offline.console import ProgressBar, write_json
    from eav_offline.data.synthetic import DEFAULT_EFFECT, write_subjects

    effect = DEFAULT_EFFECT if options.effect is None else options.effect
    try:
        with ProgressBar("Synthetic people") as progress:
            attainable = write_subjects(
                options.out,
                options.subjects,
                options.trials,
                options.seed,
                effect=effect,
                listening=options.listening,
                progress=progress,
                jobs=options.jobs,
            )
    except (ValueError, FileExistsError) as error:
        raise InputRefused(str(error)) from error
    best = attainable.as_json()
    write_json(options.json, {"effect": effect, "synthetic": True, "attainable": best})
    if options.json != "-":
        shares = ", ".join(f"{name} {share:.1%}" for name, share in best.items())
        sys.stdout.write(
            f"{options.subjects} synthetic people in {options.out}. Best accuracy "
            f"attainable at effect {effect:g}: {shares}\n"
        )
    return 0


def _prepare(options: argparse.Namespace) -> int:
    from eav_offline.console import FAILED, ProgressBar, write_json
    from eav_offline.data.prepared import prepare_root

    with ProgressBar("Preparing") as progress:
        summary = prepare_root(
            _folder(options.root),
            options.out,
            subjects=_numbers(options.subjects),
            settings=_settings(options),
            task=options.task,
            jobs=options.jobs,
            progress=progress,
        )
    write_json(options.json, summary.as_json())
    if options.json != "-":
        sys.stdout.write(f"{summary}\n")
    return FAILED if summary.failed else 0


def _settings(options: argparse.Namespace) -> "PreprocessSettings":
    from eav_offline.preprocess import PreprocessSettings

    if not 16 <= options.face_size <= 512:
        raise InputRefused(f"--face-size is {options.face_size}; give 16 to 512")
    return PreprocessSettings(
        options.reference, options.face_size, options.faces == "on"
    )


def _train(options: argparse.Namespace) -> int:
    from eav_offline.config import STAGES, load_config
    from eav_offline.console import ProgressBar, write_json
    from eav_offline.runs import training_data
    from eav_offline.training import train

    config = load_config(options.config or compact_config())
    if options.seed is not None:
        config = config.with_seed(options.seed)
    data = training_data(
        _open(options.data, options.subjects),
        train_windows=options.train_windows,
        validation=config.train.select == "validation",
        cache=options.data,
    )
    stages = STAGES if options.model is None else (options.model,)
    with ProgressBar("Training") as progress:
        results = train(
            stages, data, config, options.out, progress.stage, _device(options.device)
        )
    write_json(options.json, results)
    if options.json != "-":
        _show(results)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from eav_offline.console import write_json
    from eav_offline.runs import evaluate_run

    results = evaluate_run(_folder(options.run), options.data, _device(options.device))
    write_json(options.json, results)
    if options.json != "-":
        _show(results)
    return 0


def _bench(options: argparse.Namespace) -> int:
    from eav_offline.bench import bench_synthetic
    from eav_offline.config import load_config
    from eav_offline.console import FAILED, write_json

    figures = bench_synthetic(
        load_config(options.config or compact_config()),
        work=options.work,
        n_trials=options.trials,
        null_subjects=options.null_subjects,
        null_seeds=options.null_seeds,
        effect=options.effect,
        jobs=options.jobs,
    )
    write_json(options.json, figures)
    if options.json != "-":
        for name in figures["accuracy"]:
            low, high = figures["null_interval"][name]
            sys.stdout.write(
                f"{name:<6} accuracy {figures['accuracy'][name]:.1%} of "
                f"{figures['attainable'][name]:.1%} attainable; without effect "
                f"{figures['null_accuracy'][name]:.1%} [{low:.1%}, {high:.1%}]\n"
            )
    return 0 if figures["passed"] else FAILED


def compact_config() -> Path:
    """The configuration used when none is named."""
    here = Path(__file__).resolve().parent
    for folder in (here / "configs", here.parent / "configs"):
        if (folder / "compact.toml").exists():
            return folder / "compact.toml"
    raise InputRefused("configs/compact.toml is missing; give --config FILE")


def _open(cache: Path, subjects: str | None) -> "list[PreparedSubject]":
    from eav_offline.data.prepared import list_prepared, open_prepared

    there = list_prepared(_folder(cache))
    wanted = _numbers(subjects) or there
    missing = sorted(set(wanted) - set(there))
    if missing or not wanted:
        lacking = ", ".join(map(str, missing)) or "at all"
        raise InputRefused(
            f"{cache} has no prepared subject {lacking} (it has "
            f"{', '.join(map(str, there)) or 'none'}); run eav-offline prepare"
        )
    return [open_prepared(cache, number) for number in wanted]


def _numbers(text: str | None) -> list[int] | None:
    from eav_offline.data.eav import parse_subjects

    return None if text is None else parse_subjects(text)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputRefused(f"{path} is not a folder; give one that exists")
    return path


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _show(results: dict[str, Any]) -> None:
    if results["demo"]:
        sys.stdout.write("Synthetic people: these figures say nothing of real ones.\n")
    for name, figures in results["modalities"].items():
        low, high = figures["interval"]
        sys.stdout.write(
            f"{name:<6} accuracy {figures['accuracy']:.1%} (95 % by trial "
            f"{low:.1%}-{high:.1%}), macro-F1 {figures['macro_f1']:.1%}, "
            f"{figures['n_windows']} windows\n"
        )


if __name__ == "__main__":
    sys.exit(main())
