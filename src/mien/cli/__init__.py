"""The command line: parse, call, print. One file a command; ``main`` is the entry point ``mien``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from mien.cli import align, convert, detect, evaluate, landmarks, models, prepare, serve, show, train, video
from mien.cli.console import complain
from mien.errors import BadOption, MienError

__all__ = ["build_parser", "main"]

_USAGE = 2
_INTERRUPTED = 130
_BROKEN_PIPE = 141

_COMMANDS = (detect, landmarks, align, video, models, prepare, show, train, evaluate, convert, serve)


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands; each leaves the function to call in ``run``."""
    parser = argparse.ArgumentParser(
        prog="mien",
        description="Find faces and their five points, and train the networks that do it.",
        epilog="example: mien detect photo.jpg --draw out",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mien {version('mien')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0: done. 1: something could not be used or made; stderr says what. 2: the call makes no sense, or names no
    image. 130: stopped by Ctrl-C.
    """
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed the help or the error
        return int(stop.code or 0)
    try:
        status: int = args.run(args)
    except MienError as error:
        complain(str(error))
        return _USAGE if isinstance(error, BadOption) else 1
    except KeyboardInterrupt:
        complain("stopped")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader has gone, as in `mien detect photos | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        complain(str(error))
        return 1
    return status
