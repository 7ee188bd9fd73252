"""Samples whose points can be seen: a bright dot of its own gray at each of the known points."""

import numpy as np

from mien.datasets.shards import Sample
from mien.imaging import draw_points, encode_jpeg

SIDE = 240


def dotted(seed: int = 0, *, scheme: str = "68", subset: str = "DOTS", unknown: tuple[int, ...] = ()) -> Sample:
    """A face of 68 dots far enough from each other, red on the left half and blue on the right."""
    rng = np.random.default_rng(seed)
    rows, columns = np.divmod(np.arange(68), 9)
    points = np.stack([70 + columns * 12, 75 + rows * 14], axis=1) + rng.uniform(-1, 1, (68, 2))
    image = np.full((SIDE, SIDE, 3), 20, dtype=np.uint8)
    draw_points(image, points.astype(np.float32), (255, 255, 255), 3.0)
    points[list(unknown)] = np.nan
    return Sample(
        image=np.zeros((128, 128, 3), dtype=np.uint8),
        points=np.full((68, 2), 0.5, dtype=np.float32),
        wide=encode_jpeg(image, 95),
        wide_points=points.astype(np.float32),
        visible=np.full(68, np.nan, dtype=np.float32),
        pose=np.array([20, 5, 10], dtype=np.float32),
        scheme=scheme,
        subset=subset,
        person=f"person{seed}",
        name=f"face{seed}",
    )
