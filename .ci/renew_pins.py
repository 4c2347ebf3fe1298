"""Write the newest mutually fitting versions into pyproject.toml's constraints.

`./dev pins` runs it. Versions are pinned by name only: a lock file would record
download addresses, which differ between mirrors.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
BEGIN, END = "# pins: begin\n", "# pins: end\n"


def main(uv: str) -> None:
    """Resolve with `uv` for every platform and replace the block between the marks."""
    text = PROJECT.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    with tempfile.TemporaryDirectory() as folder:
        unpinned = Path(folder) / "pyproject.toml"
        unpinned.write_text(head + tail)
        pins = subprocess.run(
            [uv, "pip", "compile", "--quiet", "--universal", "--all-extras"]
            + ["--no-emit-index-url", "--no-annotate", "--no-header", str(unpinned)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.splitlines()
    # A local version such as 2.13.0+cpu names one mirror's build.
    pins = [re.sub(r"\+[^ ;]+", "", pin) for pin in pins if pin.strip()]
    lines = "".join(f'  "{pin}",\n' for pin in pins)
    block = f"[tool.uv]\nconstraint-dependencies = [\n{lines}]\n"
    PROJECT.write_text(head + BEGIN + block + END + tail)
    sys.stdout.write(f"{len(pins)} versions pinned\n")


if __name__ == "__main__":
    main(sys.argv[1])
