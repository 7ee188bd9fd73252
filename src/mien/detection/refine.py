"""The later stages: R-Net drops candidates, O-Net gives faces with points, L-Net moves the points.

Each takes several images at once, so that their crops share the calls; the answers are those of one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from mien.detection.config import DetectorConfig
from mien.geometry import boxes
from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging import Mipmap
from mien.models import Model, ModelCard, PointPatches, SquareBox
from mien.types import Candidates, Deadline, Faces, Floats

_SAME_FACE = 0.5
"""Boxes that overlap by more than this vote on where a face is."""

_LEAST = np.float32(1e-6)

_REACH = 0.35
"""L-Net moves a point no further than this, in sides of its patch; one that it would move further stays."""


def run_rnet(
    images: Sequence[Mipmap],
    candidates: Sequence[Candidates],
    rnet: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
) -> list[Candidates]:
    """Of each image the candidates that R-Net keeps: calibrated boxes, best first."""
    windows = [boxes.square(found.boxes) for found in candidates]
    crop_boxes = [rnet.card.crop_as(SquareBox).crop_boxes(found.boxes) for found in candidates]
    answers = _infer(rnet, images, crop_boxes, config.batch_size, deadline)
    return [_candidates(config, squares, *seen) for squares, seen in zip(windows, answers, strict=True)]


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
    """Of each image the faces, best first. Boxes may reach beyond the image, as faces do."""
    faces = _infer_onet(images, [found.boxes for found in candidates], onet, config, deadline)
    if config.flip_tta:
        # The mean of two scores may reach the threshold where the first alone does not.
        faces = [_suppressed(found, config.onet_threshold / 2, config) for found in faces]
        again = _infer_onet(images, [found.boxes for found in faces], _Mirrored(onet), config, deadline)
        faces = [_mean(first, second) for first, second in zip(faces, again, strict=True)]
    return [_suppressed(found, config.onet_threshold, config) for found in faces]


@dataclass(frozen=True, slots=True, eq=False)
class _Mirrored:
    """O-Net that sees each crop mirrored and answers in the frame of the crop as it was."""

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
    """What O-Net says of each box, in their order."""
    windows = [boxes.square(found) for found in where]
    crop_boxes = [onet.card.crop_as(SquareBox).crop_boxes(found) for found in where]
    answers = _infer(onet, images, crop_boxes, config.batch_size, deadline)
    return [
        Faces(boxes.decode_boxes(offsets, squares), scores, boxes.decode_points(points, squares))
        for squares, (scores, offsets, points) in zip(windows, answers, strict=True)
    ]


def _mean(first: Faces, second: Faces) -> Faces:
    half = np.float32(0.5)
    return Faces(
        np.asarray((first.boxes + second.boxes) * half, dtype=np.float32),
        np.asarray((first.scores + second.scores) * half, dtype=np.float32),
        np.asarray((first.keypoints + second.keypoints) * half, dtype=np.float32),
    )


def _suppressed(faces: Faces, threshold: float, config: DetectorConfig) -> Faces:
    faces = faces[faces.scores >= threshold]
    kept = boxes.nms(faces.boxes, faces.scores, config.final_nms_iom, "min")
    return _voted(faces, kept) if config.box_voting else faces[kept]


def _voted(faces: Faces, kept: NDArray[np.intp]) -> Faces:
    """The faces kept, each where all that overlap it by more than a half put it on average, by their scores.

    Box voting: Gidaris and Komodakis 2015, "Object detection via a multi-region and semantic segmentation-aware
    CNN model"; here the points are averaged, too.
    """
    weights = np.where(boxes.iou(faces.boxes[kept], faces.boxes) > _SAME_FACE, faces.scores, 0)
    weights[np.arange(len(kept)), kept] = np.maximum(faces.scores[kept], _LEAST)  # each votes for itself, at least
    weights = weights / weights.sum(axis=1, keepdims=True)
    points = (weights @ faces.keypoints.reshape(len(faces), 10)).reshape(-1, 5, 2)
    return Faces(weights @ faces.boxes, faces.scores[kept], points)


def run_lnet(
    images: Sequence[Mipmap],
    faces: Sequence[Faces],
    lnet: Model,
    config: DetectorConfig,
    deadline: Deadline | None = None,
) -> list[Faces]:
    """The same faces, each point moved by what L-Net sees in a patch around it.

    The optional stage of Zhang's later release, with the rule of its MXNet port: five patches are judged together,
    and a point that would move by more than 0.35 patches in x or y stays.
    """
    spec = lnet.card.crop_as(PointPatches)
    patches = [spec.crop_boxes(found.boxes, found.keypoints) for found in faces]
    answers = _infer(lnet, images, patches, config.batch_size, deadline, together=5)
    return [_move(*one) for one in zip(faces, patches, answers, strict=True)]


def _move(faces: Faces, patches: Floats, seen: tuple[Floats, ...]) -> Faces:
    (places,) = seen
    near = np.all(np.abs(places - 0.5) <= _REACH, axis=2, keepdims=True)
    moved = boxes.decode_points(places.reshape(-1, 1, 2), patches).reshape(-1, 5, 2)
    return Faces(faces.boxes, faces.scores, np.where(near, moved, faces.keypoints))


def _infer(
    network: Model,
    images: Sequence[Mipmap],
    crop_boxes: Sequence[Floats],
    batch_size: int,
    deadline: Deadline | None,
    together: int = 1,
) -> list[tuple[Floats, ...]]:
    """Return, for each image, the outputs of the network for its crops (n, 4).

    A call has ``batch_size`` inputs, which may belong to several images. One input is ``together`` successive crops,
    stacked on the channel axis.
    """
    if not crop_boxes:
        return []
    ends = list(accumulate(len(found) for found in crop_boxes))
    answers = []
    step = batch_size * together
    for start in range(0, max(ends[-1], 1), step):  # one empty call where there is nothing: it knows the shapes
        crops = _crops(images, crop_boxes, ends, start, start + step, network.card.input.size)
        if deadline is not None:
            deadline.check()
        answers.append(network.run(_stack(crops, together)))
    whole = [np.concatenate(parts) for parts in zip(*answers, strict=True)]
    borders = [end // together for end in ends[:-1]]
    return list(zip(*(np.split(output, borders) for output in whole), strict=True))


def _crops(
    images: Sequence[Mipmap],
    crop_boxes: Sequence[Floats],
    ends: Sequence[int],
    start: int,
    stop: int,
    size: int,
) -> NDArray[np.uint8]:
    """Crops ``start`` to ``stop`` (n, size, size, 3) of all images' boxes counted through."""
    parts = [np.empty((0, size, size, 3), np.uint8)]
    for image, wanted, end in zip(images, crop_boxes, ends, strict=True):
        first = end - len(wanted)
        here = wanted[max(start - first, 0) : max(stop - first, 0)]
        if len(here):
            parts.append(image.crops(here, size))
    return np.concatenate(parts) if len(parts) > 2 else parts[-1]


def _stack(crops: NDArray[np.uint8], together: int) -> NDArray[np.uint8]:
    """(n k, s, s, 3) -> (n, s, s, 3 k)."""
    if together == 1:
        return crops
    size = crops.shape[1]
    grouped = crops.reshape(-1, together, size, size, 3).transpose(0, 2, 3, 1, 4)
    return grouped.reshape(-1, size, size, together * 3)
