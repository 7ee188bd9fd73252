"""The face detector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from mien.detection.config import DetectorConfig
from mien.detection.methods import CROPS, Mtcnn, TwoStage
from mien.errors import BadOption
from mien.geometry import boxes
from mien.imaging import ImageSource, Mipmap, read_mipmap
from mien.models import Model, ModelSource, open_model
from mien.options import build
from mien.types import Candidates, Deadline, Faces

IMAGES_PER_BATCH = 16
"""Images whose crops share network calls; longer lists are processed in groups of this size."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class FaceDetector:
    """Detect faces with five keypoints.

    Immutable and safe to share between threads. Opens only the networks of ``config.method``.

    Args:
        config: All options at once.
        proposer, refiner: Networks of the method "two-stage", each the name of a shipped network, the path of a file
            or an opened network; ``refiner=None`` returns the proposals.
        pnet, rnet, onet: Networks of the method "mtcnn".
        lnet: Network of both methods; None skips keypoint refinement.
        threads, providers: See :func:`mien.models.open_model`.
        options: Single fields of :class:`DetectorConfig` instead of ``config``: ``FaceDetector(min_face_size=40)``.

    Raises:
        ModelMissing, ModelMismatch, BadOption.
    """

    config: DetectorConfig
    networks: TwoStage | Mtcnn

    def __init__(
        self,
        config: DetectorConfig | None = None,
        *,
        proposer: ModelSource = "proposer",
        refiner: ModelSource | None = "refiner",
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
        config = config or build(DetectorConfig, options, "FaceDetector")

        def network(source: ModelSource, task: str) -> Model:
            opened = open_model(source, task, threads=threads, providers=providers)
            opened.card.crop_as(CROPS[task])
            return opened

        networks: TwoStage | Mtcnn
        last = None if lnet is None else network(lnet, "lnet")
        if config.method == "two-stage":
            second = None if refiner is None else network(refiner, "refiner")
            networks = TwoStage(network(proposer, "proposer"), second, last)
        else:
            networks = Mtcnn(network(pnet, "pnet"), network(rnet, "rnet"), network(onet, "onet"), last)
        object.__setattr__(self, "config", config)
        object.__setattr__(self, "networks", networks)

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

    def stages(self, image: ImageSource | Mipmap, *, deadline: Deadline | None = None) -> dict[str, Candidates]:
        """Return what each network keeps of the upright image, by its task, in order. Raises like a call."""
        found: dict[str, Candidates] = {}

        def observe(task: str, kept: Sequence[Candidates | Faces]) -> None:
            found[task] = Candidates(kept[0].boxes, kept[0].scores)

        self.networks([read_mipmap(image)], self.config, deadline, observe)
        return found

    def _detect_rotated(self, images: list[Mipmap], config: DetectorConfig, deadline: Deadline | None) -> list[Faces]:
        """Detect in every requested rotation of each image and merge the results."""
        turns = [degrees // 90 for degrees in config.rotations]
        if turns == [0]:
            return self.networks(images, config, deadline)
        rotated = [Mipmap(np.ascontiguousarray(np.rot90(image.image, turn))) for image in images for turn in turns]
        found = iter(self.networks(rotated, config, deadline))
        merged = []
        for image in images:
            faces = Faces.concatenate([_rotate_back(next(found), image, turn) for turn in turns])
            merged.append(faces[boxes.nms(faces.boxes, faces.scores, config.final_nms_iom, "min")])
        return merged


def _rotate_back(faces: Faces, upright: Mipmap, turn: int) -> Faces:
    """Return faces found after ``turn`` quarter turns in the frame of the upright image."""
    height, width = upright.image.shape[:2]
    where, points = faces.boxes, faces.keypoints
    for step in range(turn, 4 if turn else 0):
        side = height if step % 2 else width  # width of the image after this many turns
        where, points = boxes.quarter_turn(where, side), boxes.quarter_turn_points(points, side)
    return Faces(where, faces.scores, points)
