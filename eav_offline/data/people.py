"""The people of one cache or of several, each under a number of their own."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from eav_offline.common.errors import InputRefused
from eav_offline.common.files import existing_folder
from eav_offline.data.cache import (
    PreparedError,
    PreparedSubject,
    dataset_of,
    list_prepared,
    list_unfinished,
    open_prepared,
)
from eav_offline.data.recipe import differing_settings

# Of several caches the people of the second are numbered from 10,001 on, and so forth:
# its person 3 is 10003. Trials have numbers below it too (`window_set`).
NEXT_CACHE = 10_000


def open_subjects(
    caches: Sequence[Path], subjects: Collection[int] | None = None
) -> list[PreparedSubject]:
    """Prepared subjects of one cache or several, all if None.

    subjects: their numbers, see `open_person`. Raises InputRefused if one is not
    there, or none at all, or if they do not fit together (`require_alike`).
    """
    there = list_people([existing_folder(cache) for cache in caches])
    wanted = sorted(set(subjects or there))
    missing = sorted(set(wanted) - set(there))
    if missing or not wanted:
        lacking = ", ".join(map(str, missing)) or "at all"
        begun = [
            place * NEXT_CACHE + n
            for place, cache in enumerate(caches)
            for n in list_unfinished(cache)
        ]
        also = "".join(
            f"; subject {n} is not finished, go on with the same command"
            for n in begun
            if n in missing or not wanted
        )
        name = " and ".join(map(str, caches))
        raise InputRefused(
            f"{name} has no prepared subject {lacking} (it has "
            f"{', '.join(map(str, there)) or 'none'}); run eav-offline prepare{also}"
        )
    opened = [open_person(caches, number) for number in wanted]
    require_alike(opened)
    return opened


def open_person(caches: Sequence[Path], number: int) -> PreparedSubject:
    """One of the people of several caches, under the number that is theirs together.

    number: in the cache, and `NEXT_CACHE` more for each cache before it. Raises
    PreparedError as `open_prepared` does.
    """
    place, own = divmod(number, NEXT_CACHE)
    if place >= len(caches):
        raise PreparedError(
            f"subject {number} is number {own} of data set {place + 1}, but "
            f"{len(caches)} were given; name them all, in the same order (--data)"
        )
    return replace(open_prepared(caches[place], own), subject=number)


def list_people(caches: Sequence[Path]) -> list[int]:
    """Numbers of the people of several caches, as `open_person` takes them."""
    return [
        place * NEXT_CACHE + number
        for place, cache in enumerate(caches)
        for number in list_prepared(cache)
    ]


def require_alike(subjects: Sequence[PreparedSubject]) -> None:
    """Raise PreparedError unless these can be learned from together.

    They must be prepared with the same settings, of whatever dataset, and no two be the
    same number of one dataset: that is one person, who must not be on both sides.
    """
    first, known = subjects[0], dict[tuple[str, int], PreparedSubject]()
    for one in subjects:
        differing = differing_settings(first.meta["recipe"], one.meta["recipe"])
        differing.pop("dataset", None)
        if differing:
            told = ", ".join(f"{k} {a} and {b}" for k, (a, b) in differing.items())
            raise PreparedError(
                f"{first.folder} and {one.folder} were prepared with different "
                f"settings ({told}); prepare one of them again"
            )
        dataset, number = dataset_of(one.meta), one.subject % NEXT_CACHE
        other = known.setdefault((dataset, number), one)
        if other.subject != one.subject:
            raise PreparedError(
                f"{other.folder} and {one.folder} are both subject {number} of "
                f"{dataset}, which is one person; leave one out with --subjects, or "
                "prepare different people under different numbers"
            )
