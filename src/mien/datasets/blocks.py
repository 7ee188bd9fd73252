"""Lists in blocks, as of WIDER FACE and FDDB: an image's name, its number of faces, one line a face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.annotations import IMAGE_SUFFIXES, annotation_error, numbers, read_lines


@dataclass(frozen=True, slots=True)
class Block:
    """What ``file`` says of one image: its name and line, and the numbered lines below it."""

    file: Path
    line: int
    name: str
    rows: list[tuple[int, str]]

    @property
    def place(self) -> str:
        """Where the name stands, as ``file:line``."""
        return f"{self.file}:{self.line}"

    @property
    def face_places(self) -> list[str]:
        """Where the lines below the number of faces stand."""
        return [f"{self.file}:{line}" for line, _ in self.rows[1:]]


def read_blocks(file: Path) -> Iterator[Block]:
    """Cut the list at each image's name, so that what is wrong with one image stays with it.

    Blank lines do not count. Lines before the first name become a block without one. Raises BadAnnotation
    when the list cannot be read.
    """
    block = Block(file, 0, "", [])
    for line, text in enumerate(read_lines(file), start=1):
        text = text.strip()
        if not text:
            continue
        if _is_name(text):
            if block.name or block.rows:
                yield block
            block = Block(file, line, text, [])
        else:
            block.rows.append((line, text))
    if block.name or block.rows:
        yield block


def block_name(block: Block) -> str:
    """The image's name. Raises BadAnnotation for lines that belong to no image."""
    if not block.name:
        line, text = block.rows[0]
        raise annotation_error(f"{block.file}:{line}", f"{text!r} before any image", "begin with an image's name")
    return block.name


def block_faces(block: Block, columns: int, layout: str) -> NDArray[np.float64]:
    """The faces of one image, (n, columns).

    Raises BadAnnotation when the number of faces is missing or wrong, or a line has not ``columns`` numbers.
    """
    if not block.rows:
        found = f"nothing said of {block.name!r}"
        raise annotation_error(block.place, found, "write the number of faces below the name")
    (line, text), *rows = block.rows
    if not text.isdecimal():
        found = f"{text!r} where the number of faces belongs"
        raise annotation_error(f"{block.file}:{line}", found, "write a whole number")
    count = int(text)
    faces = [numbers(f"{block.file}:{at}", row.split(), columns, layout) for at, row in rows]
    if count == 0 and len(faces) == 1 and not any(faces[0]):
        faces = []  # WIDER's lists write one line of zeros below a count of 0
    if len(faces) != count:
        found = f"{count} faces announced, {len(faces)} listed"
        raise annotation_error(f"{block.file}:{line}", found, "correct the number or the faces")
    return np.array(faces, dtype=np.float64).reshape(count, columns)


def _is_name(text: str) -> bool:
    """Whether a line names an image: by its suffix, or because it does not begin with a number."""
    if Path(text).suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        float(text.split()[0])
    except ValueError:
        return True
    return False
