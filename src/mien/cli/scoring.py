"""What the evaluations share: detections by image, from our detector or from a file."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mien.cli.console import Complaints, note, plural, progress
from mien.cli.options import make_detector
from mien.errors import BadImage, BadOption
from mien.evaluation.detections import read_json, write_json
from mien.types import Faces

_JSON = {".json", ".jsonl", ".ndjson"}

ReadText = Callable[[Path], dict[str, Faces]]


def detections(
    args: argparse.Namespace, images: Mapping[str, Path], read_text: ReadText | None, complaints: Complaints
) -> dict[str, Faces]:
    """The faces of each image by name, those of ``--detections`` or ours; ``--save`` writes them.

    ``read_text`` reads the official text format, where there is one. Of ours, an image that cannot be read
    is left out and complained about. Raises BadOption when there is no image.
    """
    if not images:
        raise BadOption(f"--data {args.data} has no image that can be used; see the messages above")
    given: Path | None = args.detections
    found = _detected(args, images, complaints) if given is None else _given(given, read_text)
    if args.save is not None:
        write_json(args.save, found)
    return found


def source_name(args: argparse.Namespace) -> str:
    """Whose detections these are, for a legend."""
    return "mien" if args.detections is None else str(args.detections.stem)


def _given(source: Path, read_text: ReadText | None) -> dict[str, Faces]:
    if not source.exists():
        raise BadOption(f"--detections {source}: there is no such file or folder (looked in {Path.cwd()})")
    if source.is_file() and (read_text is None or source.suffix.lower() in _JSON):
        return read_json(source)
    if read_text is None:
        raise BadOption(f"--detections {source}: a folder; points are read from JSON lines only, give that file")
    return read_text(source)


def _detected(args: argparse.Namespace, images: Mapping[str, Path], complaints: Complaints) -> dict[str, Faces]:
    detector = make_detector(args)
    found = {}
    start = time.perf_counter()
    for name, path in progress(images.items(), args, len(images), "images"):
        try:
            found[name] = detector(path)
        except BadImage as error:
            complaints.add(error)
    seconds = time.perf_counter() - start
    faces = sum(len(faces) for faces in found.values())
    note(f"{plural(faces, 'face')} found in {plural(len(found), 'image')} in {seconds:.1f} s")
    return found
