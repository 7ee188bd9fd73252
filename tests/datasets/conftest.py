"""Files for the readers, which never decode pixels: any non-empty file is an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines into a file below ``tmp_path``; without lines, an image."""

    def _write(name: str, *lines: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n" if lines else "image", encoding="utf-8")
        return file

    return _write
