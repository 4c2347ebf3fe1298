"""What tells faces apart (`Look`) and one moment of a face from the next (`Pose`)."""

from dataclasses import dataclass

import numpy as np

_SKINS = (
    (240, 192, 164), (228, 176, 144), (208, 152, 118),
    (178, 126, 94), (141, 96, 70), (246, 202, 180),
)  # fmt: skip
_HAIRS = (
    (44, 33, 28), (78, 52, 36), (30, 27, 28), (124, 84, 48),
    (176, 132, 78), (96, 46, 30), (120, 116, 114),
)  # fmt: skip
_IRISES = ((78, 52, 32), (96, 112, 74), (84, 122, 152), (112, 84, 48), (60, 42, 30))
_SHIRTS = (
    (62, 84, 116), (112, 66, 70), (70, 98, 86), (90, 84, 104),
    (190, 186, 176), (54, 58, 66), (150, 122, 84),
)  # fmt: skip
_WALLS = ((196, 194, 184), (172, 186, 192), (202, 188, 174), (180, 190, 176))
HAIR_STYLES = ("short", "parted", "long", "bob")


@dataclass(frozen=True)
class Look:
    """How one person looks. Colours are RGB 0-255; sizes are factors around one."""

    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    shirt: np.ndarray
    wall: np.ndarray
    style: str
    width: float
    jaw: float
    eye_distance: float
    eye_size: float
    nose: float
    mouth: float
    lips: float
    brow: float
    texture_seed: int


def random_look(rng: np.random.Generator) -> Look:
    """Draw a person: colours from palettes, slightly varied, and sizes near one."""

    def colour(palette: tuple[tuple[int, int, int], ...], spread: float) -> np.ndarray:
        chosen = np.array(palette[rng.integers(len(palette))], dtype=np.float32)
        chosen *= 1 + rng.normal(0, spread)
        return (chosen + rng.normal(0, 1.5, 3)).clip(12, 250).astype(np.float32)

    skin = colour(_SKINS, 0.02)
    # Hair and eyes in colours that commonly go with the skin.
    hair = colour(_HAIRS[:3] if skin.mean() < 150 else _HAIRS, 0.06)
    iris = colour(_IRISES[:1] if skin.mean() < 150 else _IRISES, 0.06)
    sizes = rng.normal(1.0, 0.035, 8).tolist()  # Python floats keep pictures float32
    return Look(
        skin, hair, iris, colour(_SHIRTS, 0.06), colour(_WALLS, 0.04),
        HAIR_STYLES[rng.integers(len(HAIR_STYLES))],
        width=sizes[0], jaw=sizes[1], eye_distance=sizes[2], eye_size=sizes[3],
        nose=sizes[4], mouth=sizes[5], lips=1 + 3 * (sizes[6] - 1),
        brow=1 + 3 * (sizes[7] - 1), texture_seed=int(rng.integers(2**31)),
    )  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """One frame's face. Lengths are frame pixels, up and to the right positive.

    brow_inner, brow_middle, brow_outer: how far the brow is raised there.
    brow_close: how far the brows are drawn together; furrow: 0-1, lines between them.
    lid: opening of the upper lid, 1 at rest, 0 shut; lower_lid: 0-1, raised.
    smile: lift of the mouth's corners; stretch: its width as a factor.
    gap: opening of the lips; press: 0-1, lips pressed; teeth: 0-1, upper lip raised.
    cheeks: 0-1, raised. gaze_x, gaze_y: of the iris.
    turn, nod: -1 to 1, of the head; tilt: radians; shift_x, shift_y: of the head.
    """

    brow_inner: float = 0.0
    brow_middle: float = 0.0
    brow_outer: float = 0.0
    brow_close: float = 0.0
    furrow: float = 0.0
    lid: float = 1.0
    lower_lid: float = 0.0
    smile: float = 0.0
    stretch: float = 1.0
    gap: float = 0.0
    press: float = 0.0
    teeth: float = 0.0
    cheeks: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    turn: float = 0.0
    nod: float = 0.0
    tilt: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
