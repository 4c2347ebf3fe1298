"""Do the pinned libraries come as wheels alone, on every system and Python supported?

    python .ci/wheels.py uv

Nothing is built and nothing is installed: uv resolves what `.[dev]` needs with source
distributions forbidden. Exit status 1 names where that fails.
"""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
PYTHONS = ("3.11", "3.12", "3.13")
# What uv calls each, and the oldest macOS for which PyAV has wheels.
PLATFORMS = {
    "x86_64-pc-windows-msvc": {},
    "aarch64-apple-darwin": {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
}


def main(uv: str) -> int:
    """Resolve for each; returns the exit status."""
    failed = False
    for platform, environment in PLATFORMS.items():
        for python in PYTHONS:
            found = subprocess.run(
                [uv, "pip", "compile", "--quiet", "--only-binary", ":all:"]
                + ["--python-platform", platform, "--python-version", python]
                + ["--extra", "dev", "--no-header", "--no-annotate", str(PROJECT)],
                capture_output=True,
                text=True,
                env={**os.environ, **environment},
            )
            n = len(found.stdout.splitlines())
            said = f"{n} wheels" if found.returncode == 0 else found.stderr.strip()
            sys.stdout.write(f"{platform} {python}: {said}\n")
            failed |= found.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
