"""The options of the detector, which several commands share."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mien.detection import DetectorConfig, FaceDetector
from mien.errors import BadOption

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = argparse._SubParsersAction  # not subscriptable at run time


def add_command(commands: Commands, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A command whose help begins with ``summary`` and ends with ``example``."""
    return commands.add_parser(
        name,
        help=summary,
        description=textwrap.fill(summary[0].upper() + summary[1:] + ".", 100),
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_detector_options(parser: argparse.ArgumentParser) -> None:
    """All that :func:`make_detector` reads; the defaults are those of ``Settings``."""
    default = DetectorConfig()
    group = parser.add_argument_group("detector")
    group.add_argument(
        "--min-face-size",
        type=float,
        default=default.min_face_size,
        metavar="PIXELS",
        help="side of the smallest face looked for; larger is faster (default: %(default)g)",
    )
    group.add_argument(
        "--max-face-size",
        type=float,
        default=default.max_face_size,
        metavar="PIXELS",
        help="side of the largest face looked for (default: as large as the image)",
    )
    group.add_argument(
        "--threshold",
        type=float,
        default=default.onet_threshold,
        metavar="SCORE",
        help="least score of a face, from 0 to 1; the last network's (default: %(default)g)",
    )
    for stage, value in (("pnet", default.pnet_threshold), ("rnet", default.rnet_threshold)):
        group.add_argument(
            f"--{stage}-threshold",
            type=float,
            default=value,
            metavar="SCORE",
            help=f"least score at which {stage} hands a candidate on (default: %(default)g)",
        )
    group.add_argument(
        "--scale-factor",
        type=float,
        default=default.scale_factor,
        help="step from one pyramid level to the next; near 1 finds more, slower (default: %(default)g)",
    )
    group.add_argument(
        "--rotations",
        type=_rotations,
        default=default.rotations,
        metavar="DEGREES",
        help="quarter turns to look at, such as 0,90,180,270 (default: 0, upright faces only)",
    )
    group.add_argument(
        "--refine",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="move the points a last time, with L-Net (default: yes)",
    )
    group.add_argument(
        "--threads", type=int, metavar="N", help="threads a network may use (default: one a core, at most 4)"
    )
    for stage in ("pnet", "rnet", "onet", "lnet"):
        group.add_argument(
            f"--{stage}",
            metavar="FILE",
            help=f"another {stage}: an .onnx file, or the name of a shipped network (default: {stage})",
        )


def _rotations(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of degrees such as 0,90,180,270") from error


def make_detector(args: argparse.Namespace) -> FaceDetector:
    """The detector that the options ask for. Raises BadOption, ModelMissing, ModelMismatch."""
    settings = DetectorConfig(
        min_face_size=args.min_face_size,
        max_face_size=args.max_face_size,
        scale_factor=args.scale_factor,
        pnet_threshold=args.pnet_threshold,
        rnet_threshold=args.rnet_threshold,
        onet_threshold=args.threshold,
        rotations=args.rotations,
    )
    return FaceDetector(
        settings,
        pnet=args.pnet or "pnet",
        rnet=args.rnet or "rnet",
        onet=args.onet or "onet",
        lnet=(args.lnet or "lnet") if args.refine else None,
        threads=args.threads,
    )


def existing_folder(path: Path, option: str) -> Path:
    """``path``, if a folder is there. Raises BadOption naming the ``option``."""
    if not path.is_dir():
        raise BadOption(f"{option} {path}: there is no such folder (looked in {Path.cwd()})")
    return path
