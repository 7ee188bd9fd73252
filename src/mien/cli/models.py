"""``mien models``: the shipped networks."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mien.cli.console import note, say, table
from mien.cli.options import Commands, add_command
from mien.models import WEIGHTS, ModelCard, available


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "models", "list the shipped networks with licence, size and scores", "mien models --json"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON a network: its whole card")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the cards."""
    files = sorted(WEIGHTS.glob("*.onnx"))
    shipped = list(zip(files, available(), strict=True))
    if not shipped:
        note(f"no networks are shipped in {WEIGHTS}")
    elif args.json:
        for path, card in shipped:
            say(json.dumps(json.loads(card.to_json()) | {"file": path.name, "bytes": path.stat().st_size}))
    else:
        say(table(("name", "task", "input", "parameters", "KiB"), [_row(*one) for one in shipped]))
        for path, card in shipped:
            say(f"\n{path.stem}: {card.licence}\n  trained on {card.data}\n  {_scores(card)}")
    return 0


def _row(path: Path, card: ModelCard) -> tuple[str, ...]:
    kib = path.stat().st_size / 1024
    return (path.stem, card.task, f"{card.input_size} px", f"{card.parameters:,}", f"{kib:.0f}")


def _scores(card: ModelCard) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in card.scores.items()) or "no scores"
