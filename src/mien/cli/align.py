"""``mien align``: images in; each face upright, of one size and with its points at the same places, out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mien.alignment import AlignSpec, align_faces
from mien.cli.console import add_progress_option, say
from mien.cli.images import StemFolder, over_images
from mien.cli.inputs import OutputFolder
from mien.cli.landmarks import add_landmarker_options, make_landmarker
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.detection import FaceDetector
from mien.errors import BadOption
from mien.geometry.schemes import to_five
from mien.heads import LandmarkDetector
from mien.imaging import read_image, write_image
from mien.schema import aligned_face_record, aligned_faces_record, to_json_line
from mien.types import Faces, Image


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "align",
        "cut each face out, upright, of one size and with its points at the same places",
        "mien align photos --out faces --template arcface --size 112",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="images, folders (recursively) or patterns")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the aligned faces, PNG files"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON an image, with the way back to it")
    parser.add_argument(
        "--template",
        choices=("arcface", "mxnet"),
        default="mxnet",
        help="where the five points go: as recognition networks want them, or with space around (default: %(default)s)",
    )
    parser.add_argument("--size", type=int, metavar="N", help="side in pixels (default: arcface 112, mxnet 144)")
    parser.add_argument(
        "--padding", type=float, metavar="P", help="space round the mxnet template, in its sides (default: 0.37)"
    )
    parser.add_argument(
        "--points",
        type=int,
        choices=(5, 68),
        default=68,
        help="align by the 68 points, as five, or by the five of the detector, which is faster (default: %(default)s)",
    )
    add_progress_option(parser)
    add_landmarker_options(parser)
    add_detector_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """One image after the other; 1 when any could not be used, 2 when there was none."""
    if args.template == "arcface" and args.padding is not None:
        raise BadOption(f"--padding {args.padding:g}: the arcface template has none; use --template mxnet")
    spec = AlignSpec.of(args.template, args.size, args.padding)
    folder = StemFolder(OutputFolder(args.out, args.paths, "--out"))
    find = _finder(make_detector(args), make_landmarker(args) if args.points == 68 else None)

    def look(path: Path) -> int:
        image = read_image(path)
        faces = find(image)
        _deliver(path, image, faces, spec, folder, args.json)
        return len(faces)

    return over_images(args, (args.out,), None, look)


def _finder(detector: FaceDetector, landmarker: LandmarkDetector | None) -> Callable[[Image], Faces]:
    """From an image to faces with the five points to align by."""
    if landmarker is None:
        return detector

    def find(image: Image) -> Faces:
        faces = detector(image)
        points = [to_five(found.points) for found in landmarker(image, faces)]
        return Faces(faces.boxes, faces.scores, np.reshape(points, (-1, 5, 2)))

    return find


def _deliver(path: Path, image: Image, faces: Faces, spec: AlignSpec, folder: StemFolder, json: bool) -> None:
    """Files first: what stdout names is there."""
    cut = align_faces(image, faces, spec=spec)
    places = [folder.place(path, f"_{number}.png") for number in range(len(cut))]
    for place, aligned_face in zip(places, cut, strict=True):
        write_image(place, aligned_face.image)
    if json:
        height, width = image.shape[:2]
        records = [
            aligned_face_record(str(place), spec.size, aligned_face.to_image.matrix, face)
            for place, aligned_face, face in zip(places, cut, faces, strict=True)
        ]
        say(to_json_line(aligned_faces_record(str(path), width, height, records)))
    else:
        for place in places:
            say(str(place))
