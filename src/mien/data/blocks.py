"""Lists in blocks, as of WIDER FACE and FDDB: a picture's name, its number of faces, one line a face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.annotations import PICTURE_SUFFIXES, broken, numbers, read_lines


@dataclass(frozen=True, slots=True)
class Block:
    """What ``file`` says of one picture: its name and line, and the numbered lines below it."""

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
    """Cut the list at each picture's name, so that what is wrong with one picture stays with it.

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
    """The picture's name. Raises BadAnnotation for lines that belong to no picture."""
    if not block.name:
        line, text = block.rows[0]
        raise broken(f"{block.file}:{line}", f"{text!r} before any picture", "begin with a picture's name")
    return block.name


def block_faces(block: Block, columns: int, layout: str) -> NDArray[np.float64]:
    """The faces of one picture, (n, columns).

    Raises BadAnnotation when the number of faces is missing or wrong, or a line has not ``columns`` numbers.
    """
    if not block.rows:
        found = f"nothing said of {block.name!r}"
        raise broken(block.place, found, "write the number of faces below the name")
    (line, text), *rows = block.rows
    if not text.isdecimal():
        found = f"{text!r} where the number of faces belongs"
        raise broken(f"{block.file}:{line}", found, "write a whole number")
    count = int(text)
    faces = [numbers(f"{block.file}:{at}", row.split(), columns, layout) for at, row in rows]
    if count == 0 and len(faces) == 1 and not any(faces[0]):
        faces = []  # WIDER's lists write one line of zeros below a count of 0
    if len(faces) != count:
        found = f"{count} faces announced, {len(faces)} listed"
        raise broken(f"{block.file}:{line}", found, "correct the number or the faces")
    return np.array(faces, dtype=np.float64).reshape(count, columns)


def _is_name(text: str) -> bool:
    """Whether a line names a picture: by its suffix, or because it does not begin with a number."""
    if Path(text).suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        float(text.split()[0])
    except ValueError:
        return True
    return False
