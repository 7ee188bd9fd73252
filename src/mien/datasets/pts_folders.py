"""300W (Sagonas et al. 2013) and its parts HELEN, LFPW, AFW and IBUG: ``.pts`` files beside their images."""

from __future__ import annotations

from pathlib import Path

from mien.datasets.parsing import annotation_error, checked_points, original_image, size_of
from mien.datasets.pts import read_pts
from mien.datasets.samples import Dataset, LandmarkSample, Progress, collect, no_progress
from mien.imaging import SUFFIXES

_POINTS = 68


def read_pts_folders(root: Path | str, progress: Progress = no_progress) -> Dataset[LandmarkSample]:
    """Read every ``<name>.pts`` below ``root``, with the image ``<name>.jpg``, ``.png``, ... in the same folder.

    ``subset`` is the first folder below ``root``, or ``root`` itself for files directly in it. An image without
    points and points without an image are problems. Raises BadAnnotation when there is no ``.pts`` file.
    """
    root = Path(root)
    images: dict[Path, Path] = {}
    labels: set[Path] = set()
    for file in sorted(root.rglob("*")):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            images.setdefault(file.with_suffix(""), file)
        elif file.suffix == ".pts" and not file.name.startswith("."):
            labels.add(file.with_suffix(""))
    if not labels:
        raise annotation_error(
            root, "no .pts file in it or below", "give the folder of 300W that holds images and .pts files"
        )

    def parse(stem: Path) -> LandmarkSample:
        file = stem.parent / f"{stem.name}.pts"
        if stem not in labels:
            raise annotation_error(
                images[stem], f"its points {file.name} are missing", "put them there or remove the image"
            )
        if stem not in images:
            raise annotation_error(file, "no image of that name beside it", "put it there or remove the file")
        return LandmarkSample(
            path=images[stem],
            points=checked_points(file, read_pts(file), _POINTS, size_of(file, images[stem])),
            scheme="68",
            subset=_subset(root, file),
            person=original_image(file.stem),
        )

    return Dataset(*collect(parse, sorted(labels | images.keys()), progress), root=root)


def _subset(root: Path, file: Path) -> str:
    folders = file.relative_to(root).parts[:-1]
    return folders[0] if folders else root.resolve().name
