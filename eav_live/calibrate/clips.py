"""The clips of a calibration: which are wanted, which are there, and their windows."""

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eav_live.collect.script import LoadedScript, load_script, order_trials
from eav_live.options.config import QualitySettings
from eav_live.recognition.assets import asset
from eav_live.recording.again import Again
from eav_live.windows.cut import Rings, cut_window
from eav_live.windows.quality import QualityWatch
from eav_live.windows.whose_face import face_prints
from eav_offline.checkpoint.card import NAMES
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.core.labels import MODALITIES
from eav_offline.core.window import WINDOW_SECONDS, RawWindow
from eav_offline.data.sessions.importing import MarkedTrial, marked_trials
from eav_offline.data.sessions.outline import read_outline
from eav_offline.data.sessions.session import MARKERS_NAME, SessionFile, read_session
from eav_offline.data.sessions.xdf import XdfError
from eav_offline.models.personal import N_FACE
from eav_offline.preprocess import Inputs, prepare

log = logging.getLogger(__name__)

SCRIPT = "collect/calibrate.toml"
_SEES_SECONDS = 1.0  # between looks at the quality, as live
_MARGIN_SECONDS = 0.5  # after a window's end, in which its last samples arrive
_RECORDINGS = 1_000  # more trials has no recording


@dataclass(frozen=True)
class LabeledWindows:
    """Prepared windows of cued clips. emotion, clip: (n,) int64.

    faces: (k, 128), whose they are in the k windows that show one (`FacePrints`).
    """

    inputs: list[Inputs]
    emotion: np.ndarray
    clip: np.ndarray
    faces: np.ndarray


def planned(clips: int, seed: int, there: Collection[int] = ()) -> LoadedScript:
    """The script of so many clips, without those whose numbers are there already.

    As many of each emotion. With one seed, a longer script begins as a shorter one.
    """
    loaded = load_script(asset(SCRIPT), seed)
    (block,) = loaded.script.blocks
    block = block.model_copy(update={"repeat": clips // len(block.trials)})
    script = loaded.script.model_copy(update={"blocks": (block,)})
    trials = order_trials(script, seed, loaded.path.parent)
    left = tuple(trial for trial in trials if trial.number not in there)
    return replace(loaded, script=script, plan=left)


def clips_in(recordings: Sequence[Path]) -> set[int]:
    """Numbers of the clips that were recorded from beginning to end, and count."""
    there: set[int] = set()
    for path in recordings:
        for said in _markers(path):
            number = said.get("trial")
            if not isinstance(number, int):
                continue
            if said.get("event") == "trial_end":
                there.add(number)
            elif said.get("event") == "trial_repeat":
                there.discard(number)
    return there


def labeled_windows(
    recordings: Sequence[Path], checkpoint: Checkpoint
) -> LabeledWindows:
    """What a live session would have given the model at the end of each clip.

    Modalities in a bad way count as absent, as live, and clips without any as not
    there. Raises XdfError if a recording cannot be read.
    """
    inputs: list[Inputs] = []
    emotion, clip, faces = [], [], []
    for i, path in enumerate(recordings):
        for trial, window in _windows(read_session(path), checkpoint):
            inputs.append(prepare(window, checkpoint.preprocess))
            emotion.append(trial.emotion)
            clip.append(_RECORDINGS * i + trial.number)
            faces += _whose(window, checkpoint)
    seen = np.array(faces, np.float32).reshape(-1, N_FACE)
    return LabeledWindows(inputs, np.array(emotion, int), np.array(clip, int), seen)


def _whose(window: RawWindow, checkpoint: Checkpoint) -> list[np.ndarray]:
    """Numbers of the newest face in the window, if the model reads real faces."""
    reads = "video" in checkpoint.modalities and checkpoint.preprocess.faces
    found = [frame for frame in window.frames or () if frame.found]
    if not found or not reads or checkpoint.demo:
        return []
    numbers = face_prints().of(found[-1])
    return [] if numbers is None else [numbers]


def _markers(path: Path) -> Iterator[dict[str, object]]:
    try:
        texts = read_outline(path).texts(MARKERS_NAME)
    except (XdfError, ValueError) as error:  # killed before anything was written
        log.warning("%s has no clips: %s", path, error)
        return
    yield from map(json.loads, texts)


def _windows(
    session: SessionFile, checkpoint: Checkpoint
) -> Iterator[tuple[MarkedTrial, RawWindow]]:
    """One window of each whole trial: its last five seconds."""
    trials, left_out = marked_trials(session.markers, WINDOW_SECONDS)
    for number, why in left_out.items():
        log.info("Clip %d of %s is left out: %s", number, session.file.path.name, why)
    session = _with_electrodes(session)
    again, watch = Again(session), _watch(session, checkpoint)
    present = [m for m in MODALITIES if session.openings[m]]
    for trial in trials:
        bad: dict[str, str] = {}
        electrodes: Collection[str] = ()
        for t in np.arange(trial.end, trial.begin, -_SEES_SECONDS)[::-1].tolist():
            again.feed(_counts(session, t + _MARGIN_SECONDS))
            rings = again.rings(present)
            judged = watch.judge(rings, t, again.interpolated)
            bad = {m: q.why for m, q in judged.items() if not q.good}
            electrodes = judged["eeg"].electrodes if "eeg" in judged else ()
        made = _fit_window(again, rings, trial.end, bad, electrodes)
        if made is not None:
            yield trial, made


def _fit_window(
    again: Again,
    rings: Rings,
    t_end: float,
    bad: dict[str, str],
    electrodes: Collection[str],
) -> RawWindow | None:
    window = cut_window(rings, t_end, t_end, again.mending(electrodes)).without(bad)
    raw = window.raw
    if raw.eeg_uv is None and raw.audio is None and raw.frames is None:
        why = "; ".join(f"{NAMES[m]}: {text}" for m, text in window.reasons.items())
        log.info("A clip is left out: %s", why)
        return None
    return raw


def _with_electrodes(session: SessionFile) -> SessionFile:
    """Without EEG of which nobody can tell which channel is which electrode."""
    eeg = [o for o in session.openings["eeg"] if o.stream.said("eav_montage")]
    return replace(session, openings=session.openings | {"eeg": eeg})


def _watch(session: SessionFile, checkpoint: Checkpoint) -> QualityWatch:
    config = session.settings.get("config", {})
    return QualityWatch(
        QualitySettings.model_validate(config.get("quality", {})),
        max_bad=session.settings.get("max_missing"),
        line_hz=config.get("eeg", {}).get("line_hz"),
        faces=checkpoint.preprocess.faces,
        voices=not checkpoint.demo,
    )


def _counts(session: SessionFile, t: float) -> dict[str, int]:
    """How much of each modality had come by `t`, seconds."""
    return {
        m: sum(int(np.searchsorted(o.stamps, t)) for o in session.openings[m])
        for m in MODALITIES
    }
