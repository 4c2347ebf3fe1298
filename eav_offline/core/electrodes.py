"""From the channels of an amplifier to the 30 electrodes of the models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from eav_offline.core.window import N_CHANNELS


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
