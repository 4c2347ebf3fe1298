"""Channels that are said to be electrodes: what is proposed, and what is read."""

import pytest

from eav_live.streams.mapping import by_name, in_order, mapping_settings
from eav_offline.core.electrodes import Channel, map_channels
from eav_offline.core.window import EEG_CHANNELS

NUMBERED = tuple(f"Ch {i}" for i in range(1, 31))


def test_names_are_proposed_where_a_label_holds_one_electrode_alone() -> None:
    labels = ["A1", "EEG001_FP1", "Fp2", "F-7", "chF3", "Fz-F4", "Cz", "Cz", "T3-ref"]
    expected = {"Fp1": 1, "Fp2": 2, "F7": 3, "F3": 4, "Cz": 6, "T7": 8}
    assert by_name(labels) == expected


def test_order_fills_what_names_leave_open_and_passes_triggers_over() -> None:
    labels = ["TRIG", "Ch 1", "Fp1", "Ch 2", "Status"]
    assert in_order(labels) == {"Fp1": 2, "Fp2": 1, "F7": 3}
    assert in_order(["TRIG", *NUMBERED]) == {
        name: i for i, name in enumerate(EEG_CHANNELS, 1)
    }


@pytest.mark.parametrize(
    ("labels", "places", "named_anew"),
    [
        ((*NUMBERED, "TRIG"), in_order(NUMBERED), False),
        # Where the header has no names, or one twice, only the place tells.
        (("",) * 31, dict(zip(EEG_CHANNELS, range(1, 31), strict=True)), True),
        (("x", *("x",) * 30), {n: i for i, n in enumerate(EEG_CHANNELS)}, True),
        # "Fp1" is said to be no electrode, and Ch 31 to be Fp1.
        ((*EEG_CHANNELS, "Ch 31"), in_order(EEG_CHANNELS) | {"Fp1": 30}, True),
        # Two labels that mean each other.
        (EEG_CHANNELS, in_order(EEG_CHANNELS) | {"Fp1": 1, "Fp2": 0}, False),
        # Seven computed, though labels are unknown.
        (NUMBERED, {n: i for i, n in enumerate(EEG_CHANNELS[:23])}, False),
    ],
    ids=["numbers", "no names", "alike", "another", "swapped", "few"],
)
def test_a_session_reads_each_electrode_from_the_channel_that_was_chosen(
    labels: tuple[str, ...], places: dict[str, int], named_anew: bool
) -> None:
    settings = mapping_settings(labels, places)
    assert (settings["labels"] is not None) == named_anew
    named = settings["labels"] or labels
    found = map_channels(
        [Channel(label, "EEG", "uV") for label in named],
        rename=settings["rename"],
        max_missing=settings["max_missing"],
    )
    read = {EEG_CHANNELS[r]: c for r, c in zip(found.rows, found.columns, strict=True)}
    assert read == places
