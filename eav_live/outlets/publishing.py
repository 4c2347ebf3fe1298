"""Predictions as LSL outlets, for other programs; nothing is published unasked.

NAME: float32, type Emotion, irregular rate, one sample a prediction. NAME-Decisions:
text, type Markers, one sample whenever the decision changes, "undecided" if it is left
open. Every stamp is the end of
the window, `Prediction.t`, so it lies `age_s` before the moment of sending.
"""

import json
import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import pylsl

from eav_live.outlets.headers import StreamHeader, open_outlet
from eav_live.recognition.predictions import Prediction
from eav_offline.common.errors import InputRefused
from eav_offline.core.electrodes import Channel
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.sureness import State
from eav_offline.core.window import WINDOW_SECONDS

log = logging.getLogger(__name__)

STREAM_TYPE = "Emotion"  # LSL lists content types, and none of them fits
DECISIONS_SUFFIX = "-Decisions"
NO_DECISION = "none"  # sent when there is nothing left to decide from
SET = "set"  # 1 for an emotion that is in at the session's coverage, 0 for others

SOURCES = ("fused", "smoothed", *MODALITIES)
CHANNEL_LABELS = tuple(
    f"{s}/{emotion}" for s in (*SOURCES, SET) for emotion in EMOTIONS
)

_BUFFER_SECONDS = 60  # for a reader that pauses
_LOOK_SECONDS = 0.6  # for an outlet that has the name already
_CAUTION = (
    "Estimates by a model of acted emotions; not what a person feels, not a diagnosis."
)


class Publisher:
    """Two outlets that are open until `close`; `publish` is a session's subscriber.

    name: of the stream of probabilities. model: the checkpoint's name. knows: the
    emotions it can tell; the channels of others are NaN. hop: seconds between windows,
    as asked for. Raises InputRefused if the name cannot be used.
    """

    def __init__(
        self,
        name: str,
        *,
        model: str,
        demo: bool,
        hop: float,
        knows: Sequence[str] = EMOTIONS,
    ) -> None:
        self.names = (name, f"{name}{DECISIONS_SUFFIX}")
        _check_name("--publish", (name, STREAM_TYPE), (self.names[1], "Markers"))
        self._lock = threading.Lock()
        self._decision: str | None = None
        about = {
            "model": model,
            "demo": "true" if demo else "false",
            "hop_s": f"{hop:g}",
            "window_s": f"{WINDOW_SECONDS:g}",
            "labels": ",".join(EMOTIONS),
            "knows": ",".join(knows),
            "stamp": "end of the window",
            "version": version("eav-live"),
            "caution": _CAUTION,
        }
        self._values: pylsl.StreamOutlet | None = _open(
            name, STREAM_TYPE, CHANNEL_LABELS, about
        )
        self._decisions: pylsl.StreamOutlet | None = _open(
            self.names[1], "Markers", ("decision",), about
        )
        log.warning(
            "Publishing estimates on LSL as %s and %s: every computer of the local "
            "network can read them",
            *self.names,
        )

    def publish(self, prediction: Prediction) -> None:
        """Send one prediction, and the decision if it changed. Any thread may call."""
        with self._lock:
            if self._values is None or self._decisions is None:
                return
            decision = _decision(prediction)
            if prediction.fused is not None:
                self._values.push_sample(sample(prediction), prediction.t)
            # The first thing said is a decision, not that there is none so far.
            if decision != (self._decision or NO_DECISION):
                self._decisions.push_sample([decision], prediction.t)
                self._decision = decision

    def close(self) -> None:
        """Take the streams off the network. May be called twice."""
        with self._lock:
            # liblsl closes an outlet when nobody refers to it.
            self._values = self._decisions = None


class MarkerOutlet:
    """A stream of markers, JSON objects as text, open until `close`.

    name: of the stream, of type Markers. Raises InputRefused if it cannot be used.
    """

    def __init__(self, name: str) -> None:
        _check_name("--markers", (name, "Markers"))
        about = {"version": version("eav-live")}
        self._outlet: pylsl.StreamOutlet | None = _open(
            name, "Markers", ("json",), about
        )
        log.info("Markers are sent on LSL as %s", name)

    def mark(self, marker: Mapping[str, object], stamp: float) -> None:
        """Send one marker, stamped in seconds of LSL's clock."""
        if self._outlet is not None:
            self._outlet.push_sample([json.dumps(marker)], stamp)

    def close(self) -> None:
        """Take the stream off the network. May be called twice."""
        self._outlet = None  # liblsl closes what nobody refers to


def sample(prediction: Prediction) -> np.ndarray:
    """(30,) float32, ordered as `CHANNEL_LABELS`; NaN where nothing is estimated."""
    inside = np.full(N_EMOTIONS, np.nan)
    if prediction.label_set is not None and prediction.smoothed is not None:
        inside = np.isin(EMOTIONS, prediction.label_set).astype(np.float64)
        inside[np.isnan(prediction.smoothed)] = np.nan  # not known to the model
    return np.concatenate([prediction.stacked(SOURCES), inside]).astype(np.float32)


def _decision(prediction: Prediction) -> str:
    if prediction.fused is None:
        return NO_DECISION
    if prediction.state is State.UNDECIDED:
        return str(State.UNDECIDED)
    return prediction.label or NO_DECISION


def _check_name(option: str, *streams: tuple[str, str]) -> None:
    """Refuse what cannot name a new stream. streams: (name, type) of each, main first.

    Two streams of one name could not be told apart by who reads them.
    """
    name = streams[0][0]
    if not name.strip() or "'" in name or '"' in name:
        raise InputRefused(
            f"{option} {name!r}: give a name without quotation marks, such as EAV"
        )
    query = " or ".join(f"(type='{kind}' and name='{n}')" for n, kind in streams)
    for info in pylsl.resolve_bypred(query, minimum=1, timeout=_LOOK_SECONDS):
        raise InputRefused(
            f"{option} {name}: there is already a stream {info.name()} of type "
            f"{info.type()} on {info.hostname()}; choose another name, or stop the "
            "other program"
        )


def _open(
    name: str, kind: str, labels: tuple[str, ...], about: Mapping[str, str]
) -> pylsl.StreamOutlet:
    if kind == STREAM_TYPE:
        dtype, unit = "float32", "probability"
        channels = tuple(Channel(x, x.partition("/")[0], unit) for x in labels)
    else:
        dtype, channels = "object", tuple(Channel(x) for x in labels)
    # The same id after a restart lets readers take the stream up again by themselves.
    source_id = f"eav-live {socket.gethostname()} {name} {kind}"
    header = StreamHeader(
        name, kind, dtype, 0.0, channels, source_id, about={"eav_live": about}
    )
    return open_outlet(header, _BUFFER_SECONDS)
