"""Arrays out of a pickle that is never run: its opcodes are read, not obeyed.

Unpickling calls whatever the file names, which is how a data file can run programs.
Here a small machine of our own follows the opcodes; the few functions that NumPy's
arrays are made with are done by hand, with every size checked against the file, and
anything else is refused with its name. Neither `pickle` nor NumPy's own unpickling
takes part: the latter trusts the sizes it is told.
"""

import math
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from eav_offline.errors import InputRefused

# A released file has some thousands; a hostile one could keep us busy for hours.
MAX_OPCODES = 2_000_000
_MAX_DEPTH = 4  # of lists: windows, frames, and the four parts around them
_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
_BYTE_ORDERS = "<>|="


class PickleRefused(InputRefused):
    """A pickle that is damaged, or holds something else than arrays of numbers."""


class _Fault(Exception):
    """What is wrong with the pickle, before the file's name is put to it."""


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


@dataclass
class _Dtype:
    code: str  # without byte order: "f4"
    order: str = "="

    def as_numpy(self) -> np.dtype:
        return np.dtype(self.order + self.code)


@dataclass
class _Array:
    value: np.ndarray | None = None  # filled in by the opcode BUILD


def load_arrays(path: Path) -> list[np.ndarray]:
    """The arrays of a pickled list of arrays, or of lists of numbers, of any protocol.

    Written by NumPy 1 or 2. The arrays are views of what was read and cannot be
    written to. Raises PickleRefused, with the name of whatever else the file calls.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            top = _run(_Bounded(file, size))
        if not isinstance(top, list | tuple):
            raise _Fault(f"it holds {_kind(top)}, not a list of arrays")
        finisher = _Finisher(size)
        return [np.asarray(finisher.finish(item, _MAX_DEPTH)) for item in top]
    except _Fault as fault:
        raise PickleRefused(
            f"{path} is refused, and nothing in it was run: {fault}. Expected a "
            "pickled list of arrays of numbers; take the file from the dataset again"
        ) from fault
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AttributeError,
        MemoryError,
        RecursionError,
    ) as error:
        raise PickleRefused(
            f"{path} is no whole pickle of arrays ({type(error).__name__}: {error}); "
            "copy it again from the dataset"
        ) from error


class _Bounded:
    """A file that refuses to read beyond its end, before memory is taken for it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size

    def read(self, n: int) -> bytes:
        left = self._size - self._file.tell()
        if n > left:
            raise _Fault(f"it declares {n} bytes where {left} are left")
        return self._file.read(n)

    def readline(self) -> bytes:
        return self._file.readline()

    def tell(self) -> int:
        return self._file.tell()


class _Finisher:
    """Turns what the machine left into arrays, none larger than the file in sum.

    A pickle may name one array in many places; without a limit a small file could ask
    for any amount of memory.
    """

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes

    def finish(self, value: object, depth: int) -> Any:
        if isinstance(value, _Array) and value.value is not None:
            self._spend(value.value.nbytes)
            return value.value
        if isinstance(value, bool | int | float | np.generic):
            self._spend(1)
            return value
        if isinstance(value, list | tuple) and depth:
            self._spend(1)
            array = np.asarray([self.finish(item, depth - 1) for item in value])
            if array.dtype.kind not in "biuf":
                raise _Fault(f"a list in it makes an array of {array.dtype}")
            return array
        raise _Fault(f"among its arrays is {_kind(value)}")

    def _spend(self, n_bytes: int) -> None:
        self._left -= n_bytes
        if self._left < 0:
            raise _Fault("its arrays together are larger than the file")


class _Machine:
    """Pickle's stack, marks and memo, as far as arrays need them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, arg: Any) -> None:
        if name in _IGNORED:
            return
        if name in _VALUES:
            self.stack.append(arg)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[arg] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[arg])
        elif name in _TUPLE_SIZES:
            self.stack.append(tuple(self._pop_many(_TUPLE_SIZES[name])))
        else:
            self._build(name, arg)

    def _build(self, name: str, arg: Any) -> None:
        stack = self.stack
        if name == "MARK":
            self.marked.append(stack)
            self.stack = []
        elif name in ("TUPLE", "LIST"):
            items = self._pop_mark()
            self.stack.append(tuple(items) if name == "TUPLE" else items)
        elif name == "APPEND":
            item = stack.pop()
            self._list().append(item)
        elif name == "APPENDS":
            items = self._pop_mark()
            self._list().extend(items)
        elif name == "GLOBAL":
            module, _, called = arg.partition(" ")
            stack.append(_allowed(module, called))
        elif name == "STACK_GLOBAL":
            called, module = stack.pop(), stack.pop()
            stack.append(_allowed(module, called))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(_call(function, arguments))
        elif name == "BUILD":
            state = stack.pop()
            _set_state(stack[-1], state)
        else:
            raise _Fault(f"it uses the opcode {name}, which no array needs")

    def _pop_many(self, n: int) -> list[Any]:
        if n > len(self.stack):
            raise _Fault("it takes more from the stack than there is")
        items = self.stack[len(self.stack) - n :]
        del self.stack[len(self.stack) - n :]
        return items

    def _pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marked.pop()
        return items

    def _list(self) -> list[Any]:
        top = self.stack[-1]
        if type(top) is not list:
            raise _Fault(f"it appends to {_kind(top)}")
        return top


_IGNORED = frozenset({"PROTO", "FRAME"})
_VALUES = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
        *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
        *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    }
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _run(file: _Bounded) -> Any:
    machine = _Machine()
    # It needs read, readline and tell, and leaves what they return alone.
    opcodes = pickletools.genops(cast(IO[bytes], file))
    for number, (opcode, arg, _) in enumerate(opcodes):
        if number > MAX_OPCODES:
            raise _Fault(f"it has more than {MAX_OPCODES} opcodes")
        if opcode.name == "STOP":
            return machine.stack.pop()
        machine.step(opcode.name, arg)
    raise _Fault("it has no end")


def _allowed(module: object, name: object) -> _Global:
    found = _Global(str(module), str(name))
    if found not in _MADE_BY_HAND:
        raise _Fault(f"it calls {found.module}.{found.name}")
    return found


def _call(function: object, arguments: object) -> Any:
    if not isinstance(function, _Global) or not isinstance(arguments, tuple):
        raise _Fault(f"it calls {_kind(function)}")
    return _MADE_BY_HAND[function](*arguments)


def _set_state(target: object, state: object) -> None:
    if not isinstance(state, tuple):
        raise _Fault(f"it gives {_kind(target)} the state {_kind(state)}")
    if isinstance(target, _Dtype):
        _, order, *fields = state
        if order not in _BYTE_ORDERS or any(field is not None for field in fields[:3]):
            raise _Fault("it holds a structured array")
        target.order = order
    elif isinstance(target, _Array):
        _, shape, dtype, fortran, data = state
        target.value = _make_array(data, dtype, shape, "F" if fortran else "C")
    else:
        raise _Fault(f"it gives {_kind(target)} a state")


def _make_array(data: Any, dtype: object, shape: Any, order: str) -> np.ndarray:
    if not isinstance(dtype, _Dtype):
        raise _Fault(f"the dtype of an array is {_kind(dtype)}")
    if isinstance(data, str):  # Python 2 wrote bytes so
        data = data.encode("latin-1")
    if not isinstance(data, bytes | bytearray):
        raise _Fault(f"the contents of an array are {_kind(data)}")
    if not (
        isinstance(shape, tuple)
        and all(type(n) is int and n >= 0 for n in shape)
        and len(shape) <= 8
    ):
        raise _Fault("the shape of an array is not of whole numbers")
    kind = dtype.as_numpy()
    if math.prod(shape) * kind.itemsize != len(data):
        raise _Fault(
            f"an array declares {shape} values of {kind.itemsize} bytes and has "
            f"{len(data)} bytes"
        )
    values = np.frombuffer(data, kind) if data else np.empty(0, kind)
    return values.reshape(shape, order="F" if order == "F" else "C")


def _dtype(code: object, *_: object) -> _Dtype:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        what = "objects" if code in ("O", "O8", "O4", "|O") else repr(code)[:40]
        raise _Fault(f"it holds an array of {what}, not of numbers")
    return _Dtype(code.lstrip(_BYTE_ORDERS), code[0] if code[0] in "<>" else "=")


def _empty_array(subtype: object, *_: object) -> _Array:
    if subtype != _NDARRAY:
        raise _Fault(f"it makes an array of the kind {_kind(subtype)}")
    return _Array()


def _scalar(dtype: object, data: object) -> Any:
    return _make_array(data, dtype, (), "C")[()]


def _array_of_buffer(data: object, dtype: object, shape: object, order: str) -> _Array:
    return _Array(_make_array(data, dtype, shape, order))


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise _Fault(f"it writes bytes as {str(encoding)[:40]!r}")
    return text.encode("latin-1")


def _refuse_call(*_: object) -> Any:
    raise _Fault("it calls numpy.ndarray")


def _kind(value: object) -> str:
    if isinstance(value, _Global):
        return f"{value.module}.{value.name}"
    return f"a {type(value).__name__.lstrip('_').lower()}"


_NDARRAY = _Global("numpy", "ndarray")
_MADE_BY_HAND: dict[_Global, Callable[..., Any]] = {
    _NDARRAY: _refuse_call,  # only named, as the kind to make
    _Global("numpy", "dtype"): _dtype,
    _Global("_codecs", "encode"): _encode,
    # NumPy 1 and 2 keep them in different places.
    _Global("numpy.core.multiarray", "_reconstruct"): _empty_array,
    _Global("numpy._core.multiarray", "_reconstruct"): _empty_array,
    _Global("numpy.core.multiarray", "scalar"): _scalar,
    _Global("numpy._core.multiarray", "scalar"): _scalar,
    _Global("numpy.core.numeric", "_frombuffer"): _array_of_buffer,
    _Global("numpy._core.numeric", "_frombuffer"): _array_of_buffer,
}
