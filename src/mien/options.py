"""Options: dataclass fields that carry their help text, unit and bounds.

A configuration class declares each option once with :func:`option`; validation, TOML files and the command line all
read it from there.
"""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from mien.errors import BadOption

_Config = TypeVar("_Config")


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """Help, unit and bounds of an option.

    Attributes:
        help: One line for ``--help`` and the reference.
        unit: Unit of the value, such as "pixels"; empty for none.
        minimum: Smallest allowed value, or None.
        maximum: Largest allowed value, or None.
    """

    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @property
    def bounds(self) -> str:
        """The allowed values in words, such as "between 0 and 1"."""
        unit = f" ({self.unit})" if self.unit else ""
        if self.minimum is not None and self.maximum is not None:
            return f"between {self.minimum:g} and {self.maximum:g}{unit}"
        if self.minimum is not None:
            return f"at least {self.minimum:g}{unit}"
        return f"at most {self.maximum:g}{unit}" if self.maximum is not None else f"finite{unit}"


def option(
    default: Any, help: str, *, unit: str = "", minimum: float | None = None, maximum: float | None = None
) -> Any:
    """Return a dataclass field with a default and an :class:`OptionInfo`."""
    return field(default=default, metadata={"option": OptionInfo(help, unit, minimum, maximum)})


def info(declared: Field[Any]) -> OptionInfo | None:
    """Return the :class:`OptionInfo` of a dataclass field, or None."""
    found: OptionInfo | None = declared.metadata.get("option")
    return found


def validate(config: object) -> None:
    """Check the type and bounds of every option of a dataclass instance. Raises BadOption."""
    hints = _hints(type(config))  # type: ignore[arg-type]
    for declared in fields(config):  # type: ignore[arg-type]
        check(declared.name, getattr(config, declared.name), hints[declared.name], info(declared))


def check(name: str, value: object, hint: Any, about: OptionInfo | None) -> None:
    """Check one value against its type and bounds. Raises BadOption."""
    if not _is_instance(value, hint):
        raise BadOption(f"{name}={value!r}: must be {_type_name(hint)}")
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, Real) and about is not None:
            low = -math.inf if about.minimum is None else about.minimum
            high = math.inf if about.maximum is None else about.maximum
            if not (math.isfinite(item) and low <= float(item) <= high):
                raise BadOption(f"{name}={value}: must be {about.bounds}")


def build(config: type[_Config], values: Mapping[str, Any], where: str) -> _Config:
    """Make a configuration from a mapping, such as a parsed TOML table; nested tables make nested configurations.

    Args:
        config: A dataclass whose fields are options or other such dataclasses.
        values: Values by field name; lists are taken where tuples are declared.
        where: Name of the source, for messages.

    Raises:
        BadOption: Unknown key, missing key, wrong type or a value outside its bounds.
    """
    hints = _hints(config)  # type: ignore[arg-type]
    declared = {each.name: each for each in fields(config)}  # type: ignore[arg-type]
    for name in values:
        if name not in declared:
            close = difflib.get_close_matches(name, declared, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known options: {', '.join(declared)}"
            raise BadOption(f"{where}: unknown option {name!r}; {hint}")
    missing = [name for name, each in declared.items() if name not in values and _required(each)]
    if missing:
        raise BadOption(f"{where}: missing {', '.join(missing)}")
    return config(**{name: _converted(value, hints[name], f"{where}, {name}") for name, value in values.items()})


@cache
def _hints(config: type) -> Mapping[str, Any]:
    """Return the types of the fields; evaluating the annotations takes a tenth of the time of 68 landmarks."""
    return get_type_hints(config)


def _required(declared: Field[Any]) -> bool:
    return declared.default is MISSING and declared.default_factory is MISSING


def _converted(value: Any, hint: Any, where: str) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        if isinstance(value, hint):
            return value
        if not isinstance(value, Mapping):
            raise BadOption(f"{where}: {value!r} is not a table of options")
        return build(hint, value, where)
    return tuple(value) if isinstance(value, list) else value


def _is_instance(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_is_instance(value, each) for each in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return isinstance(value, tuple) and all(_is_instance(each, item) for each in value)
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    return isinstance(value, hint)


def _type_name(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_name(each) for each in args)
    if origin is Literal:
        return " or ".join(repr(each) for each in args)
    if origin is tuple:
        return f"a list, each {_type_name(args[0])}"
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text", type(None): "None"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))
