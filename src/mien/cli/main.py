"""Entry point of the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from mien.cli.app import USAGE_ERROR, build_app
from mien.cli.terminal import note, report_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; docs/cli.md lists the statuses."""
    words = sys.argv[1:] if argv is None else list(argv)
    empty = next((word for word in words if not word or (word.startswith("--") and word.endswith("="))), None)
    if empty is not None:
        report_error(f"an argument is empty ({empty!r}); is a shell variable unset?")
        return USAGE_ERROR
    try:
        status = typer.main.get_command(build_app()).main(words, prog_name="mien", standalone_mode=False)
    except TyperException as error:
        similar = getattr(error, "possibilities", None)  # of an unknown option
        message = f"{error.message}; did you mean {' or '.join(similar)}?" if similar else error.format_message()
        report_error(message)
        context = getattr(error, "ctx", None)
        note(f"Try '{context.command_path if context else 'mien'} --help'.")
        return error.exit_code
    except SystemExit as stop:  # completion, or a pipe that was closed while help was printed
        return int(stop.code or 0)
    return int(status or 0)
