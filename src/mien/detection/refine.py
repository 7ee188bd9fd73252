"""The networks that run on crops: the refiner of the two-stage method; R-, O- and L-Net of MTCNN.

Crops of several images share network calls; results do not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.detection.config import DetectorConfig
from mien.geometry import boxes
from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging import Mipmap
from mien.models import Model, ModelCard, PointPatches, SquareBox
from mien.types import Candidates, Deadline, Faces, Floats

_VOTING_IOU = 0.5
"""Boxes that overlap a face by more than this IoU take part in box voting."""

_MIN_WEIGHT = np.float32(1e-6)

_MAX_SHIFT = 0.35
"""A keypoint that L-Net would move further than this, in patch sides, stays where it is."""


def run_refiner(
    images: Sequence[Mipmap],
    proposals: Sequence[Faces],
    refiner: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
) -> list[Faces]:
    """Return the faces of each image, best first. Boxes may extend beyond the image.

    The score is the geometric mean of the proposal's and the refiner's; box and keypoints are the refiner's.

    Reference:
        Zhou et al. 2021, "Probabilistic two-stage detection" (the geometric mean).
    """
    refined = _infer_onet(images, [found.boxes for found in proposals], refiner, config, deadline)
    faces = [_fuse(*each) for each in zip(proposals, refined, strict=True)]
    # The mean of two scores may reach the threshold where the first alone does not.
    threshold = config.threshold / (2 if config.flip_tta else 1)
    kept = [_best(found, threshold, config.final_nms_iou, "union") for found in faces]
    faces = [_select(found, index, config) for found, index in zip(faces, kept, strict=True)]
    if not config.flip_tta:
        return faces
    mirrored = _infer_onet(images, [found.boxes for found in faces], _Mirrored(refiner), config, deadline)
    again = []
    for proposed, first, index, voted, second in zip(proposals, refined, kept, faces, mirrored, strict=True):
        both = _mean(Faces(voted.boxes, first.scores[index], voted.keypoints), second)
        found = _fuse(proposed[index], both)
        again.append(found[_best(found, config.threshold, config.final_nms_iou, "union")])
    return again


def _fuse(proposals: Faces, refined: Faces) -> Faces:
    return Faces(refined.boxes, np.sqrt(proposals.scores * refined.scores), refined.keypoints)


def run_rnet(
    images: Sequence[Mipmap],
    candidates: Sequence[Candidates],
    rnet: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
) -> list[Candidates]:
    """Return the candidates of each image that R-Net keeps, after box regression and NMS, best first."""
    windows = [boxes.square(found.boxes) for found in candidates]
    crop_boxes = [rnet.card.crop_as(SquareBox).crop_boxes(found.boxes) for found in candidates]
    outputs = _infer(rnet, images, crop_boxes, config.batch_size, deadline)
    return [_candidates(config, squares, *each) for squares, each in zip(windows, outputs, strict=True)]


def _candidates(config: DetectorConfig, windows: Floats, scores: Floats, offsets: Floats) -> Candidates:
    good = scores >= config.rnet_threshold
    windows, scores = windows[good], scores[good]
    found = boxes.decode_boxes(offsets[good], windows)
    kept = boxes.nms(found if config.nms_after_regression else windows, scores, config.rnet_nms_iou)
    return Candidates(found[kept], scores[kept])


def run_onet(
    images: Sequence[Mipmap],
    candidates: Sequence[Candidates],
    onet: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
) -> list[Faces]:
    """Return the faces of each image, best first. Boxes may extend beyond the image."""
    faces = _infer_onet(images, [found.boxes for found in candidates], onet, config, deadline)
    if config.flip_tta:
        # The mean of two scores may reach the threshold where the first alone does not.
        faces = [_nms(found, config.threshold / 2, config) for found in faces]
        mirrored = _infer_onet(images, [found.boxes for found in faces], _Mirrored(onet), config, deadline)
        faces = [_mean(first, second) for first, second in zip(faces, mirrored, strict=True)]
    return [_nms(found, config.threshold, config) for found in faces]


@dataclass(frozen=True, slots=True, eq=False)
class _Mirrored:
    """O-Net on mirrored crops, with outputs in the frame of the original crop."""

    onet: Model

    @property
    def card(self) -> ModelCard:
        return self.onet.card

    def run(self, batch: NDArray[np.uint8]) -> tuple[Floats, ...]:
        scores, offsets, points = self.onet.run(np.ascontiguousarray(batch[:, :, ::-1]))
        return scores, boxes.mirror_offsets(offsets), boxes.mirror_points(points)[:, list(FIVE_MIRROR)]


def _infer_onet(
    images: Sequence[Mipmap], where: Sequence[Floats], onet: Model, config: DetectorConfig, deadline: Deadline | None
) -> list[Faces]:
    """Return O-Net's faces for all boxes, in order."""
    windows = [boxes.square(found) for found in where]
    crop_boxes = [onet.card.crop_as(SquareBox).crop_boxes(found) for found in where]
    outputs = _infer(onet, images, crop_boxes, config.batch_size, deadline)
    return [
        Faces(boxes.decode_boxes(offsets, squares), scores, boxes.decode_points(points, squares))
        for squares, (scores, offsets, points) in zip(windows, outputs, strict=True)
    ]


def _mean(first: Faces, second: Faces) -> Faces:
    half = np.float32(0.5)
    return Faces(
        np.asarray((first.boxes + second.boxes) * half, dtype=np.float32),
        np.asarray((first.scores + second.scores) * half, dtype=np.float32),
        np.asarray((first.keypoints + second.keypoints) * half, dtype=np.float32),
    )


def _best(faces: Faces, threshold: float, overlap: float, measure: Literal["union", "min"]) -> NDArray[np.intp]:
    """Return the indices of the faces above the threshold that NMS keeps, best first."""
    good = np.flatnonzero(faces.scores >= threshold)
    kept = boxes.nms(faces.boxes[good], faces.scores[good], overlap, measure)
    return np.asarray(good[kept], dtype=np.intp)


def _select(faces: Faces, kept: NDArray[np.intp], config: DetectorConfig) -> Faces:
    return _voted(faces, kept) if config.box_voting else faces[kept]


def _nms(faces: Faces, threshold: float, config: DetectorConfig) -> Faces:
    faces = faces[faces.scores >= threshold]
    return _select(faces, _best(faces, threshold, config.final_nms_iom, "min"), config)


def _voted(faces: Faces, kept: NDArray[np.intp]) -> Faces:
    """Replace each kept face by the score-weighted mean of the boxes and keypoints that overlap it.

    Gidaris and Komodakis 2015, "Object detection via a multi-region and semantic segmentation-aware CNN model".
    """
    weights = np.where(boxes.iou(faces.boxes[kept], faces.boxes) > _VOTING_IOU, faces.scores, 0)
    weights[np.arange(len(kept)), kept] = np.maximum(faces.scores[kept], _MIN_WEIGHT)
    weights = weights / weights.sum(axis=1, keepdims=True)
    points = (weights @ faces.keypoints.reshape(len(faces), 10)).reshape(-1, 5, 2)
    return Faces(weights @ faces.boxes, faces.scores[kept], points)


def run_lnet(
    images: Sequence[Mipmap],
    faces: Sequence[Faces],
    lnet: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
    *,
    patch_scale: float = 1.0,
) -> list[Faces]:
    """Return the faces with keypoints refined by L-Net, from one patch around each.

    ``patch_scale``: side of the patches in those that the card gives for the boxes.

    The optional fourth stage of Zhang's later release, with the rule of its MXNet port: a keypoint that would move by
    more than 0.35 patches in x or y stays.
    """
    spec = lnet.card.crop_as(PointPatches)
    patches = [spec.crop_boxes(boxes.enlarge(found.boxes, patch_scale), found.keypoints) for found in faces]
    outputs = _infer(lnet, images, patches, config.batch_size, deadline, crops_per_input=5)
    return [_move(*each) for each in zip(faces, patches, outputs, strict=True)]


def _move(faces: Faces, patches: Floats, outputs: tuple[Floats, ...]) -> Faces:
    (places,) = outputs
    near = np.all(np.abs(places - 0.5) <= _MAX_SHIFT, axis=2, keepdims=True)
    moved = boxes.decode_points(places.reshape(-1, 1, 2), patches).reshape(-1, 5, 2)
    return Faces(faces.boxes, faces.scores, np.where(near, moved, faces.keypoints))


def _infer(
    network: Model,
    images: Sequence[Mipmap],
    crop_boxes: Sequence[Floats],
    batch_size: int,
    deadline: Deadline | None,
    crops_per_input: int = 1,
) -> list[tuple[Floats, ...]]:
    """Return, for each image, the outputs of the network for its crops (n, 4).

    A call has ``batch_size`` inputs, which may belong to several images. One input is ``crops_per_input`` successive
    crops, stacked on the channel axis.
    """
    if not crop_boxes:
        return []
    ends = list(accumulate(len(found) for found in crop_boxes))
    outputs = []
    step = batch_size * crops_per_input
    for start in range(0, max(ends[-1], 1), step):  # an empty call gives the output shapes
        crops = _crops(images, crop_boxes, ends, start, start + step, network.card.input.size)
        if deadline is not None:
            deadline.check()
        outputs.append(network.run(_stack(crops, crops_per_input)))
    whole = [np.concatenate(parts) for parts in zip(*outputs, strict=True)]
    borders = [end // crops_per_input for end in ends[:-1]]
    return list(zip(*(np.split(output, borders) for output in whole), strict=True))


def _crops(
    images: Sequence[Mipmap],
    crop_boxes: Sequence[Floats],
    ends: Sequence[int],
    start: int,
    stop: int,
    size: int,
) -> NDArray[np.uint8]:
    """Return crops ``start`` to ``stop``, (n, size, size, 3), of the boxes of all images numbered consecutively."""
    parts = [np.empty((0, size, size, 3), np.uint8)]
    for image, wanted, end in zip(images, crop_boxes, ends, strict=True):
        first = end - len(wanted)
        here = wanted[max(start - first, 0) : max(stop - first, 0)]
        if len(here):
            parts.append(image.crops(here, size))
    return np.concatenate(parts) if len(parts) > 2 else parts[-1]


def _stack(crops: NDArray[np.uint8], crops_per_input: int) -> NDArray[np.uint8]:
    """Stack successive crops on the channel axis: (n k, s, s, 3) -> (n, s, s, 3 k)."""
    if crops_per_input == 1:
        return crops
    size = crops.shape[1]
    grouped = crops.reshape(-1, crops_per_input, size, size, 3).transpose(0, 2, 3, 1, 4)
    return grouped.reshape(-1, size, size, crops_per_input * 3)
