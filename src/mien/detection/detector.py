"""The face detector: a cascade of P-Net, R-Net, O-Net and L-Net."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from mien.detection.config import DetectorConfig
from mien.detection.propose import run_pnet
from mien.detection.refine import run_lnet, run_onet, run_rnet
from mien.errors import BadOption
from mien.geometry import boxes
from mien.imaging import ImageSource, Mipmap, read_mipmap
from mien.models import CropSpec, Model, ModelSource, PointPatches, SquareBox, Window, open_model
from mien.options import build
from mien.types import Deadline, Faces

IMAGES_PER_BATCH = 16
"""Images whose crops share network calls; longer lists are processed in groups of this size."""

_CROPS: Mapping[str, type[CropSpec]] = MappingProxyType(
    {"pnet": Window, "rnet": SquareBox, "onet": SquareBox, "lnet": PointPatches}
)
"""The crop specification that each stage needs."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class FaceDetector:
    """Detect faces with five keypoints.

    Immutable and safe to share between threads.

    Args:
        config: All options at once.
        pnet, rnet, onet, lnet: Each the name of a shipped network, the path of a file or an opened network;
            ``lnet=None`` skips keypoint refinement.
        threads, providers: See :func:`mien.models.open_model`.
        options: Single fields of :class:`DetectorConfig` instead of ``config``: ``FaceDetector(min_face_size=40)``.

    Raises:
        ModelMissing, ModelMismatch, BadOption.

    Reference:
        Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks".
    """

    config: DetectorConfig
    pnet: Model
    rnet: Model
    onet: Model
    lnet: Model | None

    def __init__(
        self,
        config: DetectorConfig | None = None,
        *,
        pnet: ModelSource = "pnet",
        rnet: ModelSource = "rnet",
        onet: ModelSource = "onet",
        lnet: ModelSource | None = "lnet",
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        if config is not None and options:
            raise BadOption(f"give either config or single options ({', '.join(options)}), not both")
        object.__setattr__(self, "config", config or build(DetectorConfig, options, "FaceDetector"))
        for task, source in {"pnet": pnet, "rnet": rnet, "onet": onet, "lnet": lnet}.items():
            network = None if source is None else open_model(source, task, threads=threads, providers=providers)
            if network is not None:
                network.card.crop_as(_CROPS[task])
            object.__setattr__(self, task, network)

    def __call__(
        self, image: ImageSource | Mipmap, *, min_face_size: float | None = None, deadline: Deadline | None = None
    ) -> Faces:
        """Return the faces of one image, best first, in image pixels.

        Left and right of the keypoints refer to the upright face, also for faces found by ``rotations``.

        Args:
            image: Path, bytes, file, array or PIL image.
            min_face_size: Overrides the option for this call, in pixels.
            deadline: Checked between pyramid levels and batches.

        Raises:
            BadImage, BadOption, DeadlineExceeded.
        """
        return self.batch([image], min_face_size=min_face_size, deadline=deadline)[0]

    def batch(
        self,
        images: Iterable[ImageSource | Mipmap],
        *,
        min_face_size: float | None = None,
        deadline: Deadline | None = None,
    ) -> list[Faces]:
        """Return the faces of each image; crops of several images share network calls. Raises like a single call."""
        config = self.config if min_face_size is None else replace(self.config, min_face_size=min_face_size)
        remaining = iter(images)
        faces: list[Faces] = []
        while group := [read_mipmap(source) for source in islice(remaining, IMAGES_PER_BATCH)]:
            faces += self._detect_rotated(group, config, deadline)
        return faces

    def _detect_rotated(self, images: list[Mipmap], config: DetectorConfig, deadline: Deadline | None) -> list[Faces]:
        """Detect in every requested rotation of each image and merge the results."""
        turns = [degrees // 90 for degrees in config.rotations]
        if turns == [0]:
            return self._detect(images, config, deadline)
        rotated = [Mipmap(np.ascontiguousarray(np.rot90(image.image, turn))) for image in images for turn in turns]
        found = iter(self._detect(rotated, config, deadline))
        merged = []
        for image in images:
            faces = Faces.concatenate([_rotate_back(next(found), image, turn) for turn in turns])
            merged.append(faces[boxes.nms(faces.boxes, faces.scores, config.final_nms_iom, "min")])
        return merged

    def _detect(self, images: list[Mipmap], config: DetectorConfig, deadline: Deadline | None) -> list[Faces]:
        candidates = [run_pnet(image.image, self.pnet, config, deadline) for image in images]
        candidates = run_rnet(images, candidates, self.rnet, config, deadline)
        faces = run_onet(images, candidates, self.onet, config, deadline)
        if self.lnet is None or not config.refine_keypoints:
            return faces
        return run_lnet(images, faces, self.lnet, config, deadline)


def _rotate_back(faces: Faces, upright: Mipmap, turn: int) -> Faces:
    """Return faces found after ``turn`` quarter turns in the frame of the upright image."""
    height, width = upright.image.shape[:2]
    where, points = faces.boxes, faces.keypoints
    for step in range(turn, 4 if turn else 0):
        side = height if step % 2 else width  # width of the image after this many turns
        where, points = boxes.quarter_turn(where, side), boxes.quarter_turn_points(points, side)
    return Faces(where, faces.scores, points)
