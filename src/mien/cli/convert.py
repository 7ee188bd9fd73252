"""``mien convert``: weights from elsewhere."""

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
        "convert",
        "turn weights of another project into networks with cards",
        "mien convert --format facenet-pytorch site-packages/facenet_pytorch/data --out converted",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with pnet.pt, rnet.pt and onet.pt")
    parser.add_argument("--format", required=True, choices=["facenet-pytorch"], help="whose weights these are")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for pnet.onnx, rnet.onnx and onet.onnx"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert and print the files."""
    folder = existing_folder(args.folder, "DIR")
    with needs_extra("converting", "train"):
        from mien.train.convert import convert_facenet
    for path in convert_facenet(folder, args.out):
        say(str(path))
    return 0


app = passthrough(add_to)
