"""The error that means: the input is at fault, and how such faults are told.

So is a library that not everybody needs, where one is wanted and not installed.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_MOST = 5  # faults told at a time
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "the file would be larger than is allowed here",
}
_NO_PLACE = {
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EROFS: "it lies on a disk that can only be read",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
    errno.ENAMETOOLONG: "the name is too long",
}
# What is imported -> the extra that brings it.
EXTRAS = {
    "accelerate": "train",
    "dask": "cluster",
    "dask_jobqueue": "cluster",
    "distributed": "cluster",
    "huggingface_hub": "hub",
    "matplotlib": "train",
    "mne_bids": "bids",
    "pandas": "analysis",
    "psutil": "train",
    "pyarrow": "parquet",
    "pybv": "bids",
    "pyriemann": "train",
    "sklearn": "train",
    "transformers": "hub",
}


class InputRefused(Exception):
    """A file, stream, setting or device that cannot be used as it is.

    The message gives what was found, what was expected and what to do. Programs print
    it without a traceback and exit with status 2.
    """


def plain_words(error: BaseException) -> str | None:
    """What to tell a user of an error; None for one that is a fault of the program."""
    if isinstance(error, InputRefused):
        return str(error)
    if (words := how_to_install(error)) is not None:
        return words
    if is_disk_full(error):
        assert isinstance(error, OSError)
        where = error.filename or "what was to be kept"
        return (
            f"{where} could not be written: {_FULL[error.errno or 0]}. Make room or "
            "choose another folder, and give the command again"
        )
    if isinstance(error, OSError) and error.filename and error.errno in _NO_PLACE:
        return (
            f"{error.filename} cannot be used: {_NO_PLACE[error.errno]}. Choose "
            "another place, or mend this one"
        )
    if isinstance(error, UnicodeEncodeError) and has_lost_letters(error.object):
        return LOST_LETTERS
    return None


def is_disk_full(error: BaseException) -> bool:
    """Whether something could not be written for want of room."""
    return isinstance(error, OSError) and error.errno in _FULL


LOST_LETTERS = (
    "a path or an option has letters that this terminal's locale cannot write; set "
    "another one, as in LC_ALL=C.UTF-8, and leave PYTHONUTF8 unset, or rename the file"
)


def has_lost_letters(text: str) -> bool:
    """Whether Python could not decode some bytes of a path or an argument."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def explain_faults(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with each key, for people.

    model: what refused the values; the right spelling of an unknown key is looked for
    in it. Places in lists count from 1.
    """
    faults = [_explain(fault, model) for fault in error.errors()]
    more = [f"{len(faults) - _MOST} more faults"] if len(faults) > _MOST else []
    return "; ".join([*faults[:_MOST], *more])


def did_you_mean(word: str, known: list[str]) -> str:
    """A guess at what was meant by a misspelt word; "" if nothing comes near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def _explain(fault: Any, model: type[BaseModel]) -> str:
    place = fault["loc"]
    key = ".".join(f"{part + 1}" if isinstance(part, int) else part for part in place)
    found = fault["input"]
    if fault["type"] == "extra_forbidden":
        guess = did_you_mean(str(place[-1]), _keys_beside(place, model))
        return f"unknown key {key}; {guess or 'remove it or correct its spelling'}"
    if fault["type"] == "missing":
        return f"key {key} is missing"
    said = str(fault["msg"]).removeprefix("Value error, ")
    if not key or isinstance(found, dict | list | tuple):  # the reason is in the words
        return f"{key}: {said}" if key else said
    return f"{key} = {found!r}: {said}"


def _keys_beside(place: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys of the section that the last part of `place` was looked for in."""
    for part in place[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _section(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `Section`, `tuple[Section, ...]`."""
    if hasattr(annotation, "model_fields"):
        section: type[BaseModel] = annotation
        return section
    return next(filter(None, map(_section, get_args(annotation))), None)


class CheckpointError(InputRefused, ValueError):
    """The file is no checkpoint of this program, or not one for this version."""


class SourceRefused(InputRefused):
    """The stream or device exists but cannot be used; the message says what to do."""


def how_to_install(error: BaseException) -> str | None:
    """What to tell of an import that failed; None if no extra brings the module."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    library = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(library)
    if extra is None:
        return None
    return (
        f"this needs {library}, which is not installed; "
        f"pip install 'eav-live[{extra}]' brings it"
    )


@contextmanager
def with_extras() -> Iterator[None]:
    """Have imports in this block that fail refused, with the line that mends them.

    Also a decorator, of functions that users call from Python; the programs say the
    same of any error that reaches them. Raises InputRefused.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        words = how_to_install(error)
        if words is None:
            raise
        raise InputRefused(words) from error
