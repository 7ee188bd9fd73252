"""One image after the other: what the commands on images share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mien.cli.console import Complaints, note, plural, progress, say, wants_progress
from mien.cli.inputs import OutputFolder, find_images
from mien.errors import BadImage, BadOption
from mien.schema import error_record, to_json_line

_DRAWABLE = {".jpg", ".jpeg", ".png"}


def over_images(
    args: argparse.Namespace, outputs: Sequence[Path | None], head: str | None, look: Callable[[Path], int]
) -> int:
    """``look`` at each image of ``args.paths``; it returns how many faces there were.

    ``head`` stands above the table. Below the folders of ``outputs`` nothing is looked at. An image that cannot be
    used is reported and the rest goes on. Returns 1 when there was any such; raises BadOption when there was none
    at all.
    """
    complaints = Complaints()
    barred = [folder for folder in outputs if folder is not None]
    total = None
    if wants_progress(args):
        total = sum(1 for _ in find_images(args.paths, barred, lambda error: None))
    images = find_images(args.paths, barred, complaints.add)
    seen = found = bad = 0
    for path in progress(images, args, total, "images"):
        if not seen and head is not None and not args.json:
            say(head)
        seen += 1
        try:
            found += look(path)
        except (BadImage, BadOption) as error:
            bad += 1
            complaints.add(error)
            if args.json:
                say(to_json_line(error_record(str(path), error)))
    if not seen:
        raise BadOption(f"no images found in {', '.join(args.paths)}; give files, or folders with images")
    note(f"{plural(found, 'face')} in {plural(seen - bad, 'image')}")
    return complaints.status


def drawn_place(folder: OutputFolder, image: Path) -> Path:
    """Where an image with something drawn goes: its own name, with .png after a kind that we do not write."""
    return folder.place(image, "" if image.suffix.lower() in _DRAWABLE else ".png")


class StemFolder:
    """An :class:`OutputFolder` whose files are named after the images without their suffix: x.jpg -> x_0.png."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._owners: dict[Path, Path] = {}

    def place(self, image: Path, ending: str) -> Path:
        """Where the result of an image goes. Raises BadOption where that of another is, as of x.jpg and x.png."""
        whole = self._folder.place(image)
        place = whole.with_name(whole.stem + ending)
        owner = self._owners.setdefault(place, image)
        if owner != image:
            raise BadOption(f"{image}: {place} is taken by {owner}; write the results of one of them elsewhere")
        return place
