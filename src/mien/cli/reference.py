"""Fill the option tables of docs/cli.md: ``python -m mien.cli.reference docs/cli.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup, TyperOption

from mien.cli.app import COMMANDS, load

SHARED = "shared"
"""The name of the table with the options of the analyzer."""

_SHARED_PANELS = ("Detector", "Landmarks", "Models")
_SHARED_SOURCE = "mien analyze"
_BLOCK = re.compile(r"(<!-- options: (.+?) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def commands() -> dict[str, Any]:
    """Return every command that does something by its full name, such as ``mien evaluate wider``."""
    return {name: command for info in COMMANDS for name, command in _leaves(f"mien {info.name}", load(info))}


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for child in command.commands.values():
        yield from _leaves(f"{name} {child.name}", child)


def options(command: Any) -> list[TyperOption]:
    """Return the options of a command, without ``--help``."""
    return [param for param in command.params if isinstance(param, TyperOption) and param.name != "help"]


def fill(text: str) -> str:
    """Return a document with its option tables made anew."""
    known = commands()
    shared = {_row(option): option for option in options(known[_SHARED_SOURCE]) if _is_shared(option)}

    def table(block: re.Match[str]) -> str:
        opening, name, end = block.groups()
        rows = list(shared) if name == SHARED else [_row(option) for option in options(known[name])]
        own = [row for row in rows if name == SHARED or row not in shared]
        lines = ["| option | meaning |", "|---|---|", *own]
        if len(own) < len(rows):
            lines += ["", "Also the [analyzer options](#analyzer-options)."]
        return "\n".join([opening.rstrip("\n"), *lines, end])

    return _BLOCK.sub(table, text)


def _is_shared(option: TyperOption) -> bool:
    return option.rich_help_panel in _SHARED_PANELS


def _row(option: TyperOption) -> str:
    metavar = "" if option.is_flag else f" {option.metavar or _type_name(option)}"
    names = ", ".join(f"`{name}{metavar}`" for name in (*option.opts, *option.secondary_opts))
    default = option.default
    shown = f" (default: {default})" if default not in (None, False, True) else ""
    text = (option.help or "").rstrip(".") + shown
    return f"| {names.replace('|', chr(92) + '|')} | {text}{' (required)' if option.required else ''} |"


def _type_name(option: TyperOption) -> str:
    choices = getattr(option.type, "choices", ())
    return "|".join(map(str, choices)) if choices else option.type.name.upper()


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(fill(document.read_text(encoding="utf-8")), encoding="utf-8")
