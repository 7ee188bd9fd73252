"""AFLW2000-3D (Zhu et al. 2016): ``image00002.jpg`` and ``image00002.mat`` beside it.

``pt3d_68`` (3, 68) are the points of a fitted 3D model in the image: x, y, depth. They come from Matlab, which counts
pixels from 1. ``Pose_Para`` is the pose of that model (see ``datasets.pose_para``).
"""

from __future__ import annotations

from pathlib import Path

from mien.datasets.matlab import read_mat
from mien.datasets.parsing import FIRST_CORNER, annotation_error, as_numbers, checked_points, original_image, size_of
from mien.datasets.pose_para import pose_from_para
from mien.datasets.samples import Dataset, LandmarkSample, Progress, collect, no_progress

_POINTS = 68


def read_aflw2000(root: Path | str, progress: Progress = no_progress) -> Dataset[LandmarkSample]:
    """Read the images in ``root``, or in ``root/AFLW2000``; an image without ``.mat`` or the reverse is a problem.

    Needs scipy (the extra ``data``). Raises BadAnnotation when there is no ``.mat`` file.
    """
    root = Path(root)
    folder = root / "AFLW2000" if (root / "AFLW2000").is_dir() else root
    found = [file for ending in ("jpg", "mat") for file in folder.glob(f"*.{ending}") if file.name[0] != "."]
    files = sorted({file.with_suffix(".mat") for file in found})
    if not any(file.is_file() for file in files):
        raise annotation_error(root, "no .mat file", "give the folder of AFLW2000-3D that holds image00002.mat")
    return Dataset(*collect(_parse, files, progress), root=root)


def _parse(file: Path) -> LandmarkSample:
    image = file.with_suffix(".jpg")
    if not file.is_file():
        raise annotation_error(image, f"its points {file} are missing", "unpack them there or remove the image")
    given, para = read_mat(file, "pt3d_68", "Pose_Para")
    points = as_numbers(file, "pt3d_68", given)
    if points.shape != (3, _POINTS):
        raise annotation_error(file, f"pt3d_68 of shape {points.shape}", f"it must be (3, {_POINTS})")
    return LandmarkSample(
        path=image,
        points=checked_points(file, points[:2].T - FIRST_CORNER, _POINTS, size_of(file, image)),
        scheme="68-3d",
        subset="AFLW2000",
        person=original_image(file.stem),
        pose=pose_from_para(file, para),
    )
