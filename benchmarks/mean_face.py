"""Compute the 3D mean face of mien.geometry.mean_face and measure the error of fitted head poses.

    python benchmarks/mean_face.py --data 300W_LP [--check 300W_LP_dev] [--write]

Reads every landmarks/<SUBSET>/<name>_pts.mat with pts_3d (68, 3) and yaw_deg. Faces are aligned to the mean by
similarities and averaged, repeatedly (generalized Procrustes analysis, Gower 1975); each mean is averaged with its
mirror image, which defines yaw 0 and roll 0. Pitch 0 is that of yaw_deg: sin(yaw_deg) is the x component of the
direction in which the head points, which in rolled heads depends on pitch 0; it is fitted by least squares.

--write replaces mien's table. Printed are the error of yaw against yaw_deg, in the axis order of 300W-LP, and of pitch
and roll against the pose of the 3D points.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import record

from mien.datasets.matlab import read_fields
from mien.geometry import mean_face
from mien.geometry.pose import fit_pose, fit_pose_3d, rotation, to_300w_lp
from mien.geometry.schemes import OUTER_EYE_CORNERS, SIXTY_EIGHT_GROUPS, SIXTY_EIGHT_MIRROR
from mien.io import atomic_write

Array = np.ndarray[Any, np.dtype[np.float64]]
ROUNDS = 40
DIGITS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="data set in the layout of 300W-LP, with pts_3d and yaw_deg"
    )
    parser.add_argument("--check", type=Path, help="a second data set to measure on")
    parser.add_argument("--write", action="store_true", help="replace mien's table")
    args = parser.parse_args()
    points, yaw = read(args.data)
    face, deviation = mean_of(points, yaw)
    print(f"{len(points)} faces; the current table differs by {np.abs(face - mean_face.MEAN_FACE).max():.5f}")
    if args.write:
        write(face, deviation)
    show(points, yaw, args.data.name)
    if args.check:
        show(*read(args.check), args.check.name)


def read(folder: Path) -> tuple[Array, Array]:
    """Return points (n, 68, 3), x right, y down, z away, and the labelled yaw (n,) with mien's sign."""
    points, yaw = [], []
    for file in sorted(folder.glob("landmarks/*/*_pts.mat")):
        fields = read_fields(file, "pts_3d", "yaw_deg")
        if len(fields) == 2 and fields["pts_3d"].shape == (68, 3):
            points.append(fields["pts_3d"] * [1.0, 1.0, -1.0])  # in the files, z points towards the viewer
            yaw.append(-float(fields["yaw_deg"].item()))
    if not points:
        raise SystemExit(f"{folder}: no landmarks/<SUBSET>/<name>_pts.mat with pts_3d (68, 3) and yaw_deg")
    return np.array(points), np.array(yaw)


def mean_of(points: Array, yaw: Array) -> tuple[Array, Array]:
    """Return the mean face (68, 3), outer eye corners 1 apart, and the deviation of each point (68,)."""
    face = symmetric(points[np.argmin(np.abs(yaw))])
    for _ in range(ROUNDS):
        rotations, aligned = align(points, face)
        face = symmetric(aligned.mean(axis=0))
    # -R[0] . forward = sin(yaw): least squares for the forward direction, whose x is 0 by symmetry
    forward = np.linalg.lstsq(-rotations[:, 0, 1:], np.sin(np.radians(yaw)), rcond=None)[0]
    pitch = float(np.degrees(np.arctan2(forward[0], forward[1])))
    print(f"pitch 0 is {pitch:+.2f} degrees from the first face; length of the fit {np.hypot(*forward):.4f}")
    correction = rotation(0, pitch, 0)
    face = face @ correction
    eyes = [face[i] for i in OUTER_EYE_CORNERS]
    unit = float(np.linalg.norm(eyes[0] - eyes[1]))
    variance = ((aligned @ correction - face) ** 2).sum(axis=2).mean(axis=0)
    deviation = np.sqrt((variance + variance[list(SIXTY_EIGHT_MIRROR)]) / 2)
    return np.round(face / unit, DIGITS), np.round(deviation / unit, DIGITS)


def symmetric(face: Array) -> Array:
    """Return the mean of a face and its mirror image, centered, of size 1."""
    face = face - face.mean(axis=0)
    face = (face + face[list(SIXTY_EIGHT_MIRROR)] * [-1, 1, 1]) / 2
    return np.asarray(face / np.sqrt((face**2).sum()))


def align(points: Array, face: Array) -> tuple[Array, Array]:
    """Return the rotations (n, 3, 3) from ``face`` to the points, and the points (n, 68, 3) aligned to it."""
    centered = points - points.mean(axis=1, keepdims=True)
    left, scales, right = np.linalg.svd(centered.swapaxes(1, 2) @ face)
    signs = np.ones((len(points), 3))
    signs[:, 2] = np.linalg.det(left @ right)
    rotations = (left * signs[:, None]) @ right
    return rotations, centered @ rotations / (scales * signs).sum(axis=1)[:, None, None]


def write(face: Array, deviation: Array) -> None:
    """Write the table that ``mien.geometry.mean_face`` reads."""
    table = np.column_stack([face + 0.0, deviation])
    with atomic_write(mean_face.MEAN_FACE_FILE) as partial:
        np.savetxt(partial, table, f"%.{DIGITS}f", ",", header="x,y,z,deviation", comments="")
    print(f"written: {mean_face.MEAN_FACE_FILE}; run again for the errors with the new table")


def show(points: Array, yaw: Array, name: str) -> None:
    """Print the error of the poses fitted to the true points."""
    from_3d = fit_pose_3d(points)
    jaw = np.isin(np.arange(68), SIXTY_EIGHT_GROUPS["jaw"])
    methods = {
        "3D points": from_3d,
        "fit_pose": fit_pose(points[..., :2]),
        "equal weights": fit_pose(points[..., :2], np.tile(mean_face.POINT_DEVIATION**2, (len(points), 1))),
        "without the jaw": fit_pose(points[..., :2], np.tile(~jaw / 1.0, (len(points), 1))),
    }
    rows = []
    for method, found in methods.items():
        errors = np.array([to_300w_lp(*each)[0] for each in found]) - yaw
        ranges = [(np.abs(yaw) >= low) & (np.abs(yaw) < low + 30) for low in (0, 30, 60)]
        apart = np.abs(found - from_3d).mean(axis=0)
        by_range = [f"{np.abs(errors[each]).mean():.2f}" if each.any() else "-" for each in ranges]
        row = [method, f"{np.abs(errors).mean():.2f}", f"{errors.mean():+.2f}", *by_range]
        rows.append([*row, *(f"{difference:.2f}" for difference in apart)])
    counts = [f"{low}-{low + 30}" for low in (0, 30, 60)]
    print(f"\n{name}, {len(points)} faces, true points, degrees\n")
    head = ["", "yaw_deg: MAE", "bias", *counts, "3D points: yaw", "pitch", "roll"]
    print(record.table(head, rows))
    plain = np.abs(from_3d[:, 0] - yaw)
    print(f"\nmien's yaw, in its own axis order, differs from yaw_deg by {plain.mean():.2f}, at most {plain.max():.1f}")
    for axis, each in zip(("pitch", "roll"), from_3d[:, 1:].T, strict=True):
        print(f"{axis}: median {np.median(each):.1f}, standard deviation {each.std():.1f}")


if __name__ == "__main__":
    main()
