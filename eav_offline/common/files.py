"""Files that are whole or not there at all, what damaged ones raise, a run's model.

JSON from elsewhere, which may be anything. Versions of what made a file, for the record
it keeps of itself.
"""

import hashlib
import json
import os
import platform
import secrets
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from eav_offline.common.errors import CheckpointError, InputRefused

# What NumPy was seen to raise on .npy and .npz files cut off or with flipped bytes: it
# parses headers as Python literals and hands the rest to zipfile.
ARRAY_ERRORS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
MODEL_FILE = "model.safetensors"  # of a run
_PACKAGES = ("eav-live", "numpy", "scipy", "torch", "facenet-pytorch", "safetensors")


def asset(name: str) -> Path:
    """A file of assets/, from an installed package or from a clone."""
    root = Path(__file__).resolve().parents[2]
    for folder in (root / "eav_live" / "assets", root / "assets"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"assets/{name} is missing; install the package again")


def checkpoint_file(path: Path | str) -> Path:
    """The checkpoint that a path names: the file itself, or a run's folder's model."""
    path = Path(path)
    return path / MODEL_FILE if path.is_dir() else path


def existing_checkpoint(path: Path) -> Path:
    """The path itself. Raises CheckpointError if there is no file, or of another kind.

    Only its first bytes are looked at, for which nobody waits.
    """
    if not path.is_file():
        many = path.parent.glob(f"*/*/{MODEL_FILE}") if path.name == MODEL_FILE else ()
        such = "".join(f", such as {one.parent}" for one in islice(many, 1))
        raise CheckpointError(
            f"{path} does not exist; give the folder of a training run{such}, or the "
            f"{MODEL_FILE} in it"
        )
    with path.open("rb") as file:
        begin = file.read(9)  # the length of the header, which is a JSON object
    if begin[8:] != b"{":
        raise CheckpointError(
            f"{path} is not a safetensors file or is damaged; expected the "
            f"{MODEL_FILE} that eav-offline train writes"
        )
    return path


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Have an OSError that names no file name this one: writing does not name it."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_atomically(path: Path, content: bytes | memoryview | str) -> None:
    """Write a file so that readers see the old one or the new one, never a part.

    It may be read by whom the umask says, but by nobody who could not read the old one.
    Raises OSError that names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        file = temporary.open("xb")
    except OSError as error:
        error.filename = str(path)
        raise
    try:
        with suppress(FileNotFoundError):  # before there is anything to read
            was, new = (stat.S_IMODE(p.stat().st_mode) for p in (path, temporary))
            temporary.chmod(was & new)
        with naming(path), file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def private_files() -> Iterator[None]:
    """Have files and new folders be their owner's only: what tells of a person.

    In this block, or in what it decorates; of the whole process, while that lasts.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def as_object(value: object) -> dict[str, Any]:
    """The JSON object that a value is; an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def parsed_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object that a text is; an empty one if it is something else."""
    try:
        return as_object(json.loads(text))
    except ValueError:
        return {}


def existing_folder(path: Path) -> Path:
    """The path itself. Raises InputRefused if it is no folder."""
    if not path.is_dir():
        raise InputRefused(f"{path} is not a folder; give one that exists")
    return path


def output_folder(path: Path) -> Path:
    """The path itself. Raises InputRefused if no folder can be made or written there.

    Found out before the work and not after it.
    """
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not there.is_dir():
        raise InputRefused(
            f"{path} cannot be written: {there} is a file; give a folder, which may "
            "be new"
        )
    probe = there / f".eav-{os.getpid()}"  # some folders only say that they take files
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise InputRefused(
            f"{path} cannot be written: {there} takes no new file or folder "
            f"({error.strerror}); give another folder"
        ) from error
    return path


def output_file(path: Path) -> Path:
    """The path itself. Raises InputRefused if no file can be written there."""
    if path.is_dir():
        raise InputRefused(f"{path} is a folder; give the file to be written")
    output_folder(path.absolute().parent)
    return path


def file_digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_versions() -> dict[str, str]:
    """By name: Python and the packages that numbers depend on."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions
