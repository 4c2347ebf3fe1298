"""`python -m benchmarks NAME`: every figure that docs/ quotes has its command here."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from eav_live.commands.options import MOST_SECONDS, checkpoint_file, number, whole
from eav_live.replay.demo import keep_lsl_on_this_computer
from eav_offline.commands.options import (
    add_config,
    add_device,
    add_jobs,
    add_json,
    adder,
    device,
    number_from,
    some_of,
)
from eav_offline.common.files import existing_folder

_PARTS = ("real_voices", "real_eeg", "synthetic")
_KINDS = ("ordinary", "masking_eeg", "masking_audio", "masking_video")
_FOLDER: dict[str, Any] = {"type": Path, "metavar": "DIR"}
_FILE: dict[str, Any] = {"type": Path, "metavar": "FILE"}
_WORK = {"--work": {**_FOLDER, "help": "keep what is made there, and resume"}}
_SEEDS = {"--seeds": 5}
_DATA = {"--data": {**_FOLDER, "required": True}}
_COUNT = {"type": number_from(1), "metavar": "N"}


def _some(known: Sequence[str]) -> dict[str, Any]:
    text = ",".join(known)
    return {"type": some_of(known), "default": text, "metavar": "A,B"}


def _seconds(least: float, most: float, **more: Any) -> dict[str, Any]:
    return {"type": number(least, most, "seconds"), "metavar": "S", **more}


def _names(text: str) -> list[str]:
    return text.split(",")


def _hops(text: str) -> list[float]:
    return list(map(number(0.02, 60, "seconds"), text.split(",")))


# By name: what it measures, the module and function that do (given the options by
# name), and the options, each with what `add_argument` takes; a number alone is the
# default of a whole number from 1 on.
BENCHES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "synthetic": (
        "accuracy on synthetic people",
        "offline.synthetic:bench_synthetic",
        {
            **_WORK,
            "--trials": {**_COUNT, "dest": "n_trials", "default": 200},
            "--null-subjects": 3,
            "--null-seeds": 5,
            "--effect": {"type": float, "metavar": "E", "help": "of the first"},
        },
    ),
    "train": (
        "epochs with and without cached frozen states",
        "offline.train:bench_train",
        {"--windows": {**_COUNT, "dest": "n_windows", "default": 8}},
    ),
    "prepare": (
        "face crops a second against plain MTCNN",
        "offline.prepare:bench_prepare",
        {
            "--clips": {
                **{"type": Path, "nargs": "+", "default": [], "metavar": "FILE_OR_DIR"},
                "help": "videos; without: clips of two synthetic people",
            },
            "--repeats": 3,
            "--threads": {**_COUNT, "help": "of the plain loop; without: what is best"},
        },
    ),
    "speech": (
        "real speech of unknown speakers (RAVDESS)",
        "offline.speech:bench_speech",
        {
            "--audio-weights": {"metavar": "DIR", "help": "published AST, set beside"},
            **_DATA,
            **_SEEDS,
        },
    ),
    "eegmat": (
        "real EEG of unknown people, rest or arithmetic",
        "offline.eegmat:bench_eegmat",
        {**_DATA, **_SEEDS},
    ),
    "zero-shot": (
        "unseen EEG classes with and without a shared structure",
        "offline.zero_shot:bench_zero_shot",
        {
            "--people": 8,
            "--trials": {**_COUNT, "dest": "trials_per_class", "default": 10},
            "--strict": {"action": "store_true", "help": "see zero-shot --strict"},
        },
    ),
    "fusion": (
        "what AMBT finds where only the whole tells",
        "offline.fusion:bench_fusion",
        {
            **_WORK,
            "--kinds": _some((*_KINDS, "sum_audio_video")),
            "--trials": {**_COUNT, "dest": "n_trials", "default": 200},
            **_SEEDS,
            "--people": 1,
        },
    ),
    "people": (
        "the shipped model of real people, voice and face",
        "offline.people:bench_people",
        {},
    ),
    "ravdess-fusion": (
        "real faces and voices together (RAVDESS)",
        "offline.ravdess_fusion:bench_ravdess_fusion",
        {"--data": {**_FOLDER, "help": "tables of features"}, **_SEEDS},
    ),
    "sureness": (
        "how sure voices of new people let one be",
        "offline.sureness:bench_sureness",
        {},
    ),
    "new-person": (
        "adapting a model to people new to it",
        "offline.new_person.bench:bench_new_person",
        {"--parts": _some(_PARTS), **_SEEDS, **_WORK},
    ),
    "wrong": (
        "a stream that is there and wrong, and the gates",
        "offline.present_but_wrong:bench",
        {"--people": 3, **_WORK},
    ),
    "live-speed": (
        "time of a hop by stage, backends and caches",
        "live.speed.run:bench_speed",
        {
            "--model": {"metavar": "RUN|FILE", "type": checkpoint_file},
            "--sizes": _some(("compact", "paper")),
            "--backends": {"type": _names, "metavar": "NAMES", "help": "without: all"},
            "--hop": {"type": _hops, "metavar": "S,...", "default": "0.5,0.2"}
            | {"dest": "hops", "help": "of compact"},
            "--windows": 100,
            "--paper-windows": 100,
            "--threads": {**_COUNT, "help": "of stages"},
            "--seconds": _seconds(0, MOST_SECONDS, default=60.0)
            | {"help": "of the running program at each hop; 0: not at all"},
            "--live-sizes": {**_some(("compact", "paper")), "default": "compact"},
            "--live-paper-hop": _seconds(0.02, 60, default=5.0),
            "--eeg": {**_FILE, "help": "that MNE reads, beside --media"},
            "--media": {**_FILE, "help": "video with sound"},
            "--chart": {**_FILE, "help": "picture of the stages, such as speed.png"},
            "--all-panels": {
                "action": "store_true",
                "help": "once more with every panel open, recording and publishing",
            },
        },
    ),
    "soak": (
        "random faults for minutes: windows, ages, memory",
        "live.soak.run:bench_soak",
        {
            "--minutes": {"type": number(0, 1e5), "metavar": "N", "default": 10.0},
            "--seed": {"type": whole(0, 2**32 - 1), "metavar": "S", "default": 0},
            "--model": {"metavar": "FILE", "type": checkpoint_file},
            "--hop": _seconds(0.02, 60, default=0.5),
            "--simulated": {
                "action": "store_true",
                "help": "no faults and no waiting: time passes as the computer follows",
            },
        },
    ),
    "speech-activity": (
        "speech missed, and what is taken for it",
        "live.speech_activity:bench_speech_activity",
        {},
    ),
}
_CONFIGS = {"synthetic": "compact", "train": "paper", "speech": "speech"}
_CONFIGS |= {"eegmat": "eegmat", "fusion": "compact"}
_IN_PROCESSES = ("synthetic", "prepare", "zero-shot", "fusion", "new-person")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one bench. Returns 0 if it passed, 1 if it failed, 2 if input was refused."""
    options = parser().parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(options.verbose)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.getLogger("benchmarks").setLevel(level)
    return run(lambda: options.command(options))


def parser() -> argparse.ArgumentParser:
    """The benches by name, and their options."""
    top = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measure the program on this computer.",
        epilog="Exit status: 0 passed, 1 failed, 2 input refused, 130 Ctrl-C.",
    )
    add = adder(top.add_subparsers(metavar="NAME", required=True))
    for name, (text, where, options) in BENCHES.items():
        bench = add(name, partial(_measure, where), text)
        for flag, how in options.items():
            if isinstance(how, int):
                how = {**_COUNT, "default": how}
            if how.get("default"):
                how = {**how, "help": f"{how.get('help', '')} (default %(default)s)"}
            bench.add_argument(flag, **how)
        if name in _CONFIGS:
            add_config(bench, _CONFIGS[name])
        if name in _IN_PROCESSES:
            add_jobs(bench)
        add_json(bench)
        if name == "train":
            add_device(bench)
    return top


def _measure(where: str, options: argparse.Namespace) -> int:
    """Have a bench answer with the options that are its own. Returns the status."""
    name, _, function = where.partition(":")
    if name.startswith("live."):
        keep_lsl_on_this_computer()  # before anything imports pylsl
    from benchmarks.measure import answer, lines
    from eav_offline.config import load_config

    given = vars(options).copy()
    for other in ("command", "verbose", "json"):
        del given[other]
    read: dict[str, Callable[[Any], Any]]
    read = {"config": load_config, "device": device, "data": existing_folder}
    for key in read.keys() & given.keys():
        if given[key] is not None:
            given[key] = read[key](given[key])
    module = import_module(f"benchmarks.{name}")
    bench = partial(getattr(module, function), **given)
    return answer(options, bench, getattr(module, "table", lines))


if __name__ == "__main__":
    sys.exit(main())
