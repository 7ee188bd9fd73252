"""``mien video``: every frame of a file or camera."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mien.cli.console import add_progress_option, note, plural, progress, say
from mien.cli.detect import HEAD, face_rows
from mien.cli.landmarks import HEAD as LANDMARK_HEAD
from mien.cli.landmarks import add_landmarker_options, landmark_rows, make_landmarker
from mien.cli.options import Commands, add_command, add_detector_options, make_detector
from mien.detection import FaceDetector
from mien.errors import BadOption
from mien.heads import LandmarkDetector
from mien.imaging import VideoReader, VideoWriter
from mien.imaging.draw import draw_faces, draw_landmarks
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.smoothing import SmoothingConfig
from mien.pipeline.tracker import Tracker, TrackerConfig
from mien.schema import frame_record, to_json_line
from mien.types import Faces, Image, Landmarks

_OF_LANDMARKS = {
    "--every": "every",
    "--no-smooth": "smooth",
    "--contour": "contour",
    "--refinement-steps": "refinement_steps",
    "--network": "network",
}
"""Options that say nothing without ``--landmarks``."""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "video",
        "find faces in every frame of a video or camera",
        "mien video clip.mp4 --landmarks --draw clip-faces.mp4 --json --min-face-size 40",
    )
    parser.add_argument(
        "source",
        metavar="FILE|CAMERA",
        help="a video file, or the number of a camera, from 0; Ctrl-C ends it",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON a frame instead of a table")
    parser.add_argument("--draw", type=Path, metavar="FILE.mp4", help="write the video with its faces drawn")
    add_progress_option(parser)
    parser.add_argument(
        "--landmarks",
        action="store_true",
        help="follow each face by its 68 points; the detector runs now and then, and when a face is lost",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=TrackerConfig().detect_every,
        metavar="N",
        help="with --landmarks: the detector runs on every Nth frame at least, and finds new faces only there "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--smooth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="with --landmarks: take the tremble out of the points (default: yes)",
    )
    add_landmarker_options(parser, refinement_steps=1)  # what it follows is in a box by its own points already
    add_detector_options(parser)
    parser.set_defaults(run=partial(run, {name: parser.get_default(name) for name in _OF_LANDMARKS.values()}))


def run(defaults: Mapping[str, object], args: argparse.Namespace) -> int:
    """Look at each frame; frames per second on stderr at the end."""
    camera = args.source.isdecimal() and not Path(args.source).exists()
    if args.draw is not None and not camera and args.draw.resolve() == Path(args.source).resolve():
        raise BadOption(f"--draw {args.draw}: that is the video itself; give another name")
    unheard = [option for option, name in _OF_LANDMARKS.items() if getattr(args, name) != defaults[name]]
    if unheard and not args.landmarks:
        raise BadOption(f"{', '.join(unheard)}: only with --landmarks; add it")
    detector = make_detector(args)
    landmarker = make_landmarker(args) if args.landmarks else None
    start = time.perf_counter()
    with VideoReader(int(args.source) if camera else args.source) as reader:
        tracker = None if landmarker is None else _make_tracker(detector, landmarker, args, reader.fps)
        look = partial(_find, detector) if tracker is None else partial(_follow, tracker)
        frames = progress(reader, args, reader.frames, "frames")
        count = _each(frames, args, look, reader.fps, endless=camera)
    seconds = time.perf_counter() - start
    detected = "" if tracker is None else f"; the detector ran on {plural(tracker.detections, 'frame')}"
    note(f"{plural(count, 'frame')} in {seconds:.1f} s: {count / seconds:.1f} frames per second{detected}")
    return 0


def _make_tracker(
    detector: FaceDetector, landmarker: LandmarkDetector, args: argparse.Namespace, fps: float
) -> Tracker:
    return Tracker(
        FaceAnalyzer(face_detector=detector, landmark_detector=landmarker),
        fps,
        TrackerConfig(detect_every=args.every, smoothing=SmoothingConfig() if args.smooth else None),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is in a frame; ``tracks`` and ``landmarks``, one a face, where faces are followed."""

    faces: Faces
    tracks: Sequence[int] | None = None
    landmarks: Sequence[Landmarks] | None = None


def _find(detector: FaceDetector, image: Image) -> _Seen:
    return _Seen(detector(image))


def _follow(tracker: Tracker, image: Image) -> _Seen:
    tracked = tracker(image)
    faces = Faces.from_list([one.analysis.face for one in tracked])
    landmarks = [one.analysis.landmarks for one in tracked if one.analysis.landmarks is not None]
    return _Seen(faces, [one.track for one in tracked], landmarks)


def _each(
    frames: Iterable[Image],
    args: argparse.Namespace,
    look: Callable[[Image], _Seen],
    fps: float,
    *,
    endless: bool,
) -> int:
    """Look at each frame, draw and print it; returns how many there were.

    What is ``endless`` ends by Ctrl-C, and what was recorded until then is kept.
    """
    if not args.json:
        say(f"{LANDMARK_HEAD}  track  frame" if args.landmarks else f"{HEAD}  frame")
    count = 0
    with nullcontext() if args.draw is None else VideoWriter(args.draw, fps) as writer:
        try:
            for count, image in enumerate(frames, start=1):
                seen = look(image)
                if writer is not None:
                    writer.write(_drawn(image, seen))
                say(_json(count - 1, image, seen, args.source, fps) if args.json else _rows(count - 1, seen))
        except KeyboardInterrupt:
            if not endless:
                raise
    return count


def _drawn(image: Image, seen: _Seen) -> Image:
    if seen.landmarks is None:
        return draw_faces(image, seen.faces, tracks=seen.tracks)
    return draw_landmarks(image, seen.landmarks, seen.faces, scores=False, tracks=seen.tracks)


def _json(frame: int, image: Image, seen: _Seen, video: str, fps: float) -> str:
    height, width = image.shape[:2]
    return to_json_line(frame_record(video, frame, frame / fps, width, height, seen.faces, seen.landmarks, seen.tracks))


def _rows(frame: int, seen: _Seen) -> str:
    if seen.landmarks is None or seen.tracks is None:
        return "\n".join(face_rows(seen.faces, str(frame)))
    rows = []
    for i, track in enumerate(seen.tracks):
        rows += landmark_rows(seen.faces[i : i + 1], seen.landmarks[i : i + 1], f"{track:5}  {frame}")
    return "\n".join(rows or landmark_rows(seen.faces, [], f"    -  {frame}"))
