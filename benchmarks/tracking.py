"""What following faces costs and gains: tremble, lateness, frames per second.

    python benchmarks/tracking.py

Of the filter alone, on true points with noise: how much of the tremble of a face at rest is left, and how late a moving
face is. Then, where the network is there, of the whole tracker on videos made of one image: noisy copies of it, and
the image moving to the right by 10 pixels a frame; with the detector on every frame, with tracking, and with
tracking and smoothing. They take turns frame by frame, so that whatever else the machine does falls on all of them.

Tremble: standard deviation over time, mean over points and axes. Late: how far the points are behind the truth, along
the movement; the truth is where the network puts them on the image without noise, moved. Both as parts of the face:
the longer side of the box round its points. The first 25 frames (of the moving video 5) do not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import record

import mien
from mien.errors import ModelMissing
from mien.geometry.mean_face import MEAN_FACE
from mien.pipeline.smoothing import PointFilter, Smoothing
from mien.pipeline.tracker import Tracker, Tracking
from mien.types import Image, Landmarks

ROOT = Path(__file__).resolve().parents[1]
STEP = 10
Look = Callable[[Image], list[Landmarks]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, default=ROOT / "examples" / "astronaut.jpg")
    parser.add_argument("--network", default="senet68", help="name of a shipped network or an .onnx file")
    parser.add_argument("--frames", type=int, default=150, help="of the video of noisy copies")
    parser.add_argument("--noise", type=float, default=8, help="standard deviation of the noise, of 255")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--every", type=int, default=Tracking().every)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result: dict[str, Any] = {"smoothing": repr(Smoothing()), "filter_alone": filter_alone()}
    try:
        result["videos"] = videos(args)
    except ModelMissing as error:
        print(f"\nthe filter alone: {error}")
    record.write("tracking", result, args.out)


def filter_alone() -> list[dict[str, float]]:
    """The filter on true points with independent noise, no network."""
    face = MEAN_FACE[:, :2] / np.ptp(MEAN_FACE[:, :2], axis=0).max()
    rows = [_filtered(face, fps, noise) for fps in (10.0, 25.0, 30.0, 60.0) for noise in (0.01, 0.003)]
    print(record.table(list(rows[0]), [list(row.values()) for row in rows]))
    return rows


def _filtered(face: np.ndarray, fps: float, noise: float) -> dict[str, float]:
    random = np.random.default_rng(0)
    still = face + random.normal(0, noise, (300, *face.shape))
    calm = _run(PointFilter(fps), still)
    row = {"fps": fps, "noise_percent": 100 * noise, "left_of_tremble": _tremble(calm[25:]) / _tremble(still[25:])}
    for speed in (0.25, 1.25, 2.75):  # sizes a second; at 25 frames a second 1, 5 and 11 % a frame
        moving = still.copy()
        moving[..., 0] += speed / fps * np.arange(300)[:, None]
        late = (moving - _run(PointFilter(fps), moving))[100:, :, 0]
        row[f"late_percent_at_{speed}_per_s"] = 100 * float(late.mean())
    return {name: round(value, 3) for name, value in row.items()}


def _run(one: PointFilter, frames: np.ndarray) -> np.ndarray:
    return np.array([one(points) for points in frames])


def _tremble(points: np.ndarray) -> float:
    return float(points.std(axis=0).mean())


@dataclass
class Way:
    """A way to get landmarks from frames: its answers and its times."""

    look: Look
    tracker: Tracker | None = None
    points: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    missed: int = 0

    def see(self, image: Image, near: np.ndarray) -> None:
        """The face nearest to ``near``; a missed one stays where it was."""
        start = time.perf_counter()
        found = self.look(image)
        self.seconds.append(time.perf_counter() - start)
        self.missed += not found
        if found:
            self.points.append(min((one.points for one in found), key=lambda at: float(np.abs(at - near).sum())))
        else:
            self.points.append(self.points[-1] if self.points else np.full_like(near, np.nan))


def videos(args: argparse.Namespace) -> dict[str, Any]:
    """Both videos, three ways."""
    detector = mien.FaceDetector(threads=args.threads)
    landmarker = mien.LandmarkDetector(args.network, refinement_steps=1, threads=args.threads)  # as mien video has it
    image = mien.read_image(args.image)
    truth = landmarker(image, detector(image)[:1])[0].points
    size = float(np.ptp(truth, axis=0).max())

    def ways() -> dict[str, Way]:
        made = {"detector on every frame": Way(lambda frame: landmarker(frame, detector(frame)))}
        for name, smoothing in (("tracking", None), ("tracking, smoothed", Smoothing())):
            tracker = Tracker(detector, landmarker, args.fps, Tracking(every=args.every), smoothing)
            made[name] = Way(_follower(tracker), tracker)
        return made

    random = np.random.default_rng(0)
    still, moving = ways(), ways()
    for _ in range(args.frames):
        noisy = np.clip(image + random.normal(0, args.noise, image.shape), 0, 255).astype(np.uint8)
        _all_see(still, noisy, truth)
    shifts = _shifts(image, truth)
    for shift in shifts:
        _all_see(moving, _moved(image, shift), truth + np.array([shift, 0]))
    out: dict[str, Any] = {"face_px": round(size, 1), "noise": args.noise, "every": args.every, "threads": args.threads}
    out["still"] = {name: _still_row(way, size) for name, way in still.items()}
    out["moving"] = {name: _moving_row(way, truth, shifts, size) for name, way in moving.items()}
    smooth, plain = (out["still"][name]["tremble_percent"] for name in ("tracking, smoothed", "tracking"))
    out["left_of_tremble"] = round(smooth / max(plain, 1e-9), 3)
    for video in ("still", "moving"):
        rows = out[video]
        print(f"\n{video}\n")
        print(record.table(["", *rows["tracking"]], [[name, *row.values()] for name, row in rows.items()]))
    print(f"\nleft of the tremble: {out['left_of_tremble']}")
    return out


def _follower(tracker: Tracker) -> Look:
    return lambda frame: [one.analysis.landmarks for one in tracker(frame) if one.analysis.landmarks is not None]


def _all_see(ways: dict[str, Way], frame: Image, near: np.ndarray) -> None:
    for way in ways.values():
        way.see(frame, near)


def _shifts(image: Image, truth: np.ndarray) -> list[int]:
    """The face goes from the left edge of the image to the right one."""
    x0, x1 = float(truth[:, 0].min()), float(truth[:, 0].max())
    return list(range(-int(x0) + 10, int(image.shape[1] - x1) - 10, STEP))


def _moved(image: Image, shift: int) -> Image:
    """The image ``shift`` pixels further to the right, its border repeated."""
    columns = np.clip(np.arange(image.shape[1]) - shift, 0, image.shape[1] - 1)
    return np.ascontiguousarray(image[:, columns])


def _still_row(way: Way, size: float) -> dict[str, Any]:
    return {"tremble_percent": round(100 * _tremble(np.array(way.points)[25:]) / size, 4)} | _times(way)


def _moving_row(way: Way, truth: np.ndarray, shifts: list[int], size: float) -> dict[str, Any]:
    errors = (truth + np.array([[[shift, 0]] for shift in shifts]) - np.array(way.points))[5:] / size
    late = {
        "late_percent": round(100 * float(errors[..., 0].mean()), 3),
        "error_percent": round(100 * float(np.linalg.norm(errors, axis=2).mean()), 3),
    }
    return late | _times(way)


def _times(way: Way) -> dict[str, Any]:
    seconds = way.seconds[1:]
    ran = len(way.seconds) if way.tracker is None else way.tracker.detections
    return {
        "frames_per_second": round(len(seconds) / sum(seconds), 1),
        "median_ms": round(1000 * statistics.median(seconds), 2),
        "detector_ran": ran,
        "frames": len(way.seconds),
        "missed": way.missed,
    }


if __name__ == "__main__":
    main()
