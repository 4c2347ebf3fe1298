"""Examples in docstrings become blocks of code, where Markdown would see quotations."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(?:>>>.*\n?(?:(?!>>>)\S.*\n?|\.\.\..*\n?)*)+", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences what begins with `>>>`."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called by griffe with each object that it has read."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(
                lambda found: f"```python\n{found[0].rstrip()}\n```\n",
                obj.docstring.value,
            )
