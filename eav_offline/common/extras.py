"""Libraries that not everybody needs: what is said where one is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from eav_offline.common.errors import InputRefused


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Have an import in this block that fails refused, with the line that mends it.

    name: the extra of this package that brings the library. purpose: what it is needed
    for, the beginning of a sentence: "A table of predictions". Raises InputRefused.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "eav_live", "eav_offline"):
            raise  # our own bug
        raise InputRefused(
            f"{purpose} needs {library}, which is not installed; "
            f"pip install 'eav-live[{name}]' brings it"
        ) from error
