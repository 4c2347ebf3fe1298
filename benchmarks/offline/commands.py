"""The benches of preparing, training and what was learned."""

import argparse
import logging
from pathlib import Path

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_device,
    add_jobs,
    add_json,
    device,
)
from eav_offline.common.files import existing_folder


def register(add: AddCommand) -> None:
    synthetic = add("synthetic", _synthetic, "accuracy on synthetic people")
    synthetic.add_argument("--work", type=Path, metavar="DIR", help="keep and resume")
    synthetic.add_argument("--trials", type=int, default=200, metavar="T")
    synthetic.add_argument("--null-subjects", type=int, default=3, metavar="N")
    synthetic.add_argument("--null-seeds", type=int, default=5, metavar="K")
    synthetic.add_argument("--effect", type=float, metavar="E", help="of the first")
    add_config(synthetic)
    add_jobs(synthetic)

    train = add("train", _training, "epochs with and without cached frozen states")
    train.add_argument("--windows", type=int, default=8, metavar="N")
    add_config(train, "paper")
    add_device(train)

    prepare = add("prepare", _prepare, "face crops a second against plain MTCNN")
    prepare.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE_OR_DIR",
        help="videos; default: clips of two synthetic people",
    )
    prepare.add_argument("--repeats", type=int, default=3, metavar="N")
    prepare.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="of the plain loop; default: PyTorch's number or 1, what is faster",
    )
    add_jobs(prepare)

    speech = add("speech", _speech, "real speech of unknown speakers (RAVDESS)")
    speech.add_argument(
        "--cross-validate", action="store_true", help="also leave every speaker out"
    )
    speech.add_argument(
        "--audio-weights", metavar="DIR", help="published AST, to set beside"
    )
    eegmat = add("eegmat", _eegmat, "real EEG of unknown people, rest or arithmetic")
    for recordings, config in ((speech, "speech"), (eegmat, "eegmat")):
        recordings.add_argument("--data", type=Path, required=True, metavar="DIR")
        recordings.add_argument("--seeds", type=int, default=5, metavar="K")
        add_config(recordings, config)

    zero = add(
        "zero-shot", _zero, "unseen EEG classes with and without a shared structure"
    )
    zero.add_argument("--people", type=int, default=8, metavar="N")
    zero.add_argument("--trials", type=int, default=10, metavar="T", help="of a class")
    zero.add_argument("--strict", action="store_true", help="see zero-shot --strict")
    add_jobs(zero)
    fusion = add("fusion", _fusion, "what AMBT finds where only the whole tells")
    fusion.add_argument("--work", type=Path, metavar="DIR", help="keep and resume")
    fusion.add_argument("--kinds", metavar="K,...", help="some of those (default: all)")
    fusion.add_argument("--trials", type=int, default=200, metavar="T")
    fusion.add_argument("--seeds", type=int, default=5, metavar="K")
    fusion.add_argument("--people", type=int, default=1, metavar="P", help="pooled")
    add_config(fusion)
    add_jobs(fusion)
    people = add("people", _people, "the shipped model of real people, voice and face")
    ravdess = add(
        "ravdess-fusion", _ravdess_fusion, "real faces and voices together (RAVDESS)"
    )
    ravdess.add_argument("--data", type=Path, metavar="DIR", help="tables of features")
    ravdess.add_argument("--seeds", type=int, default=5, metavar="K")
    sureness = add("sureness", _sureness, "how sure voices of new people let one be")
    stranger = add("new-person", _new_person, "adapting a model to people new to it")
    stranger.add_argument(
        "--parts", metavar="A,B", help="of real_voices,real_eeg,synthetic; default: all"
    )
    stranger.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="of synthetic people"
    )
    stranger.add_argument(
        "--work", type=Path, metavar="DIR", help="keep synthetic people and resume"
    )
    add_jobs(stranger)
    wrong = add("wrong", _wrong, "a stream that is there and wrong, and the gates")
    wrong.add_argument("--people", type=int, default=3, metavar="N")
    wrong.add_argument("--work", type=Path, metavar="DIR", help="keep the people")
    asked = (
        wrong,
        sureness,
        fusion,
        synthetic,
        train,
        prepare,
        speech,
        eegmat,
        zero,
        people,
        ravdess,
        stranger,
    )
    for bench in asked:
        add_json(bench)


def _synthetic(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.synthetic import bench_synthetic, table
    from eav_offline.config import load_config

    def bench() -> dict:
        return bench_synthetic(
            load_config(options.config),
            work=options.work,
            n_trials=options.trials,
            null_subjects=options.null_subjects,
            null_seeds=options.null_seeds,
            effect=options.effect,
            jobs=options.jobs,
        )

    return answer(options, bench, table)


def _training(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.train import bench_train, table
    from eav_offline.config import load_config

    def bench() -> dict:
        config, where = load_config(options.config), device(options.device)
        return bench_train(config, n_windows=options.windows, device=where)

    return answer(options, bench, table)


def _prepare(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.prepare import bench_prepare, table

    asked = (options.clips, options.repeats, options.jobs, options.threads)
    return answer(options, lambda: bench_prepare(*asked), table)


def _speech(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.speech import bench_speech, table
    from eav_offline.config import load_config

    def bench() -> dict:
        return bench_speech(
            existing_folder(options.data),
            load_config(options.config),
            seeds=range(options.seeds),
            cross_validate=options.cross_validate,
            weights=options.audio_weights,
            weights_config=load_config("paper") if options.audio_weights else None,
        )

    return answer(options, bench, table, "beats_baseline")


def _eegmat(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.eegmat import bench_eegmat, table
    from eav_offline.config import load_config

    def bench() -> dict:
        folder, config = existing_folder(options.data), load_config(options.config)
        return bench_eegmat(folder, config, seeds=range(options.seeds))

    return answer(options, bench, table, passed=None)


def _zero(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.zero_shot import bench_zero_shot, table

    asked = (options.people, options.strict, options.trials, options.jobs)
    return answer(options, lambda: bench_zero_shot(*asked), table)


def _fusion(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.fusion import KINDS, bench_fusion, table
    from eav_offline.common.errors import InputRefused
    from eav_offline.config import load_config

    kinds = tuple(options.kinds.split(",") if options.kinds else KINDS)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputRefused(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    asked = (kinds, options.seeds, options.trials, options.work, options.jobs)
    config, people = load_config(options.config), options.people
    return answer(options, lambda: bench_fusion(config, *asked, people=people), table)


def _people(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.people import bench_people, table

    # What a session tells its user would come for every pause.
    logging.getLogger("eav_live").setLevel(logging.WARNING)
    return answer(options, bench_people, table)


def _wrong(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.present_but_wrong import bench, table

    return answer(options, lambda: bench(options.people, options.work), table)


def _sureness(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.sureness import bench_sureness, table

    return answer(options, bench_sureness, table)


def _ravdess_fusion(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.people_model import real_data
    from benchmarks.offline.ravdess_fusion import bench_ravdess_fusion, table

    def bench() -> dict:
        folder = options.data or real_data("ravdess_av_features")
        return bench_ravdess_fusion(existing_folder(folder), options.seeds)

    return answer(options, bench, table, passed=None)


def _new_person(options: argparse.Namespace) -> int:
    from benchmarks.measure import answer
    from benchmarks.offline.new_person.bench import PARTS, bench_new_person, table
    from eav_offline.common.errors import InputRefused

    parts = options.parts.split(",") if options.parts else list(PARTS)
    unknown = [name for name in parts if name not in PARTS]
    if unknown:
        raise InputRefused(f"{unknown[0]!r} is none of {', '.join(PARTS)}")

    def bench() -> dict:
        return bench_new_person(parts, options.seeds, options.work, options.jobs)

    return answer(options, bench, table, passed=None)
