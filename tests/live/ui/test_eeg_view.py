"""The EEG panel's other views: the head, and the spectrum of an electrode."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from test_dashboard import colored

from eav_live.ui import theme
from eav_live.ui.panels.eeg.head_map import (
    PLACES,
    QUALITY,
    RADIUS,
    HeadMap,
    grid_weights,
)
from eav_live.ui.panels.eeg.measures import BAND_NAMES, band_power, spectrum
from eav_live.ui.panels.eeg.view import HEAD, MEASURES, SPECTRUM, TRACES, EegView
from eav_live.ui.panels.traces import EYE, MODEL, RECORDED
from eav_live.windows.rings import SampleRing
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, RawWindow
from eav_offline.preprocess import PreprocessSettings, prepare

pytestmark = pytest.mark.qt

RATE = 250.0
OZ = EEG_CHANNELS.index("Oz")


def filled(seconds: float = 16.0, hum_hz: float = 0.0) -> SampleRing:
    """Noise in a ring, 1 µV, with 30 µV of 10 Hz at Oz."""
    t = np.arange(round(seconds * RATE)) / RATE
    values = np.random.default_rng(0).standard_normal((len(t), N_CHANNELS))
    values[:, OZ] += 30 * np.sin(2 * np.pi * 10 * t)
    if hum_hz:
        values += 20 * np.sin(2 * np.pi * hum_hz * t)[:, None]
    ring = SampleRing(RATE, N_CHANNELS, 20)
    ring.extend(t, values)
    return ring


@pytest.fixture
def head(qtbot) -> HeadMap:
    head = HeadMap()
    qtbot.addWidget(head)
    head.resize(500, 400)
    return head


@pytest.fixture
def view(qtbot) -> EegView:
    view = EegView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    return view


def pixel(image: QImage, spot: np.ndarray) -> np.ndarray:
    color = image.pixelColor(*(round(float(c)) for c in spot))
    return np.array(color.getRgb()[:3])


def test_positions_are_those_of_mne() -> None:
    mne = pytest.importorskip("mne")
    placed = mne.channels.make_standard_montage("colin27_1005").get_positions()
    xyz = np.array([placed["ch_pos"][name] for name in EEG_CHANNELS])
    everywhere = np.array(list(placed["ch_pos"].values()))
    system = np.column_stack([2 * everywhere, np.ones(len(everywhere))])
    middle = np.linalg.lstsq(system, (everywhere**2).sum(axis=1), rcond=None)[0][:3]
    x, y, z = (xyz - middle).T
    away = np.arctan2(np.hypot(x, y), z) / (np.pi / 2)
    expected = away[:, None] * np.column_stack([x, y]) / np.hypot(x, y)[:, None]
    np.testing.assert_allclose(PLACES, expected, atol=0.011)
    assert np.hypot(*PLACES.T).max() < RADIUS


def test_between_electrodes_the_near_ones_count_and_bad_ones_never() -> None:
    good = np.ones(N_CHANNELS, dtype=bool)
    good[OZ] = False
    weights = grid_weights(good)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert not weights[:, OZ].any()
    top, bottom = weights[: len(weights) // 8], weights[-len(weights) // 8 :]
    frontal, occipital = PLACES[:, 1] > 0.5, PLACES[:, 1] < -0.5
    assert top[:, frontal].sum(axis=1).min() > 0.6
    assert bottom[:, occipital].sum(axis=1).min() > 0.6


def test_band_power_finds_the_band_and_the_electrode() -> None:
    powers = band_power(filled())
    assert powers is not None
    assert tuple(powers) == BAND_NAMES
    assert int(powers["alpha"].argmax()) == OZ
    # A sine of 30 µV has 450 µV², and white noise of 1 µV² up to 125 Hz 5 / 125 of it.
    assert powers["alpha"][OZ] == pytest.approx(10 * np.log10(450), abs=0.3)
    others = np.delete(powers["alpha"], OZ)
    assert np.median(others) == pytest.approx(10 * np.log10(5 / 125), abs=2.0)


def test_without_a_whole_window_there_is_no_band_power() -> None:
    assert band_power(filled(4.9)) is None
    assert band_power(SampleRing(RATE, N_CHANNELS, 20)) is None


@pytest.mark.parametrize("filtering", [EYE, MODEL, RECORDED])
def test_page_up_holds_an_earlier_picture_until_end(
    view: EegView, filtering: str
) -> None:
    ring = filled(16.0)  # of which the last eight seconds are seen
    now = 15.996
    while view.filtering != filtering:
        view.step_filter()
    view.refresh(ring, (), now)
    live = view.shown.times.copy()
    view.look_back(-1)
    view.refresh(ring, (), now + 1.0)
    assert view.held == pytest.approx(now - 4.0)
    held = view.shown.times.copy()
    np.testing.assert_allclose(held[[0, -1]], live[[0, -1]] - 4.0, atol=0.05)
    second = np.arange(round(RATE)) / RATE
    ring.extend(16.0 + second, np.ones((len(second), N_CHANNELS)))
    view.refresh(ring, (), now + 1.0)
    np.testing.assert_array_equal(view.shown.times, held)  # it stands still
    x = view._measured.getData()[0]
    assert x.max() == pytest.approx(0.0, abs=0.05)
    shown = view._plot.getAxis("bottom")._tickLevels
    assert shown[1] == [(0.0, "\u22125 s")]
    view.look_back(-1)
    view.look_back(-1)
    assert view.held == pytest.approx(8.0, abs=0.01)  # the ring has no more
    view.keys["End"]()
    view.refresh(ring, (), 16.996)
    assert view.held is None
    assert view.shown.times[-1] > 16.9
    assert view._plot.getAxis("bottom")._tickLevels[1] == [(0.0, "now")]


def test_page_down_at_the_newest_is_live(view: EegView) -> None:
    view.refresh(filled(16.0), (), 16.0)
    view.show_view(HEAD)
    view.look_back(-1)
    assert view.view == TRACES
    assert view.held is not None
    view.look_back(1)
    assert view.held is None


@pytest.mark.parametrize("line", [50.0, 60.0])
def test_a_spectrum_peaks_where_the_tone_is_and_names_the_hum(line: float) -> None:
    quiet, loud = spectrum(filled(), OZ), spectrum(filled(hum_hz=line), OZ)
    assert quiet is not None
    assert loud is not None
    assert quiet.hertz[int(quiet.level.argmax())] == 10.0
    assert (quiet.hum, loud.hum) == ((), (line,))


def test_an_electrode_without_numbers_has_no_spectrum() -> None:
    ring = SampleRing(RATE, N_CHANNELS, 20)
    values = np.ones((1000, N_CHANNELS))
    values[990, 0] = np.nan
    ring.extend(np.arange(1000) / RATE, values)
    assert spectrum(ring, 0) is None
    assert spectrum(ring, 1) is not None


def test_the_strongest_electrode_is_brightest_and_a_bad_one_has_no_color(
    head: HeadMap,
) -> None:
    levels = np.linspace(0.0, 10.0, N_CHANNELS)
    weak, strong = 1, N_CHANNELS - 1
    beside = np.array([0.0, 0.7 * 0.115 * head._placement()[0]])
    head.show_levels("alpha", levels)
    image = head.grab().toImage()
    spots = head._spots() + beside  # below the letters
    brightness = [pixel(image, spots[i]).sum() for i in (weak, strong)]
    assert brightness[1] > brightness[0] + 200
    head.show_quality({EEG_CHANNELS[strong]: "flat"})
    assert pixel(head.grab().toImage(), spots[strong]).sum() < brightness[0] + 200
    assert head.range[1] < 10.0  # it no longer stretches the colors


def test_each_electrode_is_found_where_it_is_drawn_and_told_of(head: HeadMap) -> None:
    head.show_quality({"T7": "flat"}, ("PO9",))
    for i, (x, y) in enumerate(head._spots()):
        assert head.electrode_at(x, y) == i
        assert head.rect().contains(QPoint(round(x), round(y)))
    assert head.electrode_at(2.0, 2.0) is None
    assert head.told(EEG_CHANNELS.index("T7")) == "T7: flat"
    assert head.told(EEG_CHANNELS.index("PO9")).startswith("PO9: not in the stream")
    assert head.told(OZ) == "Oz: good"
    assert "T7 flat" in head.accessibleDescription()


def test_a_repaint_draws_the_head_anew_only_if_it_changed(
    head: HeadMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    head.grab()  # laid out once
    drawn: list[object] = []
    draw = HeadMap._draw
    monkeypatch.setattr(
        HeadMap, "_draw", lambda self, by: (drawn.append(by), draw(self, by))[1]
    )
    levels = np.linspace(0.0, 10.0, N_CHANNELS)
    for expected, change in (
        (1, lambda: head.show_levels("alpha", levels)),
        (1, lambda: None),
        (2, lambda: head.show_quality({"T7": "flat"})),
        (3, lambda: head.resize(head.width() + 20, head.height())),
    ):
        change()
        picture = QImage(head.size(), QImage.Format.Format_RGB32)
        head.render(picture)
        head.render(picture)
        assert len(drawn) == expected


def test_only_the_view_that_is_seen_is_brought_up_to_date(view: EegView) -> None:
    ring = filled()
    view.refresh(ring, (), 16.0)
    assert len(view.buffer.times) > 0
    assert view.spectrum_plot.spectrum is None
    view.show_view(SPECTRUM)
    view.choose(OZ)
    before = view.buffer.times
    view.refresh(ring, (), 16.1)
    assert view.buffer.times is before
    shown = view.spectrum_plot.spectrum
    assert shown is not None
    view.refresh(ring, (), 16.2)
    assert view.spectrum_plot.spectrum is shown  # not thirty times a second
    view.refresh(ring, (), 16.7)
    assert view.spectrum_plot.spectrum is not shown
    assert view.spectrum_plot.headline == "Oz  ·  newest 8 s as recorded"


def test_keys_go_through_views_bands_and_electrodes(view: EegView) -> None:
    keys = view.keys
    keys["V"]()
    assert (view.view, view._stack.currentWidget()) == (HEAD, view.head)
    for measure in (*MEASURES[1:], QUALITY):
        keys["B"]()
        view.refresh(filled(), (), 16.0)
        assert view.head.shown == measure
    keys["V"]()
    assert view.view == SPECTRUM
    keys["E"]()
    assert view.electrodes.currentText() == EEG_CHANNELS[1]
    keys["Shift+E"]()
    keys["Shift+E"]()
    assert view.electrode == N_CHANNELS - 1
    keys["V"]()
    assert view.view == TRACES


def test_as_the_model_is_what_is_prepared_for_it(view: EegView) -> None:
    ring = filled(hum_hz=50.0)
    view.settings = PreprocessSettings("average", notch_hz=50)
    view.keys["F"]()
    assert view._filter.text() == MODEL
    view.refresh(ring, (), 16.0)
    end = 16.0
    _, values = ring.latest(15.0)
    raw = RawWindow(end, values.T, RATE, None, 0.0, None)
    expected = prepare(raw, view.settings).eeg
    assert expected is not None
    np.testing.assert_allclose(view.shown.values.T, expected, atol=1e-3)
    assert view._measured.getData()[0].min() == pytest.approx(-5.0)
    assert view.shown.times[-1] == pytest.approx(end - 1 / 100)


def test_as_recorded_is_not_filtered_and_loses_no_peak(view: EegView) -> None:
    ring = filled(hum_hz=50.0)
    times, values = ring.latest(8.0)
    values[999, OZ] = 3000.0  # one sample, an offset of the amplifier, and none
    values[:, 0] += 5e4
    values[500, 0] = values[:, 1] = np.nan
    ring = SampleRing(RATE, N_CHANNELS, 20)
    ring.extend(times, values)
    view.keys["F"]()
    view.keys["F"]()
    assert view._filter.text() == RECORDED
    view.refresh(ring, (), times[-1])
    shown = view.shown.values
    assert shown[:, OZ].max() == pytest.approx(3000, abs=10)
    hum = np.ptp(shown[:, 2])
    assert hum == pytest.approx(np.ptp(values[:, 2]), rel=0.02)
    assert abs(np.nanmean(shown[:, 0])) < 1
    assert 900 < len(shown) <= 1000  # about a point a pixel, of 2000 samples
    view.keys["F"]()
    assert view._filter.text() == EYE
    view.refresh(ring, (), times[-1])
    assert np.ptp(view.shown.values[200:, 2]) < hum / 2  # hum is kept out
    view.show_view(HEAD)
    assert not view._filter.isVisible()


def test_a_click_on_the_head_shows_that_electrodes_spectrum(
    view: EegView, qtbot
) -> None:
    view.show_view(HEAD)
    x, y = view.head._spots()[OZ]
    qtbot.mouseClick(view.head, Qt.MouseButton.LeftButton, pos=QPoint(int(x), int(y)))
    assert (view.view, view.electrode) == (SPECTRUM, OZ)


def test_a_click_on_a_trace_shows_that_electrodes_spectrum(
    view: EegView, qtbot
) -> None:
    plot = view._plot
    spot = plot.getPlotItem().vb.mapViewToScene(QPointF(-4.0, -float(OZ)))
    at = plot.mapFromScene(spot)
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert (view.view, view.electrode) == (SPECTRUM, OZ)


def test_a_bad_electrode_is_red_and_crossed_on_the_head_and_in_its_spectrum(
    view: EegView,
) -> None:
    name = EEG_CHANNELS[OZ]
    view.show_view(HEAD)
    view.refresh(filled(), (), 16.0)
    red = theme.BAD
    assert not reds(view, red)
    view.set_quality({name: "noisy"}, "")
    assert reds(view, red) > 20
    view.choose(OZ)
    view.show_view(SPECTRUM)
    view.refresh(filled(), (), 17.0)
    assert view.spectrum_plot.headline.startswith("Oz  ·  noisy")
    assert reds(view, red) > 20


def reds(view: EegView, color: str) -> int:
    return int(colored(view._stack.grab().toImage(), color).sum())
