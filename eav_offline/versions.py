"""Versions of what made a file, for the record it keeps of itself."""

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("eav-live", "numpy", "scipy", "torch", "facenet-pytorch", "safetensors")


def package_versions() -> dict[str, str]:
    """By name: Python and the packages that numbers depend on."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions
