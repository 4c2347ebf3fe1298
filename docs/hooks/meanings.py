"""What a docstring says of each parameter or field.

In the source these are sentences such as `rate: in hertz. seed: of the shuffling.`
"""

import inspect
import re
from collections.abc import Collection


def meanings(docstring: str, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """The rest of a docstring, and what it says of these names.

    The second is by one name, or by several that it speaks of together: "low, high".
    """
    rest, found = [], {}
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        head, *parts = re.split(_of(names), paragraph) if names else [paragraph]
        rest += [head.strip()] if head.strip() else []
        for said, text in zip(parts[::2], parts[1::2], strict=True):
            found[_sentence(said)] = _sentence(text)
    return "\n\n".join(rest), found


def _of(names: Collection[str]) -> str:
    """Matches `name: ` and `name, other: ` where a sentence may begin."""
    one = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return rf"(?:^|(?<=[.;)])\s+|\n\s*)((?:{one})(?:,\s+(?:{one}))*):\s"


def _sentence(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().removesuffix(";")
