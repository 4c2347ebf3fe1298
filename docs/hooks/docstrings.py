"""Docstrings as Markdown: what they say of each parameter or field becomes a list.

In the source they are sentences such as `rate: in hertz. seed: of the shuffling.`
"""

import re
from collections.abc import Collection
from typing import Any

import griffe
from meanings import meanings

_EXAMPLE = re.compile(r"^(?:>>>.*\n?(?:(?!>>>)\S.*\n?)*)+", re.MULTILINE)


def as_markdown(docstring: str, names: Collection[str]) -> str:
    """The docstring with a list of what it says of `names`, and fenced examples."""
    rest, found = meanings(docstring, names)
    items = [f"- {_code(said)}: {text}" for said, text in found.items()]
    first, _, more = rest.partition("\n\n")
    parts = [first, "\n".join(items), _EXAMPLE.sub(_fenced, more)]
    return "\n\n".join(part for part in parts if part)


class ReadableDocstrings(griffe.Extension):
    """Rewrites every docstring of the reference."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called by griffe with each object that it has read."""
        if obj.docstring is None:
            return
        names: list[str] = []
        if obj.is_function:
            names = [parameter.name for parameter in obj.parameters]
        elif obj.is_class:
            names = [*obj.attributes, *_constructor(obj)]
        obj.docstring.value = as_markdown(obj.docstring.value, names)


def _constructor(obj: griffe.Object) -> list[str]:
    init = obj.members.get("__init__")
    return [] if init is None else [parameter.name for parameter in init.parameters]


def _code(said: str) -> str:
    return ", ".join(f"`{name}`" for name in said.split(", "))


def _fenced(found: re.Match[str]) -> str:
    return f"```python\n{found[0].rstrip()}\n```\n"
