"""From the arguments of a command to images, and from an image to the files of its results."""

from __future__ import annotations

import errno
import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mien.errors import BadImage, BadOption, WriteFailed
from mien.imaging import SUFFIXES, read_image
from mien.types import Image

STDIN = Path("-")
"""Standard input, as an argument."""

_STDIN_NAME = "stdin"
_MAGIC = frozenset("*?[")
_DRAWABLE = {".jpg", ".jpeg", ".png"}


def read_input(path: Path) -> Image:
    """Read an image from a file, or from standard input for ``-``. Raises BadImage."""
    if path != STDIN:
        return read_image(path)
    try:
        return read_image(sys.stdin.buffer.read())
    except BadImage as error:
        raise BadImage(f"standard input: {str(error).removeprefix('bytes: ')}", error.fault) from error


def find_images(
    sources: Sequence[str], exclude: Sequence[Path], on_error: Callable[[BadImage], object]
) -> Iterator[Path]:
    """Yield the images of files, folders (recursively) and glob patterns, sorted within each folder.

    Hidden files and the folders in ``exclude`` are skipped. A file that is named is yielded whether it exists or
    not; a folder that cannot be listed goes to ``on_error``.
    """
    excluded = {_absolute(folder) for folder in exclude}
    for source in sources:
        for path in _matches(source):
            if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for names that are too long
                yield from _walk(path, excluded, on_error)
            else:
                yield path


def _absolute(path: Path) -> Path:
    """Return the path without ".." but with its links: a linked image belongs where the link is."""
    return Path(os.path.normpath(path.absolute()))


def _is_pattern(text: str) -> bool:
    return not _MAGIC.isdisjoint(text) and not os.path.lexists(text)


def _matches(source: str) -> Iterator[Path]:
    """Yield the path itself, or what a pattern matches."""
    if not _is_pattern(source):
        yield Path(source)
        return
    # "**" reaches into every folder by itself; walking those it matches would give their files twice.
    recursive = "**" in source
    for found in sorted(glob.iglob(source, recursive=True)):  # noqa: PTH207 - Path.glob refuses absolute patterns
        if not (recursive and Path(found).is_dir()):
            yield Path(found)


def _walk(root: Path, excluded: set[Path], on_error: Callable[[BadImage], object]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        on_error(BadImage(f"{error.filename}: cannot be listed ({error.strerror}); check its permissions"))

    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and _absolute(Path(folder, name)) not in excluded
        )
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def _common_folder(sources: Sequence[str]) -> Path:
    """Return the deepest folder that holds all sources. Raises BadOption where there is none (two drives)."""
    folders = [_absolute(_folder_of(source)) for source in sources if Path(source) != STDIN]
    try:
        return Path(os.path.commonpath(folders)) if folders else Path.cwd()
    except ValueError as error:
        raise BadOption(f"{', '.join(sources)} are on different drives; run once for each drive") from error


def _folder_of(source: str) -> Path:
    """Return a folder itself, the folder of a file, or a pattern up to its first wildcard."""
    path = Path(source)
    if _is_pattern(source):
        fixed = [_MAGIC.isdisjoint(part) for part in path.parts]
        return Path(*path.parts[: fixed.index(False)])
    return path if os.path.isdir(path) else path.parent  # noqa: PTH112


class OutputFolder:
    """The files that one option writes: ``<folder>/<path of the image><ending>``.

    The path is relative to the deepest folder that holds all sources and keeps the suffix of the image, so that
    ``a/x.jpg``, ``b/x.jpg`` and ``a/x.png`` have different results. The ending is ``.<index>.png`` or
    ``.<index>.pts`` for a face, counted from 0 as in the JSON; a drawing has the name of its image, and ``.png``
    after a suffix that mien does not write.

    Raises:
        BadOption: Results would replace the images.
    """

    def __init__(self, folder: Path, sources: Sequence[str], option: str) -> None:
        self.folder = folder
        self._root = _common_folder(sources)
        self._owners: dict[Path, Path] = {}
        if folder.resolve() == self._root.resolve():
            raise BadOption(f"{option} {folder}: holds the images and they would be lost; give another folder")

    def face(self, image: Path, index: int, suffix: str) -> Path:
        """Return the file for a face of an image."""
        return self._place(image, f".{index}{suffix}")

    def drawing(self, image: Path) -> Path:
        """Return the file for a drawing of an image."""
        return self._place(image, "" if image.suffix.lower() in _DRAWABLE else ".png")

    def _place(self, image: Path, ending: str) -> Path:
        relative = Path(_STDIN_NAME) if image == STDIN else Path(os.path.relpath(image, self._root))
        if ".." in relative.parts:
            raise BadOption(f"{image}: not below {self._root}; give a pattern without '..'")
        place = self.folder / relative.with_name(relative.name + ending)
        owner = self._owners.setdefault(place, image)
        if owner != image:
            raise BadOption(f"{image}: {place} is already the result of {owner}; rename one of them")
        return place


_CURES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.EEXIST: "a file is in the way of a folder; remove it or choose another folder",
    errno.ENOTDIR: "a file is in the way of a folder; remove it or choose another folder",
    errno.EISDIR: "a folder is in the way; remove it or choose another folder",
    errno.ENAMETOOLONG: "rename the image or choose a folder with a shorter path",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError in the block into WriteFailed, which names the file and the cure."""
    try:
        yield
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "check the folder")
        raise WriteFailed(f"{path}: cannot be written ({error.strerror or error}); {cure}") from error
