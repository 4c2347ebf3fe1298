"""An installer for people without Python: a double click, a menu entry, no terminal.

    python .ci/installer/build.py win-64            # osx-arm64, linux-64
    python .ci/installer/build.py win-64 --recipe   # all but the last step

As for MNE-Python and napari, conda's `constructor` makes it. Python comes from
conda-forge, everything else as the wheels that are pinned here: the same bits as by
`pip install`. Needs `uv` and `pip`, and for the last step a conda with `constructor`,
on the system that the installer is for. See docs/how-to/installer.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = "3.12"
EXTRAS = "analysis,bids,train"  # what a lab uses that records and evaluates


_OLDEST = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # for which PyAV has wheels


@dataclass(frozen=True)
class Target:
    """A system: what uv and pip call it, what constructor makes for it."""

    uv: str
    tags: tuple[str, ...]
    kind: str
    prefix: str


# Wheel tags from new to old. On Windows and macOS PyPI's torch is the one without CUDA.
TARGETS = {
    "win-64": Target(
        "x86_64-pc-windows-msvc", ("win_amd64",), "exe", r"%LOCALAPPDATA%\EAV-Live"
    ),
    "osx-arm64": Target(
        "aarch64-apple-darwin", ("macosx_14_0_arm64",), "pkg", "$HOME/EAV-Live"
    ),
    "linux-64": Target(
        "x86_64-manylinux_2_28",
        tuple(f"manylinux_2_{n}_x86_64" for n in (28, 27, 26, 24, 17, 12, 5))
        + ("manylinux2014_x86_64",),
        "sh",
        "$HOME/EAV-Live",
    ),
}


def definition(
    name: str, version: str, terms: Path, wheels: list[Path]
) -> dict[str, object]:
    """What construct.yaml says. terms: of use, ending in .txt; wheels: absolute."""
    target = TARGETS[name]
    windows = name == "win-64"
    said: dict[str, object] = {
        "name": "EAV-Live",
        "version": version,
        "company": "EAV-Live",
        "reverse_domain_identifier": "org.eav-live",
        "license_file": str(terms),
        "channels": ["conda-forge"],
        "specs": [f"python {PYTHON}.*", "pip", "menuinst >=2.1"],
        "installer_type": target.kind,
        "installer_filename": f"EAV-Live-{version}-{name}.{target.kind}",
        "default_prefix": target.prefix,
        "initialize_conda": False,
        "register_python": False,
        "menu_packages": [],
        "script_env_variables": {"EAV_LIVE": f"eav-live[{EXTRAS}]=={version}"},
        "post_install": str(HERE / f"post_install.{'bat' if windows else 'sh'}"),
        "extra_files": [
            {str(HERE / "menu.json"): "Menu/eav-live.json"},
            *({str(wheel): f"wheels/{wheel.name}"} for wheel in wheels),
        ],
    }
    if windows:
        said["pre_uninstall"] = str(HERE / "pre_uninstall.bat")
    return said


def collect(target: Target, folder: Path) -> list[Path]:
    """The wheel of this project, and those of all that it needs, pinned."""
    run("uv", "build", "--wheel", "--out-dir", str(folder), str(ROOT))
    pins = folder / "pins.txt"
    extras = [word for extra in EXTRAS.split(",") for word in ("--extra", extra)]
    run(
        *("uv", "pip", "compile", "--quiet", "--only-binary", ":all:", *extras),
        *("--python-platform", target.uv, "--python-version", PYTHON),
        *("--no-header", "--no-annotate", "--output-file", str(pins)),
        str(ROOT / "pyproject.toml"),
    )
    tags = [word for tag in target.tags for word in ("--platform", tag)]
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--only-binary", ":all:", "--python-version", PYTHON, *tags),
        *("--dest", str(folder), "--requirement", str(pins)),
    )
    return sorted(folder.glob("*.whl"))


def run(*words: str) -> None:
    """A program that must succeed; of macOS, uv takes what runs on 14."""
    subprocess.run(words, check=True, env=os.environ | _OLDEST)


def main() -> int:
    """Collect the wheels, write construct.yaml, call constructor."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("target", choices=TARGETS)
    options.add_argument(
        "--recipe", action="store_true", help="do not call constructor"
    )
    given = options.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folder = ROOT / "build" / "installer" / given.target
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    wheels = collect(TARGETS[given.target], folder / "wheels")
    terms = Path(shutil.copy(ROOT / "LICENSE", folder / "license.txt"))
    said = definition(given.target, project["project"]["version"], terms, wheels)
    # JSON is YAML; so no library is needed to write it.
    (folder / "construct.yaml").write_text(json.dumps(said, indent=1), encoding="utf-8")
    size = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    sys.stdout.write(
        f"{folder / 'construct.yaml'}: {len(wheels)} wheels, {size:.0f} MB\n"
    )
    if not given.recipe:
        where = ["--platform", given.target, "--output-dir", str(folder), str(folder)]
        run("constructor", *where)
    return 0


if __name__ == "__main__":
    sys.exit(main())
