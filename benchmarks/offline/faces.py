"""Is it this person's face? Real faces: false alarms, and strangers noticed.

`python -m benchmarks.offline.faces` makes `assets/faces.safetensors` anew, of dlib's
file in the package `face_recognition_models`. Neither the network nor the gate's bound
was fitted to the people who are reported on.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.offline.people_model import (
    ROOT,
    check_digest,
    real_data,
    unpacked_wheel,
)
from eav_live.windows.whose_face import EVERY_SECONDS, LOOKS, FaceWatch, face_prints
from eav_offline.common.opencv import cv2
from eav_offline.core.window import FaceFrame
from eav_offline.data.recording import Recording, track_faces
from eav_offline.models.personal import OwnFace

if TYPE_CHECKING:
    import torch

DEFAULT_OUT = ROOT / "assets" / "faces.safetensors"
WHEEL = "face_recognition_models==0.1.3"
NETWORK = Path(
    *("face_recognition_models", "models"), "dlib_face_recognition_resnet_model_v1.dat"
)
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
ABOUT = {
    "what": "dlib_face_recognition_resnet_model_v1 in float16, scales in the filters",
    "source": f"github.com/davisking/dlib-models, in the package {WHEEL}",
    "license": "public domain (CC0 1.0)",
}
# Of whom there are clips in the test data: three of one man, six moods of another.
CLIPS = (
    [
        f"face_clips/{name}"
        for name in ("face_noface.mov", "noface_face.mov", "single_face.mp4")
    ],
    [
        f"crema_d_mini/1001_DFA_{mood}_XX.flv"
        for mood in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
    ],
    ["face_clips/WolfgangLanger_Pexels.mp4"],
    *([f"face_clips/{name}.mpg"] for name in ("bbaf2n", "brbk7n", "lbax4n", "lbbc2a")),
    ["ravdess_av_features/01-01-01-01-01-01-01.mp4"],
)
# Photographs, and who is on them from left to right. Of two people there are two.
PHOTOS = {
    "biden.jpg": ("Biden",),
    "obama.jpg": ("Obama",),
    "two_people.jpg": ("Obama", "Biden"),
    "skimage_astronaut.png": ("Collins",),
    "pyfeat_multi_face.jpg": ("first", "second", "third", "fourth", "fifth"),
}
_Numbers = np.ndarray  # (n, 128), of one face after another


def _sideways(picture: np.ndarray) -> np.ndarray:
    return picture * np.linspace(0.35, 1.3, picture.shape[1])[:, None]


LIGHTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it was": lambda picture: picture,
    "dark": lambda picture: picture * 0.35,
    "bright": lambda picture: picture * 1.7,
    "yellow": lambda picture: picture * np.array([1.15, 1.0, 0.6]),
    "sideways": _sideways,
}


def bench_faces() -> dict[str, Any]:
    """What the gate says of people of whom there are clips, and of photographs.

    Each is known by the first half of their pictures and seen in the second, in that
    light and in others. Raises InputRefused without the recordings.
    """
    folders = ("face_clips", "crema_d_mini", "ravdess_av_features", "photos")
    root = [real_data(name) for name in folders][0].parent
    known, shown = [], []
    for names in CLIPS:
        frames = [frame for name in names for frame in tracked_frames(root / name)]
        half = len(frames) // 2
        known.append(_known(_numbers(frames[:half])))
        shown.append({at: _numbers(frames[half:], at) for at in LIGHTS})
    photos = [
        (who, _numbers([frame]))
        for name, people in PHOTOS.items()
        for who, frame in zip(people, _on(root / "photos" / name, people), strict=True)
    ]
    return scores(known, shown) | _photo_scores(known, photos)


def scores(
    known: Sequence[OwnFace], shown: Sequence[Mapping[str, _Numbers]]
) -> dict[str, Any]:
    """Of people and how each of them is seen, by light."""
    pairs = list(permutations(range(len(known)), 2))
    lights = {
        light: {
            "own": _told((a, x[light]) for a, x in zip(known, shown, strict=True)),
            "others": _told((known[i], shown[k][light]) for i, k in pairs),
        }
        for light in shown[0]
    }
    rows = lights.values()
    return {
        "people": len(known),
        "false_alarms": float(np.mean([row["own"]["strange"] for row in rows])),
        "noticed": float(np.mean([row["others"]["strange"] for row in rows])),
        "lights": lights,
    }


def _photo_scores(
    known: Sequence[OwnFace], photos: Sequence[tuple[str, _Numbers]]
) -> dict[str, Any]:
    """Photographs beside those who are known by clips, and beside each other."""
    pairs = list(combinations(photos, 2))
    return {
        "photos": _told((one, x) for one in known for _, x in photos),
        "of_one": _told((_known(x), y) for (a, x), (b, y) in pairs if a == b),
        "of_two": _told((_known(x), y) for (a, x), (b, y) in pairs if a != b),
    }


def _told(seen: Iterable[tuple[OwnFace, _Numbers]]) -> dict[str, float]:
    """strange: the share of looks, each at the last three faces, that say so.

    nearest, farthest: distances of single faces. n: how often somebody was compared.
    """
    shares, distances = [], []
    for known, numbers in seen:
        watch = FaceWatch(known)
        looks = np.resize(numbers, (max(LOOKS, len(numbers)), numbers.shape[1]))
        said = [watch.take(x, EVERY_SECONDS * i) for i, x in enumerate(looks)]
        shares.append(np.mean(said[LOOKS - 1 :]))
        distances.append(np.linalg.norm(numbers - known.days, axis=1))
    every = np.concatenate(distances)
    return {
        "strange": float(np.mean(shares)),
        "nearest": float(every.min()),
        "farthest": float(every.max()),
        "n": len(shares),
    }


def table(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"real faces, {figures['people']} people, looks of {LOOKS} pictures:"
    for light, row in figures["lights"].items():
        own, others = row["own"], row["others"]
        yield (
            f"  {light:<10}taken for another's {own['strange']:.1%} (at most "
            f"{own['farthest']:.2f} away), noticed of others {others['strange']:.1%} "
            f"(at least {others['nearest']:.2f})"
        )
    for name, what in (
        ("photos", "photographs of strangers"),
        ("of_one", "two photographs of one person"),
        ("of_two", "photographs of two people"),
    ):
        row = figures[name]
        yield (
            f"  {what}: {row['strange']:.1%} of {row['n']} taken for another's, "
            f"{row['nearest']:.2f} to {row['farthest']:.2f} away"
        )


def _known(numbers: _Numbers) -> OwnFace:
    return OwnFace(numbers.mean(axis=0, keepdims=True))


def _numbers(frames: Sequence[FaceFrame], light: str = "as it was") -> _Numbers:
    lit = (
        replace(f, image=LIGHTS[light](f.image).clip(0, 255).astype(np.uint8))
        for f in frames
    )
    found = [face_prints().of(frame) for frame in lit]
    return np.stack([x for x in found if x is not None])


def tracked_frames(path: Path) -> list[FaceFrame]:
    """The faces of a clip, five a second."""
    from eav_offline.preprocess.face import FaceTracker

    clip = Recording("", math.inf, None, 0.0, (), None, 0.0, path)
    return [f for f in track_faces(clip, FaceTracker()) or [] if f.found]


def _on(path: Path, people: Sequence[str]) -> list[FaceFrame]:
    """The largest faces on a photograph, one for each, from left to right."""
    from eav_offline.preprocess.mtcnn import FaceDetector, face_sizes

    picture = cv2.imread(str(path))
    assert picture is not None
    image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    whole, sizes = (0, 0, width, height), face_sizes(40, min(height, width))
    boxes, _ = FaceDetector().detect(image, whole, sizes)
    largest = boxes[np.argsort(boxes[:, 0] - boxes[:, 2])[: len(people)]]
    return [FaceFrame(0.0, image, x, True) for x in largest[largest[:, 0].argsort()]]


def read_dlib(path: Path) -> "dict[str, torch.Tensor]":
    """dlib's file as the state of `FaceNetwork`.

    The layers that scale and shift what a convolution finds are made part of it.
    """
    import torch

    from eav_offline.personal.faceprint import FaceNetwork

    data, at, state = path.read_bytes(), 0, FaceNetwork().state_dict()

    def numbers(*shape: int) -> torch.Tensor:
        """The next tensor: how its class and its shape are written, then its floats."""
        nonlocal at
        head = b"".join(_written(n) for n in (2, *shape))
        at = data.index(head, at) + len(head)
        n = math.prod(shape)
        found = np.frombuffer(data, "<f4", n, at)
        at += found.nbytes
        return torch.from_numpy(found.copy())

    for name in [name for name in state if name.endswith("bias")]:
        bias, weight = state[name], state[name.replace("bias", "weight")]
        n = len(bias)
        filters = numbers(weight.numel() + n, 1, 1, 1)
        scale, shift = numbers(2 * n, 1, 1, 1).split(n)
        weight.copy_(filters[:-n].view_as(weight) * scale[:, None, None, None])
        bias.copy_(filters[-n:] * scale + shift)
    last = state["last.weight"]
    last.copy_(numbers(*last.T.shape, 1, 1).view_as(last.T).T)
    return state


def _written(n: int) -> bytes:
    """A number as dlib writes it: how many bytes, then those."""
    size = (n.bit_length() + 7) // 8
    return bytes([size]) + n.to_bytes(size, "little")


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch dlib's file, and write its network as `FaceNetwork` has it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument(
        "--network", type=Path, metavar="DAT", help="that of the wheel, if there"
    )
    options = parser.parse_args(argv)
    from eav_offline.common.console import configure_logging, run

    configure_logging(verbose=False)
    return run(lambda: _make(options.out, options.network))


def _make(out: Path, network: Path | None) -> int:
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory(prefix="eav-faces-") as scratch:
        path = network or unpacked_wheel(WHEEL, Path(scratch), "--network") / NETWORK
        check_digest(path, SHA256, f"{NETWORK} of {WHEEL}")
        state = {name: x.half() for name, x in read_dlib(path).items()}
    save_file(state, out, metadata=ABOUT)
    sys.stdout.write(f"{out}: {out.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
