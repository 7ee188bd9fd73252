"""TOML tables to frozen dataclasses and back, strictly: the types of the fields say what is allowed."""

import dataclasses
import json
import math
import tomllib
import types
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from mien.errors import BadRecipe

T = TypeVar("T")


def demand(holds: bool, key: str, found: object, wanted: str) -> None:
    """For `__post_init__`: raises BadRecipe naming the key unless the condition holds."""
    if not holds:
        raise BadRecipe(f"{key} = {found}: must be {wanted}")


def parse(text: str, file: str) -> dict[str, Any]:
    """TOML text as nested dicts; `file` is named in errors. Raises BadRecipe."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecipe(f"{file}: not TOML: {error}") from error


def fill(cls: type[T], table: object, file: str, where: str = "") -> T:
    """Make dataclass `cls` from a TOML table; `where` is the dotted name of the table, "" at the top."""
    spot = f"{file}: [{where}]" if where else f"{file}: top level"
    if not isinstance(table, dict):
        raise BadRecipe(f"{spot}: must be a table, found {table!r}")
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cast(Any, cls))}
    for key in table:
        if key not in fields:
            raise BadRecipe(f"{spot}: unknown key {key!r}; allowed are {', '.join(fields)}")
    for key, f in fields.items():
        needed = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if needed and key not in table:
            raise BadRecipe(f"{spot}: key {key!r} is missing; allowed are {', '.join(fields)}")
    prefix = f"{where}." if where else ""
    values = {key: _value(hints[key], found, file, prefix + key) for key, found in table.items()}
    try:
        return cls(**values)
    except BadRecipe as error:
        raise BadRecipe(f"{spot}: {error}") from None


def _value(kind: Any, found: object, file: str, key: str) -> Any:
    """Check one TOML value against the type of its field; a whole number will do for a float."""
    if dataclasses.is_dataclass(kind):
        return fill(cast("type[Any]", kind), found, file, key)
    if get_origin(kind) is tuple:
        if not isinstance(found, list):
            raise BadRecipe(f"{file}: {key} must be a list, found {found!r}")
        return tuple(_value(get_args(kind)[0], item, file, key) for item in found)
    if get_origin(kind) is Literal:
        if found not in get_args(kind):
            raise BadRecipe(f"{file}: {key} must be one of {', '.join(get_args(kind))}, found {found!r}")
        return found
    if kind is float and type(found) is int:
        return float(found)
    if type(found) is not kind or (isinstance(found, float) and not math.isfinite(found)):
        raise BadRecipe(f"{file}: {key} must be a {_WORDS[kind]}, found {found!r}")
    return found


_WORDS = types.MappingProxyType({str: "string", int: "whole number", float: "finite number", bool: "boolean"})


def flat(value: Any, prefix: str = "") -> dict[str, object]:
    """Nested dataclasses as dotted names; lists stay whole."""
    found: dict[str, object] = {}
    for f in dataclasses.fields(value):
        inner = getattr(value, f.name)
        if dataclasses.is_dataclass(inner):
            found |= flat(inner, f"{prefix}{f.name}.")
        else:
            found[prefix + f.name] = inner
    return found


def lines(value: Any, where: str = "") -> list[str]:
    """TOML lines of one dataclass: its plain keys first, then its tables, then its lists of tables."""
    plain: list[str] = []
    tables: list[str] = []
    for f in dataclasses.fields(value):
        inner = getattr(value, f.name)
        name = f"{where}.{f.name}" if where else f.name
        if dataclasses.is_dataclass(inner):
            tables += ["", f"[{name}]", *lines(inner, name)]
        elif isinstance(inner, tuple) and inner and dataclasses.is_dataclass(inner[0]):
            for item in inner:
                tables += ["", f"[[{name}]]", *lines(item, name)]
        else:
            plain.append(f"{f.name} = {_toml(inner)}")
    return plain + tables


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    # JSON's strings, numbers, true and false are TOML's, too, but for the character DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
