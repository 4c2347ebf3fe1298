"""Tables of what a configuration or a results file holds, from its pydantic model."""

import inspect
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

from meanings import meanings
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from eav_live.options.config import LiveConfig
from eav_offline.config import Config
from eav_offline.evaluation.results import Results

_SIGNS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}


def live_configuration() -> str:
    """Markdown: the tables of live.toml."""
    return _sections(LiveConfig)


def training_configuration() -> str:
    """Markdown: the tables of what `--config` of eav-offline names."""
    return _sections(Config)


def results() -> str:
    """Markdown: the fields of results.json and of what is in them."""
    return _sections(Results)


def _sections(top: type[BaseModel]) -> str:
    """A heading, the docstring and a table of each model below and with `top`."""
    names: dict[type[BaseModel], list[str]] = {}
    for name, model in _walk("", top):
        names.setdefault(model, []).append(name)
    return "\n".join(_section(found, model) for model, found in names.items())


def _section(names: list[str], model: type[BaseModel]) -> str:
    if names != [""]:
        title = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
        return f"### {title}\n\n{_table(model)}"
    if all(_models(field.annotation) for field in model.model_fields.values()):
        return ""  # its keys are the headings that follow
    return _table(model)


def _walk(name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            yield from _walk(f"{name}.{key}".lstrip("."), inner)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models in an annotation such as dict[str, Scores] | None."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in typing.get_args(annotation) for m in _models(part)]


def _said(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """A model's docstring without what it says of the keys, and that, by key."""
    rest, by_key = "", {}
    for above in reversed(model.__mro__):
        if issubclass(above, BaseModel) and above.__doc__ and above is not BaseModel:
            rest, found = meanings(above.__doc__, model.model_fields)
            by_key |= {
                key: text for keys, text in found.items() for key in keys.split(", ")
            }
    return rest, by_key


def _table(model: type[BaseModel]) -> str:
    rest, said = _said(model)
    rows = [
        "| " + " | ".join((f"`{key}`", said.get(key, ""), *_about(field))) + " |"
        for key, field in model.model_fields.items()
    ]
    titles = ["| key | meaning | type | default |", "|---|---|---|---|"]
    return _escaped("\n".join([rest, "", *titles, *rows, ""]))


def _about(field: FieldInfo) -> tuple[str, str]:
    """Type with limits, and default, in words."""
    limits = _limits(field)
    kind = _type(field.annotation)
    return f"{kind}, {limits}" if limits else kind, _default(field)


def _type(annotation: Any) -> str:
    """An annotation in words: `number or null`."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if annotation is type(None):
        return "null"
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return "one of " + ", ".join(f"`{value}`" for value in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(map(_type, arguments))
    if origin is dict:
        return f"table, by {_type(arguments[0])}: {_type(arguments[1])}"
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if _models(annotation):
        return "see below"
    return names.get(annotation, "any")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    if isinstance(value, str) and len(value) > 60:
        return "see the shipped file"
    return "none" if value in (None, "", (), {}, []) else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    """A default as a file would state it, in a cell of a table."""
    plain = list(value) if isinstance(value, tuple) else value
    return json.dumps(plain).replace("|", "\\\\|")


def _limits(field: FieldInfo) -> str:
    """The bounds of a field: `≥ 0, < 1`."""
    metadata = list(field.metadata)
    for part in typing.get_args(field.annotation):
        metadata += getattr(part, "metadata", [])
    found = (
        sign.format(getattr(bound, name))
        for bound in metadata
        for name, sign in _SIGNS.items()
        if getattr(bound, name, None) is not None
    )
    return ", ".join(found)


def _escaped(text: str) -> str:
    """Without what Markdown would take for HTML."""
    return text.replace("<", "&lt;")
