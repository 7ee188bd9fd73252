"""The pipeline from an image to its analyzed faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Unpack

import numpy as np

from mien.alignment import AlignedFace, AlignSpec, align_faces
from mien.detection import FaceDetector
from mien.detection.detector import IMAGES_PER_BATCH
from mien.errors import BadOption
from mien.geometry.schemes import to_five
from mien.heads import Contour, LandmarkDetector, LandmarkOptions
from mien.imaging import ImageSource, Mipmap, read_mipmap
from mien.pipeline.config import AnalyzerConfig
from mien.types import Deadline, Face, Faces, Landmarks, Pose


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """Everything requested about one face; None: not requested.

    Attributes:
        face: Bounding box, score and keypoints.
        landmarks: 68 landmarks and the head pose.
        aligned: The aligned crop.
    """

    face: Face
    landmarks: Landmarks | None = None
    aligned: AlignedFace | None = None

    @property
    def pose(self) -> Pose | None:
        """The head pose of the landmarks; None without landmarks or where unknown."""
        return None if self.landmarks is None else self.landmarks.pose

    def to_dict(self) -> dict[str, Any]:
        """Return everything requested as plain Python values."""
        heads = {"landmarks": self.landmarks, "aligned": self.aligned}
        return {**self.face.to_dict(), **{name: head.to_dict() for name, head in heads.items() if head is not None}}


class AnalyzeOptions(LandmarkOptions, total=False):
    """Keyword arguments of :meth:`FaceAnalyzer.batch`."""

    heads: Sequence[str] | None
    min_face_size: float | None
    max_faces: int | None
    align: AlignSpec | None


@dataclass(frozen=True, slots=True, eq=False, init=False)
class FaceAnalyzer:
    """Detect faces and run the requested heads on them.

    Opens its models once. Immutable, safe to share between threads, and picklable: a copy in another process opens
    the models again.

    Args:
        config: See :class:`AnalyzerConfig`; None for the defaults.
        face_detector: Used instead of one made from ``config``.
        landmark_detector: Used instead of one made from ``config``.

    Raises:
        ModelMissing, ModelMismatch, BadOption.
    """

    config: AnalyzerConfig
    face_detector: FaceDetector
    landmark_detector: LandmarkDetector | None

    def __init__(
        self,
        config: AnalyzerConfig | None = None,
        *,
        face_detector: FaceDetector | None = None,
        landmark_detector: LandmarkDetector | None = None,
    ) -> None:
        config = config or AnalyzerConfig()
        object.__setattr__(self, "config", config)
        object.__setattr__(self, "face_detector", face_detector or _face_detector(config))
        if landmark_detector is None and "landmarks" in config.heads:
            landmark_detector = _landmark_detector(config)
        object.__setattr__(self, "landmark_detector", landmark_detector)

    def __call__(self, image: ImageSource | Mipmap, **options: Unpack[AnalyzeOptions]) -> list[FaceAnalysis]:
        """Return the analyzed faces of one image, best first; [] for no faces. Options and errors as for a batch."""
        return self.batch([image], **options)[0]

    def batch(
        self,
        images: Iterable[ImageSource | Mipmap],
        *,
        heads: Sequence[str] | None = None,
        min_face_size: float | None = None,
        max_faces: int | None = None,
        align: AlignSpec | None = None,
        contour: Contour | None = None,
        refinement_steps: int | None = None,
        deadline: Deadline | None = None,
    ) -> list[list[FaceAnalysis]]:
        """Return the analyzed faces of each image, best first; several images share network calls.

        Args:
            images: Paths, bytes, files, arrays or PIL images.
            heads: Heads to run; None for all that are open.
            min_face_size: Overrides the detector's option for this call, in pixels.
            max_faces: Keep only this many faces, the best.
            align: Cut aligned faces this way; None for none.
            contour, refinement_steps: Override the landmark detector's options for this call.
            deadline: Checked between network calls.

        Raises:
            BadImage, BadOption, DeadlineExceeded.
        """
        _check_max_faces(max_faces)
        wanted = self._wanted(heads)
        remaining = iter(images)
        analyses: list[list[FaceAnalysis]] = []
        while group := [read_mipmap(image) for image in islice(remaining, IMAGES_PER_BATCH)]:
            detected = self.face_detector.batch(group, min_face_size=min_face_size, deadline=deadline)
            detected = [faces[:max_faces] for faces in detected]
            landmarks: Sequence[Sequence[Landmarks] | None] = [None] * len(group)
            if "landmarks" in wanted:
                landmarks = self._landmark_detector().batch(
                    group, detected, contour=contour, refinement_steps=refinement_steps, deadline=deadline
                )
            for image, faces, found in zip(group, detected, landmarks, strict=True):
                nothing: list[None] = [None] * len(faces)
                aligned = nothing if align is None else self.align(image, faces, align, found)
                analyses.append([FaceAnalysis(*parts) for parts in zip(faces, found or nothing, aligned, strict=True)])
        return analyses

    def detect(
        self,
        image: ImageSource | Mipmap,
        *,
        min_face_size: float | None = None,
        max_faces: int | None = None,
        deadline: Deadline | None = None,
    ) -> Faces:
        """Return the faces of one image, best first, without running any head."""
        _check_max_faces(max_faces)
        return self.face_detector(image, min_face_size=min_face_size, deadline=deadline)[:max_faces]

    def landmarks(
        self, image: ImageSource | Mipmap, faces: Faces, **options: Unpack[LandmarkOptions]
    ) -> list[Landmarks]:
        """Return the landmarks of given faces, in their order. Only the boxes are needed; keypoints may be NaN."""
        return self._landmark_detector()(image, faces, **options)

    def align(
        self,
        image: ImageSource | Mipmap,
        faces: Faces,
        spec: AlignSpec,
        landmarks: Sequence[Landmarks] | None = None,
    ) -> list[AlignedFace]:
        """Return one aligned face per face, by its keypoints or, where given, by the keypoints of its landmarks."""
        if landmarks is not None:
            faces = faces_from_landmarks(faces, landmarks)
        return align_faces(read_mipmap(image), faces, spec=spec)

    def _landmark_detector(self) -> LandmarkDetector:
        if self.landmark_detector is None:
            raise BadOption("the head 'landmarks' is not open; add it to AnalyzerConfig.heads")
        return self.landmark_detector

    def _wanted(self, heads: Sequence[str] | None) -> tuple[str, ...]:
        opened = ("landmarks",) if self.landmark_detector is not None else ()
        wanted = opened if heads is None else tuple(heads)
        closed = [head for head in wanted if head not in opened]
        if closed:
            raise BadOption(f"heads={wanted}: {closed[0]!r} is not open; open are {opened or 'none'}")
        return wanted


def _check_max_faces(max_faces: int | None) -> None:
    if max_faces is not None and max_faces < 1:
        raise BadOption(f"max_faces={max_faces}: must be at least 1, or None for all")


def faces_from_landmarks(faces: Faces, landmarks: Sequence[Landmarks]) -> Faces:
    """Return the faces with the five keypoints that their 68 landmarks give."""
    keypoints = [to_five(each.points) for each in landmarks]
    return Faces(faces.boxes, faces.scores, np.reshape(np.array(keypoints, np.float32), (-1, 5, 2)))


def _face_detector(config: AnalyzerConfig) -> FaceDetector:
    models = config.models
    return FaceDetector(
        config.detector,
        proposer=models.proposer,
        refiner=models.refiner,
        pnet=models.pnet,
        rnet=models.rnet,
        onet=models.onet,
        lnet=models.lnet if config.detector.refine_keypoints else None,
        threads=config.threads,
        providers=config.providers,
    )


def _landmark_detector(config: AnalyzerConfig) -> LandmarkDetector:
    return LandmarkDetector(
        config.models.landmarks,
        contour=config.landmarks.contour,
        refinement_steps=config.landmarks.refinement_steps,
        threads=config.threads,
        providers=config.providers,
    )
