"""``mien convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.cli.parameters import existing_folder
from mien.cli.terminal import echo
from mien.errors import needs_extra

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with pnet.pt, rnet.pt and onet.pt.")],
    format: Annotated[Literal["facenet-pytorch"], typer.Option(help="Project that the weights are from.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for pnet.onnx, rnet.onnx and onet.onnx.")],
) -> int:
    """Convert the weights and print the files."""
    existing_folder(folder, "DIR")
    with needs_extra("converting", "train"):
        from mien.train.convert import convert_facenet
    for path in convert_facenet(folder, out):
        echo(str(path))
    return 0
