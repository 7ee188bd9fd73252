"""From the paths, folders and patterns of a call to the images, and where their results belong."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mien.errors import BadOption
from mien.imaging import SUFFIXES

_MAGIC = frozenset("*?[")


def _absolute(path: Path) -> Path:
    """Without ".." but with its links: a linked image belongs where the link is."""
    return Path(os.path.normpath(path.absolute()))


def _is_pattern(text: str) -> bool:
    return not _MAGIC.isdisjoint(text) and not os.path.lexists(text)


def find_images(
    sources: Sequence[str], leave_out: Sequence[Path], on_error: Callable[[OSError], None]
) -> Iterator[Path]:
    """The images of files, folders (with all folders in them) and patterns; sorted within each folder.

    Hidden files and the folders of ``leave_out`` are passed over. A file that is named is yielded whether it
    is there or not; a folder that cannot be listed goes to ``on_error``.
    """
    barred = {_absolute(folder) for folder in leave_out}
    for source in sources:
        for path in _matches(source):
            if path.is_dir():
                yield from _walk(path, barred, on_error)
            else:
                yield path


def _matches(source: str) -> Iterator[Path]:
    """The path itself, or what a pattern matches."""
    if not _is_pattern(source):
        yield Path(source)
        return
    # "**" reaches into every folder by itself; walking those it matches would give their files twice.
    deep = "**" in source
    for found in sorted(glob.iglob(source, recursive=True)):  # noqa: PTH207 - Path.glob refuses absolute patterns
        if not (deep and Path(found).is_dir()):
            yield Path(found)


def _walk(root: Path, barred: set[Path], on_error: Callable[[OSError], None]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, onerror=on_error):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and _absolute(Path(folder, name)) not in barred
        )
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)


def common_folder(sources: Sequence[str]) -> Path:
    """The deepest folder that holds all of the sources. Raises BadOption when there is none (two drives)."""
    try:
        return Path(os.path.commonpath([_absolute(_folder_of(source)) for source in sources]))
    except ValueError as error:
        raise BadOption(
            f"{', '.join(sources)} have no folder in common to name results after; call once for each drive"
        ) from error


def _folder_of(source: str) -> Path:
    """The folder, that of the file, or the part of the pattern before anything variable."""
    path = Path(source)
    if _is_pattern(source):
        fixed = [not _is_variable(part) for part in path.parts]
        return Path(*path.parts[: fixed.index(False)])
    return path if path.is_dir() else path.parent


def _is_variable(part: str) -> bool:
    return not _MAGIC.isdisjoint(part)


class OutputFolder:
    """A folder for results that keeps the images' own folders below it, so that equal names do not meet."""

    def __init__(self, folder: Path, sources: Sequence[str], option: str) -> None:
        """Raises BadOption when results would take the place of the images."""
        self._root = common_folder(sources)
        self._folder = folder
        if folder.resolve() == self._root.resolve():
            raise BadOption(f"{option} {folder}: the images are there and would be lost; give another folder")

    def place(self, image: Path, suffix: str = "") -> Path:
        """Where the result of an image goes: same name, and ``suffix`` after it."""
        relative = Path(os.path.relpath(image, self._root))
        if ".." in relative.parts:
            raise BadOption(f"{image} is not below {self._root}; give a pattern without '..'")
        return self._folder / relative.with_name(relative.name + suffix)
