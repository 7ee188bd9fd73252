"""``mien train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.cli.parameters import existing_folder
from mien.cli.terminal import echo
from mien.errors import needs_extra

app = typer.Typer(add_completion=False)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, or a list of recipes (.toml).")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder with the sources of the recipe.")] = Path("data"),
    runs: Annotated[
        Path, typer.Option(metavar="DIR", help="Each network is trained in, and read from, DIR/<name>.")
    ] = Path("runs"),
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="cpu, cuda, cuda:1 or mps (default: cuda if available).", show_default=False),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Processes on this machine, one device each (default: those that torchrun started, else 1).",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        Literal["32-true", "bf16-mixed"], typer.Option(help="Precision of the forward pass.")
    ] = "32-true",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start again instead of resuming.")] = False,
) -> int:
    """Train each network and print its file."""
    existing_folder(data, "--data")
    with needs_extra("training", "train"):
        from mien.train.run import train_recipes
    exported = train_recipes(
        recipe, data=data, runs=runs, device=device, devices=devices, precision=precision, resume=not fresh
    )
    for path in exported:
        echo(str(path))
    return 0
