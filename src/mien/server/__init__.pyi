from .app import create_app as create_app
from .run import serve as serve
from .settings import ServeSettings as ServeSettings
from .settings import load_settings as load_settings
