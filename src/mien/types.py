"""Values shared by all layers: frozen, validated on construction, with read-only arrays.

Frame: pixels of the upright image, the corner of the first pixel is (0, 0). "Left" is the left of the image.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption, DeadlineExceeded, needs_extra

if TYPE_CHECKING:
    import pandas
    import supervision

Image = NDArray[np.uint8]
"""An upright RGB image, uint8 (h, w, 3)."""

Floats = NDArray[np.float32]
"""A float32 array of any shape."""

Doubles = NDArray[np.float64]
"""A float64 array of any shape."""

KEYPOINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Names of the five keypoints, in order."""


def _read_only(name: str, array: object, shape: tuple[int | None, ...]) -> Floats:
    """Return an immutable float32 copy after checking its shape (``None``: any length)."""
    out = np.array(array, dtype=np.float32)
    fits = out.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, out.shape, strict=True))
    if not fits:
        wanted = "(" + ", ".join("n" if side is None else str(side) for side in shape) + ")"
        raise BadOption(f"{name} has shape {out.shape}; it must be {wanted}")
    return np.ndarray(out.shape, np.float32, buffer=out.tobytes())


def _require_equal_lengths(lengths: Mapping[str, int]) -> None:
    if len(set(lengths.values())) > 1:
        raise BadOption(f"the arrays must have one row per face, but their lengths are {dict(lengths)}")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time, in seconds on the monotonic clock, after which work is abandoned."""

    expires: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that expires in ``seconds``."""
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raise DeadlineExceeded when the time is over."""
        late = time.monotonic() - self.expires
        if late > 0:
            raise DeadlineExceeded(f"the deadline passed {late:.2f} s ago; allow more time or send a smaller image")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Scored bounding boxes without keypoints: the output of P-Net and R-Net.

    Attributes:
        boxes: (n, 4), x0, y0, x1, y1 in image pixels.
        scores: (n,) in [0, 1].
    """

    boxes: Floats
    scores: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", _read_only("boxes", self.boxes, (None, 4)))
        object.__setattr__(self, "scores", _read_only("scores", self.scores, (None,)))
        _require_equal_lengths({"boxes": len(self.boxes), "scores": len(self.scores)})

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: slice | NDArray[Any]) -> Candidates:
        return Candidates(self.boxes[index], self.scores[index])


@dataclass(frozen=True, slots=True)
class _Keypoint:
    """A keypoint of a face as a read-only attribute."""

    index: int

    def __get__(self, face: Face, owner: type[Face]) -> Floats:
        point: Floats = face.keypoints[self.index]
        return point


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face:
    """One detected face.

    Attributes:
        box: (4,), x0, y0, x1, y1 in image pixels; may extend beyond the image.
        score: Detection score in [0, 1].
        keypoints: (5, 2), in the order of :data:`KEYPOINTS`; NaN where unknown.
    """

    box: Floats
    score: float
    keypoints: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", _read_only("box", self.box, (4,)))
        object.__setattr__(self, "keypoints", _read_only("keypoints", self.keypoints, (5, 2)))

    def __repr__(self) -> str:
        x0, y0, x1, y1 = self.box.tolist()
        return f"Face(box=[{x0:.1f}, {y0:.1f}, {x1:.1f}, {y1:.1f}], score={self.score:.3f})"

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return float(self.box[3] - self.box[1])

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """Center (x, y) of the box."""
        return float(self.box[0] + self.box[2]) / 2, float(self.box[1] + self.box[3]) / 2

    left_eye = _Keypoint(0)
    """(2,), the eye on the left of the image."""

    right_eye = _Keypoint(1)
    """(2,), the eye on the right of the image."""

    nose = _Keypoint(2)
    """(2,), the tip of the nose."""

    left_mouth = _Keypoint(3)
    """(2,), the mouth corner on the left of the image."""

    right_mouth = _Keypoint(4)
    """(2,), the mouth corner on the right of the image."""

    def to_dict(self) -> dict[str, Any]:
        """Return box, score and keypoints as plain Python values; unknown keypoints are None."""
        known = bool(np.isfinite(self.keypoints).all())
        return {
            "box": self.box.tolist(),
            "score": self.score,
            "keypoints": self.keypoints.tolist() if known else None,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Faces:
    """The faces of one image, best first: a struct of arrays.

    ``faces[0]`` is a :class:`Face`; ``faces[mask]`` and ``faces[1:3]`` are :class:`Faces`. No face is an empty
    ``Faces``, not an error.

    Attributes:
        boxes: (n, 4), x0, y0, x1, y1 in image pixels; may extend beyond the image.
        scores: (n,), detection scores in [0, 1].
        keypoints: (n, 5, 2), in the order of :data:`KEYPOINTS`; NaN where unknown.
    """

    boxes: Floats
    scores: Floats
    keypoints: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", _read_only("boxes", self.boxes, (None, 4)))
        object.__setattr__(self, "scores", _read_only("scores", self.scores, (None,)))
        object.__setattr__(self, "keypoints", _read_only("keypoints", self.keypoints, (None, 5, 2)))
        lengths = {"boxes": len(self.boxes), "scores": len(self.scores), "keypoints": len(self.keypoints)}
        _require_equal_lengths(lengths)

    @classmethod
    def empty(cls) -> Faces:
        """Return no faces."""
        return cls(*(np.empty(shape, np.float32) for shape in ((0, 4), (0,), (0, 5, 2))))

    @classmethod
    def from_list(cls, faces: Sequence[Face]) -> Faces:
        """Return single faces as one value, in their order."""
        if not faces:
            return cls.empty()
        return cls(
            np.stack([face.box for face in faces]),
            np.array([face.score for face in faces], np.float32),
            np.stack([face.keypoints for face in faces]),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Faces]) -> Faces:
        """Return all faces of ``parts`` in one value, in their order."""
        parts = [cls.empty(), *parts]
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.keypoints for part in parts]),
        )

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

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3])) + (", ..." if len(self) > 3 else "")
        return f"Faces({len(self)}: [{shown}])"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        head = "".join(f"<th>{name}</th>" for name in ("", "score", "x0", "y0", "x1", "y1", "width", "height"))
        rows = [
            [str(i), f"{face.score:.3f}", *(f"{side:.1f}" for side in (*face.box.tolist(), face.width, face.height))]
            for i, face in enumerate(self)
        ]
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"faces": [...]}`` with :meth:`Face.to_dict` of each face."""
        return {"faces": [face.to_dict() for face in self]}

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with one row per face. Raises MissingExtra without pandas."""
        with needs_extra("Faces.to_dataframe", "interop"):
            import pandas
        points = {
            f"{name}_{axis}": self.keypoints[:, i, k] for i, name in enumerate(KEYPOINTS) for k, axis in enumerate("xy")
        }
        boxes = {name: self.boxes[:, i] for i, name in enumerate(("x0", "y0", "x1", "y1"))}
        return pandas.DataFrame({"score": self.scores, **boxes, **points})

    def to_supervision(self) -> supervision.Detections:
        """Return ``supervision.Detections`` with the keypoints in ``data``. Raises MissingExtra without supervision."""
        with needs_extra("Faces.to_supervision", "interop"):
            import supervision
        return supervision.Detections(
            xyxy=self.boxes.copy(), confidence=self.scores.copy(), data={"keypoints": self.keypoints.copy()}
        )


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose in degrees; see ``geometry.pose`` for the convention.

    Attributes:
        yaw: Positive turns the face to the right of the image.
        pitch: Positive looks up.
        roll: Positive is clockwise on the screen.
    """

    yaw: float
    pitch: float
    roll: float

    def __repr__(self) -> str:
        return f"Pose(yaw={self.yaw:.1f}, pitch={self.pitch:.1f}, roll={self.roll:.1f})"

    def to_dict(self) -> dict[str, float]:
        """Return the three angles by name."""
        return {"yaw": self.yaw, "pitch": self.pitch, "roll": self.roll}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Landmarks:
    """Landmarks of one face.

    Attributes:
        points: (k, 2) in image pixels.
        scheme: Name of the annotation scheme, see ``geometry.schemes``.
        scores: (k,), probability in [0, 1] that a point lies within 5 % of the face size of its true position.
        pose: Head pose, or None if unknown.
    """

    points: Floats
    scheme: str
    scores: Floats
    pose: Pose | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _read_only("points", self.points, (None, 2)))
        object.__setattr__(self, "scores", _read_only("scores", self.scores, (None,)))
        _require_equal_lengths({"points": len(self.points), "scores": len(self.scores)})

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        score = f"{self.scores.mean():.3f}" if len(self) else "nan"
        return f"Landmarks({len(self)} points, scheme={self.scheme!r}, mean score={score}, pose={self.pose})"

    def to_dict(self) -> dict[str, Any]:
        """Return scheme, points, scores and pose as plain Python values."""
        return {
            "scheme": self.scheme,
            "points": self.points.tolist(),
            "scores": self.scores.tolist(),
            "pose": None if self.pose is None else self.pose.to_dict(),
        }
