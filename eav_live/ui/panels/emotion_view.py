"""The estimate: decision in large letters, fused bars, each modality alone."""

from collections.abc import Callable, Collection

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent

from eav_live.recognition.predictions import Prediction
from eav_live.ui import theme
from eav_live.ui.panels.card import Canvas, Card, fill, label
from eav_live.ui.words import emotion_name, later, listed, said, stream_name, tr
from eav_offline.core.labels import EMOTIONS, MODALITIES, N_EMOTIONS
from eav_offline.core.sureness import State

_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_MIDDLE = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap

# Heights as shares of the panel's body, from the top.
_DECISION, _SUBTITLE, _FUSED, _SPACE = 0.15, 0.07, 0.41, 0.04
_TEXT_SHARE = 0.70  # of a row's height
UNKNOWN = later("not known to this model")
HELD = later(", held")
_HELD_SIZE = 0.4  # of the decision's letters


class EmotionPanel(Canvas):
    """Paints one prediction, or why there is none.

    knows: the emotions that the model can tell; the others have a name and no bar.
    """

    def __init__(self, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__()
        self.setAccessibleName(tr("Estimate"))
        self.knows = knows
        self.waiting = ""
        self.stale = False
        # (5,) the fused bars; NaN of what is not known, as in a prediction.
        self.values: np.ndarray | None = None
        self.marks: np.ndarray | None = None  # (5,) this window alone
        self.by_modality: dict[str, np.ndarray | None] = dict.fromkeys(MODALITIES)
        self.reasons: dict[str, str] = {}
        self.decision = ""
        self.emotion: str | None = None  # that is decided for
        self.held = False  # another emotion has the longest bar
        self.subtitle = ""
        self._truth: str | None = None
        self.on_painted: Callable[[], None] | None = None  # called after each painting

    def show_prediction(self, prediction: Prediction) -> None:
        """Show a prediction; what it leaves out is grayed with its reason."""
        smoothed = prediction.smoothed
        self.values = prediction.fused if smoothed is None else smoothed
        self.marks = prediction.fused
        if prediction.fused is None:
            self.values = None
        self.by_modality = {m: prediction.by_modality.get(m) for m in MODALITIES}
        self.reasons = {
            m: said(prediction.reasons.get(m, "")) or tr("not there")
            for m in MODALITIES
            if self.by_modality[m] is None
        }
        self.decision, self.emotion = tr("No estimate"), None
        if self.values is not None:
            self.emotion = prediction.label
            what = prediction.label or prediction.state
            self.decision = emotion_name(what) if what else self.decision
        self.held = prediction.state is State.HELD
        self.subtitle = _subtitle(prediction)
        self._truth = prediction.truth
        held = tr(HELD) if self.held else ""
        self.setAccessibleDescription(listed([f"{self.decision}{held}", self.subtitle]))
        self.waiting = ""
        self.stale = False
        self.update()

    def show_waiting(self, text: str) -> None:
        """Show a text instead of bars, before the first prediction."""
        if text != self.waiting:
            self.waiting = text
            self.update()

    def set_stale(self, stale: bool) -> None:
        """Dim everything: no new prediction has come for a while."""
        if stale != self.stale:
            self.stale = stale
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panel."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.waiting:
            self._draw_waiting(painter, area)
            return
        if self.stale:
            painter.setOpacity(0.4)
        height = area.height()
        top = area.top()
        rects = []
        for share in (_DECISION, _SUBTITLE, _FUSED):
            rects.append(QRectF(area.left(), top, area.width(), share * height))
            top += share * height
        top += _SPACE * height
        self._draw_decision(painter, rects[0])
        self._draw_subtitle(painter, rects[1])
        self._draw_fused(painter, rects[2])
        self._draw_modalities(
            painter, QRectF(area.left(), top, area.width(), area.bottom() - top)
        )
        if self.on_painted is not None:
            self.on_painted()

    def _draw_waiting(self, painter: QPainter, area: QRectF) -> None:
        head, _, rest = self.waiting.partition("\n")
        upper = QRectF(area)
        upper.setHeight(area.height() * 0.42)
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(theme.font(24 * self._scale, bold=True))
        down = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
        painter.drawText(upper, down | Qt.TextFlag.TextWordWrap, head)
        lower = QRectF(area)
        lower.setTop(upper.bottom() + 16 * self._scale)
        painter.setPen(QColor(theme.MUTED))
        painter.setFont(theme.font(16 * self._scale))
        up = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.drawText(lower, up | Qt.TextFlag.TextWordWrap, rest)

    def _draw_decision(self, painter: QPainter, area: QRectF) -> None:
        # Letters as large as the widest decision allows, so that they keep their size.
        widest = max(_width(emotion_name(name), 100, True) for name in EMOTIONS) / 100
        widest += _HELD_SIZE * _width(tr(HELD), 100) / 100
        per_pixel = 0.62 + widest + 0.66 * _width(" 100%", 100) / 100
        size = min(area.height() * 0.74, area.width() / per_pixel)
        known = self.values is not None
        name = self.emotion or ""
        disc = QRectF(0, 0, 0.42 * size, 0.42 * size)
        disc.moveCenter(area.center())
        disc.moveLeft(area.left())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.EMOTION_COLORS.get(name, theme.FAINT)))
        painter.drawEllipse(disc)
        painter.setPen(QColor(theme.TEXT if known else theme.MUTED))
        painter.setFont(theme.font(size, bold=True))
        text = area.adjusted(0.62 * size, 0, 0, 0)
        painter.drawText(text, _LEFT, self.decision)
        if self.held:
            text.setLeft(text.left() + _width(self.decision, size, True))
            painter.setPen(QColor(theme.MUTED))
            painter.setFont(theme.font(_HELD_SIZE * size))
            painter.drawText(text, _LEFT, tr(HELD))
        if self.values is not None and name in EMOTIONS:
            painter.setPen(QColor(theme.MUTED))
            painter.setFont(theme.font(0.66 * size))
            share = float(self.values[EMOTIONS.index(name)])
            painter.drawText(area, _RIGHT, f"{share:.0%}")

    def _draw_subtitle(self, painter: QPainter, area: QRectF) -> None:
        text = tr("no new estimate") if self.stale else self.subtitle
        truth = ""
        if self._truth is not None:
            truth = tr("truth: {emotion}", emotion=emotion_name(self._truth))
        size = min(15 * self._scale, area.height() * 0.6)
        wanted = _width(f"{text}     {truth}", size, False)
        # Smaller where the two would run into each other.
        painter.setFont(theme.font(size * min(1.0, area.width() / max(wanted, 1))))
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(area, _LEFT, text)
        if self._truth is not None:
            painter.setPen(QColor(theme.EMOTION_COLORS.get(self._truth, theme.TEXT)))
            painter.drawText(area, _RIGHT, truth)

    def _columns(self, area: QRectF) -> tuple[float, float]:
        """Right edges of the emotion names and left edges of the fused numbers."""
        size = 18 * self._scale
        names = max(_width(emotion_name(name), size, True) for name in EMOTIONS)
        return area.left() + names + 0.6 * size, area.right() - 66 * self._scale

    def _draw_fused(self, painter: QPainter, area: QRectF) -> None:
        left, right = self._columns(area)
        row = area.height() / N_EMOTIONS
        size = min(18 * self._scale, row * _TEXT_SHARE)
        best = -1 if self.values is None else int(np.nanargmax(self.values))
        for i, emotion in enumerate(EMOTIONS):
            line = QRectF(area.left(), area.top() + i * row, area.width(), row)
            if emotion not in self.knows:
                painter.setFont(theme.font(size))
                painter.setPen(QColor(theme.FAINT))
                painter.drawText(line, _LEFT, emotion_name(emotion))
                painter.setPen(QColor(theme.MUTED))
                painter.setFont(theme.font(0.8 * size))
                painter.drawText(
                    line.adjusted(left - line.left(), 0, 0, 0), _LEFT, tr(UNKNOWN)
                )
                continue
            painter.setFont(theme.font(size, bold=i == best))
            painter.setPen(QColor(theme.TEXT if i == best else theme.MUTED))
            painter.drawText(line, _LEFT, emotion_name(emotion))
            bar = QRectF(left, line.top() + 0.17 * row, right - left, 0.66 * row)
            self._draw_bar(
                painter, bar, i, None if self.values is None else self.values[i]
            )
            if self.values is None:
                continue
            if self.marks is not None:
                x = bar.left() + bar.width() * float(self.marks[i])
                thin = 2 * self._scale
                painter.fillRect(
                    QRectF(
                        x - thin / 2, bar.top() - thin, thin, bar.height() + 2 * thin
                    ),
                    QColor(theme.TEXT),
                )
            painter.setPen(QColor(theme.TEXT if i == best else theme.MUTED))
            painter.drawText(line, _RIGHT, f"{float(self.values[i]):.0%}")

    def _draw_modalities(self, painter: QPainter, area: QRectF) -> None:
        left, _ = self._columns(area)
        row = area.height() / (N_EMOTIONS + 1.15)
        head = 1.15 * row
        size = min(14 * self._scale, row * _TEXT_SHARE)
        painter.setFont(theme.font(size))
        painter.setPen(QColor(theme.MUTED))
        for i, emotion in enumerate(EMOTIONS):
            line = QRectF(area.left(), area.top() + head + i * row, left, row)
            known = emotion in self.knows
            painter.setPen(QColor(theme.MUTED if known else theme.FAINT))
            painter.drawText(line, _LEFT, emotion_name(emotion))
        gap = 14 * self._scale
        width = (area.right() - left - 2 * gap) / len(MODALITIES)
        for k, modality in enumerate(MODALITIES):
            column = QRectF(left + k * (width + gap), area.top(), width, area.height())
            self._draw_modality(painter, column, modality, head, row, size)

    def _draw_modality(
        self,
        painter: QPainter,
        area: QRectF,
        modality: str,
        head: float,
        row: float,
        size: float,
    ) -> None:
        values = self.by_modality[modality]
        title = QRectF(area.left(), area.top(), area.width(), head)
        painter.setFont(theme.font(size * 1.07, bold=True))
        painter.setPen(QColor(theme.FAINT if values is None else theme.TEXT))
        painter.drawText(title, _LEFT, stream_name(modality))
        if values is None:
            rest = area.adjusted(0, head, 0, 0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.PANEL_DEEP))
            painter.drawRoundedRect(rest, 5 * self._scale, 5 * self._scale)
            painter.setPen(QColor(theme.MUTED))
            inner = rest.adjusted(*(6 * self._scale * d for d in (1, 1, -1, -1)))
            reason = self.reasons.get(modality, "")
            while size > 8 and not _fits(painter, inner, reason, size):
                size -= 1
            painter.setFont(theme.font(size))
            painter.drawText(inner, _MIDDLE, reason)
            return
        best = int(np.nanargmax(values))
        numbers = painter.fontMetrics().horizontalAdvance("100") + 0.5 * size
        for i, emotion in enumerate(EMOTIONS):
            if emotion not in self.knows:
                continue
            top = area.top() + head + i * row
            bar = QRectF(
                area.left(), top + 0.27 * row, area.width() - numbers, 0.46 * row
            )
            self._draw_bar(painter, bar, i, values[i])
            painter.setFont(theme.font(size, bold=i == best))
            painter.setPen(QColor(theme.TEXT if i == best else theme.MUTED))
            line = QRectF(area.left(), top, area.width(), row)
            painter.drawText(line, _RIGHT, f"{100 * float(values[i]):.0f}")

    def _draw_bar(
        self, painter: QPainter, area: QRectF, emotion: int, value: float | None
    ) -> None:
        radius = min(3 * self._scale, area.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.PANEL_DEEP))
        painter.drawRoundedRect(area, radius, radius)
        if value is None:
            return
        filled = QRectF(area)
        filled.setWidth(area.width() * min(max(float(value), 0.0), 1.0))
        painter.setBrush(QColor(theme.EMOTION_COLOR_LIST[emotion]))
        painter.drawRoundedRect(filled, radius, radius)


def _subtitle(prediction: Prediction) -> str:
    """Which emotions are in the set, and what the estimate is from."""
    names = [stream_name(m) for m in prediction.present]
    if not names:
        return tr("no stream is usable")
    source = tr("from {streams}", streams=listed(names))
    if prediction.label_set is None or prediction.coverage is None:
        return source
    told = _set_text(prediction, prediction.label_set)
    return f"{prediction.coverage:.0%}: {told}  ·  {source}"


def _set_text(prediction: Prediction, label_set: Collection[str]) -> str:
    """The set in few words; of a large one what is not in it."""
    if prediction.state is not State.UNDECIDED:
        return listed([emotion_name(name) for name in label_set])
    chances = prediction.smoothed
    others = [
        emotion_name(name)
        for i, name in enumerate(EMOTIONS)
        if name not in label_set and chances is not None and np.isfinite(chances[i])
    ]
    return (
        tr("not {emotions}", emotions=listed(others)) if others else tr("any of them")
    )


def _width(text: str, size: float, bold: bool = False) -> float:
    """Width in pixels of a text in letters of `size` pixels."""
    return QFontMetricsF(theme.font(size, bold)).horizontalAdvance(text)


def _fits(painter: QPainter, area: QRectF, text: str, size: float) -> bool:
    """Whether a text, wrapped at words, fits at a letter size in pixels."""
    painter.setFont(theme.font(size))
    needed = painter.boundingRect(area, _MIDDLE, text)
    return needed.width() <= area.width() and needed.height() <= area.height()


class EmotionView(Card):
    """The panel of estimates."""

    def __init__(self, knows: Collection[str] = EMOTIONS) -> None:
        super().__init__(tr("Estimate"))
        self.panel = EmotionPanel(knows)
        self.set_body(self.panel)
        self.legend = label(tr("bar: smoothed, mark: this window"), "muted")
        fill(self.header, 1, self.legend)
