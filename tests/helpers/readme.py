"""The Python snippets of README and of the pages, to be run as they stand there."""

import re
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_PAGES = ("README.md", "docs/tutorials/python.md")


N_SNIPPETS = 5  # each run by a test of its own


def snippet(containing: str) -> str:
    """The one Python block of these pages that has this text in it."""
    texts = [(_REPOSITORY / page).read_text(encoding="utf-8") for page in _PAGES]
    found = [re.findall(r"```python\n(.*?)```", text, re.DOTALL) for text in texts]
    blocks = {block for page in found for block in page}  # README repeats one of them
    assert len(blocks) == N_SNIPPETS
    (one,) = [block for block in blocks if containing in block]
    return one
