"""68 landmarks and head pose of detected faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption, ModelMismatch
from mien.geometry import boxes
from mien.geometry.pose import fit_pose
from mien.imaging import ImageSource, Mipmap, read_mipmap
from mien.models import Model, ModelCard, ModelSource, SquareBox, StretchedBox, open_model
from mien.options import option, validate
from mien.types import Deadline, Doubles, Faces, Floats, Image, Landmarks, Pose

_TASK = "landmarks68"
_FACES_PER_BATCH = 32
"""Faces in one network call, which bounds memory."""

_HIT_RADIUS = 0.05
"""A landmark counts as hit within this fraction of the longer side of the face box."""

_MIN_UNCERTAINTY = 1e-6

Contour: TypeAlias = Literal["visible", "3d"]

_SCHEMES: dict[Contour, str] = {"visible": "68", "3d": "68-3d"}


@dataclass(frozen=True, slots=True)
class LandmarkConfig:
    """Options of :class:`mien.LandmarkDetector`."""

    contour: Contour = option(
        "visible", "jaw line: 'visible' follows the visible edge (scheme 68), '3d' the hidden jaw (scheme 68-3d)"
    )
    refinement_steps: int = option(
        2, "2 repeats the regression on the crop that the first result gives", minimum=1, maximum=2
    )

    def __post_init__(self) -> None:
        validate(self)


class LandmarkOptions(TypedDict, total=False):
    """Keyword arguments of one call: overrides of :class:`LandmarkConfig`, and a deadline checked between batches."""

    contour: Contour | None
    refinement_steps: int | None
    deadline: Deadline | None


@dataclass(frozen=True, slots=True, eq=False, init=False)
class LandmarkDetector:
    """Find 68 landmarks and the head pose of detected faces.

    A second refinement step crops again after rotating the head upright by the landmarks of the first (as Kowalski
    et al. 2017, "Deep Alignment Network"). A face whose keypoints lie on their side or upside down is rotated by
    multiples of 90 degrees first. Immutable and safe to share between threads.

    Args:
        network: Name of a shipped network, path of a file or an opened network.
        contour, refinement_steps: See :class:`LandmarkConfig`.
        threads, providers: See :func:`mien.models.open_model`.

    Raises:
        ModelMissing, ModelMismatch, BadOption.
    """

    network: Model
    config: LandmarkConfig

    def __init__(
        self,
        network: ModelSource = "senet68",
        *,
        contour: Contour = "visible",
        refinement_steps: int = 2,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        config = LandmarkConfig(contour, refinement_steps)
        ready = open_model(network, _TASK, threads=threads, providers=providers)
        _check_card(ready.card)
        _check_contour(ready.card, contour)
        object.__setattr__(self, "network", ready)
        object.__setattr__(self, "config", config)

    def __call__(
        self, image: ImageSource | Mipmap, faces: Faces, **options: Unpack[LandmarkOptions]
    ) -> list[Landmarks]:
        """Return the landmarks of each face, in order, in image pixels; [] for no faces.

        Args:
            image: Path, bytes, file, array or PIL image.
            faces: Only the boxes are needed: keypoints may be NaN. Boxes may extend beyond the image.
            options: See :class:`LandmarkOptions`.

        Raises:
            BadOption: A box is empty or not finite.
            BadImage, DeadlineExceeded.
        """
        return self.batch([image], [faces], **options)[0]

    def batch(
        self,
        images: Sequence[ImageSource | Mipmap],
        faces: Sequence[Faces],
        *,
        contour: Contour | None = None,
        refinement_steps: int | None = None,
        deadline: Deadline | None = None,
    ) -> list[list[Landmarks]]:
        """Return the landmarks of the faces of each image; all faces share network calls. Raises like a single call."""
        if len(images) != len(faces):
            raise BadOption(f"{len(images)} images but faces of {len(faces)}; give one Faces per image")
        config = LandmarkConfig(
            self.config.contour if contour is None else contour,
            self.config.refinement_steps if refinement_steps is None else refinement_steps,
        )
        _check_contour(self.network.card, config.contour)
        _check_boxes(faces)
        mipmaps = [read_mipmap(image) for image in images]
        sources = [mipmap for mipmap, found in zip(mipmaps, faces, strict=True) for _ in range(len(found))]
        everyone = Faces.concatenate(faces)
        landmarks: list[Landmarks] = []
        for start in range(0, len(sources), _FACES_PER_BATCH):
            if deadline is not None:
                deadline.check()
            part = everyone[start : start + _FACES_PER_BATCH]
            landmarks += self._detect(sources[start : start + _FACES_PER_BATCH], part, config)
        rest = iter(landmarks)
        return [list(islice(rest, len(found))) for found in faces]

    def _detect(self, sources: Sequence[Mipmap], faces: Faces, config: LandmarkConfig) -> list[Landmarks]:
        rotations = _quarter_turns(faces.keypoints)
        outputs = self._infer(sources, _rotate_boxes(faces.boxes, -rotations), rotations)
        if config.refinement_steps == 2:
            outputs = self._infer(sources, *_upright(outputs.points))
        row = _contours(self.network.card).index(config.contour)
        uncertainty = np.zeros(outputs.points.shape[:3]) if outputs.uncertainty is None else outputs.uncertainty
        scores = _scores(uncertainty[:, row], _crop_spec(self.network.card).context)
        points = outputs.points[:, row].astype(np.float32)
        scheme = _SCHEMES[config.contour]
        return [
            Landmarks(place, scheme, score, pose)
            for place, score, pose in zip(points, scores, _poses(outputs), strict=True)
        ]

    def _infer(self, sources: Sequence[Mipmap], where: Floats, rotations: Doubles) -> _Outputs:
        """Run the network on one face per source, in a box (n, 4) of the image rotated back by ``rotations``."""
        card = self.network.card
        windows = _crop_spec(card).crop_boxes(where)
        crops = [
            _crop(source, window, degrees, card.input.size)
            for source, window, degrees in zip(sources, windows, rotations.tolist(), strict=True)
        ]
        outputs = dict(zip(card.output.names, self.network.run(np.stack(crops)), strict=True))
        places = outputs["landmarks"]
        expected = (len(where), len(_contours(card)), 68, 2)
        if places.shape != expected:
            raise ModelMismatch(f"{card.name} gave landmarks {places.shape}, not {expected}; export it again")
        points = boxes.decode_points(places.reshape(len(places), -1, 2), windows)
        pose = outputs.get("pose")
        return _Outputs(
            _rotate(points, rotations).reshape(places.shape),
            outputs.get("uncertainty"),
            None if pose is None else pose + rotations[:, None] * [0, 0, 1],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Outputs:
    """Network outputs for n faces and r contours.

    Attributes:
        points: (n, r, 68, 2) in image pixels.
        uncertainty: (n, r, 68), scale of the error density in crop sides, or None.
        pose: (n, 3), yaw, pitch, roll in degrees in the image frame, or None.
    """

    points: Doubles
    uncertainty: Floats | None
    pose: Doubles | None


def _contours(card: ModelCard) -> tuple[str, ...]:
    return tuple(card.output.labels.get("landmarks", ()))


def _crop_spec(card: ModelCard) -> SquareBox | StretchedBox:
    return card.crop if isinstance(card.crop, StretchedBox) else card.crop_as(SquareBox)


def _check_card(card: ModelCard) -> None:
    _crop_spec(card)
    if _contours(card) not in (("visible",), ("visible", "3d")):
        found = f"outputs {card.output.names} with contours {_contours(card)}"
        raise ModelMismatch(f"{card.name} has {found}, not landmarks with the contour 'visible' (and '3d')")


def _check_contour(card: ModelCard, contour: Contour) -> None:
    if contour not in _contours(card):
        raise BadOption(f"contour={contour!r}: {card.name} gives the visible contour only; use contour='visible'")


def _check_boxes(faces: Sequence[Faces]) -> None:
    for image, found in enumerate(faces):
        good = np.isfinite(found.boxes).all(axis=1) & (found.boxes[:, :2] < found.boxes[:, 2:]).all(axis=1)
        if not good.all():
            face = int(np.argmin(good))
            raise BadOption(
                f"face {face} of image {image} has the box {found.boxes[face].tolist()}; "
                "it must be x0, y0, x1, y1, finite, with x0 < x1 and y0 < y1"
            )


def _rotations(degrees: Doubles) -> Doubles:
    """Return rotations (n, 2, 2); positive angles turn the x axis toward the y axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)], axis=-2)


def _rotate(points: NDArray[np.floating], degrees: Doubles) -> Doubles:
    """Return points (n, k, 2), each row rotated about (0, 0)."""
    if not degrees.any():
        return np.asarray(points, dtype=np.float64)
    return np.asarray(points @ _rotations(degrees).transpose(0, 2, 1))


def _rotate_boxes(where: Floats, degrees: Doubles) -> Floats:
    """Return boxes (n, 4) after rotation by multiples of 90 degrees about (0, 0)."""
    return boxes.bounding_boxes(_rotate(where.reshape(-1, 2, 2), degrees))


def _quarter_turns(points: Floats) -> Doubles:
    """Return the roll (n,) of keypoints (n, 5, 2), rounded to multiples of 90 degrees; 0 where unknown.

    Measured from eyes to mouth: in profile the two eyes are too close together.
    """
    down = points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1)
    quarters = np.round(np.degrees(np.arctan2(-down[:, 0], down[:, 1])) / 90)
    return np.where(np.isfinite(quarters), quarters, 0).astype(np.float64) * 90


def _upright(points: Doubles) -> tuple[Floats, Doubles]:
    """Return upright face boxes (n, 4) of landmarks (n, r, 68, 2), and the rolls (n,) in degrees."""
    rotations = np.nan_to_num(fit_pose(points[:, -1])[:, 2])
    return boxes.face_box(_rotate(points[:, 0], -rotations)), rotations


def _crop(source: Mipmap, window: Floats, degrees: float, size: int) -> Image:
    if degrees == 0:
        crop: Image = source.crops(window[None], size)[0]
        return crop
    x0, y0, x1, y1 = window.tolist()
    stretch = np.array([[(x1 - x0) / size, 0, x0], [0, (y1 - y0) / size, y0]])
    return source.warp(_rotations(np.array(degrees)) @ stretch, size, size)


def _scores(uncertainty: NDArray[np.floating], context: float) -> NDArray[np.floating]:
    """Return the probability that a point lies within 5 % of the box side of its true position.

    The network gives the scale b of the density exp(-r / b), so that P(r <= R) = 1 - (1 + R / b) exp(-R / b). The
    crop side is ``context`` box sides.
    """
    reach = _HIT_RADIUS / (context * np.maximum(uncertainty, _MIN_UNCERTAINTY))
    return np.asarray(np.clip(1 - (1 + reach) * np.exp(-reach), 0, 1))


def _poses(outputs: _Outputs) -> list[Pose | None]:
    """Return the network's pose, else the pose fitted to the 3D contour, else None."""
    angles = outputs.pose
    if angles is None:
        if outputs.points.shape[1] < 2:
            return [None] * len(outputs.points)
        angles = fit_pose(outputs.points[:, 1])
    return [
        Pose(yaw, pitch, (roll + 180) % 360 - 180) if math.isfinite(yaw + pitch + roll) else None
        for yaw, pitch, roll in angles.tolist()
    ]
