"""300W-LP (Zhu et al. 2016, "Face Alignment Across Large Poses: A 3D Solution") and data sets with the same layout.

    <SUBSET>/<name>.jpg                       the image
    <SUBSET>/<name>.mat                       Pose_Para; may be absent
    landmarks/<SUBSET>/<name>_pts.mat         pts_2d (68, 2); optionally pts_3d (68, 2 or 3), yaw_deg,
                                              visibility (68,): 2 visible, 1 occluded, 0 self-occluded

``<SUBSET>_Flip`` has the mirrored images of ``<SUBSET>`` under the same names. Without points of its own, it takes the
mirrored points of ``<SUBSET>``.

**Scheme.** Where ``pts_2d`` equal the first two columns of ``pts_3d``, or come with ``yaw_deg`` alone, they are the
projection of a 3D model: ``68-3d``. All others follow the visible contour, ``68``, as in the official files.

**Frame.** The official files come from Matlab and count pixels from 1. They are recognized by ``<name>.mat`` beside the
image; without that file ``pts_2d`` are image pixels, (0, 0) being the corner of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datasets.matlab import read_fields, read_mat
from mien.datasets.parsing import FIRST_CORNER, annotation_error, as_numbers, checked_points, original_image, size_of
from mien.datasets.pose_para import pose_from_para, pose_from_yaw
from mien.datasets.samples import Dataset, LandmarkSample, Progress, collect, no_progress, unknown
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.types import Floats, Pose

_POINTS = 68
_ENDING = "_pts.mat"
_FLIP = "_Flip"
_SAME = 0.01
"""Largest difference in pixels between pts_2d and pts_3d where one is a copy of the other."""

_Fields = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _Item:
    """An image of ``subset`` and its file of points, which belongs to the mirrored image where ``mirrored``."""

    image: Path
    points: Path
    subset: str
    mirrored: bool


def read_lp300(root: Path | str, progress: Progress = no_progress) -> Dataset[LandmarkSample]:
    """Read all subsets below ``root``. An image without points and points without an image are problems.

    Needs scipy (the extra ``data``). Raises BadAnnotation when there are no points at all.
    """
    root = Path(root)
    if not any((root / "landmarks").glob(f"*/*{_ENDING}")):
        found = f"no landmarks/<SUBSET>/<name>{_ENDING}"
        raise annotation_error(root, found, "give the folder of 300W-LP that holds AFW, HELEN, ... and landmarks")
    return Dataset(*collect(_parse, _items(root), progress), root=root)


def _items(root: Path) -> list[_Item]:
    """Return every image and every file of points once, sorted by name."""
    labels = root / "landmarks"
    folders = {f.name for parent in (root, labels) for f in parent.iterdir() if f.is_dir() and f != labels}
    items = []
    for subset in sorted(name for name in folders if not name.startswith(".")):
        mirrored = subset.endswith(_FLIP) and not (labels / subset).is_dir()
        source = labels / (subset.removesuffix(_FLIP) if mirrored else subset)
        names = {image.stem for image in (root / subset).glob("*.jpg")}
        if not mirrored:
            names |= {file.name.removesuffix(_ENDING) for file in source.glob(f"*{_ENDING}")}
        items += [
            _Item(root / subset / f"{name}.jpg", source / f"{name}{_ENDING}", subset, mirrored)
            for name in sorted(names)
            if not name.startswith(".")
        ]
    return items


def _parse(item: _Item) -> LandmarkSample:
    if not item.points.is_file():
        raise annotation_error(
            item.image, f"its points {item.points} are missing", "unpack them there or remove the image"
        )
    fields = read_fields(item.points, "pts_2d", "pts_3d", "visibility", "yaw_deg")
    if "pts_2d" not in fields:
        raise annotation_error(item.points, "the field 'pts_2d' is missing", "use the file of the official archive")
    size = size_of(item.points, item.image)
    model = _model(item.points, fields)
    para = item.image.with_suffix(".mat")
    official = para.is_file()
    given = as_numbers(item.points, "pts_2d", fields["pts_2d"])
    points = checked_points(item.points, given - FIRST_CORNER * official, _POINTS, size)
    visible = _visible(item.points, fields)
    pose = pose_from_yaw(item.points, fields["yaw_deg"], _with_depth(model)) if "yaw_deg" in fields else None
    if item.mirrored:
        points, visible, pose = _mirrored(points, visible, pose, size[0])
    if official:
        pose = pose_from_para(para, *read_mat(para, "Pose_Para"))
    return LandmarkSample(
        path=item.image,
        points=points,
        scheme="68-3d" if _is_projected(given, model, "yaw_deg" in fields) else "68",
        subset=item.subset,
        person=original_image(item.image.stem),
        visible=visible,
        pose=pose,
    )


def _model(place: Path, fields: _Fields) -> NDArray[np.float64] | None:
    """Return the points of the 3D model (68, 2 or 3), if the file has them."""
    if "pts_3d" not in fields:
        return None
    model = as_numbers(place, "pts_3d", fields["pts_3d"])
    if model.shape not in ((_POINTS, 2), (_POINTS, 3)):
        raise annotation_error(place, f"pts_3d of shape {model.shape}", f"it must be ({_POINTS}, 2) or ({_POINTS}, 3)")
    return model


def _is_projected(given: NDArray[np.float64], model: NDArray[np.float64] | None, has_yaw: bool) -> bool:
    """Return whether pts_2d are the projection of a 3D model."""
    if model is None:
        return has_yaw
    return bool(np.allclose(given, model[:, :2], rtol=0, atol=_SAME, equal_nan=True))


def _with_depth(model: NDArray[np.float64] | None) -> Floats | None:
    """Return the points of the 3D model, if all have a depth."""
    if model is None or model.shape != (_POINTS, 3) or not np.isfinite(model).all():
        return None
    return model.astype(np.float32)


def _visible(place: Path, fields: _Fields) -> Floats:
    """Return the visibility (68,): 1 visible, 0 occluded, NaN self-occluded or unknown."""
    if "visibility" not in fields:
        return unknown(_POINTS)
    given = as_numbers(place, "visibility", fields["visibility"]).ravel()
    if len(given) != _POINTS or not np.isin(given, (0, 1, 2)).all():
        found = f"visibility of {len(given)} points with the values {np.unique(given).tolist()}"
        raise annotation_error(place, found, f"it must be {_POINTS} numbers, each 0, 1 or 2")
    return np.where(given == 0, np.nan, given - 1).astype(np.float32)


def _mirrored(points: Floats, visible: Floats, pose: Pose | None, width: int) -> tuple[Floats, Floats, Pose | None]:
    """Return points, visibility and head pose in the mirrored image."""
    order = list(SIXTY_EIGHT_MIRROR)
    flipped = np.stack([width - points[order, 0], points[order, 1]], axis=1)
    turned = None if pose is None else Pose(-pose.yaw, pose.pitch, -pose.roll)
    return flipped, visible[order], turned
