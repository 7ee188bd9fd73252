"""Errors of 68 landmarks by subset, by yaw and by part of the face; error of the yaw.

The normalizing length is part of the name of each number:

- ``inter-ocular``: distance between the outer corners of the eyes (Sagonas et al. 2016, "300 Faces In-The-Wild
  Challenge: database and results");
- ``inter-pupil``: distance between the eye centers, a center being the mean of the points of the eye;
- ``box``: square root of the area of the bounding box of the true points (Bulat and Tzimiropoulos 2017, "How far are
  we from solving the 2D & 3D Face Alignment problem?");
- ``diagonal``: diagonal of that bounding box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.evaluation.metrics.nme import NormalizedErrors
from mien.geometry import boxes as box_geometry
from mien.geometry.schemes import OUTER_EYE_CORNERS, SIXTY_EIGHT_GROUPS
from mien.types import Doubles, Floats

Mask = NDArray[np.bool_]

Norm: TypeAlias = Literal["inter-ocular", "inter-pupil", "box", "diagonal"]

NORMS: tuple[Norm, ...] = get_args(Norm)

THRESHOLDS = (0.08, 0.1)
"""Normalized errors at which failure rate and AUC are given."""

PARTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "jaw": (*SIXTY_EIGHT_GROUPS["jaw"],),
        "brows": (*SIXTY_EIGHT_GROUPS["left_brow"], *SIXTY_EIGHT_GROUPS["right_brow"]),
        "nose": (*SIXTY_EIGHT_GROUPS["nose"],),
        "eyes": (*SIXTY_EIGHT_GROUPS["left_eye"], *SIXTY_EIGHT_GROUPS["right_eye"]),
        "mouth": (*SIXTY_EIGHT_GROUPS["mouth"],),
    }
)
"""The landmarks of each part of the face."""

YAW_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"0-30": (0, 30), "30-60": (30, 60), "60-90": (60, 180)}
)
"""Absolute yaw in degrees, lower bound included; the last range includes heads beyond 90 degrees."""

_POINTS = 68
_EYE_CORNERS = {"left_eye": (36, 39), "right_eye": (42, 45)}


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkTruth:
    """The labeled faces of a data set.

    Attributes:
        points: (n, 68, 2) in image pixels, NaN where unknown.
        visible: (n, 68), 1 visible, 0 occluded, NaN unknown.
        yaw: (n,) in degrees, NaN where unknown.
        subsets: Part of the data set of each face.

    Raises BadOption for a wrong shape or no face.
    """

    points: Floats
    visible: Floats
    yaw: Floats
    subsets: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.subsets)
        wanted = {"points": (n, _POINTS, 2), "visible": (n, _POINTS), "yaw": (n,)}
        for name, shape in wanted.items():
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise BadOption(f"{name} has shape {array.shape}; it must be {shape} for {n} faces")
            object.__setattr__(self, name, array)
        if not n:
            raise BadOption("there is no labeled face; give at least one")

    def __len__(self) -> int:
        return len(self.subsets)

    def __getitem__(self, rows: Mask) -> LandmarkTruth:
        subsets = tuple(name for name, row in zip(self.subsets, rows, strict=True) if row)
        return LandmarkTruth(self.points[rows], self.visible[rows], self.yaw[rows], subsets)


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkScore:
    """Errors of a group of faces.

    Attributes:
        faces: Number of faces.
        missed: Number of faces without a prediction.
        unscored: Number of faces without an error: their normalizing length is unknown, or no point counts.
        errors: Errors over all points of a face that count.
        parts: Errors over the points of each part of the face.
        yaw: (k,), absolute error in degrees of the faces whose true and predicted yaw are known.
    """

    faces: int
    missed: int
    unscored: int
    errors: NormalizedErrors
    parts: Mapping[str, NormalizedErrors]
    yaw: Doubles

    @property
    def yaw_error(self) -> float:
        """Mean absolute error of the yaw in degrees; NaN without any."""
        return float(self.yaw.mean()) if len(self.yaw) else float("nan")

    def to_dict(self, norm: Norm) -> dict[str, float]:
        """Return every number; keys name the normalizing length, and thresholds in percent."""
        name = norm.replace("-", "_")
        out: dict[str, float] = {"faces": self.faces, "missed": self.missed, f"unscored_{name}": self.unscored}
        out |= self.errors.to_dict(name, THRESHOLDS)
        out |= {f"nme_{part}_{name}": errors.nme for part, errors in self.parts.items()}
        return out | {"yaw_faces": len(self.yaw), "yaw_error_degrees": self.yaw_error}


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkScores:
    """Scores of ``all`` faces, of each subset, and of each range of yaw that has faces.

    ``norm``: the normalizing length. Faces of unknown yaw are in no range.
    """

    norm: Norm
    all: LandmarkScore
    subsets: Mapping[str, LandmarkScore]
    yaw: Mapping[str, LandmarkScore]


def score_landmarks(
    truth: LandmarkTruth, points: Floats, yaw: Floats, norm: Norm = "inter-ocular", *, visible_only: bool = True
) -> LandmarkScores:
    """Compare predicted landmarks and yaw with the ground truth.

    Args:
        truth: The labeled faces. Unknown points do not count.
        points: (n, 68, 2) in image pixels; a face with a NaN is missed: a failure, but not part of the NME.
        yaw: (n,) in degrees; NaN where not predicted.
        norm: The normalizing length.
        visible_only: Points labeled as occluded do not count either.

    Raises:
        BadOption: Shapes that do not match, or an unknown norm.
    """
    points, yaw = np.asarray(points, dtype=np.float32), np.asarray(yaw, dtype=np.float64)
    if points.shape != truth.points.shape or yaw.shape != truth.yaw.shape:
        raise BadOption(f"points {points.shape} and yaw {yaw.shape} must be as the truth's {truth.points.shape}, (n,)")
    errors = _errors(truth, points, normalizing_lengths(truth.points, norm), visible_only)
    missed = np.asarray(np.isnan(points).any(axis=(1, 2)))
    absolute_yaw = np.abs(truth.yaw)
    yaw_errors = np.abs((yaw - truth.yaw + 180) % 360 - 180)

    def score(rows: Mask) -> LandmarkScore:
        scored = _face_errors(errors[rows])
        return LandmarkScore(
            faces=int(rows.sum()),
            missed=int(missed[rows].sum()),
            unscored=int(rows.sum()) - len(scored),
            errors=NormalizedErrors(scored),
            parts={name: NormalizedErrors(_face_errors(errors[rows][:, part])) for name, part in PARTS.items()},
            yaw=yaw_errors[rows & np.isfinite(yaw_errors)],
        )

    subsets = np.array(truth.subsets)
    ranges = {name: (absolute_yaw >= low) & (absolute_yaw < high) for name, (low, high) in YAW_RANGES.items()}
    return LandmarkScores(
        norm,
        score(np.ones(len(truth), dtype=bool)),
        {name: score(subsets == name) for name in dict.fromkeys(truth.subsets)},
        {name: score(rows) for name, rows in ranges.items() if rows.any()},
    )


def normalizing_lengths(points: Floats, norm: Norm) -> Doubles:
    """Return the normalizing length (n,) in pixels of faces (n, 68, 2); NaN where the known points do not give it."""
    if norm not in NORMS:
        raise BadOption(f"unknown norm {norm!r}; use one of {', '.join(NORMS)}")
    if norm in ("inter-ocular", "inter-pupil"):
        ends = points[:, OUTER_EYE_CORNERS] if norm == "inter-ocular" else _eye_centers(points)
        found = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    else:
        boxes = box_geometry.bounding_boxes(points)
        sides = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
        found = np.sqrt(sides.prod(axis=1)) if norm == "box" else np.linalg.norm(sides, axis=1)
    return np.where(found > 0, found, np.nan)


def _eye_centers(points: Floats) -> Floats:
    """Return the eye centers (n, 2, 2): the mean of the known points of each eye, if its corners are among them."""
    centers = np.full((len(points), 2, 2), np.nan, dtype=np.float32)
    for column, (eye, corners) in enumerate(_EYE_CORNERS.items()):
        known = np.isfinite(points[:, corners]).all(axis=(1, 2))
        centers[known, column] = np.nanmean(points[known][:, list(SIXTY_EIGHT_GROUPS[eye])], axis=1)
    return centers


def _errors(truth: LandmarkTruth, points: Floats, lengths: Doubles, visible_only: bool) -> Doubles:
    """Return the normalized error of each point, (n, 68): infinite in a missed face, NaN if not counted."""
    distances = np.linalg.norm(points.astype(np.float64) - truth.points, axis=2)
    distances[np.isnan(points).any(axis=(1, 2))] = np.inf
    counted = np.isfinite(truth.points).all(axis=2)
    if visible_only:
        counted &= truth.visible != 0
    return np.where(counted, distances, np.nan) / lengths[:, None]


def _face_errors(errors: Doubles) -> Doubles:
    """Return the mean (m,) of the point errors (n, k) of each face that has any."""
    return np.asarray(np.nanmean(errors[~np.isnan(errors).all(axis=1)], axis=1))
