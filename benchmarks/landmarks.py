"""68 landmarks: error and time of mien and dlib on the same faces.

    python benchmarks/landmarks.py --data 300W_LP_dev
    python benchmarks/landmarks.py --data 300W_LP --tune

Both start from boxes computed from the true points, so that only the landmarks are compared. mien gets
`boxes.face_box`, as in `mien evaluate landmarks`. dlib's predictor (Kazemi and Sullivan 2014, trained on 300W) expects
the boxes of its own detector and is sensitive to them: it gets a square around the true points without the jaw, `SIDE`
times the mean of their width and height, shifted down by `DOWN` of it, which is best for dlib on training data
(--tune). Its result on mien's boxes is reported, too. Its points are pixel centers, so half a pixel is added.

mien is asked for the jaw of the labels, 3D in AFLW2000-3D; dlib knows the visible edge only. Hence the NME without the
jaw. Time is from image and box to points (mien: and pose), one face a call, one thread; the methods alternate face by
face, with a pause before each call. Reported is the median over the rounds of the mean over the faces, and the time of
the network alone, from crop to points.
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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import record
from peers import distribution_file
from tqdm import tqdm

from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import Dataset, LandmarkSample, load_image
from mien.evaluation.landmark_files import Predictions
from mien.evaluation.metrics.landmarks import Norm
from mien.evaluation.protocols import LandmarkResult, evaluate_landmarks
from mien.geometry import boxes
from mien.geometry.schemes import SIXTY_EIGHT_GROUPS, to_68
from mien.heads import Contour, LandmarkDetector
from mien.types import Faces, Floats, Image, Landmarks

SIDE, DOWN = 1.35, 0.06
GRID = [(side, down) for side in (1.15, 1.25, 1.35, 1.45, 1.6) for down in (-0.06, 0.0, 0.06, 0.12)]
PAUSE = 0.005
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
COUNTED = {"visible_points": True, "all_points": False}
NORMS: tuple[Norm, ...] = ("inter-ocular", "box")

Data = Dataset[LandmarkSample]


@dataclass(frozen=True)
class Method:
    """A landmark predictor.

    Attributes:
        box: Returns the boxes (n, 4) that it starts from, given the true points (n, 68, 2).
        predict: Returns the landmarks of a box (4,); the last argument is the scheme of the labels.
    """

    name: str
    version: str
    box: Callable[[Floats], Floats]
    predict: Callable[[Image, Floats, str], Landmarks]

    def run(self, sample: LandmarkSample) -> Landmarks:
        return self.predict(load_image(sample), self.box(sample.points[None])[0], sample.scheme)


def main() -> None:
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):  # numpy reads them on import
        environment = os.environ | ONE_THREAD
        raise SystemExit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)
    args = _arguments()
    data = _reduce_to_68(read_dataset(LandmarkSample, args.format, args.data, args.split))
    if args.tune:
        tune(data, args.tune_faces)
        return
    methods = [*(mien_method(args.network, steps) for steps in args.refinement_steps), *dlib_methods()]
    errors = {method.name: {"version": method.version, **measure_errors(method, data)} for method in methods}
    show(errors)
    result: dict[str, Any] = {"dlib_box": {"side": SIDE, "down": DOWN}, "errors": errors}
    result["time"] = measure_time(methods, data, args.timed, args.rounds)
    result["network_only"] = measure_network(args.network, args.rounds)
    record.write("landmarks", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--format", choices=format_names(LandmarkSample), default="300w-lp")
    parser.add_argument("--split", default="all")
    parser.add_argument("--network", default="senet68", help="name of a shipped network or an .onnx file")
    parser.add_argument("--refinement-steps", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--timed", type=int, default=100, help="number of timed faces, spread over the data set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune", action="store_true", help="find the best boxes for dlib, and nothing else")
    parser.add_argument("--tune-faces", type=int, default=300, help="faces per subset")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _reduce_to_68(data: Data) -> Data:
    samples = []
    for sample in data:
        points, visible = to_68(sample.points, sample.visible, sample.scheme)
        scheme = sample.scheme if sample.scheme == "68-3d" else "68"
        samples.append(replace(sample, points=points, visible=visible, scheme=scheme))
    return replace(data, samples=tuple(samples))


def mien_method(network: str, refinement_steps: int) -> Method:
    detector = LandmarkDetector(network, refinement_steps=refinement_steps, threads=1)

    def predict(image: Image, box: Floats, scheme: str) -> Landmarks:
        contour: Contour = "3d" if scheme == "68-3d" else "visible"
        face = Faces(box[None], np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32))
        return detector(image, face, contour=contour)[0]

    name = f"mien, {refinement_steps} refinement step{'s' if refinement_steps > 1 else ''}"
    return Method(name, detector.network.card.name, boxes.face_box, predict)


def dlib_box(points: Floats, side: float = SIDE, down: float = DOWN) -> Floats:
    """Return the squares (n, 4) that dlib starts from, given the true points (n, 68, 2)."""
    inner = boxes.bounding_boxes(points[:, SIXTY_EIGHT_GROUPS["jaw"].stop :])
    size = (inner[:, 2:] - inner[:, :2]).mean(axis=1, keepdims=True)
    center = (inner[:, :2] + inner[:, 2:]) / 2 + size * np.array([0, down], np.float32)
    return np.concatenate([center - size * side / 2, center + size * side / 2], axis=1)


def dlib_methods() -> list[Method]:
    import dlib

    file = distribution_file("face-recognition-models", "shape_predictor_68_face_landmarks.dat")
    predictor = dlib.shape_predictor(str(file))

    def predict(image: Image, box: Floats, scheme: str) -> Landmarks:
        x0, y0, x1, y1 = box.round().astype(int).tolist()
        found = predictor(image, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))  # edges are inclusive
        points = np.array([(point.x, point.y) for point in found.parts()], np.float32) + 0.5
        return Landmarks(points, "68", np.ones(68, np.float32))

    version = importlib.metadata.version("dlib-bin")
    boxes_of = {"dlib": dlib_box, "dlib, detector boxes": boxes.face_box}
    return [Method(name, version, box, predict) for name, box in boxes_of.items()]


def predict_all(method: Method, data: Data) -> Predictions:
    samples = tqdm(data, desc=method.name, leave=False, disable=None)
    return {data.name(sample): [method.run(sample)] for sample in samples}


def measure_errors(method: Method, data: Data) -> dict[str, Any]:
    """Return every number over all faces, by subset and by yaw; for visible points, and for occluded ones, too."""
    predictions = predict_all(method, data)
    rows: dict[str, Any] = {}
    for counted, visible_only in COUNTED.items():
        results = [evaluate_landmarks(data, predictions, norm=norm, visible_only=visible_only) for norm in NORMS]
        rows[counted] = _merge([result.to_dict() for result in results])
    without_jaw = evaluate_landmarks(_without_jaw(data), predictions).scores
    rows["visible_points"]["all"]["nme_without_jaw_inter_ocular"] = round(without_jaw.all.errors.nme, 5)
    for name, score in without_jaw.subsets.items():
        rows["visible_points"]["subsets"][name]["nme_without_jaw_inter_ocular"] = round(score.errors.nme, 5)
    return rows


def _merge(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge results by different norms, which have different keys; round to 5 digits."""
    merged: dict[str, Any] = {"all": {}, "subsets": {}, "yaw": {}}
    for result in results:
        merged["all"] |= _rounded(result["all"])
        for part in ("subsets", "yaw"):
            for name, numbers in result[part].items():
                merged[part][name] = merged[part].get(name, {}) | _rounded(numbers)
    return merged


def _rounded(numbers: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 5) for name, value in numbers.items()}


def _without_jaw(data: Data) -> Data:
    """Label the jaw as occluded, so that it does not count."""
    jaw = np.isin(np.arange(68), SIXTY_EIGHT_GROUPS["jaw"])
    samples = [replace(sample, visible=np.where(jaw, np.float32(0), sample.visible)) for sample in data]
    return replace(data, samples=tuple(samples))


def show(errors: dict[str, Any]) -> None:
    head = ["visible points", "faces", "NME inter-ocular", "failures > 10 %", "NME without jaw", "NME box"]
    head += ["all points", "yaw error"]
    first = next(iter(errors.values()))["visible_points"]
    parts = [("all", None), *((kind, name) for kind in ("subsets", "yaw") for name in first[kind])]
    for kind, part in parts:
        lines = []
        for name, rows in errors.items():
            visible, every = (rows[counted][kind] if part is None else rows[counted][kind][part] for counted in COUNTED)
            lines.append([name, int(visible["faces"] - visible["unscored_inter_ocular"])])
            keys = ["nme_inter_ocular", "failure_rate_10_inter_ocular", "nme_without_jaw_inter_ocular", "nme_box"]
            lines[-1] += [_percent(visible.get(key)) for key in keys]
            lines[-1].append(", ".join(_percent(every[key]) for key in keys[:2]))
            lines[-1].append(f"{visible['yaw_error_degrees']:.2f}" if visible["yaw_faces"] else "")
        print(f"\n{kind if part is None else f'{kind}: {part}'}\n")
        print(record.table(head, lines))


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def measure_time(methods: Sequence[Method], data: Data, count: int, rounds: int) -> dict[str, Any]:
    """Return milliseconds per face of each method, and their ratio to dlib's."""
    rows = np.linspace(0, len(data) - 1, min(count, len(data))).astype(int).tolist()
    samples = [data.samples[row] for row in rows]
    images = [load_image(sample) for sample in samples]
    starts = {method.name: method.box(np.stack([sample.points for sample in samples])) for method in methods}
    means: dict[str, list[float]] = {method.name: [] for method in methods}
    for turn in tqdm(range(rounds + 1), desc="time", leave=False, disable=None):
        seconds = dict.fromkeys(means, 0.0)
        for i, (image, sample) in enumerate(zip(images, samples, strict=True)):
            first = i % len(methods)
            for method in [*methods[first:], *methods[:first]]:
                time.sleep(PAUSE)
                start = time.perf_counter()
                method.predict(image, starts[method.name][i], sample.scheme)
                seconds[method.name] += time.perf_counter() - start
        if turn:  # the first is the warm-up
            for name, total in seconds.items():
                means[name].append(total / len(samples) * 1000)
    dlib_ms = statistics.median(means["dlib"])
    times = {
        name: {
            "ms": round(statistics.median(values), 3),
            "ms_fastest_round": round(min(values), 3),
            "ms_slowest_round": round(max(values), 3),
            "ratio_to_dlib": round(statistics.median(values) / dlib_ms, 2),
        }
        for name, values in means.items()
    }
    lines = [[name, *(f"{value:.2f}" for value in row.values())] for name, row in times.items()]
    print(f"\n{len(samples)} faces, one thread\n")
    print(record.table(["", "ms per face", "fastest round", "slowest round", "ratio to dlib"], lines))
    return {"faces": len(samples), "rounds": rounds, "threads": 1, "methods": times}


def measure_network(network: str, rounds: int) -> dict[str, float]:
    """Return the milliseconds of the network alone on one crop."""
    model = LandmarkDetector(network, threads=1).network
    size = model.card.input.size
    crop = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    times = []
    for _ in range(rounds * 100 + 20):
        start = time.perf_counter()
        model.run(crop)
        times.append((time.perf_counter() - start) * 1000)
    result = {"ms": round(statistics.median(times[20:]), 3), "ms_fastest": round(min(times), 3)}
    print(f"\nfrom crop to points: median {result['ms']:.2f} ms, fastest {result['ms_fastest']:.2f} ms")
    return result


def tune(data: Data, most: int) -> None:
    """Print dlib's NME by subset for each box of the grid, best mean first."""
    random = np.random.default_rng(0)
    subsets = np.array([sample.subset for sample in data])
    rows = np.concatenate([random.permutation(np.flatnonzero(subsets == name))[:most] for name in np.unique(subsets)])
    chosen = replace(data, samples=tuple(data.samples[row] for row in rows.tolist()))
    dlib = dlib_methods()[0]
    lines: list[list[Any]] = []
    for side, down in GRID:
        method = replace(dlib, box=partial(dlib_box, side=side, down=down))
        result: LandmarkResult = evaluate_landmarks(chosen, predict_all(method, chosen))
        nme = {name: result.scores.subsets[name].errors.nme for name in np.unique(subsets).tolist()}
        lines.append([side, down, *map(_percent, nme.values()), f"{statistics.fmean(nme.values()):.3%}"])
        print(lines[-1], flush=True)
    print(record.table(["side", "down", *nme, "mean"], sorted(lines, key=lambda line: line[-1])))


if __name__ == "__main__":
    main()
