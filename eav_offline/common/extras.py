"""Libraries that not everybody needs: what is said where one is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from eav_offline.common.errors import InputRefused

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
