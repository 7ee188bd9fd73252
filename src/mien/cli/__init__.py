"""The command line. Each command has a module; :func:`main` is the entry point ``mien``."""

from mien.cli.main import main

__all__ = ["main"]
