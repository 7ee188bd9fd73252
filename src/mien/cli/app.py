"""The Typer application. Commands are listed here and imported when they run, which keeps ``mien --help`` quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import mien
from mien.cli.terminal import echo, report_error
from mien.errors import BadOption, MienError

USAGE_ERROR = 2
_FAILED = 1
_INTERRUPTED = 130
_BROKEN_PIPE = 141

_IMAGES = "Images and videos"
_TRAINING = "Data sets and training"
_SYSTEM = "Service and system"


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """What is shown of a command without importing it."""

    name: str
    panel: str
    summary: str
    example: str

    @property
    def module(self) -> str:
        """The module with the command."""
        return f"mien.cli.{self.name}"


COMMANDS = (
    CommandInfo("detect", _IMAGES, "Detect faces in images.", "mien detect photos holiday.jpg --json --draw drawn"),
    CommandInfo(
        "landmarks", _IMAGES, "Find 68 landmarks and the head pose of each face.", "mien landmarks photos --draw drawn"
    ),
    CommandInfo(
        "align", _IMAGES, "Cut out each face, upright and of one size.", "mien align photos --out faces --size 112"
    ),
    CommandInfo(
        "analyze", _IMAGES, "Run everything on each image in one pass.", "mien analyze photo.jpg --draw drawn --json"
    ),
    CommandInfo(
        "video",
        _IMAGES,
        "Detect or track faces in a video or camera.",
        "mien video clip.mp4 --landmarks --draw out.mp4",
    ),
    CommandInfo(
        "prepare",
        _TRAINING,
        "Convert a public data set to training shards.",
        "mien prepare landmarks --format 300w-lp --data 300W_LP --out shards",
    ),
    CommandInfo("show", _TRAINING, "Draw samples of training shards.", "mien show shards --out contact.png --count 64"),
    CommandInfo(
        "train", _TRAINING, "Train networks by a recipe.", "mien train recipes/cascade.toml --data datasets --runs runs"
    ),
    CommandInfo(
        "evaluate",
        _TRAINING,
        "Score the networks, or other tools' predictions, on a data set.",
        "mien evaluate wider --data WIDER_FACE",
    ),
    CommandInfo(
        "convert",
        _TRAINING,
        "Convert the weights of another project to ONNX networks.",
        "mien convert facenet_pytorch/data --format facenet-pytorch --out converted",
    ),
    CommandInfo("serve", _SYSTEM, "Start the HTTP service.", "mien serve --port 8000 --config serve.toml"),
    CommandInfo("models", _SYSTEM, "List the shipped networks.", "mien models --json"),
    CommandInfo("doctor", _SYSTEM, "Check the installation.", "mien doctor"),
)

_EXAMPLES = """\
Detect faces and draw them: [bold]mien detect photo.jpg --draw drawn[/]

Landmarks and head pose as JSON: [bold]mien landmarks photos --json[/]

Track faces through a video: [bold]mien video clip.mp4 --landmarks --draw tracked.mp4[/]
"""


def load(info: CommandInfo) -> Any:
    """Import a command and return it, with its summary and example for ``--help``."""
    command = typer.main.get_command(import_module(info.module).app)
    command.name = info.name
    command.help = info.summary
    command.epilog = f"Example: [bold]{info.example}[/]"
    return command


class _Commands(TyperGroup):
    """The commands by name: stubs to list them, the modules to run them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the imported command in place of its stub."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command = load(next(info for info in COMMANDS if info.name == name))
        return name, command, rest

    def invoke(self, ctx: Any) -> None:
        """Run the command and exit with its status."""
        raise typer.Exit(_status(lambda: super(_Commands, self).invoke(ctx)))


def _status(run: Callable[[], int | None]) -> int:
    """Run a command, report what goes wrong and return the exit status."""
    try:
        status = run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except MienError as error:
        report_error(str(error))
        return USAGE_ERROR if isinstance(error, BadOption) else _FAILED
    except KeyboardInterrupt:
        report_error("stopped")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader has gone, as in `mien detect photos | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        report_error(str(error))
        return _FAILED
    return status or 0


def _show_version(wanted: bool) -> None:
    if wanted:
        echo(f"mien {mien.__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application with a stub for each command."""
    app = typer.Typer(
        cls=_Commands,
        help="Detect faces, find landmarks and head poses, align and track faces; train and serve the networks.",
        epilog=_EXAMPLES,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def show_help(
        ctx: typer.Context,
        version: Annotated[
            bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        if ctx.invoked_subcommand is None:
            ctx.get_help()

    for info in COMMANDS:
        app.command(info.name, help=info.summary, rich_help_panel=info.panel)(lambda: None)
    return app
