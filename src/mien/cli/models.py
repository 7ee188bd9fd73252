"""``mien models``."""

from __future__ import annotations

import json as json_format
from pathlib import Path

import typer

from mien.cli.parameters import Json
from mien.cli.terminal import echo, note, print_table
from mien.models import ModelCard, list_models, model_path, read_card

app = typer.Typer(add_completion=False)


@app.command()
def models(json: Json = False) -> int:
    """Print the cards of the shipped networks; return the exit status."""
    shipped = [(model_path(name), read_card(name)) for name in list_models()]
    if not shipped:
        note("no models are shipped with this installation; install mien again")
    elif json:
        for path, card in shipped:
            echo(json_format.dumps(card.to_dict() | {"file": path.name, "bytes": path.stat().st_size}))
    else:
        print_table(("name", "task", "input", "parameters", "KiB"), [_row(path, card) for path, card in shipped])
        for path, card in shipped:
            echo("")
            echo((path.stem, "bold cyan"), f": {card.license}")
            echo(f"  trained on {card.training_data}")
            echo(f"  {_scores(card)}")
    return 0


def _row(path: Path, card: ModelCard) -> tuple[str, ...]:
    kib = path.stat().st_size / 1024
    return (path.stem, card.task, f"{card.input.size} px", f"{card.parameters:,}", f"{kib:.0f}")


def _scores(card: ModelCard) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in card.scores.items()) or "no scores"
