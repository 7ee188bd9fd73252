"""What the commands of ``mien evaluate`` have in common."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.inputs import writing
from mien.imaging import write_image
from mien.pipeline.config import AnalyzerConfig
from mien.types import Image

LOW_SCORE = 0.01
"""Score threshold of detectors for curves, which need detections with low scores."""

Sheet = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Write a contact sheet of examples.", show_default=False)
]


def with_score_threshold(config: AnalyzerConfig, threshold: float) -> AnalyzerConfig:
    """Return the configuration of a detector with this score threshold and without heads."""
    return replace(config, detector=replace(config.detector, score_threshold=threshold), heads=())


def write_sheet(path: Path | None, sheet: Image | None) -> None:
    """Write a contact sheet, if one is wanted and there is one. Raises WriteFailed."""
    if path is not None and sheet is not None:
        with writing(path):
            write_image(path, sheet)
