"""What any detector found, from and to files: JSON lines, WIDER FACE's text folders, FDDB's text files.

In memory, detections are a mapping from an image's name to its ``Faces``; points that a format does not
carry are NaN.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import BadAnnotation
from mien.evaluation.text_blocks import read_blocks, read_lines
from mien.io import atomic_write
from mien.schema import face_records, faces_from_records, to_json_line
from mien.types import Faces

Detections = Mapping[str, Faces]
"""Faces by image, for example ``{"0--Parade/0_Parade_marchingband_1_5.jpg": faces}``."""

_ROW = "x y width height score"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"}


def faces_without_points(boxes: ArrayLike, scores: ArrayLike) -> Faces:
    """``Faces`` of a detector that gives no points: ``boxes`` (n, 4), ``scores`` (n,), points all NaN."""
    corners = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    points = np.full((len(corners), 5, 2), np.nan, dtype=np.float32)
    return Faces(corners, np.asarray(scores, dtype=np.float32), points)


def select(detections: Detections, names: Iterable[str]) -> dict[str, Faces]:
    """The detections of the images ``names``, under these names; other images are left out.

    An image matches when its path ends in the name, with or without the file's suffix: ``/data/a/b.jpg`` is
    ``a/b``. Raises BadAnnotation when an image is missing (one without faces must be there, with no faces),
    when two match one name, or when a box or score is not finite.
    """
    names = list(names)
    found = match_images(detections, names)
    missing = [name for name in names if name not in found]
    if missing:
        raise BadAnnotation(
            f"the detections lack {len(missing)} of {len(names)} images, the first is {missing[0]!r}; "
            "give an image without faces as one with an empty list of faces"
        )
    for image in found.values():
        faces = detections[image]
        if not (np.isfinite(faces.boxes).all() and np.isfinite(faces.scores).all()):
            raise BadAnnotation(f"{image!r} has a box or score that is not finite; leave such faces out")
    return {name: detections[image] for name, image in found.items()}


def match_images(images: Collection[str], names: Sequence[str]) -> dict[str, str]:
    """Which of ``images`` each of ``names`` is, as in :func:`select`; a name that none of them is, is left out.

    Raises BadAnnotation when two match one name.
    """
    by_ending = _by_ending(images, {len(_parts(name)) for name in names})
    matches = {name: [name] if name in images else by_ending.get(_parts(name), []) for name in names}
    for name, found in matches.items():
        if len(found) > 1:
            raise BadAnnotation(f"{found[0]!r} and {found[1]!r} both are {name!r}; keep one of them")
    return {name: found[0] for name, found in matches.items() if found}


def _by_ending(images: Collection[str], depths: set[int]) -> dict[tuple[str, ...], list[str]]:
    by_ending: dict[tuple[str, ...], list[str]] = {}
    for image in images:
        parts = _parts(image)
        for depth in depths:
            if 0 < depth <= len(parts):
                by_ending.setdefault(parts[-depth:], []).append(image)
    return by_ending


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name.replace("\\", "/"))
    return (path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path).parts


def read_json(path: Path | str) -> dict[str, Faces]:
    """Read JSON lines as ``mien detect --json`` writes them: one object an image.

    ``{"image": "a/b.jpg", "faces": [{"box": [x0, y0, x1, y1], "score": 0.9, "points": [[x, y] * 5]}]}``
    in image pixels; ``points`` may be missing or null, other fields are ignored, and so is the line of a
    image that could not be read (with ``error``). Raises BadAnnotation with file and line.
    """
    path = Path(path)
    found: dict[str, Faces] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "error" in record:
                continue
            image, faces = str(record["image"]), faces_from_records(record["faces"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnnotation(
                f"{path}:{number}: not an image with faces ({type(error).__name__}: {error}); write one "
                'line an image: {"image": "a/b.jpg", "faces": [{"box": [x0, y0, x1, y1], "score": 0.9}]}'
            ) from error
        if image in found:
            raise BadAnnotation(f"{path}:{number}: {image!r} for the second time; write each image once")
        found[image] = faces
    return found


def write_json(path: Path | str, detections: Detections) -> None:
    """Write what :func:`read_json` reads; a face with unknown points is written without them."""
    with atomic_write(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for image, faces in detections.items():
            file.write(to_json_line({"image": image, "faces": face_records(faces)}) + "\n")


def read_wider_text(folder: Path | str) -> dict[str, Faces]:
    """Read WIDER FACE's result folder: ``<event>/<name>.txt`` with name, count, ``x y width height score``.

    The images are named ``<event>/<name>.jpg``, after the files. Raises BadAnnotation with file and line,
    or when there is no such file.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*/*.txt"))
    if not files:
        raise BadAnnotation(f"{folder} holds no <event>/<name>.txt; give the folder that holds the event folders")
    found = {}
    for file in files:
        blocks = list(read_blocks(file, _ROW))
        if len(blocks) != 1:
            raise BadAnnotation(f"{file}: {len(blocks)} images in the file; write one text file an image")
        found[f"{file.parent.name}/{file.stem}.jpg"] = _from_rows(blocks[0][1])
    return found


def write_wider_text(folder: Path | str, detections: Detections) -> None:
    """Write what :func:`read_wider_text` and the official evaluation read.

    Raises BadAnnotation when an image's name has no event before it.
    """
    for image, faces in detections.items():
        parts = _parts(image)
        if len(parts) < 2:
            raise BadAnnotation(f"{image!r} names no event; the format needs <event>/<name>.jpg")
        event, name = parts[-2:]
        with atomic_write(Path(folder) / event / f"{name}.txt") as unfinished:
            unfinished.write_text(_block(name, faces), encoding="utf-8")


def read_fddb_text(source: Path | str) -> dict[str, Faces]:
    """Read FDDB's rectangles: one file, or a folder with ``fold-01-out.txt`` to ``fold-10-out.txt``.

    An image is its name (``2002/08/11/big/img_591``), a count, and rows ``x y width height score``. Raises
    BadAnnotation with file and line; FDDB's other form, ellipses as detections, is not read.
    """
    source = Path(source)
    files = sorted(source.glob("fold-*-out.txt")) if source.is_dir() else [source]
    if not files:
        raise BadAnnotation(f"{source} holds no fold-*-out.txt; give that folder or one text file")
    found: dict[str, Faces] = {}
    for file in files:
        for image, rows in read_blocks(file, _ROW):
            if image in found:
                raise BadAnnotation(f"{file}: {image!r} for the second time; write each image once")
            found[image] = _from_rows(rows)
    return found


def write_fddb_text(path: Path | str, detections: Detections) -> None:
    """Write one file that :func:`read_fddb_text` reads, images in the order of the mapping.

    The official program wants exactly the order of its own list of images.
    """
    with atomic_write(path) as unfinished:
        text = "".join(_block("/".join(_parts(image)), faces) for image, faces in detections.items())
        unfinished.write_text(text, encoding="utf-8")


def _from_rows(rows: NDArray[np.float64]) -> Faces:
    return faces_without_points(np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]), rows[:, 4])


def _block(name: str, faces: Faces) -> str:
    corners = faces.boxes.astype(np.float64)
    rows = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2], faces.scores])
    lines = [" ".join(f"{value:.9g}" for value in row) for row in rows]
    return "\n".join([name, str(len(lines)), *lines]) + "\n"
