"""``mien detect``."""

from __future__ import annotations

from dataclasses import replace

import typer

from mien.cli.images import ImageJob, Outputs
from mien.cli.parameters import Draw, Json, MaxFaces, Paths, ShowProgress, analyzer_options
from mien.pipeline.config import AnalyzerConfig

app = typer.Typer(add_completion=False)


@app.command()
@analyzer_options(with_landmarks=False)
def detect(
    paths: Paths,
    config: AnalyzerConfig,
    json: Json = False,
    draw: Draw = None,
    max_faces: MaxFaces = None,
    progress: ShowProgress = None,
) -> int:
    """Detect faces in images; return the exit status."""
    job = ImageJob(replace(config, heads=()), Outputs(draw=draw), json, max_faces=max_faces)
    return job.run(paths, progress)
