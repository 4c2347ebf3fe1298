"""The microphone: a scrolling spectrogram and a level meter."""

from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from eav_live.ui import theme
from eav_live.ui.panels.card import Card, fill
from eav_live.ui.panels.plots import restyle_plot, scale_plot, scrolling_plot
from eav_live.ui.words import tr
from eav_live.windows.rings import SampleRing, new_stretches
from eav_offline.core.stamps import SAMPLE_GAP_SECONDS

SHOWN_SECONDS = 8.0
COLUMN_SECONDS = 0.02
N_COLUMNS = round(SHOWN_SECONDS / COLUMN_SECONDS)  # 400
FRAME_SECONDS = 0.032
N_BANDS = 56
SHOWN_RANGE = (60.0, 8000.0)  # Hz, bands evenly spaced on the mel axis
FLOOR_DB = -120.0
DYNAMIC_DB = 55.0  # from black to the brightest color
LEVEL_SECONDS = 0.1
LEVEL_RANGE = (-60.0, 0.0)  # dB below full scale
_PEAK_FALL = 12.0  # dB a second
# Hz; those of the second and third row where there is room between.
_TICKS = ({500: "0.5", 8000: "8 kHz"}, {2000: "2"}, {1000: "1", 4000: "4"})


class Spectrogram:
    """The last seconds of a sound ring as mel bands, each column computed once.

    image: (400, 56) float32 dB, oldest column first. newest: seconds, the stamp at
    the right edge of the last column.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._ring: SampleRing | None = None
        self._tail = np.zeros(0, dtype=np.float32)
        self._last = -np.inf  # stamp of the newest sample taken
        self.newest = -np.inf
        self.image = np.full((N_COLUMNS, N_BANDS), FLOOR_DB, dtype=np.float32)

    def update(self, ring: SampleRing) -> bool:
        """Take what the ring has had since the last call; False if that is nothing."""
        newest = ring.newest
        if ring is not self._ring or (newest is not None and newest < self._last):
            self.reset()
            self._ring = ring
        stretches = new_stretches(ring, self._last, SHOWN_SECONDS)
        for times, values in stretches:
            self._append(times, values[:, 0], ring.rate)
        return bool(stretches)

    def _append(self, times: np.ndarray, values: np.ndarray, rate: float) -> None:
        silence = float(times[0]) - self._last if np.isfinite(self._last) else 0.0
        if silence > SAMPLE_GAP_SECONDS:
            self._tail = self._tail[:0]
            self._push(np.full((round(silence / COLUMN_SECONDS), N_BANDS), FLOOR_DB))
        self._last = float(times[-1])
        self._tail = np.concatenate([self._tail, values])
        size, hop = round(FRAME_SECONDS * rate), round(COLUMN_SECONDS * rate)
        count = (len(self._tail) - size) // hop + 1
        if count > 0:
            frames = np.lib.stride_tricks.sliding_window_view(self._tail, size)
            window, bands = _analysis(rate)
            spectrum = np.fft.rfft(frames[: count * hop : hop] * window, axis=1)
            power = np.abs(spectrum) ** 2 @ bands
            self._push(10 * np.log10(power + 10 ** (FLOOR_DB / 10)))
            self._tail = self._tail[count * hop :]
        self.newest = self._last

    def _push(self, columns: np.ndarray) -> None:
        columns = columns[-N_COLUMNS:]
        kept = self.image[len(columns) :]
        self.image = np.concatenate([kept, columns.astype(np.float32)])


def level_db(values: np.ndarray) -> float:
    """Root-mean-square level of sound (samples,) in [-1, 1], dB below full scale."""
    if len(values) == 0:
        return LEVEL_RANGE[0]
    power = float(np.mean(np.square(values, dtype=np.float64)))
    return 10 * float(np.log10(max(power, 1e-12)))


class LevelMeter(QWidget):
    """A bar for the level, a mark for the recent peak, and the number."""

    def __init__(self) -> None:
        super().__init__()
        self.level = self.peak = LEVEL_RANGE[0]
        self._time = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round(22 * scale))

    def set_level(self, level: float, now: float) -> None:
        """Show a level, dB; the peak mark falls with time, `now` in seconds."""
        fallen = self.peak - _PEAK_FALL * max(0.0, now - self._time)
        self.level, self.peak, self._time = level, max(level, fallen), now
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the meter."""
        s = self._scale
        painter = QPainter(self)
        number = QRectF(self.width() - 64 * s, 0, 64 * s, self.height())
        bar = QRectF(0, 5 * s, number.left() - 4 * s, self.height() - 10 * s)
        painter.fillRect(bar, QColor(theme.LINE))
        color = theme.GOOD
        if self.peak > -3:
            color = theme.BAD  # clipping, or nearly
        elif self.peak > -9:
            color = theme.AMBER
        filled = QRectF(bar)
        filled.setWidth(bar.width() * _fraction(self.level))
        painter.fillRect(filled, QColor(color))
        x = bar.left() + bar.width() * _fraction(self.peak)
        painter.fillRect(QRectF(x - 2 * s, bar.top(), 2 * s, bar.height()), theme.TEXT)
        painter.setPen(QColor(theme.MUTED))
        painter.setFont(theme.font(13 * s))
        shown = max(self.level, LEVEL_RANGE[0])
        painter.drawText(
            number,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            f"{shown:.0f} dB".replace("-", "−"),
        )


class SoundView(Card):
    """The voice panel."""

    def __init__(self) -> None:
        super().__init__(tr("Voice"))
        self.spectrogram = Spectrogram()
        self.meter = LevelMeter()
        self.meter.setAccessibleName(tr("Level of the voice"))
        self._top_db = -40.0
        self._plot = self._make_plot()
        body = QWidget()
        column = fill(QVBoxLayout(body), (self._plot, 1), self.meter, margins=False)
        column.setSpacing(2)
        self.set_body(body)

    def _make_plot(self) -> pg.PlotWidget:
        plot = scrolling_plot(SHOWN_SECONDS, 0, N_BANDS)
        plot.setAccessibleName(tr("Spectrogram of the voice"))
        self._image = pg.ImageItem(axisOrder="col-major")
        self._image.setColorMap(pg.colormap.get("inferno"))
        plot.addItem(self._image)
        low, high = (float(_mel(edge)) for edge in SHOWN_RANGE)
        rows = N_BANDS / (high - low)
        plot.getAxis("left").setTicks(
            [
                [(rows * (float(_mel(hz)) - low), name) for hz, name in ticks.items()]
                for ticks in _TICKS
            ]
        )
        return plot

    def refresh(self, ring: SampleRing | None, now: float) -> None:
        """Show the ring's last seconds; `now`, seconds, is the right edge."""
        if ring is None:
            return
        if self.spectrogram.update(ring):
            image = self.spectrogram.image
            # The brightest color follows the loudest sound shown, without jumping.
            loudest = max(float(image.max()), -75.0)
            self._top_db += 0.1 * (loudest - self._top_db)
            self._image.setImage(
                image,
                autoLevels=False,
                levels=(self._top_db - DYNAMIC_DB, self._top_db),
            )
            _, values = ring.latest(LEVEL_SECONDS)
            self.meter.set_level(level_db(values[:, 0]), now)
        elif now - self.spectrogram.newest > LEVEL_SECONDS:
            self.meter.set_level(LEVEL_RANGE[0], now)
        right = max(self.spectrogram.newest - now, -2 * SHOWN_SECONDS)
        self._image.setRect(right - SHOWN_SECONDS, 0, SHOWN_SECONDS, N_BANDS)

    def settle(self) -> None:
        """Take the brightness that suits what is shown now, after a jump in time."""
        self._top_db = max(float(self.spectrogram.image.max()), -75.0)
        self._image.setLevels((self._top_db - DYNAMIC_DB, self._top_db))

    def restyle(self) -> None:
        restyle_plot(self._plot)
        super().restyle()

    def set_scale(self, scale: float) -> None:
        super().set_scale(scale)
        scale_plot(self._plot, scale, 12 * scale, 44, top=7 * scale)
        # How far a frequency may reach beyond the axis.
        left = self._plot.getAxis("left")
        left.setStyle(hideOverlappingLabels=round(30 * scale))
        self.meter.set_scale(scale)


def _fraction(level: float) -> float:
    low, high = LEVEL_RANGE
    return min(max((level - low) / (high - low), 0.0), 1.0)


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


@lru_cache(maxsize=8)
def _analysis(rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Window (frame,) and bands (bins, 56): a full-scale tone is 0 dB in its band."""
    size = round(FRAME_SECONDS * rate)
    window = np.hanning(size).astype(np.float32)
    window *= 2.0 / window.sum()
    bins = _mel(np.fft.rfftfreq(size, 1.0 / rate))[:, None]
    low, high = (float(_mel(edge)) for edge in SHOWN_RANGE)
    corners = np.linspace(low, high, N_BANDS + 2)
    # Low bands are narrower than a bin; each triangle is at least that wide.
    narrowest = _mel(np.array(rate / size)) - _mel(0.0)
    half = np.maximum(np.diff(corners)[:-1], narrowest)
    bands = np.maximum(0.0, 1.0 - np.abs(bins - corners[1:-1]) / half)
    return window, bands.astype(np.float32)
