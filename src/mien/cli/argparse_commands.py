"""Typer commands around the commands that still parse with argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import typer


def passthrough(add_to: Callable[[Any], object]) -> typer.Typer:
    """Return an application whose one command hands its arguments to an argparse command."""
    app = typer.Typer(add_completion=False)

    @app.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def run(ctx: typer.Context) -> int:
        parser = argparse.ArgumentParser(prog="mien", allow_abbrev=False)
        add_to(parser.add_subparsers(metavar="COMMAND", required=True))
        try:
            args = parser.parse_args([ctx.info_name or "", *ctx.args])
        except SystemExit as stop:
            return int(stop.code or 0)
        status: int = args.run(args)
        return status

    return app
