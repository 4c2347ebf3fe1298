"""Packages of examples/, installed into a folder as pip would, without a network."""

import shutil
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def install(package: Path, target: Path) -> None:
    """Copy a package's module, and write what says which entry points it has."""
    about = tomllib.loads((package / "pyproject.toml").read_text())
    project, wheel = about["project"], about["tool"]["hatch"]["build"]["targets"]
    for name in wheel["wheel"]["include"]:
        shutil.copy(package / name, target / name)
    write_info(target, project["name"], project["entry-points"])


def write_info(target: Path, name: str, groups: dict[str, dict[str, str]]) -> None:
    """The metadata of a package of that name. groups: entry points by group, name."""
    info = target / f"{name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n"
    )
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{n} = {value}" for n, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
