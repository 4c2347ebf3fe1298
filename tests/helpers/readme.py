"""The Python snippets of README, to be run as they stand there."""

import re
from pathlib import Path

_README = Path(__file__).parents[2] / "README.md"


N_SNIPPETS = 4  # each run by a test of its own


def snippet(containing: str) -> str:
    """The one Python block of README that has this text in it."""
    text = _README.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == N_SNIPPETS
    (found,) = [block for block in blocks if containing in block]
    return str(found)
