"""Text lists in blocks, as WIDER FACE and FDDB use them: an image's name, its number of faces, one line per face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.parsing import annotation_error, numbered_lines, numbers
from mien.imaging import SUFFIXES


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one image: its name, the line number of the name, and the numbered lines below it."""

    file: Path
    line: int
    name: str
    rows: list[tuple[int, str]]

    @property
    def place(self) -> str:
        """Position of the name, as ``file:line``."""
        return f"{self.file}:{self.line}"


def read_block(file: Path) -> Block:
    """Return a file that describes a single image, named in its first line, as one block. Raises BadAnnotation."""
    rows = numbered_lines(file)
    if not rows:
        raise annotation_error(file, "an empty file", "write a name, the number of faces and one line per face")
    (line, name), *rest = rows
    return Block(file, line, name, rest)


def read_blocks(file: Path) -> Iterator[Block]:
    """Yield one block per image.

    The list is cut at the names, so an error in one block does not affect the next. Lines before the first name
    become a block without a name. Raises BadAnnotation when the list cannot be read.
    """
    block = Block(file, 0, "", [])
    for line, text in numbered_lines(file):
        if _is_name(text):
            if block.name or block.rows:
                yield block
            block = Block(file, line, text, [])
        else:
            block.rows.append((line, text))
    if block.name or block.rows:
        yield block


def block_name(block: Block) -> str:
    """Return the image's name. Raises BadAnnotation for lines that belong to no image."""
    if not block.name:
        line, text = block.rows[0]
        raise annotation_error(f"{block.file}:{line}", f"{text!r} before any image", "begin with an image's name")
    return block.name


def block_faces(block: Block, layout: str) -> NDArray[np.float64]:
    """Return the faces of one image, (n, k), where ``layout`` names the k columns, separated by blanks.

    Raises BadAnnotation when the number of faces is missing or wrong, or a line does not have k numbers.
    """
    columns = len(layout.split())
    if not block.rows:
        found = f"no number of faces below {block.name!r}"
        raise annotation_error(block.place, found, "write the number of faces below the name")
    (line, text), *rows = block.rows
    if not text.isdecimal():
        found = f"{text!r} instead of the number of faces"
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
    """Return whether a line names an image: by its suffix, or because it does not begin with a number."""
    if Path(text).suffix.lower() in SUFFIXES:
        return True
    try:
        float(text.split()[0])
    except ValueError:
        return True
    return False
