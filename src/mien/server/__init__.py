"""The HTTP service: routes, limits and status codes around :class:`mien.FaceAnalyzer`. Needs the extra ``serve``."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.server.app import create_app
    from mien.server.run import serve
    from mien.server.settings import ServeSettings, load_settings

__all__ = ["ServeSettings", "create_app", "load_settings", "serve"]

_MODULES = {"create_app": "app", "serve": "run", "ServeSettings": "settings", "load_settings": "settings"}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that ``python -m mien.server.openapi`` runs a fresh module."""
    if name not in _MODULES:
        raise AttributeError(f"module 'mien.server' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"mien.server.{_MODULES[name]}"), name)
