"""The recipe of a prepared cache: all that decides its numbers."""

import hashlib
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from eav_offline.core import labels, window
from eav_offline.preprocess import PreprocessSettings
from eav_offline.preprocess import audio as log_mel_settings
from eav_offline.preprocess import eeg as eeg_settings
from eav_offline.preprocess import face as face_settings

FORMAT = 3  # raise it when preprocessing changes in a way the recipe does not show
EAV = "eav"  # the dataset whose name is not written


def make_recipe(
    settings: PreprocessSettings, task: str, dataset: str = EAV
) -> dict[str, Any]:
    """Everything that decides a cache's numbers, as plain values.

    dataset: of another than EAV the name is part of it, so that its subjects cannot
    get among those of EAV.
    """
    from eav_offline.preprocess import mtcnn as detector_settings  # brings PyTorch

    recipe: dict[str, Any] = {
        "format": FORMAT,
        "task": task,
        "settings": settings.as_values(),
        "labels": _constants(labels),
        "window": _constants(window),
        "eeg": _constants(eeg_settings),
        "log_mel": _constants(log_mel_settings),
        "face": _constants(face_settings),
        "detector": _constants(detector_settings),
    }
    if dataset != EAV:
        recipe["dataset"] = dataset
    plain: dict[str, Any] = json.loads(json.dumps(recipe))  # tuples become lists
    return plain


def _constants(module: ModuleType) -> dict[str, Any]:
    """All of a module's own, those that it does not name to others too.

    None is chosen by hand, so none can be forgotten. The few that decide nothing in
    files, such as how long a live session waits for a face, cost an anew prepared cache
    when they change.
    """
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper()
        and isinstance(value, (int, float, str, tuple))
        and (module is window or not hasattr(window, name))
    }


def recipe_key(recipe: dict[str, Any]) -> str:
    """A short hash of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def differing_settings(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """What two recipes say differently, by name, ascending."""
    one, other = _flat(before), _flat(now)
    return {
        name: (one.get(name), other.get(name))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def _flat(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Each value by its own name: of a setting alone, of a constant after its part."""
    flat: dict[str, Any] = {}
    for part, values in recipe.items():
        if not isinstance(values, dict):
            flat[part] = values
            continue
        before = "" if part == "settings" else f"{part}."
        flat |= {f"{before}{name}": value for name, value in values.items()}
    return flat
