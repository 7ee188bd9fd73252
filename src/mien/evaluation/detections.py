"""Files of detections: JSON lines, and the text formats of WIDER FACE and FDDB.

In memory, detections are a mapping from an image's name to its ``Faces``; unknown keypoints are NaN.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.datasets.blocks import block_faces, block_name, read_block, read_blocks
from mien.datasets.parsing import annotation_error, numbered_lines
from mien.errors import BadAnnotation, BadOption
from mien.imaging import SUFFIXES
from mien.io import atomic_write
from mien.schema import face_records, faces_from_records, to_json_line
from mien.types import Faces

Detections = Mapping[str, Faces]
"""Faces by image, for example ``{"0--Parade/0_Parade_marchingband_1_5.jpg": faces}``."""

_JSON = {".json", ".jsonl", ".ndjson"}
_LAYOUT = "x y width height score"


def faces_without_keypoints(boxes: ArrayLike, scores: ArrayLike) -> Faces:
    """Return ``Faces`` of a detector without keypoints: ``boxes`` (n, 4), ``scores`` (n,), keypoints all NaN."""
    corners = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    keypoints = np.full((len(corners), 5, 2), np.nan, dtype=np.float32)
    return Faces(corners, np.asarray(scores, dtype=np.float32), keypoints)


def select(detections: Detections, names: Iterable[str]) -> dict[str, Faces]:
    """Return the detections of the images ``names``, under these names; other images are dropped.

    Images are matched by :func:`match_images`. Raises BadAnnotation when an image is missing (one without faces must
    be there, with no faces), when two match one name, or when a box or score is not finite.
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
            raise BadAnnotation(f"{image!r} has a box or score that is not finite; remove such faces")
    return {name: detections[image] for name, image in found.items()}


def match_images(images: Collection[str], names: Sequence[str]) -> dict[str, str]:
    """Return the match among ``images`` of each of ``names``; names without a match are left out.

    An image matches when its path ends with the name, with or without suffix: ``/data/a/b.jpg`` is ``a/b``. Raises
    BadAnnotation when two match one name.
    """
    depths = {len(_parts(name)) for name in names}
    by_ending: dict[tuple[str, ...], list[str]] = {}
    for image in images:
        parts = _parts(image)
        for depth in depths:
            if 0 < depth <= len(parts):
                by_ending.setdefault(parts[-depth:], []).append(image)
    matches = {name: [name] if name in images else by_ending.get(_parts(name), []) for name in names}
    for name, found in matches.items():
        if len(found) > 1:
            raise BadAnnotation(f"{found[0]!r} and {found[1]!r} both match {name!r}; keep one of them")
    return {name: found[0] for name, found in matches.items() if found}


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name.replace("\\", "/"))
    return (path.with_suffix("") if path.suffix.lower() in SUFFIXES else path).parts


def read_detections(
    source: Path | str, read_text: Callable[[Path], dict[str, Faces]] | None = None
) -> dict[str, Faces]:
    """Read JSON lines, or the official text format of a data set, which ``read_text`` reads.

    Raises BadOption when there is no such file or folder, or no reader for it.
    """
    source = Path(source)
    if not source.exists():
        raise BadOption(f"detections {source}: no such file or folder (looked in {Path.cwd()})")
    if source.is_file() and (read_text is None or source.suffix.lower() in _JSON):
        return read_json(source)
    if read_text is None:
        raise BadOption(f"detections {source}: a folder; this data set has no text format, give a file of JSON lines")
    return read_text(source)


def read_json(path: Path | str) -> dict[str, Faces]:
    """Read JSON lines as ``mien detect --json`` writes them: one object per image.

    ``{"image": "a/b.jpg", "faces": [{"box": [x0, y0, x1, y1], "score": 0.9, "keypoints": [[x, y] * 5]}]}`` in image
    pixels. ``keypoints`` may be missing or null; other fields are ignored, and so are lines with ``error`` instead of
    ``faces``. Raises BadAnnotation with file and line.
    """
    path = Path(path)
    found: dict[str, Faces] = {}
    for number, line in numbered_lines(path):
        try:
            record = json.loads(line)
            if "error" in record:
                continue
            image, faces = str(record["image"]), faces_from_records(record["faces"])
        except (KeyError, TypeError, ValueError) as error:
            raise annotation_error(
                f"{path}:{number}",
                f"not an image with faces ({type(error).__name__}: {error})",
                'write one line per image: {"image": "a/b.jpg", "faces": [{"box": [x0, y0, x1, y1], "score": 0.9}]}',
            ) from error
        _add(found, f"{path}:{number}", image, faces)
    return found


def write_json(path: Path | str, detections: Detections) -> None:
    """Write JSON lines for :func:`read_json`; a face with unknown keypoints is written without them."""
    with atomic_write(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for image, faces in detections.items():
            file.write(to_json_line({"image": image, "faces": face_records(faces)}) + "\n")


def read_wider_text(folder: Path | str) -> dict[str, Faces]:
    """Read WIDER FACE's result folder: ``<event>/<name>.txt`` with name, count, ``x y width height score``.

    The images are named ``<event>/<name>.jpg``, after the files. Raises BadAnnotation with file and line, or when
    there is no such file.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*/*.txt"))
    if not files:
        raise annotation_error(folder, "no <event>/<name>.txt", "give the folder that holds the event folders")
    return {f"{f.parent.name}/{f.stem}.jpg": _from_rows(block_faces(read_block(f), _LAYOUT)) for f in files}


def read_fddb_text(source: Path | str) -> dict[str, Faces]:
    """Read FDDB's rectangles: one file, or a folder with ``fold-01-out.txt`` to ``fold-10-out.txt``.

    An image is its name (``2002/08/11/big/img_591``), a count, and rows ``x y width height score``. FDDB's other
    form, detections as ellipses, is not supported. Raises BadAnnotation with file and line.
    """
    source = Path(source)
    files = sorted(source.glob("fold-*-out.txt")) if source.is_dir() else [source]
    if not files:
        raise annotation_error(source, "no fold-*-out.txt", "give that folder or one text file")
    found: dict[str, Faces] = {}
    for block in (block for file in files for block in read_blocks(file)):
        _add(found, block.place, block_name(block), _from_rows(block_faces(block, _LAYOUT)))
    return found


def _add(found: dict[str, Faces], place: str, image: str, faces: Faces) -> None:
    if image in found:
        raise annotation_error(place, f"{image!r} twice", "write each image once")
    found[image] = faces


def _from_rows(rows: NDArray[np.float64]) -> Faces:
    return faces_without_keypoints(np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]), rows[:, 4])
