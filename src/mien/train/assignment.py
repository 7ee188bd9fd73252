"""Which cells of the proposer learn which face.

A cell may learn a face if it is near the center of its box, on a grid that suits the size of the face. Of these, the
cells learn it whose present prediction is best aligned with it, in score and box together (task-aligned assignment,
Feng et al. 2021, "TOOD"); their number is the sum of the best IoUs (dynamic k of SimOTA, Ge et al. 2021, "YOLOX").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from mien.models import Grid
from mien.train.losses import box_iou

FACE, IGNORED, TOO_LARGE = 1, 0, -1
"""Kinds of labeled boxes.

Cells in an IGNORED box learn nothing. A TOO_LARGE face is found in a smaller copy of the image: the coarsest grid
learns nothing in it, the finer ones learn that there is no face.
"""

_FACE_SIZES: Mapping[int, tuple[float, float]] = MappingProxyType({8: (0, 44), 16: (28, 130), 32: (84, math.inf)})
"""Geometric mean of the sides, in pixels, of the faces that the grid of each stride learns."""

_CENTRAL = 0.25
"""Cells learn a face within this part of its sides from its center, or within half a stride."""

_NEIGHBOR_WEIGHT = 0.3
"""Weight of the other cells in a face: to call them background is not quite wrong."""

_IOU_POWER = 4.0
_MAX_CELLS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """All cells of an input, grid by grid and row by row.

    Attributes:
        centers: (a, 2), x and y in pixels.
        strides: (a,).
        sizes: (a, 2), smallest and largest face that a cell learns, in pixels.
        coarsest: (a,), whether a cell belongs to the last grid.
    """

    centers: Tensor
    strides: Tensor
    sizes: Tensor
    coarsest: Tensor


@lru_cache(maxsize=8)
def make_cells(grid: Grid, height: int, width: int, device: torch.device) -> Cells:
    """Return the cells of an input of ``height`` x ``width`` pixels."""
    centers, strides = [], []
    for stride in grid.strides:
        rows, columns = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
        centers.append(torch.from_numpy(grid.centers(rows, columns, stride)))
        strides.append(torch.full((len(rows),), float(stride)))
    of_cell = torch.cat(strides)
    sizes = torch.tensor([_FACE_SIZES[int(stride)] for stride in of_cell.tolist()])
    return Cells(
        torch.cat(centers).to(device),
        of_cell.to(device),
        sizes.to(device),
        (of_cell == grid.strides[-1]).to(device),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The labeled boxes of a batch.

    Attributes:
        owners: (g,), number of the image in the batch.
        boxes: (g, 4) in pixels.
        kinds: (g,), FACE, IGNORED or TOO_LARGE.
        keypoints: (g, 5, 2) in pixels, NaN where unknown.
    """

    owners: Tensor
    boxes: Tensor
    kinds: Tensor
    keypoints: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What the cells learn.

    Attributes:
        rows: (n, a), row in the targets of each cell's face; -1 for none.
        weights: (n, a), of each cell in the loss of the quality.
    """

    rows: Tensor
    weights: Tensor


@torch.no_grad()
def assign(targets: Targets, quality: Tensor, boxes: Tensor, cells: Cells) -> Assignment:
    """Assign the cells of a batch.

    Args:
        targets: The labeled boxes.
        quality: (n, a), what the network predicts now, in 0..1.
        boxes: (n, a, 4), likewise, in pixels.
        cells: The cells.
    """
    weights = _background_weights(targets, cells, len(quality))
    rows = (targets.kinds == FACE).nonzero()[:, 0]
    if not len(rows):
        return Assignment(torch.full_like(weights, -1, dtype=torch.long), weights)
    owners, faces = targets.owners[rows], targets.boxes[rows]
    candidate = _candidates(faces, cells)
    iou = torch.where(candidate, box_iou(boxes[owners], faces[:, None]), 0.0)
    chosen = _best_aligned(quality[owners], iou, candidate)
    first = _resolve(owners, torch.where(chosen, iou, -1.0), len(quality))
    taken = first < len(rows)
    return Assignment(
        torch.where(taken, rows[first.clamp(max=len(rows) - 1)], -1),
        torch.where(taken, 1.0, weights),
    )


def _background_weights(targets: Targets, cells: Cells, count: int) -> Tensor:
    """Return the weights (n, a) of the cells as background."""
    from_first = cells.centers - targets.boxes[:, None, :2]
    to_last = targets.boxes[:, None, 2:] - cells.centers
    inside = ((from_first > 0) & (to_last > 0)).all(-1)  # (g, a)
    unlearned = inside & (
        (targets.kinds == IGNORED)[:, None] | ((targets.kinds == TOO_LARGE)[:, None] & cells.coarsest)
    )
    in_face = inside & (targets.kinds == FACE)[:, None]

    def anywhere(found: Tensor) -> Tensor:
        empty = torch.zeros(count, found.shape[1], device=found.device)
        return empty.index_add_(0, targets.owners, found.float()) > 0

    weights = torch.where(anywhere(unlearned), 0.0, 1.0)
    return torch.where(anywhere(in_face), _NEIGHBOR_WEIGHT, weights)  # a face in an ignored region is a face


def _candidates(faces: Tensor, cells: Cells) -> Tensor:
    """Return which cells (f, a) may learn each face (f, 4)."""
    sides = faces[:, 2:] - faces[:, :2]
    size = sides.prod(-1).sqrt()[:, None]
    suitable = (size >= cells.sizes[:, 0]) & (size < cells.sizes[:, 1])
    away = (cells.centers - (faces[:, None, :2] + faces[:, None, 2:]) / 2).abs()
    reach = torch.maximum(_CENTRAL * sides[:, None], cells.strides[:, None] / 2)
    return suitable & (away <= reach).all(-1)


def _best_aligned(quality: Tensor, iou: Tensor, candidate: Tensor) -> Tensor:
    """Return the cells (f, a) that fit each face best: one, plus the sum of the best IoUs."""
    alignment = quality.sqrt() * iou.clamp(min=0.01) ** _IOU_POWER * candidate
    most = min(_MAX_CELLS, iou.shape[1])
    count = iou.topk(most, dim=1).values.sum(1, keepdim=True).long() + 1
    best = alignment.topk(most, dim=1)
    kept = (torch.arange(most, device=iou.device) < count) & (best.values > 0)
    return torch.zeros_like(candidate).scatter_(1, best.indices, kept)


def _resolve(owners: Tensor, claims: Tensor, count: int) -> Tensor:
    """Return the face (n, a) with the highest claim (f, a) on each cell of its image, the first of equals.

    Where there is none, the number is f.
    """
    images, shape = owners[:, None].expand_as(claims), (count, claims.shape[1])
    highest = torch.full(shape, -1.0, device=claims.device).scatter_reduce_(0, images, claims, "amax")
    faces = torch.arange(len(owners), device=claims.device)[:, None].expand_as(claims)
    winning = torch.where((claims >= 0) & (claims == highest[owners]), faces, len(owners))
    nobody = torch.full(shape, len(owners), device=claims.device)
    return nobody.scatter_reduce_(0, images, winning, "amin")
