"""The windows of one trial, prepared and stacked as the cache keeps them."""

from dataclasses import replace

import numpy as np

from eav_offline.core.labels import MODALITIES, TASKS
from eav_offline.core.window import AUDIO_RATE, AUDIO_SAMPLES, FRAME_RATE
from eav_offline.data.cache import INDEX_DTYPE, array_layout
from eav_offline.data.eav.files import TrialError
from eav_offline.data.recording import Recording, cut, track_faces, window_ends
from eav_offline.preprocess import PreprocessSettings, prepare
from eav_offline.preprocess.audio import resample
from eav_offline.preprocess.face import FaceTracker


def prepare_trial(
    recording: Recording, settings: PreprocessSettings, tracker: FaceTracker
) -> dict[str, np.ndarray]:
    """All windows of one trial as arrays of the cache, with "index".

    Raises TrialError or MediaError if the video breaks off.
    """
    faces = track_faces(recording, tracker)
    wanted = round(recording.seconds * FRAME_RATE)
    whole = recording.video_start is None
    if faces is not None and whole and len(faces) < wanted:
        raise TrialError(
            "truncated-video",
            f"{recording.video} gives {len(faces)} frames at {FRAME_RATE} a second, "
            f"expected {wanted}; it is damaged, so copy it again from the dataset",
        )
    ends = list(window_ends(recording.seconds))
    arrays = {
        name: np.zeros((len(ends), *shape), dtype)
        for name, (shape, dtype) in array_layout(settings).items()
    }
    index = np.zeros(len(ends), INDEX_DTYPE)
    for i, t_end in enumerate(ends):
        raw = cut(recording, faces, t_end)
        if raw.audio is not None:  # once, for the log-mel and for the kept wave
            wave = resample(raw.audio, raw.audio_rate)
            raw = replace(raw, audio=wave, audio_rate=AUDIO_RATE)
            arrays["wave"][i, : len(wave)] = wave[:AUDIO_SAMPLES]
        inputs = prepare(raw, settings)
        for name in ("eeg", "log_mel", "faces", "face_found"):
            value = getattr(inputs, name)
            if value is not None:
                arrays[name][i] = value
        present = [modality in inputs.present for modality in MODALITIES]
        assert recording.task is not None
        task = TASKS.index(recording.task)
        index[i] = (recording.trial, i, recording.emotion, task, present)
    return {**arrays, "index": index}
