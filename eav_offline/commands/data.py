"""Commands on the dataset: data, check, synth, prepare, import, import-features."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.commands.options import (
    AddCommand,
    add_jobs,
    add_json,
    add_subjects,
    answer,
    number_from,
    numbers,
)
from eav_offline.common import plugins
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import existing_folder, output_folder
from eav_offline.core.model_names import STAGES

if TYPE_CHECKING:
    from eav_offline.data.synthetic.plan import Evidence
    from eav_offline.preprocess import PreprocessSettings


_MODALITIES = STAGES[:-1]
_DATASETS = ("eav", "ravdess", "cremad", "emodb")
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

Without EAV, `eav-offline synth OUT` writes synthetic people in the same layout, and
`eav-offline data ravdess`, `cremad` and `emodb` say where freely available acted speech
is to be had.
"""


def register(add: AddCommand) -> None:
    data = add("data", _data, "say where a dataset is to be had and what to run then")
    data.add_argument(
        "dataset", nargs="?", choices=_DATASETS, default="eav", help="default: eav"
    )

    check = add("check", _check, "list every fault of every subject")
    check.add_argument("root", type=Path, metavar="ROOT")
    _add_dataset(check)
    add_subjects(check)
    add_json(check)

    synth = add("synth", _synth, "write synthetic people in EAV layout")
    synth.add_argument("out", type=Path, metavar="OUT")
    synth.add_argument(
        "--subjects",
        type=number_from(1),
        default=1,
        metavar="N",
        help="people (default 1)",
    )
    synth.add_argument(
        "--trials",
        type=int,
        default=200,
        metavar="T",
        help="of each, a multiple of 10 (default 200, as EAV)",
    )
    synth.add_argument(
        "--seed",
        type=number_from(0),
        default=0,
        metavar="S",
        help="of the drawing (default 0)",
    )
    synth.add_argument(
        "--effect",
        type=float,
        metavar="E",
        help="0 (labels mean nothing) to 1 (always shown); default 0.8",
    )
    synth.add_argument(
        "--strangeness",
        type=float,
        default=0.0,
        metavar="S",
        help="how much more than by default people differ; at 0.4 a model of others "
        "loses about as much on one of them as on EAV's people (default 0)",
    )
    synth.add_argument("--listening", action="store_true", help="listening videos too")
    kind = synth.add_mutually_exclusive_group()
    kind.add_argument(
        "--masking",
        choices=_MODALITIES,
        metavar="MODALITY",
        help="eeg, audio or video alone says which of the two others shows the truth",
    )
    kind.add_argument(
        "--sum",
        choices=[
            "+".join(m for m in _MODALITIES if m != other) for other in _MODALITIES
        ],
        metavar="PAIR",
        help="the emotion is the sum of the two shown by a pair, such as audio+video",
    )
    synth.add_argument(
        "--masking-share",
        type=float,
        metavar="S",
        help="share of trials masked or summed, 0-1; default 1, for --sum 0.5",
    )
    add_jobs(synth)
    add_json(synth)

    prepare = add("prepare", _prepare, "cache windows: filter, log-mel, face crops")
    prepare.add_argument("root", type=Path, metavar="ROOT")
    prepare.add_argument("--out", type=Path, required=True, metavar="CACHE")
    _add_dataset(prepare)
    add_subjects(prepare)
    prepare.add_argument(
        "--task",
        choices=("speaking", "listening", "both"),
        default="speaking",
        help="which trials (default: speaking)",
    )
    prepare.add_argument(
        "--reference",
        choices=("as-recorded", "average"),
        default="as-recorded",
        help="of the EEG (default: as-recorded)",
    )
    prepare.add_argument(
        "--notch",
        type=int,
        choices=(50, 60),
        metavar="HZ",
        help="take mains hum, 50 or 60 Hz, out of the EEG (default: not, as published)",
    )
    prepare.add_argument(
        "--face-size",
        type=int,
        default=56,
        metavar="PIXELS",
        help="side of the face crops (default 56; paper reads 224)",
    )
    prepare.add_argument(
        "--faces",
        choices=("on", "off"),
        default="on",
        help="off: whole frames instead of faces",
    )
    add_jobs(prepare)
    add_json(prepare)

    command = add(
        "import", _import, "make a subject in EAV layout of recorded sessions"
    )
    command.add_argument("recordings", type=Path, nargs="+", metavar="FILE.xdf")
    command.add_argument("--out", type=Path, required=True, metavar="ROOT")
    command.add_argument(
        "--subject", type=int, required=True, metavar="N", help="the number it gets"
    )
    add_json(command)

    command = add(
        "export-bids", _export_bids, "add a recorded session to a BIDS dataset"
    )
    command.add_argument("recording", type=Path, metavar="FILE.xdf")
    command.add_argument("--out", type=Path, required=True, metavar="BIDS")
    command.add_argument(
        "--media",
        action="store_true",
        help="voice and face, too, which tell who it is, if the consent names them",
    )
    add_json(command)

    features = add(
        "import-features",
        _import_features,
        "cache the features that EAV's authors released (subject_XX_eeg.pkl, ...); "
        "models of them cannot run live",
    )
    features.add_argument("folder", type=Path, metavar="DIR")
    features.add_argument("--out", type=Path, required=True, metavar="CACHE")
    add_subjects(features)
    add_json(features)


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        type=_dataset,
        metavar="NAME",
        help=f"{', '.join(_DATASETS)}, or one of a package that is installed (default: "
        "as the folders and files in ROOT are called)",
    )


def _dataset(text: str) -> str:
    """A data set's name, of our own or a package's. Raises ArgumentTypeError."""
    known = [*_DATASETS, *plugins.offered_names(plugins.DATASETS, _DATASETS)]
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"no data set is called {text}; there are {', '.join(known)}"
        )
    return text


def _data(options: argparse.Namespace) -> int:
    from eav_offline.data.corpora import CORPORA

    corpus = CORPORA.get(options.dataset)
    sys.stdout.write(_HOW_TO_GET_EAV if corpus is None else corpus.how_to_get())
    return 0


def _check(options: argparse.Namespace) -> int:
    from eav_offline.common.console import DONE, FAILED, counted

    root, subjects = existing_folder(options.root), numbers(options.subjects)
    from eav_offline.data.datasets import check_dataset

    faults = check_dataset(root, subjects, options.dataset)
    found = counted(len(faults), "fault") if faults else "No faults"
    text = "".join(f"{line}\n" for line in (*faults, found))
    answer(options, [fault.as_json() for fault in faults], text)
    return FAILED if faults else DONE


def _synth(options: argparse.Namespace) -> int:
    from eav_offline.common.console import ProgressBar, counted

    output_folder(options.out)
    from eav_offline.data.synthetic.people import write_subjects
    from eav_offline.data.synthetic.plan import DEFAULT_EFFECT

    effect = DEFAULT_EFFECT if options.effect is None else options.effect
    try:
        evidence = _evidence(options)
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
                evidence=evidence,
                strangeness=options.strangeness,
            )
    except (ValueError, FileExistsError) as error:
        raise InputRefused(str(error)) from error
    best = attainable.as_json()
    people = counted(options.subjects, "synthetic person", "synthetic people")
    shares = ", ".join(f"{name} {share:.1%}" for name, share in best.items())
    answer(
        options,
        {"effect": effect, "synthetic": True, "attainable": best},
        f"{people} in {options.out}. Best accuracy attainable at effect {effect:g}: "
        f"{shares}\n",
    )
    return 0


def _evidence(options: argparse.Namespace) -> "Evidence":
    from eav_offline.data.synthetic.plan import ORDINARY, Evidence

    share = options.masking_share
    if options.masking:
        return Evidence("masking", options.masking, 1.0 if share is None else share)
    if options.sum:
        (third,) = set(_MODALITIES) - set(options.sum.split("+"))
        return Evidence("sum", third, 0.5 if share is None else share)
    if share is not None:
        raise InputRefused("--masking-share needs --masking or --sum beside it")
    return ORDINARY


def _prepare(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED, ProgressBar

    root, out = existing_folder(options.root), output_folder(options.out)
    subjects = numbers(options.subjects)
    from eav_offline.data.prepared import prepare_root

    with ProgressBar("Preparing") as progress:
        summary = prepare_root(
            root,
            out,
            subjects=subjects,
            settings=_settings(options),
            task=options.task,
            jobs=options.jobs,
            progress=progress,
            dataset=options.dataset,
        )
    answer(options, summary.as_json(), f"{summary}\n")
    return FAILED if summary.failed else 0


def _settings(options: argparse.Namespace) -> "PreprocessSettings":
    from eav_offline.preprocess import PreprocessSettings

    return PreprocessSettings(
        options.reference,
        options.face_size,
        options.faces == "on",
        notch_hz=options.notch,
    )


def _import(options: argparse.Namespace) -> int:
    from eav_offline.common.console import counted, existing

    if not 1 <= options.subject <= 9999:
        raise InputRefused(f"--subject is {options.subject}; give a number from 1")
    recordings = [existing(str(path), "FILE.xdf") for path in options.recordings]
    out = output_folder(options.out)
    from eav_offline.data.sessions.importing import import_sessions

    summary = import_sessions(recordings, out, options.subject)
    lines = [f"{counted(len(summary.trials), 'trial')} in {summary.folder}"]
    lines += [f"{k} left out: {why}" for k, why in summary.left_out.items()]
    lines += [f"{k} lacks {what}" for k, what in summary.without.items()]
    answer(options, summary.as_json(), "\n".join(lines) + "\n")
    return 0


def _export_bids(options: argparse.Namespace) -> int:
    from eav_offline.common.console import counted, existing

    recording = existing(str(options.recording), "FILE.xdf")
    out = output_folder(options.out)
    from eav_offline.data.sessions.analysis import recording_file
    from eav_offline.data.sessions.bids import export_bids

    made = export_bids(recording_file(recording), out, options.media)
    about = {
        "subject": made.subject,
        "session": made.session,
        "events": made.n_events,
        "media": [str(path) for path in made.media],
    }
    where = f"sub-{made.subject}/ses-{made.session} of {made.root}"
    media = f" and {counted(len(made.media), 'file')} of voice and face"
    text = f"EEG with {counted(made.n_events, 'event')}{media if made.media else ''}"
    answer(options, about, f"{text} in {where}\n")
    return 0


def _import_features(options: argparse.Namespace) -> int:
    from eav_offline.common.console import FAILED, ProgressBar

    folder, out = existing_folder(options.folder), output_folder(options.out)
    subjects = numbers(options.subjects)
    from eav_offline.data.eav.released import import_features

    with ProgressBar("Importing") as progress:
        summary = import_features(folder, out, subjects, progress)
    text = f"{summary}\n"
    if summary.usable:
        text += (
            f"The released split: eav-offline train --data {options.out} --protocol "
            "within --train-windows 56 (40 for files with 40 and 40 a class)\n"
        )
    answer(options, summary.as_json(), text)
    return FAILED if summary.failed else 0
