"""Faces: find them, say where everything on them is, cut them out, draw them.

    import mien

    picture = mien.read("photo.jpg")
    faces = mien.Detector()(picture)

Names are fetched when first used, so that ``import mien`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.analyzer import Analyzer
    from mien.describe import Chip, ChipSpec, Landmarker, chips
    from mien.describe.smoothing import Smoothing
    from mien.detect import Detector, Settings
    from mien.draw import draw_faces, draw_landmarks
    from mien.errors import (
        BadAnnotation,
        BadImage,
        BadOption,
        BadRecipe,
        ExportMismatch,
        MienError,
        ModelMismatch,
        ModelMissing,
        ServiceError,
    )
    from mien.pixels import read
    from mien.tracker import Tracked, Tracker, Tracking
    from mien.values import Face, Faces, Landmarks, Portrait, Pose

__all__ = [
    "Analyzer",
    "BadAnnotation",
    "BadImage",
    "BadOption",
    "BadRecipe",
    "Chip",
    "ChipSpec",
    "Detector",
    "ExportMismatch",
    "Face",
    "Faces",
    "Landmarker",
    "Landmarks",
    "MienError",
    "ModelMismatch",
    "ModelMissing",
    "Portrait",
    "Pose",
    "ServiceError",
    "Settings",
    "Smoothing",
    "Tracked",
    "Tracker",
    "Tracking",
    "chips",
    "draw_faces",
    "draw_landmarks",
    "read",
]

_HOMES = {
    "mien.analyzer": ("Analyzer",),
    "mien.describe": ("Chip", "ChipSpec", "Landmarker", "chips"),
    "mien.describe.smoothing": ("Smoothing",),
    "mien.detect": ("Detector", "Settings"),
    "mien.draw": ("draw_faces", "draw_landmarks"),
    "mien.errors": (
        "BadAnnotation",
        "BadImage",
        "BadOption",
        "BadRecipe",
        "ExportMismatch",
        "MienError",
        "ModelMismatch",
        "ModelMissing",
        "ServiceError",
    ),
    "mien.pixels": ("read",),
    "mien.tracker": ("Tracked", "Tracker", "Tracking"),
    "mien.values": ("Face", "Faces", "Landmarks", "Portrait", "Pose"),
}


def __getattr__(name: str) -> object:
    """Fetch a public name from the module where it lives (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'mien' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
