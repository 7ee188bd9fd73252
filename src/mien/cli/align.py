"""``mien align``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.alignment import AlignSpec
from mien.cli.images import ImageJob, Outputs
from mien.cli.parameters import (
    Json,
    MaxFaces,
    Padding,
    Paths,
    ShowProgress,
    Size,
    Template,
    analyzer_options,
)
from mien.pipeline.config import AnalyzerConfig

app = typer.Typer(add_completion=False)


@app.command()
@analyzer_options()
def align(
    paths: Paths,
    config: AnalyzerConfig,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write the aligned faces here, as PNG.")],
    json: Json = False,
    template: Template = "mxnet",
    size: Size = None,
    padding: Padding = None,
    points: Annotated[
        Literal["5", "68"],
        typer.Option(help="Align by the 68 landmarks, or by the detector's 5 keypoints, which is faster."),
    ] = "68",
    max_faces: MaxFaces = None,
    progress: ShowProgress = None,
) -> int:
    """Align faces; return the exit status."""
    job = ImageJob(
        replace(config, heads=("landmarks",) if points == "68" else ()),
        Outputs(aligned=out),
        json,
        AlignSpec.of(template, size, padding),
        max_faces,
        only_aligned=True,
    )
    return job.run(paths, progress)
