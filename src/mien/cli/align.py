"""``mien align``: pictures in; each face upright, of one size and with its points at the same places, out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mien.cli.console import add_progress_option, say
from mien.cli.inputs import OutputFolder
from mien.cli.landmarks import add_landmarker_options, make_landmarker
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.cli.pictures import StemFolder, over_pictures
from mien.describe import ChipSpec, Landmarker, chips
from mien.detect import Detector
from mien.errors import BadOption
from mien.geometry.schemes import to_five
from mien.pixels import read, write_picture
from mien.records import chip_record, record_of_chips, to_line
from mien.values import Faces, Picture


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "align",
        "cut each face out, upright, of one size and with its points at the same places",
        "mien align photos --out chips --template arcface --size 112",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders (recursively) or patterns")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the chips, PNG files")
    parser.add_argument("--json", action="store_true", help="one line of JSON a picture, with the way back to it")
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
    """One picture after the other; 1 when any could not be used, 2 when there was none."""
    if args.template == "arcface" and args.padding is not None:
        raise BadOption(f"--padding {args.padding:g}: the arcface template has none; use --template mxnet")
    spec = ChipSpec.of(args.template, args.size, args.padding)
    folder = StemFolder(OutputFolder(args.out, args.paths, "--out"))
    find = _finder(make_detector(args), make_landmarker(args) if args.points == 68 else None)

    def look(path: Path) -> int:
        picture = read(path)
        faces = find(picture)
        _deliver(path, picture, faces, spec, folder, args.json)
        return len(faces)

    return over_pictures(args, (args.out,), None, look)


def _finder(detector: Detector, landmarker: Landmarker | None) -> Callable[[Picture], Faces]:
    """From a picture to faces with the five points to align by."""
    if landmarker is None:
        return detector

    def find(picture: Picture) -> Faces:
        faces = detector(picture)
        points = [to_five(found.points) for found in landmarker(picture, faces)]
        return Faces(faces.boxes, faces.scores, np.reshape(points, (-1, 5, 2)))

    return find


def _deliver(path: Path, picture: Picture, faces: Faces, spec: ChipSpec, folder: StemFolder, json: bool) -> None:
    """Files first: what stdout names is there."""
    cut = chips(picture, faces, spec=spec)
    places = [folder.place(path, f"_{number}.png") for number in range(len(cut))]
    for place, chip in zip(places, cut, strict=True):
        write_picture(place, chip.pixels)
    if json:
        height, width = picture.shape[:2]
        records = [
            chip_record(str(place), spec.size, chip.to_picture.matrix, face)
            for place, chip, face in zip(places, cut, faces, strict=True)
        ]
        say(to_line(record_of_chips(str(path), width, height, records)))
    else:
        for place in places:
            say(str(place))
