"""68 points of faces that were found, and how the heads are turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption, ModelMismatch
from mien.geometry import boxes
from mien.geometry.pose import fit_pose
from mien.imaging import ImageSource, Mipmap, read_image
from mien.models import Network, NetworkSource, opened
from mien.types import Faces, Floats, Image, Landmarks, Pose

_TASK = "landmarks68"
_TOGETHER = 32
"""Faces a call of the network; more are worked through in chunks, so that memory stays bounded."""

_NEAR = 0.05
"""A point is close to where it belongs within this part of the longer side of the face box."""

_SMALLEST_SPREAD = 1e-6

Contour: TypeAlias = Literal["visible", "3d"]

_SCHEMES: dict[Contour, str] = {"visible": "68", "3d": "68-3d"}
"""In the order in which the network gives them."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, init=False)
class LandmarkDetector:
    """68 points of each face, how sure each is, and how the head is turned.

    ``contour``: "visible" puts the jaw on the edge that is seen (scheme "68"), "3d" where the jaw of the head is
    (scheme "68-3d"). ``passes=2`` looks again after turning the head upright and drawing the box anew, by the points
    of the first look (as Kowalski et al. 2017, "Deep Alignment Network"). ``threads``, ``providers``: see
    :func:`mien.models.open_model`. Immutable; threads may share it. Raises ModelMissing, ModelMismatch, BadOption.

    A face whose five points lie on their side or upside down is turned by quarters before it is looked at.

    ``scores``: the probability that the point lies within 5 % of the longer side of the box that was looked at. The
    network gives the scale b of a density that falls as exp(-r / b), so that P(r <= R) = 1 - (1 + R / b) exp(-R / b).
    A network that gives no scale has scores of 1.
    """

    network: Network
    contour: Contour
    refinement_steps: int

    def __init__(
        self,
        network: NetworkSource = "senet68",
        *,
        contour: Contour = "visible",
        refinement_steps: int = 2,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        if contour not in _SCHEMES:
            raise BadOption(f"contour={contour!r}: must be 'visible' or '3d'")
        if refinement_steps not in (1, 2):
            raise BadOption(f"passes={refinement_steps}: must be 1, or 2 for a second look")
        ready = opened(network, _TASK, threads=threads, providers=providers)
        _check_outputs(ready, contour)
        object.__setattr__(self, "network", ready)
        object.__setattr__(self, "contour", contour)
        object.__setattr__(self, "refinement_steps", refinement_steps)

    def __call__(self, image: ImageSource | Mipmap, faces: Faces) -> list[Landmarks]:
        """The landmarks of each face, in their order and in image pixels; [] for no faces.

        Of a face only the box is needed: its five points may be NaN. Boxes may reach beyond the image, where all
        is black. Raises BadOption where a box is empty or not finite, BadImage for what is no image.
        """
        return self.batch([image], [faces])[0]

    def batch(self, images: Sequence[ImageSource | Mipmap], faces: Sequence[Faces]) -> list[list[Landmarks]]:
        """The landmarks of the faces of each image, as one by one but faster: they share the network's calls."""
        if len(images) != len(faces):
            raise BadOption(f"{len(images)} images and faces of {len(faces)}; give one Faces an image")
        _check_boxes(faces)
        mipmaps = [image if isinstance(image, Mipmap) else Mipmap(read_image(image)) for image in images]
        sources = [mipmap for mipmap, found in zip(mipmaps, faces, strict=True) for _ in range(len(found))]
        everyone = [face for found in faces for face in found]
        landmarks: list[Landmarks] = []
        for start in range(0, len(sources), _TOGETHER):
            part = everyone[start : start + _TOGETHER]
            turns = _quarter_turns(np.stack([face.keypoints for face in part]))
            where = _turned_boxes(np.stack([face.box for face in part]), -turns)
            landmarks += self._find(sources[start : start + _TOGETHER], where, turns)
        rest = iter(landmarks)
        return [list(islice(rest, len(found))) for found in faces]

    def _find(self, sources: Sequence[Mipmap], where: Floats, turns: Doubles) -> list[Landmarks]:
        seen = self._look(sources, where, turns)
        if self.refinement_steps == 2:
            seen = self._look(sources, *_upright(seen.points))
        row = list(_SCHEMES).index(self.contour)
        spread = np.zeros(seen.points.shape[:3]) if seen.spread is None else seen.spread
        scores = _scores(spread[:, row], self.network.card.context)
        scheme = _SCHEMES[self.contour]
        return [
            Landmarks(points, scheme, sure, pose)
            for points, sure, pose in zip(seen.points[:, row].astype(np.float32), scores, _poses(seen), strict=True)
        ]

    def _look(self, sources: Sequence[Mipmap], where: Floats, turns: Doubles) -> _Seen:
        """What the network says of one face a source, in a box (n, 4) of the image turned back by ``turns``."""
        card = self.network.card
        squared = boxes.square(where) if card.crop == "square" else where
        windows = boxes.enlarge(squared, card.context)
        crops = [
            _crop(source, window, turn, card.input_size)
            for source, window, turn in zip(sources, windows, turns.tolist(), strict=True)
        ]
        answers = _ask(self.network, np.stack(crops))
        places = answers["points"]
        points = boxes.decode_points(places.reshape(len(places), -1, 2), windows)
        pose = answers.get("pose")
        return _Seen(
            _turned(points, turns).reshape(places.shape),
            answers.get("spread"),
            None if pose is None else pose + turns[:, None] * [0, 0, 1],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the network says of n faces, for one or both contours (r).

    ``points`` (n, r, 68, 2) in image pixels; ``spread`` (n, r, 68) in sides of the crop; ``pose`` (n, 3): yaw,
    pitch, roll in degrees, in the frame of the image. None: the network does not say.
    """

    points: Doubles
    spread: Floats | None
    pose: Doubles | None


def _ask(network: Network, crops: NDArray[np.uint8]) -> dict[str, Floats]:
    return dict(zip(network.card.outputs, network.run(crops), strict=True))


def _check_outputs(network: Network, contour: Contour) -> None:
    """Look at one black crop: the card does not say how many contours there are."""
    name, size = network.card.name, network.card.input_size
    points = _ask(network, np.zeros((1, size, size, 3), np.uint8)).get("points")
    if points is None or points.ndim != 4 or points.shape[2:] != (68, 2):
        found = network.card.outputs if points is None else points.shape
        raise ModelMismatch(f"{name} gives {found}, not points (n, 1 or 2, 68, 2); export it again")
    if contour == "3d" and points.shape[1] < 2:
        raise BadOption(f"contour='3d': {name} gives the visible contour only; use contour='visible'")


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
    """(n, 2, 2); positive angles turn the x axis towards the y axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)], axis=-2)


def _turned(points: NDArray[np.floating], degrees: Doubles) -> Doubles:
    """Points (n, k, 2), those of each row turned about (0, 0)."""
    if not degrees.any():
        return np.asarray(points, dtype=np.float64)
    return np.asarray(points @ _rotations(degrees).transpose(0, 2, 1))


def _turned_boxes(where: Floats, degrees: Doubles) -> Floats:
    """Boxes (n, 4) after quarter turns about (0, 0)."""
    return boxes.bounding_boxes(_turned(where.reshape(-1, 2, 2), degrees))


def _quarter_turns(points: Floats) -> Doubles:
    """By how many degrees, in quarters, faces are turned whose five points (n, 5, 2) these are; unknown gives 0.

    From the eyes to the mouth: of a head in profile the two eyes are too close to tell.
    """
    down = points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1)
    quarters = np.round(np.degrees(np.arctan2(-down[:, 0], down[:, 1])) / 90)
    return np.where(np.isfinite(quarters), quarters, 0).astype(np.float64) * 90


def _upright(points: Doubles) -> tuple[Floats, Doubles]:
    """Boxes (n, 4) of faces whose points (n, r, 68, 2) these are, after turning each by its roll back; and the rolls.

    The roll of all points, by the 3D contour where there is one: of a head in profile the eyes are too close to tell.
    """
    turns = np.nan_to_num(fit_pose(points[:, -1])[:, 2])
    return boxes.face_box(_turned(points[:, 0], -turns)), turns


def _crop(source: Mipmap, window: Floats, turn: float, size: int) -> Image:
    if turn == 0:
        crop: Image = source.crops(window[None], size)[0]
        return crop
    x0, y0, x1, y1 = window.tolist()
    stretch = np.array([[(x1 - x0) / size, 0, x0], [0, (y1 - y0) / size, y0]])
    return source.warp(_rotations(np.array(turn)) @ stretch, size, size)


def _scores(spread: NDArray[np.floating], context: float) -> NDArray[np.floating]:
    """See :class:`LandmarkDetector`; the side of the crop is ``context`` times that of the box."""
    reach = _NEAR / (context * np.maximum(spread, _SMALLEST_SPREAD))
    return np.asarray(np.clip(1 - (1 + reach) * np.exp(-reach), 0, 1))


def _poses(seen: _Seen) -> list[Pose | None]:
    """What the network says; else what the points of the 3D contour say; None where neither can."""
    angles = seen.pose
    if angles is None:
        if seen.points.shape[1] < 2:
            return [None] * len(seen.points)
        angles = fit_pose(seen.points[:, 1])
    return [
        Pose(yaw, pitch, (roll + 180) % 360 - 180) if math.isfinite(yaw + pitch + roll) else None
        for yaw, pitch, roll in angles.tolist()
    ]
