"""``mien detect``: images in; a table, JSON, drawn images or aligned faces out."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from mien.alignment import align_faces
from mien.cli.console import add_progress_option, say
from mien.cli.images import drawn_place, over_images
from mien.cli.inputs import OutputFolder
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.imaging import read_image, write_image
from mien.imaging.draw import draw_faces
from mien.schema import image_record, to_json_line
from mien.types import Face, Faces, Image

HEAD = "score       x0       y0       x1       y1"
NO_FACE = "    -        -        -        -        -"


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "detect", "find faces in images", "mien detect photos holiday.jpg --json --draw drawn"
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="images, folders (recursively) or patterns")
    parser.add_argument("--json", action="store_true", help="one line of JSON an image instead of a table")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write each image with its faces drawn")
    parser.add_argument("--aligned", type=Path, metavar="DIR", help="write each face, aligned, as a 144 px PNG")
    add_progress_option(parser)
    add_detector_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detect in one image after the other; 1 when any could not be used, 2 when there was none."""
    results = _Results.of(args)
    detector = make_detector(args)

    def look(path: Path) -> int:
        image = read_image(path)
        faces = detector(image)
        results.deliver(path, image, faces)
        return len(faces)

    return over_images(args, (args.draw, args.aligned), f"{HEAD}  image", look)


@dataclass(frozen=True, slots=True)
class _Results:
    """Where the results go."""

    json: bool
    drawn: OutputFolder | None
    aligned_faces: OutputFolder | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> _Results:
        drawn = None if args.draw is None else OutputFolder(args.draw, args.paths, "--draw")
        cut = None if args.aligned is None else OutputFolder(args.aligned, args.paths, "--aligned")
        return cls(args.json, drawn, cut)

    def deliver(self, path: Path, image: Image, faces: Faces) -> None:
        """Files first: what stdout names is there."""
        if self.drawn is not None:
            write_image(drawn_place(self.drawn, path), draw_faces(image, faces))
        if self.aligned_faces is not None:
            for number, aligned_face in enumerate(align_faces(image, faces), start=1):
                write_image(self.aligned_faces.place(path, f".{number}.png"), aligned_face.image)
        if self.json:
            height, width = image.shape[:2]
            say(to_json_line(image_record(str(path), width, height, faces)))
        else:
            say("\n".join(face_rows(faces, str(path))))


def face_rows(faces: Faces, name: str) -> list[str]:
    """Rows under ``HEAD``, one a face; one that says so when there is none."""
    return [f"{face_numbers(face)}  {name}" for face in faces] or [f"{NO_FACE}  {name}"]


def face_numbers(face: Face) -> str:
    """The columns under ``HEAD``."""
    return f"{face.score:5.3f} " + " ".join(f"{side:8.1f}" for side in face.box.tolist())
