"""Messages and progress bars of training, on stderr."""

import sys

from lightning_fabric.utilities.rank_zero import rank_zero_only
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_CONSOLE = Console(stderr=True)


@rank_zero_only
def report(text: str) -> None:
    """Write a line without breaking a progress bar; once, however many processes there are."""
    _CONSOLE.print(text, markup=False, highlight=False, soft_wrap=True)


def progress_bar(description: str, total: int, completed: int = 0, *, hidden: bool = False) -> Progress:
    """Return a bar with one task, to be used in a ``with`` block; it appears on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    notes = TextColumn("{task.fields[notes]}", style="dim")
    disabled = hidden or not sys.stderr.isatty()
    bar = Progress(*columns, notes, console=_CONSOLE, transient=True, disable=disabled)
    bar.add_task(description, total=total, completed=completed, notes="")
    return bar
