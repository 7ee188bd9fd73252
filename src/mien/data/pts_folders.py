"""300W (Sagonas et al. 2013) and its parts HELEN, LFPW, AFW and IBUG: ``.pts`` files beside their pictures."""

from __future__ import annotations

from pathlib import Path

from mien.data.annotations import PICTURE_SUFFIXES, broken
from mien.data.points import (
    PointFace,
    PointReading,
    Progress,
    checked_points,
    original_picture,
    parse_all,
    size_of,
    unknown,
)
from mien.data.pts import read_pts

_POINTS = 68


def read_pts_folders(root: Path | str, progress: Progress | None = None) -> PointReading:
    """Read every ``<name>.pts`` below ``root``, with the picture ``<name>.jpg``, ``.png``, ... in the same folder.

    ``subset`` is the first folder below ``root``, or ``root`` itself for what lies directly in it. A picture without
    points and points without picture are problems. Raises BadAnnotation when there is no ``.pts`` file.
    """
    root = Path(root)
    pictures: dict[Path, Path] = {}
    labels: set[Path] = set()
    for file in sorted(root.rglob("*")):
        if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith("."):
            pictures.setdefault(file.with_suffix(""), file)
        elif file.suffix == ".pts" and not file.name.startswith("."):
            labels.add(file.with_suffix(""))
    if not labels:
        raise broken(root, "no .pts file in it or below", "give the folder of 300W that holds pictures and .pts files")

    def parse(stem: Path) -> PointFace:
        file = stem.parent / f"{stem.name}.pts"
        if stem not in labels:
            raise broken(pictures[stem], f"its points {file.name} are missing", "put them there or remove the picture")
        if stem not in pictures:
            raise broken(file, "no picture of that name beside it", "put it there or remove the file")
        return _face(file, pictures[stem], _subset(root, file))

    faces, problems = parse_all(parse, sorted(labels | pictures.keys()), progress)
    return PointReading(tuple(faces), tuple(problems))


def _subset(root: Path, file: Path) -> str:
    folders = file.relative_to(root).parts[:-1]
    return folders[0] if folders else root.resolve().name


def _face(file: Path, picture: Path, subset: str) -> PointFace:
    return PointFace(
        path=picture,
        points=checked_points(file, read_pts(file), _POINTS, size_of(file, picture)),
        scheme="68",
        subset=subset,
        person=original_picture(file.stem),
        visible=unknown(_POINTS),
        pose=None,
        box=unknown(4),
    )
