"""Errors of 68 points: by subset, by how far the head is turned, by part of the face; and the error of its yaw.

What errors are divided by stands in the name of each number:

- ``inter-ocular``: the distance between the outer corners of the eyes (Sagonas et al. 2016, "300 Faces In-The-Wild
  Challenge: database and results");
- ``inter-pupil``: the distance between the middles of the eyes, a middle being the mean of the points of the eye;
- ``box``: the square root of the area of the box of the true points (Bulat and Tzimiropoulos 2017, "How far are we
  from solving the 2D & 3D Face Alignment problem?");
- ``diagonal``: the diagonal of that box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.evaluation.metrics.keypoints import PointErrors
from mien.geometry import boxes as box_geometry
from mien.geometry.schemes import OUTER_EYE_CORNERS, SIXTY_EIGHT_GROUPS
from mien.types import Floats

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

Norm: TypeAlias = Literal["inter-ocular", "inter-pupil", "box", "diagonal"]

NORMS: tuple[Norm, ...] = get_args(Norm)

LIMITS = (0.08, 0.1)
"""Failure rates and areas under the curve are given at these errors."""

GROUPS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "jaw": (*SIXTY_EIGHT_GROUPS["jaw"],),
        "brows": (*SIXTY_EIGHT_GROUPS["left_brow"], *SIXTY_EIGHT_GROUPS["right_brow"]),
        "nose": (*SIXTY_EIGHT_GROUPS["nose"],),
        "eyes": (*SIXTY_EIGHT_GROUPS["left_eye"], *SIXTY_EIGHT_GROUPS["right_eye"]),
        "mouth": (*SIXTY_EIGHT_GROUPS["mouth"],),
    }
)
"""The points of each part of the face."""

YAW_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"0-30": (0, 30), "30-60": (30, 60), "60-90": (60, 180)}
)
"""Degrees to either side, the lower end included; heads turned by more than 90 are with those up to 90."""

_POINTS = 68
_EYES = {"left_eye": (36, 39), "right_eye": (42, 45)}
"""The corners of each eye."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkTruth:
    """The labelled faces of a data set.

    ``points`` (n, 68, 2): image pixels, NaN where unknown. ``visible`` (n, 68): 1 seen, 0 covered, NaN unknown.
    ``yaw`` (n,): degrees, NaN where unknown. ``subsets``: the part of the data set that each face is from. Raises
    BadOption for other shapes, or for no face.
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
            raise BadOption("there is no labelled face; give at least one")

    def __len__(self) -> int:
        return len(self.subsets)

    def __getitem__(self, rows: Mask) -> LandmarkTruth:
        subsets = tuple(name for name, row in zip(self.subsets, rows, strict=True) if row)
        return LandmarkTruth(self.points[rows], self.visible[rows], self.yaw[rows], subsets)


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkScore:
    """Some of the faces: how many ``faces``, of which ``missed`` were not found and ``unscored`` have no error.

    A face has no error when the length to divide by is not known, or none of its points counts. ``errors``: over all
    points of a face that count; ``groups``: over those of each part of the face. ``yaw`` (k,): error in degrees of
    the faces whose yaw is known and was told.
    """

    faces: int
    missed: int
    unscored: int
    errors: PointErrors
    groups: Mapping[str, PointErrors]
    yaw: Doubles

    @property
    def yaw_error(self) -> float:
        """Mean absolute error of the yaw in degrees; NaN when there is none."""
        return float(self.yaw.mean()) if len(self.yaw) else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkResult:
    """Scores of ``all`` faces, of each of the ``subsets``, and of each range of ``yaw`` that has faces.

    ``norm``: what errors are divided by. Faces of unknown yaw are in no range.
    """

    norm: Norm
    all: LandmarkScore
    subsets: Mapping[str, LandmarkScore]
    yaw: Mapping[str, LandmarkScore]

    def numbers(self, score: LandmarkScore) -> dict[str, float]:
        """Every number of a score under a name that says what it is divided by; limits in per cent."""
        name = self.norm.replace("-", "_")
        out: dict[str, float] = {"faces": score.faces, "missed": score.missed, f"unscored_{name}": score.unscored}
        out |= score.errors.numbers(name, LIMITS)
        out |= {f"nme_{group}_{name}": errors.nme for group, errors in score.groups.items()}
        return out | {"yaw_faces": len(score.yaw), "yaw_error_degrees": score.yaw_error}


def evaluate_landmarks(
    truth: LandmarkTruth, found: Floats, yaw: Floats, norm: Norm = "inter-ocular", *, visible_only: bool = True
) -> LandmarkResult:
    """Compare points ``found`` (n, 68, 2), in image pixels, and ``yaw`` (n,), in degrees, with the truth.

    A face with a NaN among its found points is missed: it fails, and is not in the mean. Unknown points of the truth
    do not count, and with ``visible_only`` covered ones neither; those of which it is not known do. A yaw of NaN was
    not told. Raises BadOption for shapes that do not fit, or an unknown norm.
    """
    found, yaw = np.asarray(found, dtype=np.float32), np.asarray(yaw, dtype=np.float64)
    if found.shape != truth.points.shape or yaw.shape != truth.yaw.shape:
        raise BadOption(f"found {found.shape} and yaw {yaw.shape} must be as the truth's {truth.points.shape} and (n,)")
    errors = _errors(truth, found, lengths(truth.points, norm), visible_only)
    missed = np.asarray(np.isnan(found).any(axis=(1, 2)))
    turned = np.abs(truth.yaw)
    yaw_errors = np.abs((yaw - truth.yaw + 180) % 360 - 180)

    def score(rows: Mask) -> LandmarkScore:
        scored = _scored(errors[rows])
        groups = {name: PointErrors(_scored(errors[rows][:, points])) for name, points in GROUPS.items()}
        told = rows & np.isfinite(yaw_errors)
        return LandmarkScore(
            faces=int(rows.sum()),
            missed=int(missed[rows].sum()),
            unscored=int(rows.sum()) - len(scored),
            errors=PointErrors(scored),
            groups=MappingProxyType(groups),
            yaw=yaw_errors[told],
        )

    subsets = np.array(truth.subsets)
    ranges = {name: (turned >= low) & (turned < high) for name, (low, high) in YAW_RANGES.items()}
    return LandmarkResult(
        norm,
        score(np.ones(len(truth), dtype=bool)),
        MappingProxyType({name: score(subsets == name) for name in dict.fromkeys(truth.subsets)}),
        MappingProxyType({name: score(rows) for name, rows in ranges.items() if rows.any()}),
    )


def lengths(points: Floats, norm: Norm) -> Doubles:
    """What the errors of each face are divided by, (n,) in pixels; NaN where its points (n, 68, 2) do not tell."""
    if norm not in NORMS:
        raise BadOption(f"unknown norm {norm!r}; one of {', '.join(NORMS)}")
    if norm in ("inter-ocular", "inter-pupil"):
        ends = points[:, OUTER_EYE_CORNERS] if norm == "inter-ocular" else _pupils(points)
        found = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    else:
        boxes = box_geometry.bounding_boxes(points)
        sides = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
        found = np.sqrt(sides.prod(axis=1)) if norm == "box" else np.linalg.norm(sides, axis=1)
    return np.where(found > 0, found, np.nan)


def _pupils(points: Floats) -> Floats:
    """The middles of the eyes, (n, 2, 2): the mean of the known points of each, if its corners are among them."""
    middles = np.full((len(points), 2, 2), np.nan, dtype=np.float32)
    for column, (eye, corners) in enumerate(_EYES.items()):
        whole = np.isfinite(points[:, corners]).all(axis=(1, 2))
        middles[whole, column] = np.nanmean(points[whole][:, list(SIXTY_EIGHT_GROUPS[eye])], axis=1)
    return middles


def _errors(truth: LandmarkTruth, found: Floats, length: Doubles, visible_only: bool) -> Doubles:
    """The error of each point over the length, (n, 68): infinite in a missed face, NaN where it does not count."""
    distances = np.linalg.norm(found.astype(np.float64) - truth.points, axis=2)
    distances[np.isnan(found).any(axis=(1, 2))] = np.inf
    counted = np.isfinite(truth.points).all(axis=2)
    if visible_only:
        counted &= truth.visible != 0
    return np.where(counted, distances, np.nan) / length[:, None]


def _scored(errors: Doubles) -> Doubles:
    """The mean error (m,) of those of the faces (n, k) that have any."""
    return np.asarray(np.nanmean(errors[~np.isnan(errors).all(axis=1)], axis=1))
