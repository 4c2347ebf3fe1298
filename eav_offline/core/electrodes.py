"""From the channels of an amplifier to the 30 electrodes of the models.

Which channel of an EEG stream is which electrode: by label, never by position.
"""

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS

log = logging.getLogger(__name__)
MAX_MISSING = 4  # electrodes interpolated without being asked
MIN_GOOD = 4  # splines through fewer mean nothing
CONFIG_HINT = "configs/live.toml"
_OLD_NAMES = {"t3": "T7", "t4": "T8", "t5": "P7", "t6": "P8"}
_CANONICAL = {name.casefold(): name for name in EEG_CHANNELS} | _OLD_NAMES
_PREFIX = re.compile(r"^eeg[\s_:-]+", re.IGNORECASE)
_REFERENCE = re.compile(
    r"[\s_:-]+\(?(?:ref|le|av|avg|car|a1|a2|a1a2|a1\+a2|m1|m2|linked ?ears)\)?$",
    re.IGNORECASE,
)
# Positions of the 10-05 system and the mastoids: other electrodes, not unknown ones.
_OTHER_ELECTRODE = re.compile(
    r"^(?:(?:n|fp|af|f|ft|fc|t|c|tp|cp|p|po|o|i){1,2}(?:z|\d{1,2})h?|[am][12]"
    r"|a1a2|a2a1|nasion|ref|gnd|ground)$",
    re.IGNORECASE,
)
_NOT_ELECTRODE = re.compile(
    r"^(?:trig|stim|status|sti\b|marker|mkidx|event|ecg|ekg|eog|heog|veog|emg|gsr|eda"
    r"|aux|acc|gyro|resp|pulse|ppg|temp|count|packet|sample|battery|time)",
    re.IGNORECASE,
)
_NOT_ELECTRODE_UNITS = ("code", "index", "none", "count", "counts", "bool")
_MICROVOLTS = {
    **dict.fromkeys(("v", "volt", "volts", "0"), 1e6),
    **dict.fromkeys(("mv", "millivolt", "millivolts", "-3"), 1e3),
    **dict.fromkeys(("uv", "µv", "μv", "muv", "microvolt", "microvolts", "-6"), 1.0),
    **dict.fromkeys(("nv", "nanovolt", "nanovolts", "-9"), 1e-3),
}

# MNE's `standard_1005` montage on the sphere that fits it best, unrolled from the
# vertex: distance is the angle from there, 1 at the horizon; x to the right ear,
# y to the nose; (30, 2). Kept as a table because MNE takes seconds to load.
_POSITIONS = {
    **{"Fp1": (-0.30, 0.99), "Fp2": (0.29, 1.00), "F7": (-0.83, 0.68)},
    **{"F3": (-0.42, 0.57), "Fz": (0.00, 0.53), "F4": (0.42, 0.58)},
    **{"F8": (0.82, 0.69), "FC5": (-0.74, 0.33), "FC1": (-0.24, 0.29)},
    **{"FC2": (0.24, 0.30), "FC6": (0.74, 0.34), "T7": (-1.06, 0.00)},
    **{"C3": (-0.50, 0.03), "Cz": (0.00, 0.04), "C4": (0.51, 0.04)},
    **{"T8": (1.06, 0.02), "CP5": (-0.72, -0.27), "CP1": (-0.23, -0.20)},
    **{"CP2": (0.24, -0.20), "CP6": (0.73, -0.26), "P7": (-0.80, -0.62)},
    **{"P3": (-0.40, -0.47), "Pz": (0.00, -0.42), "P4": (0.41, -0.46)},
    **{"P8": (0.79, -0.62), "PO9": (-0.68, -1.00), "O1": (-0.28, -0.89)},
    **{"Oz": (-0.01, -0.90), "O2": (0.27, -0.90), "PO10": (0.67, -1.01)},
}
PLACES = np.array([_POSITIONS[name] for name in EEG_CHANNELS])


@dataclass(frozen=True)
class ChannelMap:
    """From the channels of a stream to the 30 electrodes in µV.

    columns: (k,) stream columns of the electrodes it has; rows: (k,) their places in
    `EEG_CHANNELS`; scale: (k,) factors to µV. absent: (m,) the other places, computed
    with weights (m, k). interpolated: names of those.
    """

    columns: np.ndarray
    rows: np.ndarray
    scale: np.ndarray
    absent: np.ndarray
    weights: np.ndarray
    interpolated: tuple[str, ...]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """(n, channels) as sent -> (n, 30) float32 µV in `EEG_CHANNELS` order."""
        # Picked by index, not by one product with zeros in it: a NaN in the trigger
        # channel would reach every electrode.
        present = values[:, self.columns].astype(np.float64) * self.scale
        out = np.empty((len(values), N_CHANNELS), dtype=np.float32)
        out[:, self.rows] = present
        if len(self.absent):
            out[:, self.absent] = present @ self.weights.T
        return out

    def as_values(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "columns": self.columns.tolist(),
            "rows": self.rows.tolist(),
            "scale": self.scale.tolist(),
            "absent": self.absent.tolist(),
            "weights": self.weights.tolist(),
            "interpolated": list(self.interpolated),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """What `as_values` gave. Raises ValueError if it is anything else."""
        try:
            columns = np.array(values["columns"], dtype=np.intp)
            absent = np.array(values["absent"], dtype=np.intp)
            rows = np.array(values["rows"], dtype=np.intp)
            weights = np.array(values["weights"], dtype=np.float64)
            if sorted([*rows.tolist(), *absent.tolist()]) != list(range(N_CHANNELS)):
                raise ValueError(f"it does not tell of {N_CHANNELS} electrodes")
            return cls(
                columns=columns,
                rows=rows,
                scale=np.array(values["scale"], dtype=np.float64).reshape(len(rows)),
                absent=absent,
                weights=weights.reshape(len(absent), len(columns)),
                interpolated=tuple(map(str, values["interpolated"])),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no map of electrodes: {error!r}") from error


@dataclass(frozen=True)
class Channel:
    """One channel as a stream header describes it; empty where it says nothing.

    scaling: factor from the numbers sent to `unit`.
    """

    label: str
    kind: str = ""
    unit: str = ""
    scaling: float = 1.0


def electrode_name(label: str) -> str:
    """The usual spelling of a label: "EEG T3-REF" -> "T7", "fp1." -> "Fp1".

    A label that is none of the 30 comes back without its prefix and suffix.
    """
    name = _REFERENCE.sub("", _PREFIX.sub("", label.strip()))
    name = re.sub(r"[\s.]", "", name)
    return _CANONICAL.get(name.casefold(), name)


def map_channels(
    channels: Sequence[Channel],
    *,
    rename: Mapping[str, str] | None = None,
    bad: Collection[str] = (),
    max_missing: int | None = None,
    stream: str = "the EEG stream",
    config_hint: str = CONFIG_HINT,
) -> ChannelMap:
    """Find the 30 electrodes among a stream's channels.

    rename: label in the stream -> electrode, for amplifiers with names of their own.
    bad: electrodes to be computed as if they were missing.
    max_missing: how many electrodes may be interpolated; None means 4, and none at
        all while an unknown label might be one of those missing.
    Raises SourceRefused if a label is there twice, electrodes are missing, or a unit
    is not known.
    """
    wanted = _wanted_names(rename or {}, config_hint)
    places: dict[str, int] = {}
    unknown: list[str] = []
    for column, channel in enumerate(channels):
        name = wanted.get(channel.label.strip().casefold())
        if name is None:
            if not is_electrode(channel):
                continue
            name = electrode_name(channel.label)
        if name not in EEG_CHANNELS:
            if not _OTHER_ELECTRODE.match(name):
                unknown.append(channel.label or f"(channel {column + 1}, no label)")
            continue
        if name in places:
            first = channels[places[name]].label
            raise SourceRefused(
                f"{stream} has electrode {name} twice (channels {places[name] + 1} "
                f"{first!r} and {column + 1} {channel.label!r}); each may be there "
                "once. Rename one at the amplifier or under [eeg.rename] in "
                f"{config_hint}."
            )
        places[name] = column
    for name in bad:
        places.pop(name, None)
    missing = [name for name in EEG_CHANNELS if name not in places]
    _check_missing(missing, unknown, len(places), max_missing, stream, config_hint)
    if unknown:
        log.warning("%s: labels left out: %s", stream, ", ".join(unknown))

    present = [name for name in EEG_CHANNELS if name in places]
    columns = np.array([places[name] for name in present], dtype=np.intp)
    scale = np.array(
        [_microvolts(channels[i], stream, config_hint) for i in columns.tolist()]
    )
    unlabeled = sum(not channels[i].unit.strip() for i in columns.tolist())
    if unlabeled:
        log.warning("%s: %d channels state no unit; µV assumed", stream, unlabeled)
    return ChannelMap(
        columns=columns,
        rows=np.array([EEG_CHANNELS.index(n) for n in present], dtype=np.intp),
        scale=scale,
        absent=np.array([EEG_CHANNELS.index(n) for n in missing], dtype=np.intp),
        weights=spline_weights(missing),
        interpolated=tuple(missing),
    )


def mend_electrodes(
    eeg_uv: np.ndarray, bad: Collection[str], missing: Collection[str], max_bad: int
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Compute bad electrodes, and those with samples that are no numbers, anew.

    eeg_uv: (30, samples) µV, newest last. missing: electrodes that the stream lacks,
    computed already, and here again if the good ones are fewer. max_bad: how many may
    be computed in all. What precedes a moment with more of them is cut off.
    Returns the EEG, itself if nothing is wrong, and all computed electrodes; None for
    the EEG if too many are bad.
    """
    if not bad and np.isfinite(eeg_uv.sum(dtype=np.float64)):
        return eeg_uv, tuple(name for name in EEG_CHANNELS if name in missing)
    rows = {name: i for i, name in enumerate(EEG_CHANNELS)}
    sent = np.array([name not in missing for name in EEG_CHANNELS])
    broken = ~np.isfinite(eeg_uv)
    hopeless = np.flatnonzero(broken[sent].sum(axis=0) > max_bad - (~sent).sum())
    if broken.any() and len(hopeless):
        cut = int(hopeless[-1]) + 1
        eeg_uv, broken = eeg_uv[:, cut:], broken[:, cut:]
    with_faults = {*bad, *(n for n, i in rows.items() if broken[i].any())}
    wrong = tuple(n for n in EEG_CHANNELS if n in with_faults or n in missing)
    if set(wrong) == set(missing):
        # Nothing but what the source computed already, from the same electrodes.
        return (None if broken.any() else eeg_uv), wrong
    if len(wrong) > max_bad or len(wrong) > N_CHANNELS - MIN_GOOD:
        return None, wrong
    computed = np.array([rows[name] for name in wrong])
    good = np.array([i for name, i in rows.items() if name not in wrong])
    out = eeg_uv.copy()
    out[computed] = _cached_weights(wrong) @ eeg_uv[good].astype(np.float64)
    return out, wrong


@lru_cache(maxsize=32)
def _cached_weights(missing: tuple[str, ...]) -> np.ndarray:
    return spline_weights(missing)


def spline_weights(missing: Sequence[str]) -> np.ndarray:
    """Spherical-spline weights that compute missing electrodes from the others.

    Returns (missing, 30 - missing) float64; the others are in `EEG_CHANNELS` order.
    MNE's interpolation is linear, so what it does to the identity is what it does to
    any signal: one product a chunk instead of one call.
    """
    present = [name for name in EEG_CHANNELS if name not in missing]
    if not missing:
        return np.zeros((0, len(present)))
    import mne  # a second of import that a complete montage does not need

    signals = np.zeros((N_CHANNELS, len(present)))
    signals[[EEG_CHANNELS.index(n) for n in present]] = np.eye(len(present))
    info = mne.create_info(list(EEG_CHANNELS), sfreq=100.0, ch_types="eeg")
    evoked = mne.EvokedArray(signals, info, verbose="error")
    evoked.set_montage("standard_1005", verbose="error")
    evoked.info["bads"] = list(missing)
    evoked.interpolate_bads(verbose="error")
    return evoked.data[[EEG_CHANNELS.index(n) for n in missing]]


def _wanted_names(rename: Mapping[str, str], config_hint: str) -> dict[str, str]:
    names = {}
    for label, electrode in rename.items():
        name = electrode_name(electrode)
        if name not in EEG_CHANNELS:
            raise SourceRefused(
                f"[eeg.rename] in {config_hint} maps {label!r} to {electrode!r}, which "
                f"is none of the {N_CHANNELS} electrodes {', '.join(EEG_CHANNELS)}."
            )
        names[label.strip().casefold()] = name
    return names


def is_electrode(channel: Channel) -> bool:
    """Whether a channel may be an electrode, by its type, its unit and its label."""
    if channel.kind.strip().casefold() not in ("eeg", ""):
        return False
    # BrainAmpSeries types its trigger channel EEG; unit and label give it away.
    if channel.unit.strip().casefold() in _NOT_ELECTRODE_UNITS:
        return False
    return not _NOT_ELECTRODE.match(_PREFIX.sub("", channel.label.strip()))


def _check_missing(
    missing: list[str],
    unknown: list[str],
    n_present: int,
    max_missing: int | None,
    stream: str,
    config_hint: str,
) -> None:
    if missing and unknown and max_missing is None:
        raise SourceRefused(
            f"{stream} lacks {', '.join(missing)} and has unknown labels "
            f"{', '.join(unknown)}, which may be the same. Map each under [eeg.rename] "
            f'in {config_hint} ("{unknown[0]}" = "{missing[0]}"), or give '
            f"--max-missing {len(missing)} to interpolate what is missing."
        )
    allowed = MAX_MISSING if max_missing is None else max_missing
    if len(missing) > allowed:
        remedy = (
            f"give --max-missing {len(missing)} to interpolate them, or name "
            f"the channels under [eeg.rename] in {config_hint}"
            if n_present >= MIN_GOOD
            else f"name the channels under [eeg.rename] in {config_hint}"
        )
        raise SourceRefused(
            f"{stream} has {n_present} of the {N_CHANNELS} electrodes and lacks "
            f"{', '.join(missing)}; up to {allowed} are interpolated. Connect them, "
            f"{remedy}."
        )
    if missing and n_present < MIN_GOOD:
        raise SourceRefused(
            f"{stream} has only {n_present} of the {N_CHANNELS} electrodes; at least "
            f"{MIN_GOOD} are needed to interpolate the others."
        )


def _microvolts(channel: Channel, stream: str, config_hint: str) -> float:
    unit = channel.unit.strip().casefold()
    if not unit:
        return channel.scaling
    if unit not in _MICROVOLTS:
        raise SourceRefused(
            f"{stream} gives {channel.label} in {channel.unit!r}; volts, millivolts, "
            "microvolts or nanovolts were expected. Set the unit at the amplifier's "
            "LSL program."
        )
    return _MICROVOLTS[unit] * channel.scaling


def reference_note(
    stated: str | None, header: str, trained: str, averaged: bool, config_hint: str
) -> str:
    """What is to be said of the reference; empty if all is well.

    stated: `reference` of the configuration; header: what the stream says, "" if
    nothing. trained: the training recordings', "" if the checkpoint does not say.
    averaged: whether the model subtracts the mean electrode, which takes any
    reference out again.
    """
    if averaged:
        return ""
    found = (stated or header).strip()
    if not found:
        known = f" (the model was trained with {trained})" if trained else ""
        return (
            f"the amplifier's reference is not known{known}. Give it as `reference` "
            f"under [eeg] in {config_hint}"
        )
    if trained and _plain(found) != _plain(trained):
        return (
            f"the amplifier's reference is {found} and the model was trained with "
            f"{trained}: what it makes of the EEG may be wrong. Use that reference, "
            "or a model prepared with --reference average"
        )
    return ""


def _plain(reference: str) -> frozenset[str]:
    """The electrodes a reference is made of, whatever their order and spelling."""
    parts = re.split(r"[\s,;+/&]+", reference.casefold())
    return frozenset(part for part in parts if part and part != "and")
