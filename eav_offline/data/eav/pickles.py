"""Arrays out of pickles that nobody vouches for: no code of theirs is run."""

import copyreg
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eav_offline.common.errors import InputRefused

MOST_BYTES = 4 << 30  # of a file; the largest released has a quarter of a gigabyte
_MAX_DEPTH = 4  # of lists: windows, frames, and the four parts around them
_NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
# No array needs these. Dictionaries could set attributes of what the file is given, and
# hashing what lies deep in them or in sets can end the process.
_NEVER = ("EMPTY_DICT", "DICT", "EMPTY_SET", "FROZENSET")


class PickleRefused(InputRefused):
    """A pickle that is damaged, or holds something else than arrays of numbers."""


def load_arrays(path: Path) -> list[np.ndarray]:
    """The arrays of a pickled list of arrays, or of lists of numbers, of any protocol.

    Written by NumPy 1 or 2. The arrays are views of what was read and cannot be
    written to. Raises PickleRefused, with the name of whatever else the file calls.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise PickleRefused(f"it has {size} bytes, more than {MOST_BYTES}")
        with path.open("rb") as file:
            for opcode, arg, _ in pickletools.genops(file):
                if opcode.name in _NEVER:
                    raise PickleRefused(
                        f"it uses {opcode.name}, and arrays of numbers need none"
                    )
                # The unpickler takes memory for these before it looks for more.
                if opcode.name.endswith(("PUT", "FRAME")) and (arg or 0) > size:
                    raise PickleRefused(
                        f"it declares {arg} bytes or places, and has {size} bytes"
                    )
            file.seek(0)
            # What other pickles called by number would be called without being asked.
            copyreg.clear_extension_cache()
            top = _ArraysOnly(file, encoding="latin-1").load()
        if not isinstance(top, list | tuple):
            raise PickleRefused(f"it holds a {type(top).__name__}, not a list")
        return [np.asarray(x) for x in _Finisher(size).finish_all(top, _MAX_DEPTH)]
    except OSError as error:
        raise PickleRefused(f"{path} cannot be read ({error}); look there") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise PickleRefused(
            f"{path} is refused, and nothing in it was run: {error}. Expected a "
            "pickled list of arrays of numbers; take the file from the dataset again"
        ) from error


class _ArraysOnly(pickle.Unpickler):
    """Makes arrays of numbers by the functions below, and calls nothing else.

    NumPy's own unpickling takes no part: it trusts what it is told of sizes and types.
    """

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        # NumPy 1 and 2 keep them in different places.
        make = _MAKERS.get((module.replace("numpy._core", "numpy.core"), name))
        if make is None:
            raise PickleRefused(f"it calls {module}.{name}")
        return make


class _Dtype:
    def __init__(self, code: str, *_: object) -> None:
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
            raise PickleRefused(
                f"it holds an array of objects, of records or of text ({code!r:.40})"
            )
        self.value = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.value = self.value.newbyteorder(state[1])


class _Array:
    def __init__(self, value: np.ndarray | None = None) -> None:
        self.value = value

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _array(data, dtype, shape, "F" if fortran else "C")


def _array(
    data: bytes | str, dtype: _Dtype, shape: tuple[int, ...], order: Any
) -> np.ndarray:
    data = (
        data.encode("latin-1") if isinstance(data, str) else data
    )  # Python 2 wrote str
    if math.prod(shape) * dtype.value.itemsize != len(data):
        raise PickleRefused(f"an array declares {shape} and has {len(data)} bytes")
    return np.frombuffer(data, dtype.value).reshape(shape, order=order)


def _encode(text: str, encoding: str) -> bytes:
    return text.encode({"latin1": "latin-1"}[encoding])


_MAKERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): lambda: None,  # only named, as the kind to make
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy.core.multiarray", "scalar"): lambda dtype, x: _array(x, dtype, (), "C")[()],
    ("numpy.core.numeric", "_frombuffer"): lambda *state: _Array(_array(*state)),
}


class _Finisher:
    """Turns what was read into arrays, none larger than the file in sum.

    A pickle may name one array in many places; without a limit a small file could ask
    for any amount of memory.
    """

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes

    def finish_all(self, values: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        """What lists up to so deep in each other hold, as arrays and numbers."""
        return [self._finish(value, depth) for value in values]

    def _finish(self, value: Any, depth: int) -> Any:
        value = value.value if isinstance(value, _Array) else value
        self._left -= getattr(value, "nbytes", 1)
        if self._left < 0:
            raise PickleRefused("its arrays together are larger than the file")
        if isinstance(value, list | tuple) and depth:
            array = np.asarray(self.finish_all(value, depth - 1))
            if array.dtype.kind not in "biuf":
                raise PickleRefused(f"a list in it makes an array of {array.dtype}")
            return array
        if not isinstance(value, bool | int | float | np.generic | np.ndarray):
            raise PickleRefused(f"among its arrays is a {type(value).__name__}")
        return value
