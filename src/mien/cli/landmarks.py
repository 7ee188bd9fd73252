"""``mien landmarks``."""

from __future__ import annotations

from dataclasses import replace

import typer

from mien.cli.images import ImageJob, Outputs
from mien.cli.parameters import Draw, Json, MaxFaces, Paths, Pts, ShowProgress, analyzer_options
from mien.pipeline.config import AnalyzerConfig

app = typer.Typer(add_completion=False)


@app.command()
@analyzer_options()
def landmarks(
    paths: Paths,
    config: AnalyzerConfig,
    json: Json = False,
    draw: Draw = None,
    pts: Pts = None,
    max_faces: MaxFaces = None,
    progress: ShowProgress = None,
) -> int:
    """Find the landmarks and head pose of each face; return the exit status."""
    job = ImageJob(replace(config, heads=("landmarks",)), Outputs(draw, pts), json, max_faces=max_faces)
    return job.run(paths, progress)
