"""What the commands say: results on stdout, progress and complaints on stderr, without tearing each other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO, TypeVar

from tqdm import tqdm

from mien.datasets.samples import Progress
from mien.errors import MienError

_FEW = 5
"""Up to so many images nobody needs a bar."""

_SHOWN = 3
"""Of many problems of a data set, so many are spelt out."""

_Item = TypeVar("_Item")


def say(line: str) -> None:
    """A line of the result, at once, on stdout."""
    _write(line, sys.stdout)


def note(line: str) -> None:
    """A line on stderr that is no part of the result."""
    _write(line, sys.stderr)


def complain(line: str) -> None:
    """A line on stderr about something that went wrong."""
    note(f"mien: {line}")


def _write(line: str, stream: TextIO) -> None:
    # A file name may hold bytes that no encoding knows; showing it must not end the run.
    encoding = stream.encoding or "utf-8"
    tqdm.write(line.encode(encoding, "backslashreplace").decode(encoding), file=stream)
    stream.flush()


class Complaints:
    """Complains and remembers that it did."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, error: MienError | OSError) -> None:
        """One thing that could not be used; the work goes on."""
        self.count += 1
        complain(str(error))

    @property
    def status(self) -> int:
        """The exit status: 1 when there was any."""
        return 1 if self.count else 0


def note_left_out(problems: Sequence[MienError]) -> None:
    """What a data set could not give: the first few in words, the rest as a number.

    No complaint: a part of a data set, with its whole lists, is a usual thing to have.
    """
    for problem in problems[:_SHOWN]:
        note(f"left out: {problem}")
    if len(problems) > _SHOWN:
        note(f"left out: {len(problems) - _SHOWN} more")


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """``--progress`` and ``--no-progress``."""
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="a bar on stderr (default: when stderr is a terminal and there is more than a little to do)",
    )


def wants_progress(args: argparse.Namespace) -> bool:
    """Whether a bar may be shown at all."""
    return sys.stderr.isatty() if args.progress is None else bool(args.progress)


def progress(items: Iterable[_Item], args: argparse.Namespace, total: int | None, unit: str) -> Iterable[_Item]:
    """The items, with a bar on stderr where it is wanted."""
    small = args.progress is None and total is not None and total <= _FEW
    if small or not wants_progress(args):
        return items
    bar: Iterable[_Item] = tqdm(items, total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True)
    return bar


def progress_bar(args: argparse.Namespace, unit: str) -> Progress:
    """Return a bar on stderr, where it is wanted, for the functions that take a ``progress``."""

    def over(items: Iterable[_Item], total: int) -> Iterable[_Item]:
        return progress(items, args, total, unit)

    return over


def file_bar(args: argparse.Namespace) -> Progress:
    """Return a bar over the files that a reader reads."""
    return progress_bar(args, "files")


def plural(count: int, thing: str) -> str:
    """``1 face``, ``2 faces``."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under their heads: the first to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
