"""The documents and the commands agree."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from mien.cli.app import COMMANDS, build_app
from mien.cli.reference import commands, fill

ROOT = Path(__file__).parents[2]
CLI = ROOT / "docs" / "cli.md"
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "benchmarks" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("docs/tutorials/*.md")),
]


def calls(path: Path) -> list[str]:
    """Every line of a code block of a document that calls mien."""
    blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line.partition(" && ")[0].partition(" > ")[0] for line in lines if line.startswith("mien ")]


def parse(call: str) -> None:
    """Parse a call without running it. Raises the error that a user would see."""
    words = shlex.split(call, comments=True)[1:]
    group = typer.main.get_command(build_app())
    with group.make_context("mien", list(words)) as context:
        if not context._protected_args:
            return
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        while hasattr(command, "commands"):
            context = command.make_context(name, rest, parent=context)
            name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, rest, parent=context)


def test_the_option_tables_are_current() -> None:
    text = CLI.read_text(encoding="utf-8")
    assert fill(text) == text, "run: python -m mien.cli.reference docs/cli.md"


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    titles = re.findall(r"^#+ (mien .*)$", CLI.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {*titles} - {"mien evaluate"} == {*commands()}


@pytest.mark.parametrize("name", commands())
def test_every_command_has_an_example_in_its_section(name: str) -> None:
    assert any(call.startswith(f"{name} ") or call == name for call in calls(CLI))


@pytest.mark.parametrize("info", COMMANDS, ids=lambda info: info.name)
def test_the_example_of_the_help_is_a_call(info) -> None:
    parse(info.example)


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.is_file()], ids=lambda path: path.name)
def test_the_calls_in_the_documents_are_calls(path: Path) -> None:
    for call in calls(path):
        parse(call)
