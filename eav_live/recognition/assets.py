"""The models that come with the program, and whatever else is in assets/."""

from pathlib import Path

# What recognizes, where no other model is named.
PEOPLE_MODEL, DEMO_MODEL = "people.safetensors", "demo.safetensors"


def asset(name: str) -> Path:
    """A file of assets/, from an installed package or from a clone."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "assets", package.parent / "assets"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"assets/{name} is missing; install the package again")
