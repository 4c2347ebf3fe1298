"""Commands on models: train, study, evaluate, average."""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eav_offline.commands.options import (
    AddCommand,
    add_config,
    add_data,
    add_device,
    add_json,
    add_scaling,
    add_subjects,
    answer,
    device,
    device_for,
    known_sizes,
    look_first,
    number_from,
    numbers,
    open_subjects,
    plan_of,
    seed_range,
    some_of,
)
from eav_offline.common import plugins
from eav_offline.common.errors import InputRefused, did_you_mean
from eav_offline.common.files import existing_folder, output_folder
from eav_offline.core.model_names import (
    BASELINES,
    FEATURES,
    NETWORKS,
    STAGES,
    STUDIED,
    STUDY_PROTOCOLS,
)

if TYPE_CHECKING:
    from eav_offline.config import Config
    from eav_offline.data.cache import PreparedSubject
    from eav_offline.evaluation.results import Results

log = logging.getLogger(__name__)
MODELS = (*STAGES, *BASELINES)  # that `train` knows


def _model(text: str) -> str:
    """A model's name, of our own or a package's. Raises ArgumentTypeError."""
    if text in MODELS or text in plugins.offered(plugins.MODELS):
        return text
    known = [*MODELS, *plugins.offered_names(plugins.MODELS, MODELS)]
    guess = did_you_mean(text, known) or f"there are {', '.join(known)}"
    raise argparse.ArgumentTypeError(f"no model is called {text}; {guess}")


def register(add: AddCommand) -> None:
    train = add("train", _train, "train the three models, then AMBT")
    train.add_argument(
        "model",
        nargs="?",
        type=_model,
        metavar="MODEL",
        help="eeg, audio, video, ambt, a baseline, or the model of a package that is "
        "installed, alone (default: all four)",
    )
    add_data(train)
    add_subjects(train)
    add_config(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN")
    _add_weights(train)
    _add_protocol(train)
    _add_means(train)
    _add_baseline(train)
    add_scaling(train)
    add_json(train)

    study = add("study", _suite, "make all runs of the published tables and report")
    add_data(study)
    add_subjects(study)
    add_config(study)
    study.add_argument("--out", type=Path, required=True, metavar="STUDY")
    study.add_argument(
        "--models",
        type=some_of(STUDIED),
        default=(),
        metavar="A,B",
        help="some of ambt-mean, ambt-concat and the baselines (default: all)",
    )
    study.add_argument(
        "--protocols",
        type=some_of(STUDY_PROTOCOLS),
        default=STUDY_PROTOCOLS,
        metavar="A,B",
        help="within, kfold (default: both)",
    )
    study.add_argument(
        "--folds", type=number_from(2), metavar="K", help="of kfold (default 7)"
    )
    study.add_argument(
        "--seeds",
        type=number_from(1),
        default=3,
        metavar="N",
        help="trainings of each, every one with folds of its own (default 3)",
    )
    _add_weights(study)
    study.add_argument(
        "--states", type=Path, metavar="DIR", help="keep frozen states here"
    )
    study.add_argument(
        "--plan", action="store_true", help="say what it takes and make nothing"
    )
    add_device(study)
    add_scaling(study)
    add_json(study)

    evaluate = add("evaluate", _evaluate, "score runs on their test trials again")
    evaluate.add_argument(
        "run", type=Path, metavar="RUN", help="a run, or a folder with runs below it"
    )
    add_data(evaluate, "if it has moved; as often as in training")
    add_subjects(evaluate)
    evaluate.add_argument(
        "--seed", type=number_from(0), metavar="S", help="the first of --seeds"
    )
    evaluate.add_argument(
        "--seeds",
        type=number_from(1),
        metavar="N",
        help="from S (or 0) on; default: all",
    )
    add_device(evaluate)
    add_scaling(evaluate)
    add_json(evaluate)

    average = add("average", _average, "average what several runs say, as a run")
    average.add_argument(
        "runs",
        nargs="+",
        metavar="RUN[:OUTPUT]",
        help="a run, and which of its outputs: eeg, audio, video, averaged or fused "
        "(default)",
    )
    average.add_argument("--out", type=Path, required=True, metavar="RUN")
    add_json(average)


def _add_weights(train: argparse.ArgumentParser) -> None:
    for modality, kind in (("audio", "AST"), ("video", "ViT")):
        train.add_argument(
            f"--{modality}-weights",
            metavar="DIR|ID",
            help=f"public {kind} weights to begin with: a folder or a hub id",
        )


def _add_protocol(train: argparse.ArgumentParser) -> None:
    group = train.add_argument_group("protocol")
    group.add_argument(
        "--protocol",
        choices=("pooled", "within", "kfold", "loso", "cross-subject"),
        help="pooled (default): one model, everybody's first trials train and last "
        "test; within: a model for each person; kfold, loso: leave people out; "
        "cross-subject: one model for new people, chosen and tested on others",
    )
    group.add_argument(
        "--folds",
        type=number_from(2),
        metavar="K",
        help="of kfold (default 7); in cross-subject, one of K parts of the people "
        "tests",
    )
    group.add_argument(
        "--seed", type=number_from(0), metavar="S", help="instead of the config's"
    )
    group.add_argument(
        "--seeds", type=number_from(1), metavar="N", help="from S on, one by one"
    )
    group.add_argument(
        "--train-windows",
        type=number_from(1),
        metavar="W",
        help="of 80 a class, as the papers count: 56 or 40 (default: 70 %% of trials)",
    )
    group.add_argument(
        "--validation",
        action="store_true",
        help="set training trials (or people) aside to fit temperatures on",
    )


def _add_means(train: argparse.ArgumentParser) -> None:
    group = train.add_argument_group("means")
    group.add_argument("--variant", choices=("mean", "concat"), help="of AMBT")
    group.add_argument(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        help="instead of the config's, fp32 as shipped; the others need a GPU",
    )
    group.add_argument(
        "--states", type=Path, metavar="DIR", help="keep frozen states here"
    )
    group.add_argument(
        "--steps",
        type=number_from(1),
        metavar="N",
        help="of each phase only: to try a config",
    )
    add_device(group)


def _train(options: argparse.Namespace) -> int:
    config = _config(options)
    if options.epochs is not None and options.model in (None, *STAGES, *FEATURES):
        raise InputRefused(
            f"--epochs is of baseline networks ({', '.join(NETWORKS)}); those of the "
            "transformers stand in the configuration"
        )
    look_first(options)
    subjects = open_subjects(options.data, options.subjects)
    import torch

    from eav_offline.common.console import ProgressBar, is_first_process
    from eav_offline.models.baselines.settings import choose_stages
    from eav_offline.runs.split import train_pooled

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    stages, config = choose_stages(options.model, config, options.epochs)
    means = {
        "weights": _weights(options),
        "states": options.states,
        "max_steps": options.steps,
    }
    # --jobs and --scheduler speak of runs, and a pooled one is one.
    if any(x is not None for x in (options.protocol, options.seeds, options.scheduler)):
        return _study(options, config, stages, means, subjects)
    with ProgressBar("Training") as progress:
        results = train_pooled(
            subjects,
            options.data,
            options.out,
            config,
            stages,
            train_windows=options.train_windows,
            validation=options.validation,
            progress=progress.stage,
            device=device(options.device),
            **means,
        )
    if is_first_process():
        _show(options, results)
    return 0


def _suite(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED
    from eav_offline.config import load_config

    config = load_config(options.config)
    if "video-vit" in options.models and options.video_weights is None:
        raise InputRefused(
            "--models video-vit reads faces with a published ViT and is nothing "
            "without one; give --video-weights DIR|ID"
        )
    look_first(options)
    people = [one.subject for one in open_subjects(options.data, options.subjects)]
    from eav_offline.report import write_report
    from eav_offline.runs.jobs import Board
    from eav_offline.runs.study import StudySettings, run_study
    from eav_offline.runs.suite import estimate, plan_blocks, spoken
    from eav_offline.runs.workers import job_memory, open_cluster

    settings = StudySettings(
        caches=options.data,
        out=options.out,
        config=config,
        validation=True,
        device=device(options.device),
        options={"weights": _weights(options), "states": options.states},
    )
    blocks = plan_blocks(
        people,
        settings,
        options.models,
        options.protocols,
        seed_range(config.train.seed, options.seeds),
        options.folds,
    )
    needed = max(job_memory(b.settings.config, b.settings.stages) for b in blocks)
    plan = plan_of(options, max(len(block.work) for block in blocks), needed)
    costs = estimate(blocks)
    sys.stderr.write(spoken(blocks, costs, plan.workers, options.out))
    if options.plan:
        answer(options, {**vars(costs), "workers": plan.workers}, "")
        return 0
    failed, figures = 0, {}
    with open_cluster(plan) as cluster:
        for block in blocks:
            log.info("%s", block.name)
            with Board(len(block.work)) as board:
                there = replace(block.settings, device=device_for(plan, options.device))
                study = run_study(block.work, there, cluster, board)
            figures[block.name] = study
            failed += sum(job["status"] == "failed" for job in study["jobs"])
    page = write_report([options.out], options.out / "report.html", known_sizes()).page
    answer(options, figures, f"{page}\n")
    return FAILED if failed else 0


def _weights(options: argparse.Namespace) -> dict[str, str]:
    """Public weights by modality."""
    given = {"audio": options.audio_weights, "video": options.video_weights}
    return {m: source for m, source in given.items() if source is not None}


def _config(options: argparse.Namespace) -> "Config":
    """The configuration file with what the options say instead."""
    from eav_offline.config import load_config

    config = load_config(options.config)
    if options.seed is not None:
        config = config.with_seed(options.seed)
    if options.precision is not None:
        config = config.with_precision(options.precision)
    if options.variant is not None:
        config = config.with_variant(options.variant)
    return config


def _study(
    options: argparse.Namespace,
    config: "Config",
    stages: tuple[str, ...],
    means: dict[str, Any],
    subjects: "list[PreparedSubject]",
) -> int:
    from eav_offline.runs.jobs import Board
    from eav_offline.runs.study import StudySettings, jobs, run_study
    from eav_offline.runs.workers import job_memory, open_cluster

    seeds = seed_range(config.train.seed, options.seeds)
    work = jobs(
        [subject.subject for subject in subjects],
        options.protocol or "pooled",
        options.folds,
        seeds,
    )
    plan = plan_of(options, len(work), job_memory(config, stages))
    settings = StudySettings(
        caches=options.data,
        out=options.out,
        config=config,
        stages=stages,
        train_windows=options.train_windows,
        validation=options.validation,
        device=device_for(plan, options.device),
        options=means,
    )
    with Board(len(work)) as board, open_cluster(plan) as cluster:
        study = run_study(work, settings, cluster, board)
    return _show_study(options, study)


def _show_study(options: argparse.Namespace, study: dict[str, Any]) -> int:
    from eav_offline.common.console import FAILED
    from eav_offline.runs.study import study_table

    answer(options, study, study_table(study))
    return FAILED if any(job["status"] == "failed" for job in study["jobs"]) else 0


def _evaluate(options: argparse.Namespace) -> int:
    existing_folder(options.run)
    look_first(options)
    from eav_offline.runs.split import evaluate_run
    from eav_offline.training.run_folder import RunFolder

    if not RunFolder(options.run).finished:
        return _evaluate_all(options)
    results = evaluate_run(options.run, options.data, device(options.device))
    _show(options, results)
    return 0


def _evaluate_all(options: argparse.Namespace) -> int:
    from eav_offline.runs.jobs import Board
    from eav_offline.runs.rescoring import find_runs, rescore_runs
    from eav_offline.runs.task import JobSettings
    from eav_offline.runs.workers import open_cluster

    seeds = None
    if options.seeds is not None or options.seed is not None:
        seeds = seed_range(options.seed or 0, options.seeds)
    work = find_runs(options.run, numbers(options.subjects), seeds, options.data)
    plan = plan_of(options, len(work))
    settings = JobSettings(device=device_for(plan, options.device))
    with Board(len(work)) as board, open_cluster(plan) as cluster:
        scored = rescore_runs(work, settings, cluster, board)
    return _show_study(options, scored)


def _show(
    options: argparse.Namespace, results: "Results", intervals: bool = True
) -> None:
    from eav_offline.common.console import counted
    from eav_offline.core.labels import EMOTIONS
    from eav_offline.evaluation.results import SYNTHETIC

    lines = [SYNTHETIC] if results.demo else []
    for name, figures in results.modalities.items():
        between = ""
        if figures.interval is not None and intervals:
            low, high = figures.interval
            between = f" (95 % by {figures.interval_unit} {low:.1%}-{high:.1%})"
        lines.append(
            f"{name:<6} accuracy {figures.accuracy:.1%}{between}, macro-F1 "
            f"{figures.macro_f1:.1%}, {figures.n_windows} windows"
        )
    if results.knows != EMOTIONS:
        n = counted(results.n_left_out, "test window")
        lines.append(
            f"over the {len(results.knows)} emotions it knows: "
            f"{', '.join(results.knows)}"
            + (f"; {n} of others left out" if results.n_left_out else "")
        )
    answer(options, results.as_json(), "".join(f"{line}\n" for line in lines))


def _add_baseline(train: argparse.ArgumentParser) -> None:
    """`--epochs`, and a list of the names."""
    group = train.add_argument_group(
        "baselines",
        f"MODEL may also be a network ({', '.join(NETWORKS)}) or a logistic "
        f"regression of features ({', '.join(FEATURES)}); see docs/baselines.md",
    )
    group.add_argument(
        "--epochs",
        type=number_from(1),
        metavar="N",
        help="of a network, instead of its authors'",
    )


def _average(options: argparse.Namespace) -> int:
    from eav_offline.common.console import existing

    output_folder(options.out)
    for text in options.runs:
        if not Path(text).exists():  # as RUN:OUTPUT
            existing(text.rpartition(":")[0] or text, "RUN")
    from eav_offline.runs.averaging import average_runs, parse_member

    members = [parse_member(text) for text in options.runs]
    results = average_runs(members, options.out)
    _show(options, results, intervals=False)
    return 0
