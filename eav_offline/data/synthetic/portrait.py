"""The still picture of a synthetic person: a shaded head, hair, shoulders and a room.

Everything here is painted once a person, at twice the size of the frame; what moves
from frame to frame is in `synthetic_video`. Face coordinates are frame pixels from the
middle of the face, x to the viewer's right, y down: eyes at y = -10, mouth at 74.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from eav_offline.common.opencv import cv2

FRAME_SIZE = (640, 480)  # width, height, pixels
HEAD_SIZE = (304, 480)  # the layer that moves: width, height, frame pixels
HEAD_CENTER = (152.0, 232.0)  # the face's origin in that layer
HEAD_AT = (168, -8)  # the layer's corner in the frame, when the head is at rest
SCALE = 2  # the layers are painted at twice the size and shrunk by the camera
EYE_Y, BROW_Y, NOSE_Y, MOUTH_Y = -10.0, -37.0, 38.0, 74.0
# Outline of a head: half-width against height.
_OUTLINE_Y = (-148, -138, -115, -80, -40, 0, 35, 65, 90, 110, 123, 130)
_OUTLINE_W = (0, 38, 71, 89, 94, 92, 88, 79, 65, 46, 26, 0)
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
class Portrait:
    """The painted layers.

    scene: (480, 640, 3) uint8 RGB, room and shoulders without the head.
    head: (960, 800, 4) uint8, head and hair at twice the size, color already
        multiplied by its alpha; eyes, brows and mouth are still missing.
    """

    scene: np.ndarray
    head: np.ndarray


@dataclass(frozen=True)
class Look:
    """How one person looks. Colors are RGB 0-255; sizes are factors around one."""

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


def paint_portrait(look: Look) -> Portrait:
    """Paint a person's layers (about half a second)."""
    rng = np.random.default_rng(look.texture_seed)
    x, y = head_grid()
    half_width = _HalfWidth(look)
    color = np.zeros((*x.shape, 3), np.float32)
    alpha = np.zeros(x.shape, np.float32)
    strands = _strands(x, y, rng)
    hair_color = _shade_hair(x, y, look, strands)

    if look.style in ("long", "bob"):
        back = _back_hair(x, y, look, half_width, strands)
        _over(color, alpha, hair_color * 0.72, back)
    for side in (-1, 1):
        _paint_ear(color, alpha, x, y, side, look)
    inside = _soft_step(half_width(y) - np.abs(x), 1.2)
    _over(color, alpha, _shade_skin(x, y, look, half_width, rng), inside)
    hair = _front_hair(x, y, look, half_width, strands)
    fall = cv2.GaussianBlur(hair, (0, 0), 7 * SCALE)  # its shadow on the brow
    color *= (1 - 0.30 * fall * (1 - hair))[..., None]
    _over(color, alpha, hair_color, hair)

    head = np.dstack([color * alpha[..., None], 255 * alpha])
    return Portrait(_paint_scene(look, rng), head.clip(0, 255).astype(np.uint8))


def head_grid() -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates of every pixel of the head layer, float32."""
    width, height = HEAD_SIZE
    columns = (np.arange(width * SCALE) + 0.5) / SCALE - HEAD_CENTER[0]
    rows = (np.arange(height * SCALE) + 0.5) / SCALE - HEAD_CENTER[1]
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return x, y


class _HalfWidth:
    """Half-width of the head at a height, negative above and below it.

    The square is interpolated, so that the ends are round.
    """

    def __init__(self, look: Look) -> None:
        w = np.array(_OUTLINE_W, dtype=float) * look.width
        w[7:] *= look.jaw
        self._square = PchipInterpolator(_OUTLINE_Y, w**2)

    def __call__(self, y: np.ndarray) -> np.ndarray:
        rows = y[:, :1] if y.ndim == 2 else y  # every row has one width
        square = self._square(rows.clip(_OUTLINE_Y[0], _OUTLINE_Y[-1]))
        beyond = np.maximum(_OUTLINE_Y[0] - rows, rows - _OUTLINE_Y[-1]).clip(0)
        return (np.sqrt(square.clip(0)) - 4 * beyond).astype(np.float32)


def _bump(
    x: np.ndarray, y: np.ndarray, at: tuple[float, float], size: tuple[float, float]
) -> np.ndarray:
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def _soft_step(distance: np.ndarray, softness: float) -> np.ndarray:
    t = (distance / softness * 0.5 + 0.5).clip(0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _over(
    color: np.ndarray, alpha: np.ndarray, paint: np.ndarray, mask: np.ndarray
) -> None:
    """Lay `paint` over the layer where `mask` is, in place."""
    total = mask + alpha * (1 - mask)
    share = (mask / np.maximum(total, 1e-6))[..., None]
    color += share * (paint - color)
    alpha[...] = total


def _height(
    x: np.ndarray, y: np.ndarray, look: Look, half_width: _HalfWidth
) -> np.ndarray:
    """How far the skin stands out towards the camera, pixels."""
    w = np.maximum(half_width(y), 1e-3)
    across = (np.abs(x) / w).clip(0, 1)
    z = 0.80 * w * (1 - across**2.5) ** (1 / 2.2)
    eye_x = 40 * look.eye_distance
    wing = 16 * look.nose
    for side in (-1, 1):
        z -= 6.5 * _bump(x, y, (side * eye_x, EYE_Y + 1), (24, 15))  # sockets
        z += 2.8 * _bump(x, y, (side * eye_x, EYE_Y), (17, 11))  # eyeballs
        z += 3.0 * _bump(x, y, (side * (eye_x + 2), BROW_Y + 3), (27, 12))
        z += 6.0 * _bump(x, y, (side * 56, 22), (22, 17))  # cheekbones
        z -= 3.0 * _bump(x, y, (side * 58, 66), (18, 22))
        z += 5.5 * _bump(x, y, (side * wing, NOSE_Y + 3), (7, 7.5))
    along = ((y + 26) / (NOSE_Y + 26)).clip(0, 1)
    bridge = np.where(
        y < NOSE_Y, 5 + 13 * along, 18 * np.exp(-(((y - NOSE_Y) / 8) ** 2))
    )
    z += (
        bridge
        * _soft_step(y + 30, 22)
        * np.exp(-((x / (look.nose * (9 + 6 * along))) ** 2))
    )
    z += 6.5 * _bump(x, y, (0, NOSE_Y - 2), (12 * look.nose, 10))  # tip
    z -= 1.6 * _bump(x, y, (0, NOSE_Y + 18), (4, 8))  # philtrum
    z += 7.0 * _bump(x, y, (0, MOUTH_Y - 1), (32, 16))
    z -= 4.5 * _bump(x, y, (0, MOUTH_Y + 19), (24, 6))
    z += 6.0 * _bump(x, y, (0, 109), (24, 13))  # chin
    return z


def _shade_skin(
    x: np.ndarray,
    y: np.ndarray,
    look: Look,
    half_width: _HalfWidth,
    rng: np.random.Generator,
) -> np.ndarray:
    """Light a warm key from the upper left and a cool fill from the right."""
    z = cv2.GaussianBlur(_height(x, y, look, half_width), (0, 0), 1.6 * SCALE)
    slope_y, slope_x = (np.gradient(z, 1 / SCALE, axis=axis) for axis in (0, 1))
    norm = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    nx, ny, nz = -slope_x * norm, -slope_y * norm, norm
    key = (-0.42 * nx - 0.50 * ny + 0.76 * nz).clip(0, None)
    fill = (0.70 * nx - 0.10 * ny + 0.70 * nz).clip(0, None)
    light = 0.30 + 0.62 * key + 0.20 * fill
    # Blood under the skin keeps shadows red: let red wrap round further than blue.
    wrapped = cv2.GaussianBlur(light, (0, 0), 5 * SCALE)
    red, green, blue = (
        0.45 * light + 0.55 * wrapped,
        0.75 * light + 0.25 * wrapped,
        light,
    )
    albedo = np.broadcast_to(look.skin, (*x.shape, 3)).copy()
    flush = sum(_bump(x, y, (s * 54, 32), (24, 18)) for s in (-1, 1))
    flush = flush + 0.8 * _bump(x, y, (0, NOSE_Y), (15, 12))
    flush = flush + 0.5 * _bump(x, y, (0, 108), (22, 14))
    tint = np.array([0.03, -0.085, -0.075], np.float32)
    albedo *= 1 + flush[..., None] * tint
    for side in (-1, 1):  # thin skin about the eyes
        ring = _bump(x, y, (side * 40 * look.eye_distance, EYE_Y + 4), (26, 15))
        albedo *= 1 - ring[..., None] * np.array([0.07, 0.11, 0.09], np.float32)
    mottle = cv2.GaussianBlur(
        rng.standard_normal(x.shape).astype(np.float32), (0, 0), 3 * SCALE
    )
    mottle = mottle / mottle.std()
    pores = rng.standard_normal(x.shape).astype(np.float32)
    albedo *= (1 + 0.008 * mottle + 0.012 * pores)[..., None]
    skin = albedo * np.dstack([red, green, blue])
    shine = (-0.30 * nx - 0.42 * ny + 0.86 * nz).clip(0, 1) ** 38
    skin += 26 * shine[..., None] * np.array([1.0, 0.96, 0.92], np.float32)
    nostrils = sum(
        _bump(x, y, (s * 10 * look.nose, NOSE_Y + 9.5), (5.0, 2.5)) for s in (-1, 1)
    )
    under = _bump(x, y, (0, NOSE_Y + 13), (20 * look.nose, 4.5))
    skin *= (1 - 0.62 * nostrils - 0.16 * under)[..., None]
    return skin.astype(np.float32)


def _paint_ear(
    color: np.ndarray,
    alpha: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    side: int,
    look: Look,
) -> None:
    at = side * 95 * look.width
    radius = np.sqrt(
        ((x - at) / 12.5) ** 2 + ((y - 10 - side * 0.12 * (x - at)) / 28) ** 2
    )
    rim = np.exp(-(((radius - 0.78) / 0.22) ** 2))
    bowl = np.exp(-((radius / 0.5) ** 2))
    light = 0.86 - 0.10 * side + 0.12 * rim - 0.32 * bowl
    paint = look.skin * np.array([1.02, 0.92, 0.90], np.float32) * light[..., None]
    _over(color, alpha, paint, _soft_step((1 - radius) * 12, 1.5))


def _strands(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit scale drawn out along hair that falls from the crown."""
    angle = np.arctan2(x * 0.9, y + 185)  # fans out from above the crown
    reach = np.hypot(x, y + 185)
    total = np.zeros_like(x)
    for count, weight in ((900, 0.55), (260, 0.8), (80, 0.7)):
        table = rng.standard_normal((12, count)).astype(np.float32)
        u = (angle / (2 * np.pi) + 0.5) * (count - 1)
        v = (reach / 420 * 11).clip(0, 11)
        total += weight * cv2.remap(
            table, u.astype(np.float32), v.astype(np.float32), cv2.INTER_CUBIC
        )
    return total / total.std()


def _shade_hair(
    x: np.ndarray, y: np.ndarray, look: Look, strands: np.ndarray
) -> np.ndarray:
    cap = np.sqrt((1 - (x / 125) ** 2 - ((y + 45) / 260) ** 2).clip(0.02, 1))
    light = 0.50 + 0.50 * cap - 0.12 * x / 125
    sheen = np.exp(-(((y + 126 - 0.0012 * x**2) / 17) ** 2)) * cap
    gain = (light * (1 + 0.15 * strands)).clip(0.15, 1.7)
    gloss = (30 * sheen * (0.6 + 0.35 * strands)).clip(0, None)
    return (look.hair * gain[..., None] + gloss[..., None]).astype(np.float32)


def _front_hair(
    x: np.ndarray,
    y: np.ndarray,
    look: Look,
    half_width: _HalfWidth,
    strands: np.ndarray,
) -> np.ndarray:
    """Mask of the hair in front of the head: a cap with the face cut out of it."""
    volume = {"short": 1.055, "parted": 1.10, "long": 1.09, "bob": 1.11}[look.style]
    lift = (y + 40) / volume - 40
    outer = half_width(lift) * (volume + 0.015) - np.abs(x) + 0.8 * strands
    side = x / (94 * look.width)
    if look.style == "short":
        line = -101 + 10 * np.abs(side) ** 2 + 26 * np.abs(side) ** 6
        reach = 4.0
    elif look.style == "parted":
        away = side + 0.42  # the parting is on the viewer's left
        line = -104 + np.where(away < 0, 56 * away**2, 27 * np.abs(away) ** 1.25)
        reach = 8.0
    elif look.style == "long":
        line = -108 + 72 * np.abs(side) ** 1.7
        reach = 170.0
    else:  # bob, with a fringe
        line = -72 + 10 * side**2
        reach = 62.0
    above = line - y + 1.8 * strands
    # Beside the face: sideburns for short hair, curtains for long.
    curtain = {"short": 88.0, "parted": 87.0, "long": 80.0, "bob": 79.0}[look.style]
    inner = curtain * look.width + 0.0011 * (y - 10) ** 2 * (reach > 50)
    beside = np.minimum(np.abs(x) - inner + 1.2 * strands, reach - y + 4 * strands)
    mask = np.maximum(_soft_step(above, 5), _soft_step(beside, 4))
    if reach > 50:
        sides = 106 * look.width - np.abs(x) + 0.9 * strands
        outer = np.where(y > -40, sides, outer)
    return (mask * _soft_step(outer, 2.5)).astype(np.float32)


def _back_hair(
    x: np.ndarray,
    y: np.ndarray,
    look: Look,
    half_width: _HalfWidth,
    strands: np.ndarray,
) -> np.ndarray:
    """Mask of the hair that falls behind the face."""
    length = 205.0 if look.style == "long" else 78.0
    width = 107 * look.width + (0.05 * (y - 20)).clip(0, 12)
    outer = np.where(y > -40, width, half_width((y + 40) / 1.1 - 40) * 1.13)
    edge = np.minimum(outer - np.abs(x) + strands, length - y + 7 * strands)
    behind = np.abs(x) - (45 - 0.9 * (y - 90)).clip(38, 200)  # leaves the neck free
    hidden = np.where(y > 90, behind, 99)
    return (_soft_step(edge, 4) * _soft_step(hidden, 6)).astype(np.float32)


def _paint_scene(look: Look, rng: np.random.Generator) -> np.ndarray:
    """Room out of focus, then neck and shoulders, at the frame's size."""
    width, height = FRAME_SIZE
    columns = (np.arange(width * SCALE) + 0.5) / SCALE
    rows = (np.arange(height * SCALE) + 0.5) / SCALE
    px, py = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    room = np.broadcast_to(look.wall, (*px.shape, 3)).copy()
    room *= (1.06 - 0.30 * px / width - 0.10 * py / height)[..., None]
    for _ in range(7):  # shelves, frames, a lamp: only their colors survive the blur
        left, top = rng.uniform(-60, 620), rng.uniform(-40, 300)
        w, h = rng.uniform(40, 130), rng.uniform(50, 190)
        inside = (px > left) & (px < left + w) & (py > top) & (py < top + h)
        room[inside] *= rng.uniform(0.72, 1.10) * (1 + rng.normal(0, 0.05, 3))
    eighth = (px.shape[1] // 8, px.shape[0] // 8)  # out of focus: detail is not missed
    room = cv2.resize(room.astype(np.float32), eighth, interpolation=cv2.INTER_AREA)
    room = cv2.GaussianBlur(room, (0, 0), 15 * SCALE / 8)
    room = cv2.resize(room, px.shape[::-1], interpolation=cv2.INTER_CUBIC)

    x = px - (HEAD_AT[0] + HEAD_CENTER[0])
    y = py - (HEAD_AT[1] + HEAD_CENTER[1])
    alpha = np.ones(x.shape, np.float32)
    # The neck widens into the shoulders, the collar cuts across it.
    neck_half = 50 * look.width + 14 * ((y - 135) / 60).clip(0, 1.4) ** 2
    neck = _soft_step(neck_half - np.abs(x), 2) * _soft_step(y - 40, 10)
    turn = np.sqrt((1 - (x / (neck_half + 6)) ** 2).clip(0.05, 1))
    chin_shadow = 1 - 0.42 * np.exp(-(((y - 120) / 42) ** 2))
    neck_light = (0.45 + 0.50 * turn - 0.0022 * x) * chin_shadow
    for side in (-1, 1):  # the two cords down to the collar
        cord = np.exp(-(((x - side * (38 - 0.28 * (y - 110))) / 8) ** 2))
        neck_light = neck_light + 0.05 * cord
    tinted = look.skin * np.array([1.0, 0.93, 0.90], np.float32)
    _over(room, alpha, tinted * neck_light[..., None], neck)
    slope = 168 + 0.22 * np.abs(x) + 66 * (np.abs(x) / 230) ** 3.4
    collar = 163 + 34 * np.sqrt((1 - (x / 66) ** 2).clip(0, 1))
    top = np.where(np.abs(x) < 66, collar, slope - 20)
    shirt = _soft_step(y - top, 2.2)
    folds = cv2.GaussianBlur(
        rng.standard_normal(x.shape).astype(np.float32), (0, 0), 16 * SCALE
    )
    folds = cv2.blur(folds / folds.std(), (3, 60 * SCALE))
    shirt_light = 0.92 - 0.0013 * x - 0.10 * ((y - top) / 150).clip(0, 1) + 0.05 * folds
    hem = np.exp(-(((y - top - 7) / 2.2) ** 2)) * (np.abs(x) < 68)
    weave = 1 + 0.02 * rng.standard_normal(x.shape).astype(np.float32)
    shirt_light = (shirt_light - 0.16 * hem) * weave
    _over(room, alpha, look.shirt * shirt_light[..., None], shirt)
    small = cv2.resize(room, FRAME_SIZE, interpolation=cv2.INTER_AREA)
    return small.clip(0, 255).astype(np.uint8)


def random_look(rng: np.random.Generator) -> Look:
    """Draw a person: colors from palettes, slightly varied, and sizes near one."""

    def color(palette: tuple[tuple[int, int, int], ...], spread: float) -> np.ndarray:
        chosen = np.array(palette[rng.integers(len(palette))], dtype=np.float32)
        chosen *= 1 + rng.normal(0, spread)
        return (chosen + rng.normal(0, 1.5, 3)).clip(12, 250).astype(np.float32)

    skin = color(_SKINS, 0.02)
    # Hair and eyes in colors that commonly go with the skin.
    hair = color(_HAIRS[:3] if skin.mean() < 150 else _HAIRS, 0.06)
    iris = color(_IRISES[:1] if skin.mean() < 150 else _IRISES, 0.06)
    sizes = rng.normal(1.0, 0.035, 8).tolist()  # Python floats keep pictures float32
    return Look(
        skin, hair, iris, color(_SHIRTS, 0.06), color(_WALLS, 0.04),
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
