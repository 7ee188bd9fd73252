"""68 points of the same faces from the same images: ours and dlib's, error and time.

    python benchmarks/landmarks.py --data 300W_LP_dev
    python benchmarks/landmarks.py --data 300W_LP --tune

Both are given boxes drawn round the true points, so that only the points are compared. Ours: `boxes.face_box`, as
`mien evaluate landmarks` does. dlib's predictor (Kazemi and Sullivan 2014, trained on 300W) expects the boxes of its
own detector and is sensitive to them; its box is a square round the true points without the jaw, `SIDE` times the mean
of their width and height, moved down by `DOWN` of it, which was best for dlib on training data (--tune does it again).
What it does from our boxes stands beside it. Its points are centres of pixels, so half a pixel is added.

Ours is asked for the contour that the labels have, 3D in AFLW2000-3D; dlib knows the visible edge only. Hence the
column without the jaw. Time is from image and box to points (ours: and pose), one face a call, one thread; they take
turns face by face, after a pause, and the figure is the median over the rounds of the mean over the faces. Apart from
that, the network alone from crop to points, one call after the other.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from tqdm import tqdm

from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample, load_image
from mien.evaluation.metrics.landmarks import LandmarkTruth, score_landmarks
from mien.geometry import boxes
from mien.geometry.schemes import SIXTY_EIGHT_GROUPS, to_68
from mien.heads import LandmarkDetector
from mien.types import Faces, Floats, Image

SIDE, DOWN = 1.35, 0.06
GRID = [(side, down) for side in (1.15, 1.25, 1.35, 1.45, 1.6) for down in (-0.06, 0.0, 0.06, 0.12)]
PAUSE = 0.005
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Find = Callable[[Image, Floats, str], tuple[Floats, float]]
"""An image, a box (4,) and the scheme of the labels -> points (68, 2) in image pixels, and yaw or NaN."""


@dataclass(frozen=True)
class Rival:
    """Something that finds points, and the boxes (n, 4) that it is given."""

    name: str
    version: str
    boxes: Floats
    find: Find


def main() -> None:
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):  # numpy reads them when imported
        raise SystemExit(
            subprocess.run([sys.executable, *sys.argv], env=os.environ | ONE_THREAD, check=False).returncode
        )
    args = _arguments()
    faces = read_dataset(LandmarkSample, args.format, args.data, args.split).samples
    truth = truth_of(faces)
    if args.tune:
        tune(faces, truth, args.tune_faces)
        return
    rivals = [*ours(args, truth), *dlibs(truth)]
    scores = {rival.name: {"version": rival.version, **score(rival, faces, truth)} for rival in rivals}
    show(scores)
    speed = measure(rivals, faces, args.timed, args.rounds)
    alone = crop_to_points(args.network, args.rounds)
    result = {"boxes_of_dlib": [SIDE, DOWN], "error": scores, "time": speed, "crop_to_points": alone}
    record.write("landmarks", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--format", choices=format_names(LandmarkSample), default="300w-lp")
    parser.add_argument("--split", default="all")
    parser.add_argument("--network", default="senet68", help="name of a shipped network or an .onnx file")
    parser.add_argument("--refinement-steps", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--timed", type=int, default=100, help="faces that are timed, from all over the set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune", action="store_true", help="find the boxes that are best for dlib, and end")
    parser.add_argument("--tune-faces", type=int, default=300, help="of each subset")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def truth_of(faces: Sequence[LandmarkSample]) -> LandmarkTruth:
    points, visible = zip(*(to_68(face.points, face.visible, face.scheme) for face in faces), strict=True)
    yaw = [np.nan if face.pose is None else face.pose.yaw for face in faces]
    return LandmarkTruth(
        np.stack(points), np.stack(visible), np.array(yaw, np.float32), tuple(face.subset for face in faces)
    )


def ours(args: argparse.Namespace, truth: LandmarkTruth) -> list[Rival]:
    return [
        _ours(
            args.network,
            refinement_steps,
            "mien" if refinement_steps == 1 else "mien, two passes",
            boxes.face_box(truth.points),
        )
        for refinement_steps in args.refinement_steps
    ]


def _ours(network: str, refinement_steps: int, name: str, where: Floats) -> Rival:
    visible = LandmarkDetector(network, refinement_steps=refinement_steps, threads=1)
    by_scheme = {"68-3d": LandmarkDetector(visible.network, contour="3d", refinement_steps=refinement_steps)}

    def find(image: Image, box: Floats, scheme: str) -> tuple[Floats, float]:
        face = Faces(box[None], np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32))
        found = by_scheme.get(scheme, visible)(image, face)[0]
        return found.points, np.nan if found.pose is None else found.pose.yaw

    card = visible.network.card
    return Rival(name, card.name, where, find)


def dlib_boxes(points: Floats, side: float = SIDE, down: float = DOWN) -> Floats:
    """The square (n, 4) that dlib is given of a face with these true points (n, 68, 2)."""
    inner = boxes.bounding_boxes(points[:, SIXTY_EIGHT_GROUPS["jaw"].stop :])
    size = (inner[:, 2:] - inner[:, :2]).mean(axis=1, keepdims=True)
    centre = (inner[:, :2] + inner[:, 2:]) / 2 + size * np.float32([0, down])
    return np.concatenate([centre - size * side / 2, centre + size * side / 2], axis=1)


def dlibs(truth: LandmarkTruth) -> list[Rival]:
    import dlib

    predictor = dlib.shape_predictor(str(predictor_file()))

    def find(image: Image, box: Floats, scheme: str) -> tuple[Floats, float]:
        x0, y0, x1, y1 = box.round().astype(int).tolist()
        found = predictor(image, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))  # its edges are pixels of the box
        return np.array([(point.x, point.y) for point in found.parts()], np.float32) + 0.5, np.nan

    version = importlib.metadata.version("dlib-bin")
    return [
        Rival("dlib", version, dlib_boxes(truth.points), find),
        Rival("dlib from our boxes", version, boxes.face_box(truth.points), find),
    ]


def predictor_file() -> Path:
    """dlib's 68-point predictor in the archive of face-recognition-models."""
    inside = importlib.metadata.files("face-recognition-models") or []
    return next(Path(str(f.locate())) for f in inside if f.name == "shape_predictor_68_face_landmarks.dat")


def find_all(rival: Rival, faces: Sequence[LandmarkSample]) -> tuple[Floats, Floats]:
    """Points (n, 68, 2) and yaw (n,)."""
    rows = tqdm(list(zip(faces, rival.boxes, strict=True)), desc=rival.name, leave=False, disable=None)
    found = [rival.find(load_image(face), box, face.scheme) for face, box in rows]
    points, yaw = zip(*found, strict=True)
    return np.stack(points), np.array(yaw, np.float32)


def score(rival: Rival, faces: Sequence[LandmarkSample], truth: LandmarkTruth) -> dict[str, Any]:
    """Every number, of all faces, of each subset and of each range of yaw."""
    points, yaw = find_all(rival, faces)
    rows: dict[str, Any] = {}
    for counted, visible_only in {"visible": True, "known": False}.items():
        for norm in ("inter-ocular", "box"):
            result = score_landmarks(truth, points, yaw, norm, visible_only=visible_only)
            parts = {"all": result.all, **result.subsets, **{f"yaw {name}": s for name, s in result.yaw.items()}}
            for name, part in parts.items():
                numbers = {key: round(value, 5) for key, value in part.to_dict(norm).items()}
                rows.setdefault(name, {}).setdefault(counted, {}).update(numbers)
    rows["all"]["visible"]["nme_without_jaw_inter_ocular"] = without_jaw(truth, points, yaw)
    for name in dict.fromkeys(truth.subsets):
        chosen = np.array([subset == name for subset in truth.subsets])
        numbers = rows[name]["visible"]
        numbers["nme_without_jaw_inter_ocular"] = without_jaw(truth[chosen], points[chosen], yaw[chosen])
    return rows


def without_jaw(truth: LandmarkTruth, points: Floats, yaw: Floats) -> float:
    """The mean error of the other 51 points over the distance of the eyes."""
    visible = truth.visible.copy()
    visible[:, list(SIXTY_EIGHT_GROUPS["jaw"])] = 0
    return round(score_landmarks(replace(truth, visible=visible), points, yaw).all.errors.nme, 5)


def show(scores: dict[str, Any]) -> None:
    parts = [part for part in next(iter(scores.values())) if part != "version"]
    head = [
        "visible points",
        "faces",
        "NME inter-ocular",
        "failures > 10 %",
        "NME without jaw",
        "NME box",
        "all known",
        "yaw",
    ]
    for part in parts:
        print(f"\n{part}\n")
        lines = []
        for name, rows in scores.items():
            seen, known = rows[part]["visible"], rows[part]["known"]
            inner = seen.get("nme_without_jaw_inter_ocular")
            lines.append(
                [
                    name,
                    int(seen["faces"] - seen["unscored_inter_ocular"]),
                    f"{seen['nme_inter_ocular']:.2%}",
                    f"{seen['failure_rate_10_inter_ocular']:.2%}",
                    "" if inner is None else f"{inner:.2%}",
                    f"{seen['nme_box']:.2%}",
                    f"{known['nme_inter_ocular']:.2%}, {known['failure_rate_10_inter_ocular']:.2%}",
                    f"{seen['yaw_error_degrees']:.2f}" if seen["yaw_faces"] else "",
                ]
            )
        print(record.table(head, lines))


def measure(rivals: Sequence[Rival], faces: Sequence[LandmarkSample], count: int, rounds: int) -> dict[str, Any]:
    """Milliseconds a face, and how many times faster each is than dlib."""
    rows = np.linspace(0, len(faces) - 1, min(count, len(faces))).astype(int).tolist()
    images = {row: load_image(faces[row]) for row in rows}
    means: dict[str, list[float]] = {rival.name: [] for rival in rivals}
    for turn in tqdm(range(rounds + 1), desc="time", leave=False, disable=None):
        seconds = dict.fromkeys(means, 0.0)
        for i, row in enumerate(rows):
            first = i % len(rivals)
            for rival in [*rivals[first:], *rivals[:first]]:
                time.sleep(PAUSE)
                start = time.perf_counter()
                rival.find(images[row], rival.boxes[row], faces[row].scheme)
                seconds[rival.name] += time.perf_counter() - start
        if turn:  # the first is for warming up
            for name, total in seconds.items():
                means[name].append(total / len(rows) * 1000)
    peer = statistics.median(means["dlib"])
    result = {
        name: {
            "ms": round(statistics.median(values), 3),
            "ms_fastest_round": round(min(values), 3),
            "ms_slowest_round": round(max(values), 3),
            "times_as_long_as_dlib": round(statistics.median(values) / peer, 2),
        }
        for name, values in means.items()
    }
    lines = [[name, *(f"{value:.2f}" for value in row.values())] for name, row in result.items()]
    print(f"\n{len(rows)} faces, one thread\n")
    print(record.table(["", "ms a face", "fastest round", "slowest", "times dlib's"], lines))
    return {"faces": len(rows), "rounds": rounds, "threads": 1, **result}


def crop_to_points(network: str, rounds: int) -> dict[str, float]:
    """Milliseconds of the network alone on one crop, one call after the other."""
    model = LandmarkDetector(network, threads=1).network
    size = model.card.input.size
    crop = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    times = []
    for _ in range(rounds * 100 + 20):
        start = time.perf_counter()
        model.run(crop)
        times.append((time.perf_counter() - start) * 1000)
    found = {"ms": round(statistics.median(times[20:]), 3), "ms_fastest": round(min(times), 3)}
    print(f"\nfrom crop to points: {found['ms']:.2f} ms, at best {found['ms_fastest']:.2f}")
    return found


def tune(faces: Sequence[LandmarkSample], truth: LandmarkTruth, most: int) -> None:
    """dlib's error with each rule of the grid, the mean over the subsets last."""
    random = np.random.default_rng(0)
    subsets = np.array(truth.subsets)
    rows = np.concatenate([random.permutation(np.flatnonzero(subsets == name))[:most] for name in np.unique(subsets)])
    chosen = [faces[row] for row in rows.tolist()]
    chosen_truth = truth_of(chosen)
    rival = dlibs(chosen_truth)[0]
    lines = []
    for side, down in GRID:
        points, yaw = find_all(replace(rival, boxes=dlib_boxes(chosen_truth.points, side, down)), chosen)
        each = [part.errors.nme for part in score_landmarks(chosen_truth, points, yaw).subsets.values()]
        lines.append([side, down, *(f"{nme:.2%}" for nme in each), f"{np.mean(each):.3%}"])
        print(lines[-1], flush=True)
    print(record.table(["side", "down", *np.unique(subsets), "mean"], sorted(lines, key=lambda line: line[-1])))


if __name__ == "__main__":
    main()
