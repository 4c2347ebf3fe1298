"""What installed packages add by entry points: models, streams, data sets.

A name is looked for when it is used and known nowhere else; nothing of such a package
is imported before.
"""

import logging
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

log = logging.getLogger(__name__)

MODELS = "eav_live.models"
STREAMS = "eav_live.streams"
DATASETS = "eav_live.datasets"


class PluginError(InputRefused):
    """What a package offers cannot be used; the message names the package."""


@cache
def offered(group: str) -> "dict[str, tuple[EntryPoint, ...]]":
    """All that the installed packages offer under a group, by name."""
    from importlib.metadata import entry_points  # which --help can do without

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group), key=lambda one: one.name):
        if point not in found.get(point.name, ()):  # a folder may be searched twice
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def offered_names(group: str, taken: Collection[str]) -> list[str]:
    """The names that packages add to those that are `taken` by this program's own."""
    for name in sorted(set(taken) & set(offered(group))):
        log.warning(
            "%s offers %s under %s, a name of eav-live's own, which is used instead",
            *(_package(offered(group)[name][0]), name, group),
        )
    return [name for name in offered(group) if name not in taken]


def load_offered(group: str, name: str) -> Any:
    """The object that a package offers under a name. Raises PluginError."""
    points = offered(group).get(name, ())
    if not points:
        raise PluginError(
            f"no package that is installed offers {name} under {group}; install the "
            "one that does"
        )
    if len(points) > 1:
        packages = " and ".join(sorted(map(_package, points)))
        raise PluginError(
            f"{packages} both offer {name} under {group}; uninstall one of them"
        )
    try:
        return points[0].load()
    except Exception as error:  # whatever is wrong with code of others
        raise PluginError(
            f"{_package(points[0])} offers {name} ({points[0].value}), which cannot be "
            f"loaded: {type(error).__name__}: {error}"
        ) from error


def not_fit(group: str, name: str, expected: str) -> PluginError:
    """The error that says that an object is not what the group is for."""
    (point, *_) = offered(group)[name]
    return PluginError(
        f"{_package(point)} offers {name} ({point.value}), which is no {expected}; see "
        "docs/how-to/extend.md"
    )


def _package(point: "EntryPoint") -> str:
    return "a package" if point.dist is None else point.dist.name
