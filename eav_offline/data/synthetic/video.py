"""Clips of a synthetic person: how the face moves over a trial, and its H.264 file.

Lips follow a rhythm of their own and not the trial's sound: speech rate differs by
the emotion that the *voice* expresses, and lips in step with it would carry the
voice's evidence into the picture. A cue is how much the head moves.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from scipy.ndimage import gaussian_filter1d

from eav_offline.common.files import write_atomically
from eav_offline.common.opencv import cv2
from eav_offline.data.synthetic.face import FaceRenderer
from eav_offline.data.synthetic.plan import (
    NO_CUE,
    PERSON,
    STRANGE,
    TRIAL_SECONDS,
    VIDEO,
    emotion_table,
    emotion_weights,
    own_table,
    random_stream,
    window_track,
)
from eav_offline.data.synthetic.portrait import FRAME_SIZE, Look, Pose, random_look

VIDEO_RATE = 30
CLIP_FRAMES = round(VIDEO_RATE * TRIAL_SECONDS)  # 600
NOISE_LUMA = 1.6  # gray levels, sd of the sensor's noise
_ENCODER = {"preset": "superfast", "crf": "27", "threads": "1"}  # threads alter files

_MOVES = (
    *("brow_inner", "brow_middle", "brow_outer", "brow_close", "furrow", "lid"),
    *("lower_lid", "smile", "stretch", "gap", "press", "teeth", "cheeks"),
    *("gaze_y", "nod"),
)
# What each emotion adds to the face at rest, in the units of `Pose`: sadness lifts the
# inner brow and lets lids and corners fall (action units 1, 4, 15), anger lowers and
# knits the brows and presses the lips (4, 7, 23), happiness raises cheeks and corners
# (6, 12, 25), calmness half closes the lids over a faint smile.
_EXPRESSIONS = emotion_table(
    {
        "neutral": (0,) * 15,
        "sadness": (8, 1, -4, 0, 0, -0.25, 0, -7, -0.05, 0, 0, 0, 0, -2, -0.3),
        "anger": (-8, -5, 3, 5, 1, -0.05, 0.4, -3.5, -0.06, 0, 0.6, 0, 0, 0, 0.05),
        "happiness": (2, 4, 2, 0, 0, -0.15, 0.6, 10, 0.25, 6, 0, 1, 1, 0, 0.05),
        "calmness": (1, 2, 0, 0, 0, -0.38, 0.1, 4.5, 0.08, 0, 0, 0, 0.1, 0, -0.05),
    }
)
# Of a person of strangeness 1, deviations: of proportions (log), of the light and of
# how one-sided it is (log, from the middle to an edge), of how plainly things are shown
# (log), of the face at rest (times everybody's), and see `own_table`.
_OWN_SIZES, _OWN_LIGHT, _OWN_PLAINNESS, _OWN_REST = 0.08, 0.3, 0.4, 2.0
_OWN_EFFECT = 1.0
_SHARES = ("furrow", "lower_lid", "press", "teeth", "cheeks")  # of 0 to 1
_PROPORTIONS = ("width", "jaw", "eye_distance", "eye_size", "nose", "mouth")
# A head that says +1 rocks from side to side, at -1 it hardly moves. Models see frames
# one by one, so the rocking is wide enough to be seen in most of them.
_ROCK_TILT, _ROCK_TURN = 0.26, 0.6  # radians and of a full turn, either way
_STILL = 0.25  # of the person's sway


@dataclass(frozen=True)
class _Manner:
    """A person's way of moving: how plainly they show things and how they rest.

    expressions: (5, 15), see `_MOVES`.
    """

    expressions: np.ndarray
    strength: float
    rest: np.ndarray  # (15,) added to every pose
    sway: float


def clip_poses(
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    speaking: bool,
    cue: np.ndarray = NO_CUE,
    strangeness: float = 0.0,
) -> list[Pose]:
    """The 600 poses of a trial.

    trial: 1-based. expressed: (4,) classes that the windows show. cue: (4,) -1 to 1,
        how much the head moves. strangeness: see `plan`.
    """
    manner = _manner(seed, subject, strangeness)
    rng = random_stream(seed, subject, VIDEO, trial)
    n = CLIP_FRAMES
    times = np.arange(n) / VIDEO_RATE
    strength = manner.strength * (1 + 0.12 * _drift(rng, n, 1.2))
    moves = emotion_weights(expressed, times) @ manner.expressions * strength[:, None]
    moves += manner.rest
    part = dict(zip(_MOVES, moves.T, strict=True))
    talk = _syllables(rng, times) if speaking else np.zeros(n)
    part["brow_inner"] += 0.8 * _drift(rng, n, 0.5) + 0.8 * talk
    part["brow_outer"] += 0.6 * _drift(rng, n, 0.5) + 0.8 * talk
    part["lid"] = (1 + part["lid"] + 0.03 * _drift(rng, n, 0.7)) * _blinks(rng, times)
    part["smile"] += 0.5 * _drift(rng, n, 0.8)
    part["stretch"] = (
        1 + part["stretch"] - 0.06 * talk * (0.5 + 0.5 * _drift(rng, n, 0.2))
    )
    part["gap"] = (part["gap"] + 9.5 * talk).clip(0, 15)
    part["press"] = (part["press"] * (1 - 1.5 * talk)).clip(0, 1)
    part["teeth"] = (part["teeth"] + 0.15 * talk).clip(0, 1)
    moved = window_track(cue, times)
    sway = manner.sway * (1 - (1 - _STILL) * (-moved).clip(0))
    rock = moved.clip(0) * _rocking(
        random_stream(seed, subject, VIDEO, trial, 2), times
    )
    part["gaze_x"] = 0.9 * _glances(rng, n)
    part["gaze_y"] += 0.5 * _glances(rng, n)
    turn = sway * 0.30 * _drift(rng, n, 0.9) + _ROCK_TURN * rock
    part["turn"] = turn.clip(-1, 1)
    part["nod"] += sway * (0.22 * _drift(rng, n, 0.8) + 0.18 * (talk - talk.mean()))
    part["tilt"] = sway * 0.018 * _drift(rng, n, 1.1) + _ROCK_TILT * rock
    part["shift_x"] = sway * 5.0 * _drift(rng, n, 1.6)
    part["shift_y"] = sway * 2.5 * _drift(rng, n, 1.3)
    columns = {name: values.tolist() for name, values in part.items()}
    return [Pose(**{k: v[i] for k, v in columns.items()}) for i in range(n)]


def render_frames(
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    speaking: bool,
    cue: np.ndarray = NO_CUE,
    step: int = 1,
    strangeness: float = 0.0,
) -> Iterator[np.ndarray]:
    """Every `step`th of the 600 frames of a trial, before the sensor's noise.

    Each (480, 640, 3) uint8 RGB.
    """
    renderer, light = _renderer(seed, subject, strangeness)
    who = (seed, subject, trial)
    for pose in clip_poses(*who, expressed, speaking, cue, strangeness)[::step]:
        picture = renderer.draw(pose)
        yield picture if light is None else _lit(picture, light)


def write_clip(
    path: Path,
    seed: int,
    subject: int,
    trial: int,
    expressed: np.ndarray,
    speaking: bool,
    cue: np.ndarray = NO_CUE,
    strangeness: float = 0.0,
) -> None:
    """Render one trial to an mp4 of 600 frames, 640x480, 30 a second."""
    noise = _NoisePlane(random_stream(seed, subject, VIDEO, trial, 1))
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=VIDEO_RATE, options=_ENCODER)
        stream.width, stream.height = FRAME_SIZE
        stream.pix_fmt = "yuv420p"
        who = (seed, subject, trial)
        frames = render_frames(*who, expressed, speaking, cue, strangeness=strangeness)
        for number, picture in enumerate(frames):
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
            noise.add(planes[: FRAME_SIZE[1]])
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    write_atomically(path, content.getbuffer())


@lru_cache(maxsize=1)
def _renderer(
    seed: int, subject: int, strangeness: float
) -> tuple[FaceRenderer, np.ndarray | None]:
    """A person's face, and the light (width,) it is seen in, None for an even one."""
    # Painting the layers costs as much as a hundred frames: once a person, not a clip.
    look = random_look(random_stream(seed, subject, PERSON, VIDEO))
    if not strangeness:
        return FaceRenderer(look), None
    own = random_stream(seed, subject, STRANGE, VIDEO)
    light, side = strangeness * own.normal(0, _OWN_LIGHT, 2)
    across = np.exp(light + side * np.linspace(-1, 1, FRAME_SIZE[0]))
    return FaceRenderer(_reshaped(look, own, strangeness)), across.astype(np.float32)


def _reshaped(look: Look, own: np.random.Generator, strangeness: float) -> Look:
    sizes = np.exp(strangeness * own.normal(0, _OWN_SIZES, len(_PROPORTIONS))).tolist()
    own_sizes = {
        name: getattr(look, name) * size
        for name, size in zip(_PROPORTIONS, sizes, strict=True)
    }
    return replace(look, **own_sizes)


def _lit(picture: np.ndarray, light: np.ndarray) -> np.ndarray:
    lit = cv2.multiply(
        picture,
        np.ascontiguousarray(np.broadcast_to(light[:, None], picture.shape)),
        dtype=cv2.CV_8U,
    )
    return np.asarray(lit, np.uint8)


class _NoisePlane:
    """Sensor noise: a field larger than the frame, laid on at a new place each time."""

    def __init__(self, rng: np.random.Generator) -> None:
        width, height = FRAME_SIZE
        self._rng = rng
        field = rng.standard_normal((height + 64, width + 64)) * NOISE_LUMA
        self._field = np.rint(field).astype(np.int16)

    def add(self, luma: np.ndarray) -> None:
        y, x = self._rng.integers(64, size=2)
        height, width = luma.shape
        noise = self._field[y : y + height, x : x + width]
        luma[...] = cv2.add(luma, noise, dtype=cv2.CV_8U)


def _manner(seed: int, subject: int, strangeness: float) -> _Manner:
    rng = random_stream(seed, subject, PERSON, VIDEO, 1)
    spread = dict(
        brow_inner=1.0, brow_middle=0.8, brow_outer=0.8, brow_close=0.6, lid=0.05,
        smile=0.8, stretch=0.02,
    )  # fmt: skip
    rest = np.array([rng.normal(0, spread.get(name, 0.0)) for name in _MOVES])
    own = random_stream(seed, subject, STRANGE, VIDEO, 1)
    plainness = np.exp(strangeness * own.normal(0, _OWN_PLAINNESS))
    expressions = own_table(_EXPRESSIONS, own, strangeness * _OWN_EFFECT)
    shares = [_MOVES.index(name) for name in _SHARES]
    expressions[:, shares] = expressions[:, shares].clip(0, 1)
    own_rest = [own.normal(0, spread.get(name, 0.0)) for name in _MOVES]
    return _Manner(
        expressions=expressions,
        strength=min(1.2, max(0.8, rng.normal(1.0, 0.10))) * plainness,
        rest=rest + strangeness * _OWN_REST * np.array(own_rest),
        sway=rng.uniform(0.7, 1.2),
    )


def _drift(rng: np.random.Generator, n: int, seconds: float) -> np.ndarray:
    """Smooth noise of unit scale that wanders over about `seconds`."""
    sigma = seconds * VIDEO_RATE
    pad = round(4 * sigma)
    smooth = gaussian_filter1d(rng.standard_normal(n + 2 * pad), sigma)
    return smooth[pad : pad + n] * np.sqrt(2 * np.sqrt(np.pi) * sigma)


def _syllables(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Opening of the lips, 0-1: phrases at about four syllables a second, pauses."""
    opening = np.zeros(len(times))
    now = rng.uniform(0.1, 0.5)
    while now < times[-1]:
        for _ in range(rng.integers(5, 13)):
            length = rng.uniform(0.18, 0.32)
            peak = rng.uniform(0.35, 1.0)
            phase = ((times - now) / length).clip(0, 1)
            opening = np.maximum(opening, peak * np.sin(np.pi * phase) ** 1.5)
            now += length * 0.95
        now += rng.uniform(0.3, 0.9)
    return gaussian_filter1d(opening, 0.03 * VIDEO_RATE)


def _blinks(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Factor on the lid's opening: 1, and to 0 and back in 0.3 s at each blink."""
    open_ = np.ones(len(times))
    now = rng.uniform(0.5, 3.0)
    while now < times[-1]:
        shut = np.exp(-(((times - now) / 0.075) ** 4))
        open_ = np.minimum(open_, 1 - shut)
        now += rng.uniform(2.0, 6.0)
    return open_


def _rocking(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """A swing from -1 to 1 and back every second and a half or so."""
    return np.sin(2 * np.pi * (rng.uniform(0.55, 0.8) * times + rng.random()))


def _glances(rng: np.random.Generator, n: int) -> np.ndarray:
    """Gaze held for a second or so, then moved at once."""
    holds = rng.uniform(0.5, 2.2, 40).cumsum() * VIDEO_RATE
    places = rng.standard_normal(41)
    steps = places[np.searchsorted(holds, np.arange(n)).clip(0, 40)]
    return gaussian_filter1d(steps, 0.8)
