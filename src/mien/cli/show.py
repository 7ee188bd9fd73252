"""``mien show``: a contact sheet of the faces in shards, for a check before training."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from mien.cli.inputs import writing
from mien.cli.parameters import ShowProgress, existing_folder
from mien.cli.terminal import echo, plural
from mien.cli.terminal import progress as show_progress
from mien.datasets.shards import IMAGE_SIZE, Sample, read_shards
from mien.errors import BadOption
from mien.imaging import MAX_PIXELS, Color, draw_label, draw_points, resize, write_image
from mien.imaging.draw import BOX, contact_sheet, draw_landmarks
from mien.types import Image, Landmarks

app = typer.Typer(add_completion=False)

_ENLARGED = 2
_MOST = (math.isqrt(MAX_PIXELS) // (IMAGE_SIZE * _ENLARGED + 4)) ** 2
"""Most faces on a sheet that ``mien.read_image`` still accepts."""

_BLACK: Color = (0, 0, 0)
_WHITE: Color = (255, 255, 255)


@app.command()
def show(
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="Folder that mien prepare wrote.")],
    out: Annotated[Path, typer.Option(metavar="FILE.png", help="The sheet, .png or .jpg.")],
    count: Annotated[int, typer.Option(metavar="N", help="Number of faces, evenly spread.")] = 64,
    split: Annotated[Literal["train", "val"], typer.Option(help="Split to show.")] = "train",
    progress: ShowProgress = None,
) -> int:
    """Draw the sheet; all shards of the split are read, so a damaged one is found here and not during training."""
    if not 1 <= count <= _MOST:
        raise BadOption(f"--count is {count}; a sheet shows 1 to {_MOST} faces")
    found = read_shards(existing_folder(shards, "SHARDS"), split)
    with show_progress(found, None, "faces", progress) as shown:
        samples, total = _spread(shown, count)
    with writing(out):
        write_image(out, contact_sheet([_drawn(sample) for sample in samples], math.ceil(math.sqrt(len(samples)))))
    echo(f"{out}: {len(samples)} of {plural(total, 'face')}")
    return 0


def _spread(samples: Iterable[Sample], count: int) -> tuple[list[Sample], int]:
    """Return ``count`` samples evenly spread over all, and the total; at most twice ``count`` are held in memory."""
    kept: list[Sample] = []
    step = 1
    total = 0
    for total, sample in enumerate(samples, start=1):
        if (total - 1) % step == 0:
            kept.append(sample)
        if len(kept) == 2 * count:
            kept = kept[::2]
            step *= 2
    chosen = np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int)
    return [kept[i] for i in chosen.tolist()], total


def _drawn(sample: Sample) -> Image:
    """Draw the crop with its landmarks; occluded ones are black dots with a white rim."""
    side = len(sample.image) * _ENLARGED
    points = sample.points * np.float32(side)
    landmarks = Landmarks(points, sample.scheme, np.ones(len(points), dtype=np.float32))
    canvas = draw_landmarks(resize(sample.image, side, side), [landmarks], pose=False)
    covered = points[sample.visible == 0]
    draw_points(canvas, covered, _WHITE, 3.0)
    draw_points(canvas, covered, _BLACK, 2.0)
    draw_label(canvas, _label(sample), (0, side), BOX, 14)
    return canvas


def _label(sample: Sample) -> str:
    yaw = float(sample.pose[0])
    text = f"{sample.subset} {sample.scheme}" + (f" yaw {yaw:.0f}" if math.isfinite(yaw) else "")
    return text.encode("ascii", "replace").decode()
