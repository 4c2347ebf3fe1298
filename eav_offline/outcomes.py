"""What becomes of each job of many: the words for it, and a failure as an answer."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from eav_offline.common.errors import plain_words

log = logging.getLogger(__name__)

DONE, KEPT, FAILED = "done", "kept", "failed"


def failure(name: str, error: Exception, **about: Any) -> dict[str, Any]:
    """Log why the job `name` failed, and say it: `name`, `status`, `error`, `about`.

    Call it where the error was caught. What was refused, or what the disk would not
    take, is told in one line; anything else is a fault of the program, whose trace is
    wanted.
    """
    words = plain_words(error)
    if words is None:
        log.exception("%s failed", name)
    else:
        log.error("%s failed: %s", name, words)
    return {
        "name": name,
        **about,
        "status": FAILED,
        "error": f"{type(error).__name__}: {words or error}",
    }


def changed_lines(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which runs were made anew because their data have changed, and how."""
    anew = [one for one in outcomes if one.get("changed")]
    if not anew:
        return []
    return [
        f"{len(anew)} of {len(outcomes)} runs were made anew, their data have changed:",
        *(f"  {one['name']}: {one['changed']}" for one in anew),
    ]
