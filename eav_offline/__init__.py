"""Training and evaluation of EEG, voice and face emotion models on the EAV dataset.

    import eav_offline

    eav_offline.prepare("EAV", "cache")
    results = eav_offline.train("cache", "runs/all")
    model = eav_offline.load("runs/all")
    eav_offline.predict(model, windows).fused  # (n, 5), over model.labels

The commands of `eav-offline` call the same functions with more options. What cannot be
used, be it a folder, a file or a value, raises `eav_offline.common.errors.InputRefused`
(or one of its kinds, which are named below): its message says what was found, what was
expected and what to do. Nothing is imported before it is needed.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from eav_offline.checkpoint.file import Checkpoint
    from eav_offline.core.window import RawWindow
    from eav_offline.data.cache import PreparedSubject
    from eav_offline.data.prepared import PrepareSummary
    from eav_offline.evaluation.results import Results
    from eav_offline.models import Probabilities
    from eav_offline.personal.worth import Calibrated
    from eav_offline.preprocess import EegReference, Inputs

    __version__: str

__all__ = ["adapt", "evaluate", "load", "predict", "prepare", "train"]

_BATCH = 32  # windows at a time: a face's states take the most memory


def __getattr__(name: str) -> str:
    if name == "__version__":
        from eav_offline.common.files import package_versions

        return package_versions()["eav-live"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def prepare(
    root: Path | str,
    out: Path | str,
    *,
    subjects: Collection[int] | None = None,
    task: Literal["speaking", "listening", "both"] = "speaking",
    jobs: int | None = None,
    dataset: Literal["eav", "ravdess", "cremad", "emodb"] | None = None,
    reference: "EegReference" = "as-recorded",
    notch_hz: Literal[50, 60] | None = None,
    face_size: int = 56,
    faces: bool = True,
) -> "PrepareSummary":
    """Cache the five-second windows of a dataset: filtered EEG, log-mel, face crops.

    root: the dataset's folder; dataset: which it is, None to look. out: the cache, new
    or of the same settings; subjects that are in it, whole, stay as they are. subjects:
    their numbers, all if None. jobs: processes, as many as cores if None; more than one
    are started anew, so a script must call this under `if __name__ == "__main__":`.
    reference: of the EEG; "average" subtracts the mean electrode. notch_hz: mains hum
    to take out, in hertz. face_size: side of the crops, 16 to 512 pixels. faces: False
    takes whole frames and finds no faces.

    Subjects and trials that cannot be used are in the summary, with the reason. Raises
    DatasetError if the folder is no dataset or lacks a subject, PreparedError if the
    cache is of other settings.

    >>> summary = prepare("EAV", "cache-of-one", jobs=1, face_size=16, faces=False)
    >>> summary.windows  # of each subject prepared now
    {1: 20}
    """
    import os

    from eav_offline.common.files import existing_folder, output_folder
    from eav_offline.data.prepared import prepare_root
    from eav_offline.preprocess import PreprocessSettings

    return prepare_root(
        existing_folder(Path(root)),
        output_folder(Path(out)),
        subjects,
        PreprocessSettings(reference, face_size, faces, notch_hz=notch_hz),
        task,
        os.cpu_count() or 1 if jobs is None else jobs,
        dataset=dataset,
    )


def train(
    data: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    config: Path | str = "compact",
    models: str | Sequence[str] | None = None,
    subjects: Collection[int] | None = None,
    validation: bool = False,
    seed: int | None = None,
    device: str = "auto",
) -> "Results":
    """Train one model for everybody on their first trials, and score it on their last.

    data: a cache that `prepare` made, or several; the people of the second are then
    numbered from 10,001 on, and so forth. out: the run's folder; an interrupted run in
    it goes on. config: a configuration's name, or its TOML file. models: some of eeg,
    audio, video and ambt, all four if None, or a baseline by itself, such as
    "eeg-bands". subjects: their numbers, all if None. validation: set trials aside to
    fit temperatures on. seed: instead of the configuration's. device: cpu, cuda, mps;
    "auto" takes a GPU if there is one.

    Writes model.safetensors, results.json and what else a run has, and returns what is
    in results.json; accuracies and the like are shares, 0 to 1. Raises PreparedError if
    the cache lacks a subject, ConfigError, SplitError if there are too few trials, and
    TrainingError if the run in `out` is another or the loss is no number.

    >>> results = train("cache", "runs/bands", models="eeg-bands", device="cpu")
    >>> results.modalities["eeg"].accuracy > 0.2  # which is chance
    True
    """
    from eav_offline.common.errors import with_extras
    from eav_offline.common.files import output_folder
    from eav_offline.config import load_config
    from eav_offline.data.people import open_subjects
    from eav_offline.models.baselines.settings import choose_stages

    caches, out = _paths(data), output_folder(Path(out))
    settings = load_config(config)
    if seed is not None:
        settings = settings.with_seed(seed)
    stages, settings = choose_stages(models, settings)
    people = open_subjects(caches, subjects)
    with with_extras():
        from eav_offline.runs.split import train_pooled
        from eav_offline.training.runtime import choose_device

        return train_pooled(
            people,
            caches,
            out,
            settings,
            stages,
            validation=validation,
            device=choose_device(device),
        )


def evaluate(
    run: Path | str,
    *,
    data: Path | str | Sequence[Path | str] = (),
    device: str = "auto",
) -> "Results":
    """Score a run's model again on its own test windows; nothing is written.

    run: the folder that `train` wrote. data: where its caches are, if they have moved.
    device: see `train`. Raises InputRefused if the run is incomplete, if its split is
    not that of its results, or if the windows are not those it was trained on.

    >>> results = evaluate("runs/bands", device="cpu")
    >>> results.n_windows, len(results.modalities["eeg"].confusion)
    (10, 5)
    """
    from eav_offline.common.errors import with_extras

    with with_extras():
        from eav_offline.runs.split import evaluate_run
        from eav_offline.training.runtime import choose_device

        return evaluate_run(Path(run), _paths(data), choose_device(device))


def adapt(
    model: "Checkpoint | Path | str",
    data: Path | str,
    *,
    person: str,
    subject: int | None = None,
    out: Path | str | None = None,
) -> "Calibrated":
    """Calibrate a model to one person by labeled trials of theirs, ten or more.

    model: a checkpoint, its file or its run; one of the same person's earlier days is
    added to. data: a cache, or a session's FILE.xdf with trials. person: their code.
    subject: whom of a cache of several. out: a file to write the checkpoint to.

    Returns the checkpoint, and accuracies on trials that were left out, before and
    after. Without labels: `eav_offline.personal.adapting.adapt_without_labels`. Raises
    InputRefused if there is too little to learn from, or nothing to adapt.

    >>> made = adapt("runs/bands", "cache", person="P01")
    >>> made.n_clips, made.checkpoint.card.adapted
    (15, 'P01: 15 labeled clips')
    >>> made.before.value <= made.after.value
    True
    """
    from eav_offline.checkpoint.file import Checkpoint, save_checkpoint
    from eav_offline.personal.adapting import adapt_to

    checkpoint = model if isinstance(model, Checkpoint) else load(model)
    made = adapt_to(checkpoint, Path(data), person, subject)
    if out is not None:
        save_checkpoint(Path(out), made.checkpoint)
    return made


def _paths(given: Path | str | Sequence[Path | str]) -> list[Path]:
    if isinstance(given, (str, Path)):
        return [Path(given)]
    return [Path(path) for path in given]


def load(path: Path | str, device: str = "cpu") -> "Checkpoint":
    """A trained model and what must be known to use it.

    path: a run's folder, or its model.safetensors. device: a torch device. Raises
    CheckpointError if the file is none, is damaged or was made for other labels,
    another window or another format.

    >>> model = load("runs/bands")
    >>> model.modalities, model.demo  # trained on synthetic people only?
    (('eeg',), True)
    """
    from eav_offline.checkpoint import file

    return file.load(path, device)


def predict(
    model: "Checkpoint", windows: "Sequence[Inputs | RawWindow] | PreparedSubject"
) -> "Probabilities":
    """What a model says of windows, any modalities of which may be absent.

    windows: raw ones of five seconds (EEG (30, samples) in µV at any rate from 125 Hz,
    sound at any rate, frames with their faces' boxes), which are prepared first; ones
    that `preprocess.prepare` made; or a subject that `open_prepared` found in a cache.

    Returns `fused` (n, 5) and `by_modality`, (n, 5) of each alone, float32, over
    `labels.EMOTIONS` and in the order of the windows; rows are NaN where a modality is
    absent, `fused` where all are, and columns of emotions that are not in
    `model.knows`. Raises CheckpointError for a subject that was
    prepared otherwise than the model wants, ValueError for no windows and for EEG of
    another shape.

    >>> from pathlib import Path
    >>> from eav_offline.data.cache import open_prepared
    >>> subject = open_prepared(Path("cache"), 1)
    >>> said = predict(load("runs/bands"), [subject.inputs(0), subject.inputs(1)])
    >>> said.fused.shape, round(float(said.fused[0].sum()), 3)
    ((2, 5), 1.0)
    >>> predict(load("runs/bands"), subject).by_modality["eeg"].shape
    (30, 5)
    """
    import numpy as np

    from eav_offline import models
    from eav_offline.core.labels import MODALITIES, mark_unknown
    from eav_offline.core.window import RawWindow
    from eav_offline.data.cache import PreparedSubject
    from eav_offline.data.window_set import window_set
    from eav_offline.evaluation.assess import window_probabilities
    from eav_offline.preprocess import prepare

    if not len(windows):
        raise ValueError("there are no windows to predict; give one or more")
    if isinstance(windows, PreparedSubject):
        model.check_preparation(windows.settings, "the model", str(windows.folder))
        chances = window_probabilities(model.model, window_set([windows]))
    else:
        parts = [
            models.predict(
                model.model,
                [
                    prepare(one, model.preprocess)
                    if isinstance(one, RawWindow)
                    else one
                    for one in windows[start : start + _BATCH]
                ],
            )
            for start in range(0, len(windows), _BATCH)
        ]
        chances = {
            m: np.concatenate([part.by_modality[m] for part in parts])
            for m in MODALITIES
        }
        chances["fused"] = np.concatenate([part.fused for part in parts])
    said = {name: mark_unknown(p, model.knows) for name, p in chances.items()}
    nothing = np.full_like(said["fused"], np.nan)
    return models.Probabilities(
        said["fused"], {m: said.get(m, nothing) for m in MODALITIES}
    )
