"""The small values that the rooms of the house hand to each other.

All are frozen; arrays are checked once, when the value is made. No arithmetic, no files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption

Image = NDArray[np.uint8]
"""An upright RGB image, uint8 (h, w, 3)."""

Floats = NDArray[np.float32]


def _checked(name: str, array: object, shape: tuple[int | None, ...]) -> Floats:
    """Return ``array`` as float32 after checking its shape (``None`` = any length)."""
    out = np.asarray(array, dtype=np.float32)
    fits = out.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, out.shape, strict=True))
    if not fits:
        wanted = "(" + ", ".join("n" if s is None else str(s) for s in shape) + ")"
        raise BadOption(f"{name} has shape {out.shape}; it must be {wanted}")
    return out


def _same_length(**arrays: Floats) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise BadOption(f"the arrays must have one row a face, but their lengths are {lengths}")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes before five points exist: what P-Net and R-Net hand on.

    ``boxes`` (n, 4): x0, y0, x1, y1 in image pixels. ``scores`` (n,) in [0, 1].
    """

    boxes: Floats
    scores: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", _checked("boxes", self.boxes, (None, 4)))
        object.__setattr__(self, "scores", _checked("scores", self.scores, (None,)))
        _same_length(boxes=self.boxes, scores=self.scores)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: slice | NDArray[Any]) -> Candidates:
        return Candidates(self.boxes[index], self.scores[index])


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face: ``box`` (4,), ``score`` in [0, 1], ``keypoints`` (5, 2); image pixels.

    The keypoints are, as seen in the image: left eye, right eye, nose tip, left and right mouth corner.
    """

    box: Floats
    score: float
    keypoints: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """All faces of one image, best first: a struct of arrays.

    ``boxes`` (n, 4): x0, y0, x1, y1; ``scores`` (n,) in [0, 1]; ``keypoints`` (n, 5, 2); image pixels.
    ``faces[0]`` is a :class:`Face`; ``faces[mask]`` and ``faces[1:3]`` are :class:`Faces`.
    May be empty: that is an answer, not an error.
    """

    boxes: Floats
    scores: Floats
    keypoints: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", _checked("boxes", self.boxes, (None, 4)))
        object.__setattr__(self, "scores", _checked("scores", self.scores, (None,)))
        object.__setattr__(self, "keypoints", _checked("keypoints", self.keypoints, (None, 5, 2)))
        _same_length(boxes=self.boxes, scores=self.scores, keypoints=self.keypoints)

    @classmethod
    def empty(cls) -> Faces:
        """No faces."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Face]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Face: ...
    @overload
    def __getitem__(self, index: slice | NDArray[Any]) -> Faces: ...
    def __getitem__(self, index: int | slice | NDArray[Any]) -> Face | Faces:
        if isinstance(index, (int, np.integer)):
            return Face(self.boxes[index], float(self.scores[index]), self.keypoints[index])
        return Faces(self.boxes[index], self.scores[index], self.keypoints[index])


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, in degrees: ``yaw`` to its side, ``pitch`` up or down, ``roll`` in the image plane.

    The signs are drawn in ``docs/conventions.md``.
    """

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Points (k, 2) of one face in image pixels, named by their scheme (see ``geometry.schemes``).

    ``scores`` (k,) in [0, 1]: how likely each point is close to where it belongs.
    ``pose``: how the head is turned; None where nobody says.
    """

    points: Floats
    scheme: str
    scores: Floats
    pose: Pose | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _checked("points", self.points, (None, 2)))
        object.__setattr__(self, "scores", _checked("scores", self.scores, (None,)))
        _same_length(points=self.points, scores=self.scores)


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """All that was asked about one face. None: not asked."""

    face: Face
    landmarks: Landmarks | None = None
