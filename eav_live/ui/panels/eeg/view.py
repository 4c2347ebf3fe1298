"""The EEG panel of the dashboard: as traces, on the head, or as a spectrum."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QComboBox, QPushButton, QStackedWidget

from eav_live.ui.panels.eeg.head_map import QUALITY, HeadMap
from eav_live.ui.panels.eeg.measures import BAND_NAMES, band_power, spectrum
from eav_live.ui.panels.eeg.spectrum_plot import SpectrumPlot
from eav_live.ui.panels.traces import TracesView
from eav_live.ui.words import later, tr
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS

TRACES, HEAD, SPECTRUM = later("Traces"), later("Head"), later("Spectrum")
VIEWS = (TRACES, HEAD, SPECTRUM)
MEASURES = (QUALITY, *BAND_NAMES)
# What is pressed, and what that does.
EEG_KEYS = (
    ("V", later("the EEG as traces, on the head, as a spectrum")),
    ("F", later("the traces for the eye, as the model sees them, as recorded")),
    ("End", later("the traces live again, after Page Up")),
    ("B", later("the head by quality or by the power of a band")),
    ("E", later("the next electrode's spectrum; with Shift the one before")),
)
_WAITING = later("five seconds of EEG without a gap are needed")
_LOOK_SECONDS = 0.5  # between two pictures of head and spectrum; a hop is as long


class EegView(TracesView):
    """Traces, head map and spectrum in one panel; only what is seen is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.view = TRACES
        self.electrode = 0  # whose spectrum is shown, by its row
        self._looked_at = float("-inf")  # session clock of the newest picture
        self.measure = _choice(tr("Head map by"), MEASURES)
        self.measure.currentIndexChanged.connect(self._look_again)
        self.electrodes = _choice(tr("Electrode"), EEG_CHANNELS)
        self.electrodes.currentIndexChanged.connect(self.choose)
        self.header.addWidget(self.measure)
        self.header.addWidget(self.electrodes)
        self.buttons = self._make_buttons()
        self.head.pointed.connect(self._point)
        self._plot.scene().sigMouseClicked.connect(self._click_trace)
        self.show_view(TRACES)

    @property
    def keys(self) -> dict[str, Callable[[], object]]:
        """What keys do, for the window to bind."""
        return {
            "V": partial(self._step_view, 1),
            "Shift+V": partial(self._step_view, -1),
            "F": self.step_filter,
            "End": self.go_live,
            "B": self._step_measure,
            "E": partial(self._step_electrode, 1),
            "Shift+E": partial(self._step_electrode, -1),
        }

    def show_view(self, view: str) -> None:
        """Show one of `VIEWS` from now on."""
        self.view = view
        self._stack.setCurrentIndex(VIEWS.index(view))
        self.buttons[view].setChecked(True)
        for part in (self._filter, self._minus, self._scale_label, self._plus):
            part.setVisible(view == TRACES)
        self.measure.setVisible(view == HEAD)
        self.electrodes.setVisible(view == SPECTRUM)
        self._fit_letters()
        self._look_again()

    def look_back(self, steps: int) -> None:
        """See `TracesView`; they are shown if they were not."""
        if self.view != TRACES:
            self.show_view(TRACES)
        super().look_back(steps)

    def choose(self, electrode: int) -> None:
        """Choose the electrode whose spectrum is shown, by its row."""
        self.electrode = electrode
        self.electrodes.setCurrentIndex(electrode)
        self.head.choose(electrode)
        self._look_again()

    def refresh(
        self, ring: SampleRing | None, interpolated: tuple[str, ...], now: float
    ) -> None:
        """Show the ring's newest seconds; `now`, seconds, on the session's clock."""
        if self.view == TRACES or ring is None:
            super().refresh(ring, interpolated, now)
            return
        if 0 <= now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        self._take_interpolated(interpolated)
        if self.view == HEAD:
            self._show_head(ring)
        else:
            fault = self.bad.get(EEG_CHANNELS[self.electrode], "")
            shown = spectrum(ring, self.electrode)
            self.spectrum_plot.show_spectrum(self.electrode, shown, fault)

    def set_quality(self, bad: Mapping[str, str], note: str) -> None:
        """See `TracesView`; the head marks them too."""
        super().set_quality(bad, note)
        self.head.show_quality(self.bad, self.interpolated)

    def set_scale(self, scale: float) -> None:
        """Fit to the size of the letters."""
        super().set_scale(scale)
        self.head.set_scale(scale)
        self.spectrum_plot.set_scale(scale)

    def _make_body(self) -> QStackedWidget:
        self.head, self.spectrum_plot = HeadMap(), SpectrumPlot()
        self._stack = QStackedWidget()
        for page in (self._plot, self.head, self.spectrum_plot):
            self._stack.addWidget(page)
        return self._stack

    def _make_buttons(self) -> dict[str, QPushButton]:
        self._group = QButtonGroup(self)
        buttons = {}
        for view in VIEWS:
            button = QPushButton(tr(view))
            button.setProperty("role", "tab")
            button.setCheckable(True)
            button.setAccessibleName(f"EEG: {tr(view)}")
            button.clicked.connect(partial(self.show_view, view))
            self._group.addButton(button)
            self.header.addWidget(button)
            buttons[view] = button
        return buttons

    def _show_head(self, ring: SampleRing) -> None:
        self.head.show_quality(self.bad, self.interpolated)
        shown = MEASURES[self.measure.currentIndex()]
        powers = None if shown == QUALITY else band_power(ring)
        if powers is not None:
            self.head.show_levels(shown, powers[shown])
        else:
            self.head.show_levels(QUALITY, None)
        waiting = shown != QUALITY and powers is None
        self.head.say(f"{tr(shown)}: {tr(_WAITING)}" if waiting else "")

    def _look_again(self) -> None:
        """Show the newest at the next refresh, whenever the last one was."""
        self._looked_at = float("-inf")

    def _step_view(self, steps: int) -> None:
        self.show_view(VIEWS[(VIEWS.index(self.view) + steps) % len(VIEWS)])

    def _step_measure(self) -> None:
        if self.view == HEAD:
            self.measure.setCurrentIndex(
                (self.measure.currentIndex() + 1) % len(MEASURES)
            )
        else:
            self.show_view(HEAD)

    def _step_electrode(self, steps: int) -> None:
        if self.view == SPECTRUM:
            self.choose((self.electrode + steps) % N_CHANNELS)
        else:
            self.show_view(SPECTRUM)

    def _point(self, electrode: int) -> None:
        self.choose(electrode)
        self.show_view(SPECTRUM)

    def _click_trace(self, event: object) -> None:
        spot = self._plot.getPlotItem().vb.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        row = round(-spot.y())
        if 0 <= row < N_CHANNELS:
            self._point(row)


def _choice(name: str, texts: tuple[str, ...]) -> QComboBox:
    result = QComboBox()
    result.addItems([tr(text) for text in texts])
    result.setAccessibleName(name)
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return result
