"""Faces: detect them, align them, find landmarks, track them.

    import mien

    faces = mien.detect("photo.jpg")

The public names are listed in ``__init__.pyi`` and imported on first use, so ``import mien`` stays cheap.
"""

import lazy_loader

__version__ = "0.3.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
