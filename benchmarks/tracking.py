"""Jitter, lag and frame rate of the tracker and its landmark smoothing.

    python benchmarks/tracking.py

First the One Euro filter on true points with independent noise. Then the tracker on two videos made from one image,
noisy copies of it and a pan of 10 pixels a frame: with the detector on every frame, with tracking, and with tracking
and smoothing. The three alternate frame by frame, so that other load affects all of them.

Jitter: standard deviation over time, mean over points and axes. Lag: distance of the points behind the ground truth
along the motion; the ground truth is the network's result on the clean image, shifted. Both in percent of the face
size, the longer side of the bounding box of the points. The first 25 frames (5 of the pan) do not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import record
from numpy.typing import NDArray

import mien
from mien.geometry.mean_face import MEAN_FACE
from mien.pipeline.smoothing import PointFilter
from mien.types import Floats, Image, Landmarks

ROOT = Path(__file__).resolve().parents[1]
STEP = 10
WARM_UP = 25
PAN_WARM_UP = 5

Points: TypeAlias = NDArray[np.floating]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, default=ROOT / "examples" / "astronaut.jpg")
    parser.add_argument("--network", default="senet68", help="name of a shipped network or an .onnx file")
    parser.add_argument("--frames", type=int, default=150, help="length of the video of noisy copies")
    parser.add_argument("--noise", type=float, default=8, help="standard deviation of the noise, of 255")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--detect-every", type=int, default=mien.TrackerConfig().detect_every)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.frames <= WARM_UP:
        parser.error(f"--frames {args.frames}: must be above {WARM_UP}")
    result = {"smoothing": asdict(mien.SmoothingConfig()), "filter_only": measure_filter(), "videos": videos(args)}
    record.write("tracking", result, args.out)


def measure_filter() -> list[dict[str, float]]:
    face = MEAN_FACE[:, :2] / np.ptp(MEAN_FACE[:, :2], axis=0).max()
    rows = [_filter_row(face, fps, noise) for fps in (10.0, 25.0, 30.0, 60.0) for noise in (0.01, 0.003)]
    print(record.table(list(rows[0]), [list(row.values()) for row in rows]))
    return rows


def _filter_row(face: Points, fps: float, noise: float) -> dict[str, float]:
    random = np.random.default_rng(0)
    still = face + random.normal(0, noise, (300, *face.shape))
    jitter = _jitter(_smooth(still, fps)[WARM_UP:]) / _jitter(still[WARM_UP:])
    row = {"fps": fps, "noise_percent": 100 * noise, "jitter_ratio": jitter}
    for speed in (0.25, 1.25, 2.75):  # face sizes a second; 1, 5 and 11 % of it per frame at 25 frames a second
        moving = still.copy()
        moving[..., 0] += speed / fps * np.arange(300)[:, None]
        lag = (moving - _smooth(moving, fps))[100:, :, 0]
        row[f"lag_percent_at_{speed}_sizes_per_s"] = 100 * float(lag.mean())
    return {name: round(value, 3) for name, value in row.items()}


def _smooth(frames: Points, fps: float) -> Floats:
    point_filter = PointFilter(fps)
    return np.array([point_filter(points) for points in frames])


def _jitter(points: Points) -> float:
    return float(points.std(axis=0).mean())


@dataclass
class Run:
    """One method on one video: the points and the time of each frame."""

    method: Callable[[Image], list[Landmarks]]
    tracker: mien.Tracker | None = None
    points: list[Points] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    missed: int = 0

    def add(self, image: Image, truth: Points) -> None:
        """Process a frame and keep the face nearest to ``truth``; a missed face keeps its last points."""
        start = time.perf_counter()
        found = [landmarks.points for landmarks in self.method(image)]
        self.seconds.append(time.perf_counter() - start)
        self.missed += not found
        last = self.points[-1] if self.points else np.full_like(truth, np.nan)
        self.points.append(min(found, key=lambda points: float(np.abs(points - truth).sum()), default=last))

    def timing(self) -> dict[str, Any]:
        seconds = self.seconds[1:]
        return {
            "frames_per_second": round(len(seconds) / sum(seconds), 1),
            "median_ms": round(1000 * statistics.median(seconds), 2),
            "detections": len(self.seconds) if self.tracker is None else self.tracker.detections,
            "frames": len(self.seconds),
            "missed": self.missed,
        }


def videos(args: argparse.Namespace) -> dict[str, Any]:
    """Measure all methods on both videos."""
    analyzer = mien.FaceAnalyzer(
        mien.AnalyzerConfig(
            landmarks=mien.LandmarkConfig(refinement_steps=1),  # as in `mien video`
            models=mien.ModelPaths(landmarks=args.network),
            threads=args.threads,
        )
    )
    image = mien.read_image(args.image)
    truth = analyzer.landmarks(image, analyzer.detect(image, max_faces=1))[0].points
    size = float(np.ptp(truth, axis=0).max())
    random = np.random.default_rng(0)
    still, moving = _runs(analyzer, args), _runs(analyzer, args)
    for _ in range(args.frames):
        noisy = np.clip(image + random.normal(0, args.noise, image.shape), 0, 255).astype(np.uint8)
        for run in still.values():
            run.add(noisy, truth)
    shifts = _shifts(image, truth)
    for shift in shifts:
        for run in moving.values():
            run.add(_shifted(image, shift), truth + np.array([shift, 0]))
    out: dict[str, Any] = {"face_size": round(size, 1), "noise": args.noise, "detect_every": args.detect_every}
    out["threads"] = args.threads
    out["still"] = {name: _still_row(run, size) for name, run in still.items()}
    out["moving"] = {name: _moving_row(run, truth, shifts, size) for name, run in moving.items()}
    smoothed, plain = (out["still"][name]["jitter_percent"] for name in ("tracking, smoothed", "tracking"))
    out["jitter_ratio"] = round(smoothed / max(plain, 1e-9), 3)
    for video in ("still", "moving"):
        print(f"\n{video}\n")
        print(record.table(["", *out[video]["tracking"]], [[name, *row.values()] for name, row in out[video].items()]))
    print(f"\nsmoothing leaves {out['jitter_ratio']} of the jitter")
    return out


def _runs(analyzer: mien.FaceAnalyzer, args: argparse.Namespace) -> dict[str, Run]:
    runs = {"detector on every frame": Run(lambda frame: analyzer.landmarks(frame, analyzer.detect(frame)))}
    for name, smoothing in (("tracking", None), ("tracking, smoothed", mien.SmoothingConfig())):
        config = mien.TrackerConfig(detect_every=args.detect_every, smoothing=smoothing)
        tracker = mien.Tracker(analyzer, args.fps, config)
        runs[name] = Run(_tracked_landmarks(tracker), tracker)
    return runs


def _tracked_landmarks(tracker: mien.Tracker) -> Callable[[Image], list[Landmarks]]:
    return lambda frame: [face.analysis.landmarks for face in tracker(frame) if face.analysis.landmarks is not None]


def _shifts(image: Image, truth: Points) -> list[int]:
    """Return the shifts that move the face from the left border of the image to the right one."""
    x0, x1 = float(truth[:, 0].min()), float(truth[:, 0].max())
    return list(range(-int(x0) + 10, int(image.shape[1] - x1) - 10, STEP))


def _shifted(image: Image, shift: int) -> Image:
    """Return the image shifted right by ``shift`` pixels, its border column repeated."""
    columns = np.clip(np.arange(image.shape[1]) - shift, 0, image.shape[1] - 1)
    return np.ascontiguousarray(image[:, columns])


def _still_row(run: Run, size: float) -> dict[str, Any]:
    return {"jitter_percent": round(100 * _jitter(np.array(run.points)[WARM_UP:]) / size, 4)} | run.timing()


def _moving_row(run: Run, truth: Points, shifts: list[int], size: float) -> dict[str, Any]:
    errors = (truth + np.array([[[shift, 0]] for shift in shifts]) - np.array(run.points))[PAN_WARM_UP:] / size
    accuracy = {
        "lag_percent": round(100 * float(errors[..., 0].mean()), 3),
        "error_percent": round(100 * float(np.linalg.norm(errors, axis=2).mean()), 3),
    }
    return accuracy | run.timing()


if __name__ == "__main__":
    main()
