"""``mien analyze``."""

from __future__ import annotations

import typer

from mien.alignment import AlignSpec
from mien.cli.images import ImageJob, Outputs
from mien.cli.parameters import (
    Aligned,
    Draw,
    Json,
    MaxFaces,
    Padding,
    Paths,
    Pts,
    ShowProgress,
    Size,
    Template,
    analyzer_options,
)
from mien.pipeline.config import AnalyzerConfig

app = typer.Typer(add_completion=False)


@app.command()
@analyzer_options()
def analyze(
    paths: Paths,
    config: AnalyzerConfig,
    json: Json = False,
    draw: Draw = None,
    pts: Pts = None,
    aligned: Aligned = None,
    template: Template = "mxnet",
    size: Size = None,
    padding: Padding = None,
    max_faces: MaxFaces = None,
    progress: ShowProgress = None,
) -> int:
    """Run every head of the configuration; return the exit status."""
    spec = AlignSpec.of(template, size, padding)
    return ImageJob(config, Outputs(draw, pts, aligned), json, spec, max_faces).run(paths, progress)
