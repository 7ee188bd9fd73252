"""``mien serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.parameters import settings_options
from mien.errors import needs_extra

with needs_extra("serving", "serve"):
    from mien.server import ServeSettings, load_settings

app = typer.Typer(add_completion=False)


@app.command()
@settings_options("settings", ServeSettings, "api_key", panel="Settings")  # others can read command lines
def serve(
    settings: dict[str, Any],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Settings; flags and MIEN_* variables override it.", show_default=False),
    ] = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    with needs_extra("serving", "serve"):
        from mien.server import serve as run
    run(load_settings(settings, config))
    return 0
