"""``mien train``: a recipe, or a cascade of them in order."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.cli.argparse_commands import passthrough
from mien.cli.console import say
from mien.cli.options import Commands, add_command, existing_folder
from mien.errors import needs_extra


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "train",
        "train networks by a recipe; an interrupted run resumes",
        "mien train recipes/cascade.toml --data datasets --runs runs",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="a recipe, or a list of recipes (.toml)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="folder that the recipe's sources are in (default: %(default)s)",
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="each network is trained in, and read from, DIR/<name> (default: %(default)s)",
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps (default: cuda if available)")
    parser.add_argument(
        "--devices",
        type=int,
        metavar="N",
        help="processes on this machine, one device each (default: those that torchrun started, else 1)",
    )
    parser.add_argument(
        "--precision",
        choices=["32-true", "bf16-mixed"],
        default="32-true",
        help="of the forward pass (default: %(default)s)",
    )
    parser.add_argument("--fresh", action="store_true", help="start again instead of resuming")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train each network and print its file."""
    existing_folder(args.data, "--data")
    with needs_extra("training", "train"):
        from mien.train.run import train_recipes
    exported = train_recipes(
        args.recipe,
        data=args.data,
        runs=args.runs,
        device=args.device,
        devices=args.devices,
        precision=args.precision,
        resume=not args.fresh,
    )
    for path in exported:
        say(str(path))
    return 0


app = passthrough(add_to)
