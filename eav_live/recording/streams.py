"""The streams of a recording: their names, their columns, their headers.

`eav_offline.data.sessions.xdf` and `eav_offline.data.sessions.session` read what is named here.
"""

import json
from collections.abc import Mapping

import numpy as np

from eav_live.recognition.predictions import Prediction
from eav_live.recording.xdf_writer import StreamHeader
from eav_live.sources.montage import Channel
from eav_live.streams.arrivals import Arrival
from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.data.session_streams import (
    DECISIONS_NAME,
    EVENTS_NAME,
    FRAME_COLUMNS,
    FRAMES_NAME,
    MARKERS_NAME,
    PREDICTION_COLUMNS,
    PREDICTIONS_NAME,
)


def _columns(names: tuple[str, ...], kind: str) -> tuple[Channel, ...]:
    return tuple(Channel(name, kind) for name in names)


def _text(name: str) -> StreamHeader:
    return StreamHeader(name, "Markers", "object", 0.0, _columns(("json",), "Markers"))


# Probabilities by answer and emotion at the end of each window; NaN where absent.
PREDICTIONS = StreamHeader(
    PREDICTIONS_NAME,
    "Predictions",
    "float64",
    0.0,
    _columns(PREDICTION_COLUMNS, "Probability"),
)
DECISIONS = _text(DECISIONS_NAME)  # the rest of what was said of each window
EVENTS = _text(EVENTS_NAME)  # states of the streams, and the session's settings
MARKERS = _text(MARKERS_NAME)  # of the session itself, such as trials


def source_header(arrival: Arrival, dtype: str, part: str) -> StreamHeader:
    """The header of the stream that an arrival belongs to. part: file of frames."""
    origin = arrival.origin
    about: dict[str, object] = {
        "eav_modality": arrival.modality,
        "eav_replay": origin.note,
    }
    name, kind, channels, rate = origin.name, origin.kind, origin.channels, origin.rate
    if arrival.modality == "video":
        assert origin.size is not None
        about |= {
            "file": part,
            "width": str(origin.size[0]),
            "height": str(origin.size[1]),
            "source_name": origin.name,
        }
        name, kind, rate = FRAMES_NAME, "Frames", 0.0
        channels = _columns(FRAME_COLUMNS, "Frame")
    elif origin.montage is not None:
        about["eav_montage"] = json.dumps(origin.montage.as_values())
    return StreamHeader(
        name=name,
        kind=kind,
        dtype=dtype,
        rate=rate,
        channels=channels,
        source_id=origin.source_id,
        hostname=origin.hostname,
        about=about,
    )


def stream_key(arrival: Arrival) -> object:
    """What two arrivals must share to be of one stream in the file."""
    origin = arrival.origin
    return (
        arrival.modality,
        origin.name,
        origin.rate,
        origin.channels,
        origin.size,
        origin.note,
    )


def prediction_values(prediction: Prediction) -> np.ndarray:
    """One row (1, 25) of the stream of predictions."""
    answers = [prediction.fused]
    answers += [prediction.by_modality.get(m) for m in MODALITIES]
    answers += [prediction.smoothed]
    absent = np.full(N_EMOTIONS, np.nan)
    row = np.concatenate([absent if a is None else a for a in answers])
    return row[None, :].astype(np.float64)


def decision(prediction: Prediction, counts: Mapping[str, int]) -> dict[str, object]:
    """What else was said of a window. counts: recorded of each modality before it."""
    return {
        "label": prediction.label,
        "truth": prediction.truth,
        "present": list(prediction.present),
        "reasons": dict(prediction.reasons),
        "states": {m: str(state) for m, state in prediction.states.items()},
        "interpolated": list(prediction.interpolated),
        "age_s": round(prediction.age_s, 6),
        "infer_s": round(prediction.infer_s, 6),
        "backend": prediction.backend,
        "recorded": dict(counts),
    }


def text_value(value: Mapping[str, object]) -> np.ndarray:
    """One row (1, 1) of a stream of text."""
    return np.array([[json.dumps(value)]], dtype=object)
