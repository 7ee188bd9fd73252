"""``mien landmarks``: images in; 68 points a face and the turn of the head out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.cli.console import add_progress_option, say
from mien.cli.detect import HEAD as FACE_HEAD
from mien.cli.detect import NO_FACE, face_numbers
from mien.cli.images import StemFolder, drawn_place, over_images
from mien.cli.inputs import OutputFolder
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.datasets.pts import write_pts
from mien.heads import LandmarkDetector
from mien.imaging import read_image, write_image
from mien.imaging.draw import draw_landmarks
from mien.schema import image_record, to_json_line
from mien.types import Faces, Image, Landmarks, Pose

HEAD = f"{FACE_HEAD}    yaw  pitch   roll"
_NO_POSE = "      -" * 3


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "landmarks",
        "find 68 points of each face and how the head is turned",
        "mien landmarks photos holiday.jpg --json --draw drawn",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="images, folders (recursively) or patterns")
    parser.add_argument("--json", action="store_true", help="one line of JSON an image instead of a table")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write each image with the points drawn")
    parser.add_argument("--pts", type=Path, metavar="DIR", help="write the points of each face as a .pts file of 300W")
    add_progress_option(parser)
    add_landmarker_options(parser)
    add_detector_options(parser)
    parser.set_defaults(run=run)


def add_landmarker_options(parser: argparse.ArgumentParser, refinement_steps: int = 2) -> None:
    """All that :func:`make_landmarker` reads, but ``--threads``, which is the detector's."""
    parser.add_argument(
        "--contour",
        choices=("visible", "3d"),
        default="visible",
        help="the jaw of a turned head: the edge that is seen, or where the jaw is (default: %(default)s)",
    )
    parser.add_argument(
        "--refinement-steps",
        type=int,
        default=refinement_steps,
        metavar="N",
        help="2 looks at each face again, upright and in a box by the first points; 1 is twice as fast (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--network",
        default="senet68",
        metavar="FILE",
        help="another network for the 68 points: an .onnx file, or the name of a shipped one (default: %(default)s)",
    )


def make_landmarker(args: argparse.Namespace) -> LandmarkDetector:
    """The landmarker that the options ask for. Raises BadOption, ModelMissing, ModelMismatch."""
    return LandmarkDetector(
        args.network, contour=args.contour, refinement_steps=args.refinement_steps, threads=args.threads
    )


def run(args: argparse.Namespace) -> int:
    """One image after the other; 1 when any could not be used, 2 when there was none."""
    results = _Results.of(args)
    detector, landmarker = make_detector(args), make_landmarker(args)

    def look(path: Path) -> int:
        image = read_image(path)
        faces = detector(image)
        results.deliver(path, image, faces, landmarker(image, faces))
        return len(faces)

    return over_images(args, (args.draw, args.pts), f"{HEAD}  image", look)


@dataclass(frozen=True, slots=True)
class _Results:
    """Where the results go."""

    json: bool
    drawn: OutputFolder | None
    pts: StemFolder | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> _Results:
        drawn = None if args.draw is None else OutputFolder(args.draw, args.paths, "--draw")
        pts = None if args.pts is None else StemFolder(OutputFolder(args.pts, args.paths, "--pts"))
        return cls(args.json, drawn, pts)

    def deliver(self, path: Path, image: Image, faces: Faces, landmarks: Sequence[Landmarks]) -> None:
        """Files first: what stdout names is there."""
        if self.drawn is not None:
            write_image(drawn_place(self.drawn, path), draw_landmarks(image, landmarks, faces))
        if self.pts is not None:
            endings = [".pts"] if len(landmarks) == 1 else [f"_{number}.pts" for number in range(len(landmarks))]
            places = [self.pts.place(path, ending) for ending in endings]
            for place, found in zip(places, landmarks, strict=True):
                write_pts(place, found.points)
        if self.json:
            height, width = image.shape[:2]
            say(to_json_line(image_record(str(path), width, height, faces, landmarks)))
        else:
            say("\n".join(landmark_rows(faces, landmarks, str(path))))


def landmark_rows(faces: Faces, landmarks: Sequence[Landmarks], name: str) -> list[str]:
    """Rows under ``HEAD``, one a face; one that says so when there is none."""
    rows = [f"{face_numbers(face)}{_angles(found.pose)}  {name}" for face, found in zip(faces, landmarks, strict=True)]
    return rows or [f"{NO_FACE}{_NO_POSE}  {name}"]


def _angles(pose: Pose | None) -> str:
    return _NO_POSE if pose is None else f" {pose.yaw:6.1f} {pose.pitch:6.1f} {pose.roll:6.1f}"
