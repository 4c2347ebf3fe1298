"""Where the 30 electrodes are on a head that is seen from above, nose up."""

import numpy as np

from eav_offline.core.window import EEG_CHANNELS

# MNE's `standard_1005` montage on the sphere that fits it best, unrolled from the
# vertex: distance is the angle from there, 1 at the horizon; x to the right ear,
# y to the nose. Kept as a table because MNE takes seconds to load.
POSITIONS = {
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
RADIUS = 1.25  # of the head's outline: PO9 and PO10 lie below the horizon
SPOTS = np.array([POSITIONS[name] for name in EEG_CHANNELS])  # (30, 2)
GRID = 32  # cells a side; smooth enough once a picture of it is scaled up
_NEAR = 0.05  # squared distance within which an electrode speaks for itself


def grid_weights(good: np.ndarray) -> np.ndarray:
    """What each electrode has to say about each cell of a square around the head.

    good: (30,) bool, the electrodes that count, at least one. Returns
    (GRID * GRID, 30), rows that sum to 1, top row of cells first: inverse distance
    weighting (Shepard 1968) to the fourth power.
    """
    along = RADIUS * (2 * np.arange(GRID) + 1 - GRID) / GRID
    x, y = np.meshgrid(along, -along)
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    squared = ((cells[:, None] - SPOTS[None]) ** 2).sum(axis=2)
    weights = np.where(good, (squared + _NEAR) ** -2.0, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)
