"""68 landmarks and head pose of detected faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption, ModelMismatch
from mien.geometry import boxes
from mien.geometry.pose import fit_pose, upright_roll
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

    A face with keypoints is rotated upright by them, in whatever direction it lies. A second refinement step crops
    again after rotating the head upright by the landmarks of the first (as Kowalski et al. 2017, "Deep Alignment
    Network"). Immutable and safe to share between threads.

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
        config = self.config
        if contour is not None:
            config = replace(config, contour=contour)
        if refinement_steps is not None:
            config = replace(config, refinement_steps=refinement_steps)
        _check_contour(self.network.card, config.contour)
        _check_boxes(faces)
        mipmaps = [read_mipmap(image) for image in images]
        sources = [mipmap for mipmap, found in zip(mipmaps, faces, strict=True) for _ in range(len(found))]
        everyone = faces[0] if len(faces) == 1 else Faces.concatenate(faces)
        landmarks: list[Landmarks] = []
        for start in range(0, len(sources), _FACES_PER_BATCH):
            if deadline is not None:
                deadline.check()
            rows = slice(start, start + _FACES_PER_BATCH)
            landmarks += self._detect(sources[rows], everyone.boxes[rows], everyone.keypoints[rows], config)
        rest = iter(landmarks)
        return [list(islice(rest, len(found))) for found in faces]

    def _detect(
        self, sources: Sequence[Mipmap], where: Floats, keypoints: Floats, config: LandmarkConfig
    ) -> list[Landmarks]:
        rotations = upright_roll(keypoints)
        outputs = self._infer(sources, _lay_sideways(where, rotations), rotations)
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
        """Run the network on one face per source: in its box (n, 4), rotated about the center by ``rotations`` (n,)."""
        card = self.network.card
        windows = _crop_spec(card).crop_boxes(where)
        crops = np.stack(_crops(sources, windows, rotations, card.input.size))
        outputs = dict(zip(card.output.names, self.network.run(crops), strict=True))
        places = outputs["landmarks"]
        expected = (len(where), len(_contours(card)), 68, 2)
        if places.shape != expected:
            raise ModelMismatch(f"{card.name} gave landmarks {places.shape}, not {expected}; export it again")
        points = boxes.decode_points(places.reshape(len(places), -1, 2), windows).astype(np.float64)
        if rotations.any():
            center = _centers(windows)[:, None]
            points = center + (points - center) @ _rotations(rotations).swapaxes(1, 2)
        pose = outputs.get("pose")
        return _Outputs(
            points.reshape(places.shape),
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


def _centers(where: Floats) -> Doubles:
    """Return the centers (n, 2) of boxes (n, 4)."""
    return (where[:, :2].astype(np.float64) + where[:, 2:]) / 2


def _rotations(degrees: Doubles) -> Doubles:
    """Return rotations (n, 2, 2); positive angles turn the x axis toward the y axis."""
    angles = np.radians(degrees)
    out = np.empty((len(angles), 2, 2))
    out[:, 0, 0] = out[:, 1, 1] = np.cos(angles)
    out[:, 1, 0] = np.sin(angles)
    out[:, 0, 1] = -out[:, 1, 0]
    return out


def _lay_sideways(where: Floats, degrees: Doubles) -> Floats:
    """Return boxes (n, 4) with width and height exchanged where a face lies nearer to its side than to upright."""
    sideways = np.abs((degrees + 90) % 180 - 90) > 45
    if not sideways.any():
        return where
    half = np.where(sideways[:, None], where[:, [3, 2]] - where[:, [1, 0]], where[:, 2:] - where[:, :2]) / 2
    center = _centers(where)
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


def _upright(points: Doubles) -> tuple[Floats, Doubles]:
    """Return the boxes (n, 4) of landmarks (n, r, 68, 2) in upright faces, about the same centers as in the image, and
    the rolls (n,) in degrees."""
    rolls = np.nan_to_num(fit_pose(points[:, -1])[:, 2])
    matrices = _rotations(rolls)
    where = boxes.face_box(points[:, 0] @ matrices)
    moved = (matrices @ _centers(where)[..., None])[..., 0] - _centers(where)
    return np.asarray(where + np.tile(moved, 2), dtype=np.float32), rolls


def _crops(sources: Sequence[Mipmap], windows: Floats, degrees: Doubles, size: int) -> list[Image]:
    """Return one crop of ``size`` pixels per source: its window (4,), rotated about the center."""
    if not degrees.any():
        return [source.crops(window[None], size)[0] for source, window in zip(sources, windows, strict=True)]
    linear = _rotations(degrees) * ((windows[:, 2:] - windows[:, :2]) / size)[:, None]
    corners = _centers(windows) - linear.sum(axis=2) * (size / 2)
    to_image = np.concatenate([linear, corners[..., None]], axis=2)
    return [
        source.warp(matrix, size, size) if turned else source.crops(window[None], size)[0]
        for source, window, matrix, turned in zip(sources, windows, to_image, degrees.tolist(), strict=True)
    ]


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
