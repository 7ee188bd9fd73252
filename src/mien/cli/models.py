"""``mien models``: the shipped networks."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mien.cli.console import note, say, table
from mien.cli.options import Commands, add_command
from mien.models import ModelCard, list_models, model_path, read_card


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "models", "list the shipped networks with licence, size and scores", "mien models --json"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON a network: its whole card")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the cards."""
    shipped = [(model_path(name), read_card(name)) for name in list_models()]
    if not shipped:
        note("no models are shipped with this installation; install mien again")
    elif args.json:
        for path, card in shipped:
            say(json.dumps(card.to_dict() | {"file": path.name, "bytes": path.stat().st_size}))
    else:
        say(table(("name", "task", "input", "parameters", "KiB"), [_row(*one) for one in shipped]))
        for path, card in shipped:
            say(f"\n{path.stem}: {card.licence}\n  trained on {card.training_data}\n  {_scores(card)}")
    return 0


def _row(path: Path, card: ModelCard) -> tuple[str, ...]:
    kib = path.stat().st_size / 1024
    return (path.stem, card.task, f"{card.input.size} px", f"{card.parameters:,}", f"{kib:.0f}")


def _scores(card: ModelCard) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in card.scores.items()) or "no scores"
