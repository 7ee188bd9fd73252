"""Output: results on stdout, messages and progress on stderr, colors where people read.

Everything is escaped first: a file name may hold terminal escape sequences, or bytes that are not UTF-8.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from mien.datasets.samples import Progress

_Item = TypeVar("_Item")
Segment = tuple[str, str]
"""Text and its Rich style."""

_FEW = 5
"""Up to this many items need no progress display."""

_SKIPPED_SHOWN = 3
"""Of many skipped annotations this many are printed."""

REPORT_SECONDS = 30.0
"""Time between two progress lines where stderr is not a terminal."""

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_live: Console | None = None
"""The console of the progress bar on display; lines for the same terminal go through it."""


def name_of(path: Path | str) -> str:
    r"""Return a path as valid Unicode: a byte that is not UTF-8 becomes ``\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """Return text for a terminal, with control characters escaped."""
    return "".join(_escaped(char) if _is_unsafe(char) else char for char in text)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE_CATEGORIES or char in _BIDI_CONTROLS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def plural(count: int, thing: str) -> str:
    """Return ``1 face``, ``2 faces``."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


def echo(*segments: str | Segment) -> None:
    """Print one line of the result on stdout, at once. Each segment is text, or text and its style."""
    _write_line(segments, sys.stdout)


def note(*segments: str | Segment) -> None:
    """Print one line on stderr that is not part of the result."""
    _write_line(segments, sys.stderr)


def report_error(message: str) -> None:
    """Print an error on stderr, in one line."""
    note(("mien: ", "bold red"), message)


def _write_line(segments: Sequence[str | Segment], stream: TextIO | None) -> None:
    if stream is None:  # closed by the caller, as with >&-
        return
    pairs = [(segment, "") if isinstance(segment, str) else segment for segment in segments]
    safe = [(printable(text), style) for text, style in pairs]
    if stream.isatty():
        from rich.text import Text

        console = _live if _live is not None else console_for(stream)
        console.print(Text.assemble(*safe), soft_wrap=True, highlight=False)
        return
    encoding = stream.encoding or "utf-8"
    line = "".join(text for text, _ in safe)
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@lru_cache(maxsize=4)
def console_for(stream: TextIO) -> Console:
    """Return the Rich console that writes to a stream."""
    from rich.console import Console

    return Console(file=stream)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", *, numbers: bool = True
) -> None:
    """Print a table on stdout: drawn on a terminal, aligned text elsewhere.

    Args:
        columns: Their names.
        rows: The cells of each row.
        title: A line above the table.
        numbers: Whether the columns after the first hold numbers, which are right-aligned.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if _is_terminal(sys.stdout):
        from rich.table import Table
        from rich.text import Text

        drawn = Table(title=title or None, title_justify="left", header_style="bold")
        for index, column in enumerate(columns):
            drawn.add_column(column, justify="right" if index and numbers else "left", style="" if index else "cyan")
        for row in cells:
            drawn.add_row(*map(Text, row))
        console_for(sys.stdout).print(drawn)
        return
    if title:
        echo(title)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        first, *others = (
            pad(cell, width, right=numbers and i > 0) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        echo("  ".join([first, *others]).rstrip())


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Pad text to a number of terminal cells, on its right or, for numbers, on its left."""
    missing = " " * (width - sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text))
    return missing + text if right else text + missing


class Failures:
    """Report errors while the work goes on, and count them."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, error: Exception) -> None:
        """Report one error."""
        self.count += 1
        report_error(str(error))

    @property
    def status(self) -> int:
        """Exit status: 1 after any error."""
        return 1 if self.count else 0


def report_problems(skipped: Sequence[Exception], problems: Sequence[Exception]) -> int:
    """Report what a data set could not give; return the exit status.

    Args:
        skipped: Annotations without an image and the like, which a part of a data set has: no errors.
        problems: Images or predictions that could not be used.
    """
    for problem in skipped[:_SKIPPED_SHOWN]:
        note(f"skipped: {problem}")
    if len(skipped) > _SKIPPED_SHOWN:
        note(f"skipped: {len(skipped) - _SKIPPED_SHOWN} more")
    failures = Failures()
    for problem in problems:
        failures.add(problem)
    return failures.status


def wants_progress(shown: bool | None) -> bool:
    """Tell whether a progress display is on: as asked for, or by default whenever it may be of use."""
    return shown is not False and (shown is True or sys.stderr is not None)


@contextmanager
def progress(
    items: Iterable[_Item], total: int | None, unit: str, shown: bool | None = None
) -> Iterator[Iterable[_Item]]:
    """Show progress over items on stderr: a bar on a terminal, else a line every half minute.

    Args:
        items: What is iterated over in the block.
        total: Number of items, if known.
        unit: Plural noun for the items.
        shown: True or False as the user asked; None shows it where there is more than a little to do.
    """
    few = total is not None and total <= _FEW
    if not wants_progress(shown) or (shown is None and few):
        yield items
    elif _is_terminal(sys.stderr):
        with _bar(items, total, unit) as shown_items:
            yield shown_items
    else:
        yield _reported(items, total, unit, final=shown is True)


def wrap_progress(unit: str, shown: bool | None) -> Progress:
    """Return a function that shows progress over the items it is given, for libraries that take one."""

    def over(items: Iterable[_Item], total: int) -> Iterator[_Item]:
        with progress(items, total, unit, shown) as shown_items:
            yield from shown_items

    return over


@contextmanager
def _bar(items: Iterable[_Item], total: int | None, unit: str) -> Iterator[Iterable[_Item]]:
    global _live
    from rich import progress as rich_progress
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    _live = console_for(sys.stdout if _is_terminal(sys.stdout) else sys.stderr)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn(compact=True))
    try:
        with rich_progress.Progress(
            *columns, console=_live, transient=True, redirect_stdout=False, redirect_stderr=False
        ) as bar:
            yield bar.track(items, total=total)
    finally:
        _live = None


def _reported(items: Iterable[_Item], total: int | None, unit: str, *, final: bool) -> Iterator[_Item]:
    of_all = "" if total is None else f"/{total}"
    start = last = time.monotonic()
    count = 0
    for count, item in enumerate(items, start=1):
        if final and count == total:
            note(f"{count}{of_all} {unit}")
        yield item
        now = time.monotonic()
        if now - last >= REPORT_SECONDS:
            last = now
            note(f"{count}{of_all} {unit}, {count / (now - start):.1f} a second")
    if final and total is None:
        note(f"{count} {unit}")
