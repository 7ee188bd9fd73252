"""Compute the 3D mean face of mien.geometry.mean_face and measure the pose fit.

    python benchmarks/mean_face.py --data 300W_LP [--check 300W_LP_dev] [--write]

Uses every landmarks/<SUBSET>/<name>_pts.mat with pts_3d (68, 3) and yaw_deg. Faces are alternately aligned by
similarities and averaged (generalized Procrustes, Gower 1975); each mean is averaged with its mirror image, which fixes
yaw 0 and roll 0. Pitch 0 is that of yaw_deg: sin(yaw_deg) is the x component of the viewing direction, which in tilted
heads depends on pitch 0; it is found by least squares over all faces.

--write replaces the table in mien. Prints the error of yaw against yaw_deg, in the rotation order of 300W-LP, and of
pitch and roll against the pose of the points with depth.
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
    parser.add_argument("--data", type=Path, required=True, help="300W-LP's layout, with pts_3d and yaw_deg")
    parser.add_argument("--check", type=Path, help="other faces to measure on")
    parser.add_argument("--write", action="store_true", help="replace the table in mien")
    args = parser.parse_args()
    points, yaw = read(args.data)
    face, deviation = mean_of(points, yaw)
    print(f"{len(points)} faces; the constants in use differ by {np.abs(face - mean_face.MEAN_FACE).max():.5f}")
    if args.write:
        write(face, deviation)
    show(points, yaw, args.data.name)
    if args.check:
        show(*read(args.check), args.check.name)


def read(folder: Path) -> tuple[Array, Array]:
    """Return points (n, 68, 3), x right, y down, z away, and the yaw (n,) with mien's sign."""
    points, yaw = [], []
    for file in sorted(folder.glob("landmarks/*/*_pts.mat")):
        fields = read_fields(file, "pts_3d", "yaw_deg")
        if len(fields) == 2 and fields["pts_3d"].shape == (68, 3):
            points.append(fields["pts_3d"] * [1.0, 1.0, -1.0])  # the files count depth towards the viewer
            yaw.append(-float(fields["yaw_deg"].item()))
    if not points:
        raise SystemExit(f"{folder}: no landmarks/<SUBSET>/<name>_pts.mat with pts_3d (68, 3) and yaw_deg")
    return np.array(points), np.array(yaw)


def mean_of(points: Array, yaw: Array) -> tuple[Array, Array]:
    """Return the mean face (68, 3), its outer eye corners 1 apart, and the RMS deviation of each point (68,)."""
    face = symmetric(points[np.argmin(np.abs(yaw))])
    for _ in range(ROUNDS):
        turned, aligned = align(points, face)
        face = symmetric(aligned.mean(axis=0))
    # -R[0] . straight = sin(yaw): least squares for the direction in which a head looks, x being 0 by symmetry
    straight = np.linalg.lstsq(-turned[:, 0, 1:], np.sin(np.radians(yaw)), rcond=None)[0]
    tilt = float(np.degrees(np.arctan2(straight[0], straight[1])))
    print(f"pitch is 0 where yaw_deg has it, {tilt:+.2f} degrees from the first face; length {np.hypot(*straight):.4f}")
    turn = rotation(0, tilt, 0)
    face = face @ turn
    eyes = [face[i] for i in OUTER_EYE_CORNERS]
    unit = float(np.linalg.norm(eyes[0] - eyes[1]))
    variance = ((aligned @ turn - face) ** 2).sum(axis=2).mean(axis=0)
    spread = np.sqrt((variance + variance[list(SIXTY_EIGHT_MIRROR)]) / 2)
    return np.round(face / unit, DIGITS), np.round(spread / unit, DIGITS)


def symmetric(face: Array) -> Array:
    """Return the mean of a face and its mirror image, centered and of norm 1."""
    face = face - face.mean(axis=0)
    face = (face + face[list(SIXTY_EIGHT_MIRROR)] * [-1, 1, 1]) / 2
    return face / np.sqrt((face**2).sum())


def align(points: Array, face: Array) -> tuple[Array, Array]:
    """Return rotations (n, 3, 3) from ``face`` to the points, and the points (n, 68, 3) aligned with it."""
    centred = points - points.mean(axis=1, keepdims=True)
    left, scales, right = np.linalg.svd(centred.swapaxes(1, 2) @ face)
    signs = np.ones((len(points), 3))
    signs[:, 2] = np.linalg.det(left @ right)
    turned = (left * signs[:, None]) @ right
    return turned, centred @ turned / (scales * signs).sum(axis=1)[:, None, None]


def write(face: Array, deviation: Array) -> None:
    """Write the table that ``mien.geometry.mean_face`` reads."""
    table = np.column_stack([face + 0.0, deviation])
    with atomic_write(mean_face.MEAN_FACE_FILE) as partial:
        np.savetxt(partial, table, f"%.{DIGITS}f", ",", header="x,y,z,deviation", comments="")
    print(f"written: {mean_face.MEAN_FACE_FILE}; run once more for the figures of the new table")


def show(points: Array, yaw: Array, name: str) -> None:
    """Print the errors of poses fitted to the true points."""
    deep = fit_pose_3d(points)
    jaw = np.isin(np.arange(68), SIXTY_EIGHT_GROUPS["jaw"])
    ways = {
        "points with depth": deep,
        "fit_pose": fit_pose(points[..., :2]),
        "uniform weights": fit_pose(points[..., :2], np.tile(mean_face.POINT_DEVIATION**2, (len(points), 1))),
        "without jaw": fit_pose(points[..., :2], np.tile(~jaw / 1.0, (len(points), 1))),
    }
    rows = []
    for way, found in ways.items():
        off = np.array([to_300w_lp(*each)[0] for each in found]) - yaw
        ranges = [(np.abs(yaw) >= low) & (np.abs(yaw) < low + 30) for low in (0, 30, 60)]
        apart = np.abs(found - deep).mean(axis=0)
        by_range = [f"{np.abs(off[each]).mean():.2f}" if each.any() else "-" for each in ranges]
        rows.append([way, f"{np.abs(off).mean():.2f}", f"{off.mean():+.2f}", *by_range, *(f"{a:.2f}" for a in apart)])
    counts = [f"{low}-{low + 30}" for low in (0, 30, 60)]
    print(f"\n{name}, {len(points)} faces, true points: degrees\n")
    head = ["", "yaw_deg: mean absolute", "bias", *counts, "yaw", "pitch", "roll against depth"]
    print(record.table(head, rows))
    plain = np.abs(deep[:, 0] - yaw)
    print(
        f"\nmien's yaw differs from yaw_deg (another rotation order) by {plain.mean():.2f}, at most {plain.max():.1f}"
    )
    for axis, each in zip(("pitch", "roll"), deep[:, 1:].T, strict=True):
        print(f"{axis}: median {np.median(each):.1f}, standard deviation {each.std():.1f}")


if __name__ == "__main__":
    main()
