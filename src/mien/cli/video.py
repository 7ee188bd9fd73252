"""``mien video``: every frame of a file or camera."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from mien.cli.console import add_progress_option, note, plural, progress, say
from mien.cli.detect import HEAD, face_rows
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.detect import Detector
from mien.draw import draw_faces
from mien.errors import BadOption
from mien.pixels import VideoReader, VideoWriter
from mien.records import record_of_frame, to_line
from mien.values import Picture


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "video",
        "find faces in every frame of a video or camera",
        "mien video clip.mp4 --draw clip-faces.mp4 --json --min-face 40",
    )
    parser.add_argument(
        "source",
        metavar="FILE|CAMERA",
        help="a video file, or the number of a camera, from 0; Ctrl-C ends it",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON a frame instead of a table")
    parser.add_argument("--draw", type=Path, metavar="FILE.mp4", help="write the video with its faces drawn")
    add_progress_option(parser)
    add_detector_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detect in each frame; frames per second on stderr at the end."""
    camera = args.source.isdecimal() and not Path(args.source).exists()
    if args.draw is not None and not camera and args.draw.resolve() == Path(args.source).resolve():
        raise BadOption(f"--draw {args.draw}: that is the video itself; give another name")
    detector = make_detector(args)
    start = time.perf_counter()
    with VideoReader(int(args.source) if camera else args.source) as reader:
        frames = progress(reader, args, reader.frames, "frames")
        count = _look(frames, args, detector, reader.fps, endless=camera)
    seconds = time.perf_counter() - start
    note(f"{plural(count, 'frame')} in {seconds:.1f} s: {count / seconds:.1f} frames per second")
    return 0


def _look(frames: Iterable[Picture], args: argparse.Namespace, detector: Detector, fps: float, *, endless: bool) -> int:
    """Detect, draw and print each frame; returns how many there were.

    What is ``endless`` ends by Ctrl-C, and what was recorded until then is kept.
    """
    if not args.json:
        say(f"{HEAD}  frame")
    count = 0
    with nullcontext() if args.draw is None else VideoWriter(args.draw, fps) as writer:
        try:
            for count, picture in enumerate(frames, start=1):
                _one(count - 1, picture, args, detector, fps, writer)
        except KeyboardInterrupt:
            if not endless:
                raise
    return count


def _one(
    frame: int,
    picture: Picture,
    args: argparse.Namespace,
    detector: Detector,
    fps: float,
    writer: VideoWriter | None,
) -> None:
    faces = detector(picture)
    if writer is not None:
        writer.write(draw_faces(picture, faces))
    if args.json:
        height, width = picture.shape[:2]
        say(to_line(record_of_frame(args.source, frame, frame / fps, width, height, faces)))
    else:
        say("\n".join(face_rows(faces, str(frame))))
