"""``python -m mien``: the same as ``mien``."""

import sys

from mien.cli import main

sys.exit(main())
