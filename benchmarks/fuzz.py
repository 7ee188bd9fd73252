"""Fuzz mien.read_image with damaged files: python benchmarks/fuzz.py --count 30000

Small images of every format are damaged at random and read, first as bytes and then as a file. A reading must end in
an image or in a MienError within ten seconds, and print nothing. Reports outcomes by format; ends with status 1 on
any other exception. A reading that hangs is killed with a traceback after a minute.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import io
import os
import random
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from mien.errors import MienError
from mien.imaging import image_size, read_image

SLOW = 10.0
"""Seconds that reading one small file may take."""

_EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x00\x00", b"\xff\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")


@dataclass
class Report:
    """What happened: outcomes by (format, outcome), the slowest reading, and failures with their file."""

    outcomes: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    slowest: float = 0.0
    failures: list[tuple[bytes, str]] = field(default_factory=list)


def seeds() -> dict[str, list[bytes]]:
    """Valid files by format: every mode and compression that Pillow writes and cameras or editors use."""
    rng = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(24) * 4, np.arange(32) * 3)[..., None] + rng.integers(0, 40, (24, 32, 3))
    rgb = Image.fromarray(smooth.astype(np.uint8))
    alpha = rgb.convert("RGBA")
    alpha.putalpha(128)
    palette, gray, deep = rgb.quantize(16), rgb.convert("L"), Image.fromarray(smooth[..., 0].astype(np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)]}
    modes = (rgb, alpha, palette, gray, deep)
    tiff = ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")
    made = {
        "JPEG": [
            _save(rgb, "JPEG"),
            _save(rgb, "JPEG", progressive=True, exif=exif),
            _save(rgb, "JPEG", restart_marker_rows=1, subsampling=0),
            _save(rgb.convert("CMYK"), "JPEG"),
            _save(gray, "JPEG"),
        ],
        "PNG": [*(_save(image, "PNG") for image in modes), _save(rgb, "PNG", **more), _save(rgb, "PNG", exif=exif)],
        "WEBP": [_save(rgb, "WEBP", exif=exif), _save(alpha, "WEBP", lossless=True), _save(rgb, "WEBP", **more)],
        "BMP": [_save(image, "BMP") for image in (rgb, alpha, palette, gray)],
        "TIFF": [
            *(_save(rgb, "TIFF", compression=compression) for compression in tiff),
            *(_save(image, "TIFF") for image in modes),
            _save(rgb, "TIFF", exif=exif, **more),
            _save(gray.convert("1"), "TIFF", compression="group4"),
            _save(rgb, "TIFF", big_tiff=True),
        ],
        "GIF": [_save(palette, "GIF"), _save(rgb, "GIF", **more), _save(palette, "GIF", transparency=3, interlace=1)],
        "AVIF": [_save(rgb, "AVIF", exif=exif), _save(alpha, "AVIF")],
    }
    try:
        import pillow_heif
    except ModuleNotFoundError:
        return made
    return made | {"HEIF": [_heif(pillow_heif, image) for image in (rgb, alpha)]}


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _heif(pillow_heif: object, image: Image.Image) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=50)  # type: ignore[attr-defined]
    return stream.getvalue()


def flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def edit_header(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 2, 4))):
        small = bytes([rng.randrange(20)])  # kinds, counts, depths
        value = rng.choice((*_EXTREMES, small, small, rng.randbytes(2), struct.pack("<I", rng.randrange(9000))))
        at = rng.randrange(2, min(len(data), 200))
        data[at : at + len(value)] = value


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def append(data: bytearray, rng: random.Random) -> None:
    data += rng.choice((bytes(100), rng.randbytes(100), b"\xff\xd9", bytes(data)))


def repeat_slice(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randrange(1, 200)] * rng.choice((1, 1, 50))


def remove_slice(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(2, len(data))
    del data[start : start + rng.choice((1, 4, 50))]


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(flip_bits, flip_bits, edit_header, edit_header),
    *(truncate, append, repeat_slice, remove_slice),
)


def mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` damaged files with their format; the same ones for the same seed."""
    rng = random.Random(seed)
    files = [(kind, data) for kind, images in seeds().items() for data in images]
    for number in range(count):
        kind, whole = files[number % len(files)]
        data = bytearray(whole)
        if rng.random() < 0.1:  # splice: the tail of another file
            other = rng.choice(files)[1]
            data[rng.randrange(4, len(data)) :] = other[rng.randrange(len(other)) :]
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if len(data) > 4:
                rng.choice(MUTATIONS)(data, rng)
        if kind == "PNG" and rng.random() < 0.8:
            _repair_checksums(data)
        yield kind, bytes(data)


def _repair_checksums(png: bytearray) -> None:
    """Give each chunk its checksum, so that damage gets past Pillow's check of it."""
    at = 8
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        end = at + 8 + length
        if end + 4 > len(png):
            return
        struct.pack_into(">I", png, end, zlib.crc32(png[at + 4 : end]))
        at = end + 4


def fuzz(count: int, seed: int, folder: Path) -> Report:
    """Read ``count`` damaged files, as bytes and from ``folder``."""
    report = Report()
    path = folder / "image.bin"
    for kind, data in mutants(count, seed):
        path.write_bytes(data)
        for source in (data, path):
            start = time.perf_counter()
            report.outcomes[kind, _outcome(source, data, report)] += 1
            report.slowest = max(report.slowest, time.perf_counter() - start)
    return report


def _outcome(source: bytes | Path, data: bytes, report: Report) -> str:
    faulthandler.dump_traceback_later(6 * SLOW, exit=True)
    try:
        image_size(source)
        read_image(source)
    except MienError as error:
        return f"MienError from {type(error.__cause__).__name__}" if error.__cause__ else "MienError"
    except Exception as error:  # noqa: BLE001 - what is looked for
        report.failures.append((data, "".join(traceback.format_exception(error))))
        return f"FAILED: {type(error).__name__}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    return "image"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3000, help="damaged files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow warns about some damaged TIFFs; see docs/decisions/0002
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        noise, printed = Path(folder, "stdout"), os.dup(1)
        with noise.open("wb") as file:
            os.dup2(file.fileno(), 1)
            report = fuzz(args.count, args.seed, Path(folder))
            os.dup2(printed, 1)
        stdout = noise.read_bytes()
    for (kind, outcome), count in sorted(report.outcomes.items()):
        print(f"{kind:5} {outcome:40} {count:6}")
    for number, (data, trace) in enumerate(report.failures):
        print(trace, file=sys.stderr)
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            (args.keep / f"{number}.bin").write_bytes(data)
    seconds = time.perf_counter() - start
    print(
        f"{args.count} files as bytes and as paths in {seconds:.0f} s: {len(report.failures)} failures, "
        f"slowest {report.slowest:.2f} s, {len(stdout)} bytes on stdout"
    )
    return 1 if report.failures or report.slowest > SLOW or stdout else 0


if __name__ == "__main__":
    sys.exit(main())
