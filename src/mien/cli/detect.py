"""``mien detect``: pictures in; a table, JSON, drawn pictures or chips out."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from mien.cli.console import Complaints, add_progress_option, note, plural, progress, say, wants_progress
from mien.cli.inputs import OutputFolder, find_pictures
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.describe import chips
from mien.detect import Detector
from mien.draw import draw_faces
from mien.errors import BadImage, BadOption
from mien.pixels import read, write_picture
from mien.records import record_of_error, record_of_faces, to_line
from mien.values import Face, Faces, Picture

_DRAWABLE = {".jpg", ".jpeg", ".png"}

HEAD = "score       x0       y0       x1       y1"
NO_FACE = "    -        -        -        -        -"


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "detect", "find faces in pictures", "mien detect photos holiday.jpg --json --draw drawn"
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, folders (recursively) or patterns")
    parser.add_argument("--json", action="store_true", help="one line of JSON a picture instead of a table")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write each picture with its faces drawn")
    parser.add_argument("--chips", type=Path, metavar="DIR", help="write each face, aligned, as a 144 px PNG")
    add_progress_option(parser)
    add_detector_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detect in one picture after the other; 1 when any could not be used, 2 when there was none."""
    results = _Results.of(args)
    detector = make_detector(args)
    complaints = Complaints()
    outputs = [folder for folder in (args.draw, args.chips) if folder is not None]
    total = None
    if wants_progress(args):
        total = sum(1 for _ in find_pictures(args.paths, outputs, lambda error: None))
    pictures = find_pictures(args.paths, outputs, complaints.add)
    seen = found = bad = 0
    for path in progress(pictures, args, total, "pictures"):
        if not seen and not args.json:
            say(f"{HEAD}  picture")
        seen += 1
        try:
            found += _one(path, detector, results)
        except (BadImage, BadOption) as error:
            bad += 1
            complaints.add(error)
            if args.json:
                say(to_line(record_of_error(str(path), error)))
    if not seen:
        raise BadOption(f"no pictures found in {', '.join(args.paths)}; give files, or folders with pictures")
    note(f"{plural(found, 'face')} in {plural(seen - bad, 'picture')}")
    return complaints.status


def _one(path: Path, detector: Detector, results: _Results) -> int:
    picture = read(path)
    faces = detector(picture)
    results.deliver(path, picture, faces)
    return len(faces)


@dataclass(frozen=True, slots=True)
class _Results:
    """Where the results go."""

    json: bool
    drawn: OutputFolder | None
    chips: OutputFolder | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> _Results:
        drawn = None if args.draw is None else OutputFolder(args.draw, args.paths, "--draw")
        cut = None if args.chips is None else OutputFolder(args.chips, args.paths, "--chips")
        return cls(args.json, drawn, cut)

    def deliver(self, path: Path, picture: Picture, faces: Faces) -> None:
        """Files first: what stdout names is there."""
        if self.drawn is not None:
            suffix = "" if path.suffix.lower() in _DRAWABLE else ".png"
            write_picture(self.drawn.place(path, suffix), draw_faces(picture, faces))
        if self.chips is not None:
            for number, chip in enumerate(chips(picture, faces), start=1):
                write_picture(self.chips.place(path, f".{number}.png"), chip.pixels)
        if self.json:
            height, width = picture.shape[:2]
            say(to_line(record_of_faces(str(path), width, height, faces)))
        else:
            say("\n".join(face_rows(faces, str(path))))


def face_rows(faces: Faces, name: str) -> list[str]:
    """Rows under ``HEAD``, one a face; one that says so when there is none."""
    return [f"{_numbers(face)}  {name}" for face in faces] or [f"{NO_FACE}  {name}"]


def _numbers(face: Face) -> str:
    return f"{face.score:5.3f} " + " ".join(f"{side:8.1f}" for side in face.box.tolist())
