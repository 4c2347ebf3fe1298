"""Which channel is which electrode: labels, units, and what is missing."""

from pathlib import Path

import numpy as np
import pytest
from source_helpers import RATE, eeg_like

from eav_live.options.config import LiveConfigError, read_live_config
from eav_offline.common.errors import SourceRefused
from eav_offline.core.electrodes import (
    Channel,
    electrode_name,
    map_channels,
    spline_weights,
)
from eav_offline.core.window import EEG_CHANNELS


def test_labels_are_read_in_the_spellings_that_amplifiers_use() -> None:
    spellings = {
        "EEG Fp1-REF": "Fp1",
        "FP1": "Fp1",
        "EEG T3": "T7",
        "t4": "T8",
        "T5-A1": "P7",
        "EEG T6-LE": "P8",
        "Fc5.": "FC5",
        "PO 9": "PO9",
        "eeg_Cz": "Cz",
    }
    assert {label: electrode_name(label) for label in spellings} == spellings


def test_duplicate_electrodes_are_refused_by_name() -> None:
    labels = [*EEG_CHANNELS, "T3"]
    with pytest.raises(SourceRefused, match=r"T7 twice.*'T7'.*'T3'"):
        map_channels([Channel(label, "EEG", "uV") for label in labels])


def test_an_unknown_label_that_may_be_the_missing_electrode_is_refused() -> None:
    labels = ["Left front" if c == "Fp1" else c for c in EEG_CHANNELS]
    channels = [Channel(label, "EEG", "uV") for label in labels]
    with pytest.raises(SourceRefused, match=r"lacks Fp1.*Left front.*\[eeg\.rename\]"):
        map_channels(channels)
    mapped = map_channels(channels, rename={"left front": "Fp1"})
    assert mapped.interpolated == ()
    assert mapped.columns.tolist() == list(range(30))
    assert map_channels(channels, max_missing=1).interpolated == ("Fp1",)


def test_electrodes_of_other_caps_are_left_aside() -> None:
    labels = ["AF3", "M1", *EEG_CHANNELS, "FT9", "A2-A1"]
    mapped = map_channels([Channel(label, "EEG", "uV") for label in labels])
    assert mapped.columns.tolist() == list(range(2, 32))


def test_up_to_four_missing_electrodes_are_interpolated_and_more_refused() -> None:
    channels = [Channel(label, "EEG", "uV") for label in EEG_CHANNELS[4:]]
    assert map_channels(channels).interpolated == EEG_CHANNELS[:4]
    with pytest.raises(SourceRefused, match=r"lacks Fp1, .*Fz.*--max-missing 5"):
        map_channels(channels[1:])
    assert len(map_channels(channels[1:], max_missing=5).interpolated) == 5
    with pytest.raises(SourceRefused, match="up to 0 are interpolated"):
        map_channels(channels, max_missing=0)


def test_interpolation_is_what_mne_does() -> None:
    import mne

    missing = ["FC1", "Oz"]
    data = eeg_like(50).T.astype(np.float64)
    info = mne.create_info(list(EEG_CHANNELS), RATE, "eeg")
    evoked = mne.EvokedArray(data.copy(), info, verbose="error")
    evoked.set_montage("standard_1005", verbose="error")
    evoked.info["bads"] = missing
    evoked.interpolate_bads(verbose="error")
    present = [i for i, c in enumerate(EEG_CHANNELS) if c not in missing]
    ours = spline_weights(missing) @ data[present]
    theirs = evoked.data[[EEG_CHANNELS.index(c) for c in missing]]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_a_smooth_field_survives_interpolation() -> None:
    weights = spline_weights(["Cz"])
    assert weights.sum() == pytest.approx(1.0, abs=1e-6)  # a constant stays


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("V", 1e6), ("mV", 1e3), ("microvolts", 1), ("µV", 1), ("nV", 1e-3), ("-6", 1)],
)
def test_units_are_brought_to_microvolts(unit: str, factor: float) -> None:
    mapped = map_channels([Channel(c, "EEG", unit) for c in EEG_CHANNELS])
    uv = mapped.apply(np.full((1, 30), 2.0))
    np.testing.assert_allclose(uv, 2.0 * factor)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(SourceRefused, match="Fp1 in 'furlongs'"):
        map_channels([Channel(c, "EEG", "furlongs") for c in EEG_CHANNELS])


def test_a_trigger_channel_of_nan_does_not_reach_the_electrodes() -> None:
    channels = [Channel(c, "EEG", "uV") for c in EEG_CHANNELS[1:]]
    mapped = map_channels([Channel("triggerStream", "EEG", "code"), *channels])
    values = np.ones((3, 30))
    values[:, 0] = np.nan
    assert np.isfinite(mapped.apply(values)).all()


def test_the_map_in_the_config_must_name_electrodes(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text('[eeg.rename]\n"Ch 1" = "Fp3"\n')
    with pytest.raises(
        LiveConfigError, match=r"live\.toml: eeg\.rename: 'Fp3' is none"
    ):
        read_live_config(path)
    path.write_text("[eeg]\nrenames = {}\n")
    with pytest.raises(LiveConfigError, match=r"live\.toml: unknown key eeg\.renames"):
        read_live_config(path)
    path.write_text('[eeg.rename]\n"Ch 1" = "Fp1"\n')
    assert read_live_config(path)[0].eeg.rename == {"Ch 1": "Fp1"}
