"""``mien train``: a recipe, or a cascade of them in order."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.cli.console import say
from mien.cli.options import Commands, add_command, existing_folder
from mien.errors import BadOption, needs_extra


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "train",
        "train networks by a recipe; a run that was cut off goes on where it stopped",
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
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps (default: cuda where there is one)")
    parser.add_argument(
        "--replicas",
        type=int,
        default=1,
        metavar="N",
        help="copies of the network that share each batch; on two cores 2 is faster (default: %(default)s)",
    )
    parser.add_argument("--fresh", action="store_true", help="start again instead of going on")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train each network and print its file."""
    existing_folder(args.data, "--data")
    with needs_extra("training", "train"):
        from mien.train import recipe as recipes
        from mien.train.loop import choose_device, train
        from mien.train.tasks import make_task
    todo = recipes.read(args.recipe)
    device = choose_device(args.device)
    if args.replicas < 1 or (args.replicas > 1 and device.type != "cpu"):
        raise BadOption(f"--replicas {args.replicas} on {device}: give 1, or more than 1 with --device cpu")
    for recipe in todo:
        run_dir = args.runs / recipe.name
        run_dir.mkdir(parents=True, exist_ok=True)
        task = make_task(recipe, args.data, run_dir, args.runs)
        say(str(train(recipe, task, run_dir, device=args.device, resume=not args.fresh, replicas=args.replicas)))
    return 0
