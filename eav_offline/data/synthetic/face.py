"""A synthetic face in motion: eyes, brows and mouth drawn anew for every frame.

An expression is a handful of numbers in the manner of facial action units, the same
for everybody, so that what is learned from one person holds for the next.
"""

import numpy as np

from eav_offline.common.opencv import cv2
from eav_offline.data.synthetic.portrait import (
    BROW_Y,
    EYE_Y,
    FRAME_SIZE,
    HEAD_AT,
    HEAD_CENTER,
    HEAD_SIZE,
    MOUTH_Y,
    NOSE_Y,
    SCALE,
    Look,
    Pose,
    paint_portrait,
)

_COARSE = 8  # the warp is computed on every eighth pixel


class _Patch:
    """A rectangle of the head layer with the coordinates of its pixels."""

    def __init__(
        self, head: np.ndarray, left: float, top: float, width: int, height: int
    ) -> None:
        x0 = round((left + HEAD_CENTER[0]) * SCALE)
        y0 = round((top + HEAD_CENTER[1]) * SCALE)
        columns = np.arange(x0, x0 + width * SCALE, dtype=np.float32)
        rows = np.arange(y0, y0 + height * SCALE, dtype=np.float32)
        self.x = (columns + 0.5) / SCALE - HEAD_CENTER[0]
        self.y = ((rows + 0.5) / SCALE - HEAD_CENTER[1])[:, None]
        self.where = np.s_[y0 : y0 + len(rows), x0 : x0 + len(columns)]
        self.skin = head[self.where][..., :3].astype(np.float32)


class FaceRenderer:
    """Draw one person's frames; every frame is drawn from the painted layers anew.

    One thread at a time: the layers serve as the canvas.
    """

    def __init__(self, look: Look) -> None:
        portrait = paint_portrait(look)
        self._look = look
        self._scene = portrait.scene
        self._color = np.ascontiguousarray(portrait.head[..., :3])
        self._alpha = np.ascontiguousarray(portrait.head[..., 3])
        self._eye_x = 40 * look.eye_distance
        self._brows = [
            _Patch(portrait.head, -74, -66, 72, 44),
            _Patch(portrait.head, 2, -66, 72, 44),
        ]
        self._eyes = [
            _Patch(portrait.head, s * self._eye_x - 26, EYE_Y - 16, 52, 30)
            for s in (-1, 1)
        ]
        self._mouth = _Patch(portrait.head, -46, 54, 92, 54)
        self._folds = _Patch(portrait.head, -66, 37, 132, 74)
        rng = np.random.default_rng(look.texture_seed + 1)
        hairs = rng.standard_normal(self._brows[0].skin.shape[:2]).astype(np.float32)
        soft = cv2.GaussianBlur(hairs, (0, 0), 1.2)
        self._brow_hairs = (0.9 + 0.12 * soft / soft.std()).clip(0.5, 1.0)
        self._eyeball = _paint_eyeball(look)
        self._crease, self._dimple = _fold_masks(self._folds.x, self._folds.y)
        self._fields = _WarpFields(look)

    def draw(self, pose: Pose) -> np.ndarray:
        """One frame, (480, 640, 3) uint8 RGB."""
        for side in (0, 1):  # the eye's crease lies over a lowered brow
            self._paste(self._eyes[side], self._eyes[side].skin)
            self._draw_brow(side, pose)
            self._draw_eye(side, pose)
        self._draw_mouth(pose)
        map_x, map_y = self._fields.maps(pose)
        color = cv2.remap(self._color, map_x, map_y, cv2.INTER_LINEAR)
        alpha = cv2.remap(self._alpha, map_x, map_y, cv2.INTER_LINEAR)
        frame = self._scene.copy()
        left, top = HEAD_AT[0], max(0, HEAD_AT[1])
        under = frame[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        rest = cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2RGB)
        cv2.add(cv2.multiply(under, rest, scale=1 / 255), color, dst=under)
        frame[top : top + alpha.shape[0], left : left + alpha.shape[1]] = under
        return frame

    def _paste(self, patch: _Patch, picture: np.ndarray) -> None:
        self._color[patch.where] = cv2.convertScaleAbs(picture)  # rounds and clips

    def _draw_brow(self, side: int, pose: Pose) -> None:
        patch = self._brows[side]
        x = patch.x if side else -patch.x  # distance from the nose
        inner, outer = 15.0 - pose.brow_close, 68.0 * self._look.width
        t = (x - inner) / (outer - inner)
        ends = (
            BROW_Y + 2 - pose.brow_inner,
            BROW_Y - 5 - pose.brow_middle,
            BROW_Y + 2 - pose.brow_outer,
        )
        s = t.clip(-0.1, 1.1) - 0.58  # parabola through t = 0, 0.58, 1
        middle = ends[1]
        a = ((ends[0] - middle) / -0.58 - (ends[2] - middle) / 0.42) / (-0.58 - 0.42)
        b = (ends[2] - middle) / 0.42 - a * 0.42
        line = middle + b * s + a * s * s
        thick = self._look.brow * (4.8 - 3.3 * t.clip(0, 1) ** 1.6)
        ends_fade = ((t + 0.06) / 0.14).clip(0, 1) * ((1.04 - t) / 0.16).clip(0, 1)
        cover = ((thick - np.abs(patch.y - line)) / 2.2 + 0.35).clip(0, 1)
        mask = 0.86 * cover * ends_fade * self._brow_hairs
        picture = patch.skin
        if pose.furrow > 0.02:
            lines = np.exp(
                -(((x - 7.5 + 0.10 * (patch.y + 32)) / 1.7) ** 2)
                - ((patch.y + 31) / 9) ** 2
            )
            picture = picture * _gray(1 - 0.42 * pose.furrow * lines)
        hair = _tinted(0.62 * mask, self._look.hair)
        self._paste(patch, picture * _gray(1 - mask) + hair)

    def _draw_eye(self, side: int, pose: Pose) -> None:
        patch, look = self._eyes[side], self._look
        outward = 1.0 if side else -1.0
        half = 20.5 * look.eye_size
        t = (patch.x - outward * self._eye_x) / half * outward  # -1 at the nose
        within = (1 - t * t).clip(0)
        corner_line = EYE_Y + 1.0 - 1.2 * t
        upper = corner_line + within**0.75 * (
            3.0 - look.eye_size * (13.0 * pose.lid) - 0.5 * pose.lid * t
        )
        lower = corner_line + within**0.9 * (5.6 - 4.2 * pose.lower_lid)
        lower = np.maximum(lower, upper + 0.2 * within)
        below_lid = patch.y - upper
        inside = (below_lid * SCALE + 0.5).clip(0, 1)
        inside = inside * ((lower - patch.y) * SCALE + 0.5).clip(0, 1) * (within > 0)

        height, width = patch.skin.shape[:2]
        gx, gy = round(pose.gaze_x * SCALE), round(-pose.gaze_y * SCALE)
        oy, ox = (s // 2 for s in self._eyeball.shape[:2])
        # The eyeball's picture has its iris in the middle, one pixel above the corners.
        y0, x0 = oy - round(15.5 * SCALE) - gy, ox - width // 2 - gx
        ball = self._eyeball[y0 : y0 + height, x0 : x0 + width]
        shade = 1 - 0.55 * np.exp(-below_lid.clip(0) / 2.6)
        # A crease follows the lid, a bag shows where the lower lid is pushed up.
        lash = np.exp(-((below_lid / (1.0 + 0.35 * t.clip(0, 1))) ** 2)) * within**0.18
        crease_at = upper - (2.4 + 2.2 * pose.lid) * within**0.5
        crease = np.exp(-(((patch.y - crease_at) / 1.4) ** 2)) * within**0.4
        rim = np.exp(-(((patch.y - lower) / 1.0) ** 2)) * within**0.3
        bag = np.exp(-(((patch.y - lower - 4.5) / 2.2) ** 2)) * within**0.5
        picture = self._color[patch.where] * _gray(
            1 - 0.30 * crease - 0.20 * rim - (0.08 + 0.22 * pose.lower_lid) * bag
        )
        picture += _gray(inside) * (ball * _gray(shade) - picture)
        self._paste(patch, picture * _gray(1 - 0.80 * lash))

    def _draw_mouth(self, pose: Pose) -> None:
        patch, look = self._mouth, self._look
        y = patch.y
        half = 28.0 * look.mouth * pose.stretch
        t = patch.x / half
        within = (1 - t * t).clip(0)
        middle = MOUTH_Y + 0.35 * pose.smile - pose.smile * np.abs(t) ** 1.7
        full = look.lips * (1 - 0.55 * pose.press)
        part_up = (0.28 * pose.gap + 2.6 * pose.teeth * min(1.0, pose.gap / 4)) * within
        part_down = 0.72 * pose.gap * within**0.8
        upper_in, lower_in = middle - part_up, middle + part_down
        bow = 1.3 * np.exp(-((t / 0.13) ** 2)) - 0.9 * np.exp(
            -(((np.abs(t) - 0.27) / 0.16) ** 2)
        )
        upper_out = upper_in - full * (6.3 - bow) * within**0.85 + full * bow * 0.5
        lower_out = lower_in + full * 8.6 * within**0.7

        self._draw_folds(pose)
        fall = np.exp(-(((y - lower_out - 4.5) / 3.6) ** 2)) * within**0.6
        skin = self._color[patch.where] * _gray(1 - 0.14 * fall)

        lips = ((y - upper_out) / 1.6 + 0.5).clip(0, 1)
        lips = lips * ((lower_out - y) / 1.8 + 0.5).clip(0, 1) * within**0.12
        is_lower = (y - (upper_in + lower_in) / 2 > 0).astype(np.float32)
        depth = ((y - lower_in) / (lower_out - lower_in + 1e-3)).clip(0, 1)
        gain = 0.80 + is_lower * (0.10 + 0.34 * depth * (1 - depth))
        gain = gain + 0.10 * is_lower * np.exp(
            -(((t + 0.12) / 0.4) ** 2) - ((depth - 0.4) / 0.22) ** 2
        )
        red = look.skin * np.array([0.90, 0.60, 0.60], np.float32)
        picture = skin + _gray(0.82 * lips) * (_tinted(gain, red) - skin)

        if pose.gap > 0.3:
            picture = self._open_mouth(picture, pose, t, upper_in, lower_in)
        line = np.exp(-(((y - middle) / 1.0) ** 2)) * within**0.25
        ends = np.exp(-(((np.abs(t) - 1) * half / 2.6) ** 2) - ((y - middle) / 2) ** 2)
        shut = max(0.0, 1 - pose.gap / 2.5)
        self._paste(patch, picture * _gray(1 - 0.55 * shut * line - 0.35 * ends))

    def _draw_folds(self, pose: Pose) -> None:
        deep = min(1.0, max(0.0, pose.smile / 10 + 0.25 * pose.cheeks))
        droop = 0.07 * max(0.0, -pose.smile / 8)
        shade = 1 - deep * self._crease - droop * self._dimple
        self._paste(self._folds, self._folds.skin * _gray(shade))

    def _open_mouth(
        self,
        picture: np.ndarray,
        pose: Pose,
        t: np.ndarray,
        upper_in: np.ndarray,
        lower_in: np.ndarray,
    ) -> np.ndarray:
        """Dark inside, tongue and upper teeth between the lips."""
        y = self._mouth.y
        inside = ((y - upper_in) * SCALE * 0.7 + 0.5).clip(0, 1)
        inside = inside * ((lower_in - y) * SCALE * 0.7 + 0.5).clip(0, 1)
        inside = inside * (np.abs(t) < 1)
        tongue = np.exp(-((t / 0.55) ** 2) - ((y - lower_in - 1) / 5) ** 2)
        content = cv2.merge((58 + 92 * tongue, 20 + 44 * tongue, 22 + 46 * tongue))
        edge = upper_in + 1.5 + 5.2 * pose.teeth + 1.2 - 2.0 * t * t
        teeth = ((edge - y) / 1.2 + 0.5).clip(0, 1) * ((0.86 - np.abs(t)) / 0.16).clip(
            0, 1
        )
        dentine = (1 - 0.45 * np.abs(t) ** 1.5) * (
            1 - 0.06 * (np.abs(np.sin(self._mouth.x * (np.pi / 6.5))) < 0.12)
        )
        ivory = _tinted(teeth * dentine, np.array([232, 226, 214], np.float32))
        content = content * _gray(1 - teeth) + ivory
        shade = 1 - 0.35 * np.exp(-(y - upper_in).clip(0) / 1.5)
        return picture + _gray(inside) * (content * _gray(shade) - picture)


def _gray(mask: np.ndarray) -> np.ndarray:
    """(h, w) to (h, w, 3): numpy is slow where it repeats along a short last axis."""
    return cv2.merge((mask, mask, mask))


def _tinted(gain: np.ndarray, color: np.ndarray) -> np.ndarray:
    """A color at each of these gains: (h, w) and (3,) to (h, w, 3)."""
    return cv2.merge([gain * float(c) for c in color])


def _paint_eyeball(look: Look) -> np.ndarray:
    """(120, 160, 3) float32: white, iris, pupil in the middle, larger than the eye."""
    height, width = 60 * SCALE, 80 * SCALE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x + 0.5) / SCALE - width / SCALE / 2, (y + 0.5) / SCALE - height / SCALE / 2
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    white = np.array([236, 231, 226], np.float32)
    ball = white * (1 - 0.30 * (np.hypot(x, 1.5 * y) / 20).clip(0, 1) ** 2)[..., None]
    iris_radius = 8.6 * look.eye_size
    fibres = 1 + 0.10 * np.sin(37 * angle) * np.sin(11 * angle + 1)
    ring = (radius / iris_radius).clip(0, 1)
    glow = 0.85 + 0.45 * ring * (y > -2) * (0.5 + y / 16).clip(0, 1)
    tone = fibres * glow * (1 - 0.72 * ((ring - 0.80) / 0.20).clip(0, 1))
    iris = look.iris * tone[..., None]
    pupil = ((3.5 - radius) / 0.8 + 0.5).clip(0, 1)[..., None]
    iris = iris * (1 - pupil) + 14 * pupil
    inside = ((iris_radius - radius) / 1.2 + 0.5).clip(0, 1)[..., None]
    ball = ball + inside * (iris - ball)
    glint = np.exp(-(((x + 2.6) / 1.5) ** 2) - ((y + 2.4) / 1.7) ** 2)[..., None]
    return (ball + glint * (252 - ball)).astype(np.float32)


def _fold_masks(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Creases from nose to mouth corners, and the shadow beneath drooping corners."""
    along = ((y - NOSE_Y - 4) / 36).clip(0, 1)
    line = 25 + 20 * along
    crease = np.exp(-(((np.abs(x) - line) / 3.2) ** 2))
    crease = 0.19 * crease * np.sin(np.pi * along.clip(0.02, 0.98)) ** 0.7
    dimple = np.exp(-(((np.abs(x) - 30) / 6) ** 2) - ((y - MOUTH_Y - 12) / 9) ** 2)
    return crease.astype(np.float32), dimple.astype(np.float32)


class _WarpFields:
    """Where each frame pixel of the moving head comes from in its painted layer."""

    def __init__(self, look: Look) -> None:
        top = max(0, HEAD_AT[1])
        self._size = (HEAD_SIZE[0], min(HEAD_SIZE[1] + HEAD_AT[1], FRAME_SIZE[1]) - top)
        columns = (np.arange(-(-self._size[0] // _COARSE)) + 0.5) * _COARSE
        rows = (np.arange(-(-self._size[1] // _COARSE)) + 0.5) * _COARSE
        x, y = np.meshgrid(
            columns - HEAD_CENTER[0], rows + top - HEAD_AT[1] - HEAD_CENTER[1]
        )
        self._x, self._y = x.astype(np.float32), y.astype(np.float32)
        radius = 96 * look.width
        round_x = (1 - (x / (radius * 1.25)) ** 2).clip(0)
        self.turn = (round_x * np.exp(-(((y - 10) / 170) ** 4))).astype(np.float32)
        self.nod = np.exp(-((x / 130) ** 4) - ((y - 10) / 130) ** 4).astype(np.float32)
        drop = ((y - MOUTH_Y + 4) / 26).clip(0, 1)
        drop = drop * drop * (3 - 2 * drop)
        self.jaw = (drop * np.exp(-((x / 105) ** 4))).astype(np.float32)
        bulge = np.zeros_like(x)
        for side in (-1, 1):
            bulge += np.exp(-(((x - side * 52) / 24) ** 2) - ((y - 36) / 22) ** 2)
        self.cheeks = bulge.astype(np.float32)

    def maps(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """Source column and row in the head layer for each pixel of its rectangle."""
        pivot = 125.0  # the head turns about the neck
        cos, sin = np.cos(-pose.tilt), np.sin(-pose.tilt)
        x = self._x - pose.shift_x
        y = self._y + pose.shift_y - pivot
        source_x = cos * x - sin * y - 13.0 * pose.turn * self.turn
        source_y = sin * x + cos * y + pivot
        source_y = source_y + 9.0 * pose.nod * self.nod - 0.62 * pose.gap * self.jaw
        source_y = source_y + 4.5 * pose.cheeks * self.cheeks
        column = SCALE * (source_x + HEAD_CENTER[0]) - 0.5
        row = SCALE * (source_y + HEAD_CENTER[1]) - 0.5
        full = (
            -(-self._size[0] // _COARSE) * _COARSE,
            -(-self._size[1] // _COARSE) * _COARSE,
        )
        maps = [
            cv2.resize(m.astype(np.float32), full)[: self._size[1], : self._size[0]]
            for m in (column, row)
        ]
        return maps[0], maps[1]
