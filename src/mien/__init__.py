"""Face detection, alignment and landmarks.

    import mien

    image = mien.read_image("photo.jpg")
    faces = mien.FaceDetector()(image)

Public names are imported on first use, so ``import mien`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.alignment import AlignedFace, AlignSpec, align_faces
    from mien.detection import DetectorConfig, FaceDetector
    from mien.errors import (
        BadAnnotation,
        BadImage,
        BadOption,
        BadRecipe,
        ExportMismatch,
        MienError,
        MissingExtra,
        ModelMismatch,
        ModelMissing,
        ServiceError,
    )
    from mien.heads import LandmarkDetector
    from mien.imaging import read_image, write_image
    from mien.imaging.draw import draw_faces, draw_landmarks
    from mien.pipeline.analyzer import FaceAnalyzer
    from mien.pipeline.smoothing import Smoothing
    from mien.pipeline.tracker import Tracked, Tracker, Tracking
    from mien.types import Face, FaceAnalysis, Faces, Landmarks, Pose

_MODULES = {
    "mien.alignment": ("AlignedFace", "AlignSpec", "align_faces"),
    "mien.detection": ("DetectorConfig", "FaceDetector"),
    "mien.errors": (
        "BadAnnotation",
        "BadImage",
        "BadOption",
        "BadRecipe",
        "ExportMismatch",
        "MienError",
        "MissingExtra",
        "ModelMismatch",
        "ModelMissing",
        "ServiceError",
    ),
    "mien.heads": ("LandmarkDetector",),
    "mien.imaging": ("read_image", "write_image"),
    "mien.imaging.draw": ("draw_faces", "draw_landmarks"),
    "mien.pipeline.analyzer": ("FaceAnalyzer",),
    "mien.pipeline.smoothing": ("Smoothing",),
    "mien.pipeline.tracker": ("Tracked", "Tracker", "Tracking"),
    "mien.types": ("Face", "FaceAnalysis", "Faces", "Landmarks", "Pose"),
}

__all__ = [
    "AlignSpec",
    "AlignedFace",
    "BadAnnotation",
    "BadImage",
    "BadOption",
    "BadRecipe",
    "DetectorConfig",
    "ExportMismatch",
    "Face",
    "FaceAnalysis",
    "FaceAnalyzer",
    "FaceDetector",
    "Faces",
    "LandmarkDetector",
    "Landmarks",
    "MienError",
    "MissingExtra",
    "ModelMismatch",
    "ModelMissing",
    "Pose",
    "ServiceError",
    "Smoothing",
    "Tracked",
    "Tracker",
    "Tracking",
    "align_faces",
    "draw_faces",
    "draw_landmarks",
    "read_image",
    "write_image",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'mien' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
