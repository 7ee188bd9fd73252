"""The HTTP service: shapes, limits and status codes; what is computed is ``mien``'s own. Needs the extra ``serve``."""

from mien.server.app import create_app
from mien.server.run import serve
from mien.server.settings import ServeSettings, load_settings

__all__ = ["ServeSettings", "create_app", "load_settings", "serve"]
