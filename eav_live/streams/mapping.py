"""Which channel of a stream somebody says is which electrode, and what may be meant.

What a label only resembles, or its place in the header, is a proposal: a person looks
at it before it is used.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eav_live.options import MAX_MISSING
from eav_offline.core.electrodes import (
    MAX_MISSING as USUAL_MISSING,
)
from eav_offline.core.electrodes import (
    Channel,
    electrode_name,
    is_electrode,
)
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS

_BEFORE_A_NAME = re.compile(r"^(?:eeg|channel|chan|ch)\d*", re.IGNORECASE)


def by_name(labels: Sequence[str]) -> dict[str, int]:
    """Electrode -> channel, counted from 0, of those whose label is or holds its name.

    labels: of all channels, empty where the header has none. A label that holds two
    names, as of a bipolar lead, proposes neither.
    """
    found: dict[str, int] = {}
    readings: tuple[Callable[[str], set[str]], ...] = (
        lambda label: {electrode_name(label)},  # as the session reads it
        lambda label: {electrode_name(re.sub(r"[^a-zA-Z0-9]", "", label))},
        lambda label: set(map(electrode_name, re.split(r"[^a-zA-Z0-9]+", label))),
        lambda label: {electrode_name(_BEFORE_A_NAME.sub("", label.strip()))},
    )
    for read in readings:
        for channel, label in enumerate(labels):
            meant = read(label) & set(EEG_CHANNELS)
            if len(meant) == 1 and channel not in found.values():
                found.setdefault(meant.pop(), channel)
    return found


def in_order(labels: Sequence[str]) -> dict[str, int]:
    """`by_name`, and the other electrodes by the order of the channels that are left.

    Channels that say they are something else, as triggers, are passed over.
    """
    found = by_name(labels)
    left = [
        channel
        for channel, label in enumerate(labels)
        if channel not in found.values() and is_electrode(Channel(label))
    ]
    lacking = [name for name in EEG_CHANNELS if name not in found]
    return found | dict(zip(lacking, left, strict=False))


def mapping_settings(
    labels: Sequence[str], places: Mapping[str, int]
) -> dict[str, Any]:
    """What has a session read these channels as these electrodes, as plain values.

    places: electrode -> channel; electrodes that are not there are computed from the
    others. Returns `rename` and `labels` of the configuration's [eeg], of which one
    is empty, and the option `max_missing`.
    """
    n_missing = N_CHANNELS - len(places)
    allowed = min(max(n_missing, USUAL_MISSING), int(MAX_MISSING.most))
    settings: dict[str, Any] = {
        "rename": {},
        "labels": None,
        "max_missing": allowed if n_missing else None,
    }
    electrodes = {channel: name for name, channel in places.items()}
    plain = [label.strip().casefold() for label in labels]
    unused = [label for i, label in enumerate(labels) if i not in electrodes]
    # Names lead to channels wherever they are; only where they would lead to others
    # must the whole header be named anew, which then has to stay as it is.
    if len(set(plain)) == len(plain) and not {*map(electrode_name, unused)} & {
        *EEG_CHANNELS
    }:
        settings["rename"] = {
            labels[channel]: name
            for channel, name in electrodes.items()
            if electrode_name(labels[channel]) != name
        }
    else:
        settings["labels"] = [
            electrodes.get(i, f"aux {i + 1}") for i in range(len(labels))
        ]
    return settings
