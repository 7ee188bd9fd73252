"""Faces: find them, cut them out, draw them.

    import mien

    picture = mien.read("photo.jpg")
    faces = mien.Detector()(picture)

Names are fetched when first used, so that ``import mien`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.describe import Chip, ChipSpec, chips
    from mien.detect import Detector, Settings
    from mien.draw import draw_faces
    from mien.errors import (
        BadAnnotation,
        BadImage,
        BadOption,
        BadRecipe,
        ExportMismatch,
        MienError,
        ModelMismatch,
        ModelMissing,
    )
    from mien.pixels import read
    from mien.values import Face, Faces

__all__ = [
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
    "MienError",
    "ModelMismatch",
    "ModelMissing",
    "Settings",
    "chips",
    "draw_faces",
    "read",
]

_HOMES = {
    "mien.describe": ("Chip", "ChipSpec", "chips"),
    "mien.detect": ("Detector", "Settings"),
    "mien.draw": ("draw_faces",),
    "mien.errors": (
        "BadAnnotation",
        "BadImage",
        "BadOption",
        "BadRecipe",
        "ExportMismatch",
        "MienError",
        "ModelMismatch",
        "ModelMissing",
    ),
    "mien.pixels": ("read",),
    "mien.values": ("Face", "Faces"),
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
