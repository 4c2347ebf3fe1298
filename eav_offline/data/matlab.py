"""Reading MATLAB files of both kinds: v5 through scipy, v7.3 through HDF5."""

import math
import zlib
from pathlib import Path

import h5py
import numpy as np
from scipy import io
from scipy.io.matlab import MatReadError


class MatlabError(Exception):
    """A MATLAB file that cannot be read; the message names file and cause."""


# What scipy and h5py were seen to raise on files cut off or with flipped bytes.
_READ_ERRORS = (
    MatReadError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    MemoryError,
    zlib.error,
)


# Bytes that a value of each of MATLAB's classes takes; others are not read.
_VALUE_BYTES = {
    **dict.fromkeys(("double", "int64", "uint64"), 8),
    **dict.fromkeys(("single", "int32", "uint32"), 4),
    **dict.fromkeys(("int16", "uint16", "char"), 2),
}
_MAX_PACKED = 1032  # deflate, which both kinds use, packs no more into a byte
_MAX_BYTES = 16e9  # EAV's largest array has 0.5


def variable_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array in the file, in MATLAB's order of axes.

    Reads headers only. Raises MatlabError if the file is damaged or none of MATLAB's.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                return {
                    name: tuple(reversed(item.shape))
                    for name, item in file.items()
                    if isinstance(item, h5py.Dataset)
                }
        return {
            name: tuple(int(n) for n in shape)
            for name, shape, _ in io.whosmat(str(path), appendmat=False)
        }
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error


def read_variable(path: Path, name: str) -> np.ndarray:
    """One numeric array, in MATLAB's order of axes.

    HDF5 lists axes the other way round, so a v7.3 array comes transposed into memory.
    Raises MatlabError if the file is damaged, or the variable missing or not numeric.
    """
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                item = file.get(name)
                if isinstance(item, h5py.Dataset):
                    _check_size(path, name, item.nbytes)
                array = item[...].T if isinstance(item, h5py.Dataset) else None
        else:
            for found, shape, kind in io.whosmat(str(path), appendmat=False):
                if found == name:
                    n_values = math.prod(int(n) for n in shape)
                    _check_size(path, name, n_values * _VALUE_BYTES.get(kind, 1))
            array = io.loadmat(str(path), variable_names=[name], appendmat=False).get(
                name
            )
    except _READ_ERRORS as error:
        raise _unreadable(path, error) from error
    if array is None:
        raise MatlabError(f"{path} has no variable {name!r}")
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise MatlabError(
            f"{path}: variable {name!r} holds {array.dtype} values, expected numbers"
        )
    return array


def _check_size(path: Path, name: str, n_bytes: int) -> None:
    """Refuse an array that cannot be in the file, before memory is taken for it."""
    size = path.stat().st_size
    if n_bytes > min(_MAX_PACKED * size, _MAX_BYTES):
        raise MatlabError(
            f"{path}: variable {name!r} declares {n_bytes / 1e9:.1f} GB in a file of "
            f"{size / 1e9:.3f} GB; the file is damaged or made to do harm, so copy it "
            "again from the dataset"
        )


def _unreadable(path: Path, error: Exception) -> MatlabError:
    return MatlabError(
        f"{path} cannot be read as a MATLAB file ({type(error).__name__}: {error}); "
        "it is damaged or cut off, so copy it again from the dataset"
    )
