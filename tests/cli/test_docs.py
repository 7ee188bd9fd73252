"""The documents against the commands: neither may know an option that the other does not."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien.cli import build_parser
from mien.cli.options import add_detector_options

ROOT = Path(__file__).parents[2]
CLI = ROOT / "docs" / "cli.md"
SHARED = "Detector options"
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands that do something."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for child in action.choices.values():
            yield from leaves(child)
    if not below:
        yield parser


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings if name.startswith("--")} - {"--help"}


def sections() -> dict[str, str]:
    """The text under each heading of the document, without code blocks."""
    text = BLOCK.sub("", CLI.read_text(encoding="utf-8"))
    parts = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]*", text))


def calls(path: Path) -> list[str]:
    """Every line of a code block of a document that calls us."""
    blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line.partition(" && ")[0].partition(" > ")[0] for line in lines if line.startswith("mien ")]


DETECTOR = argparse.ArgumentParser()
add_detector_options(DETECTOR)

COMMANDS = {parser.prog: parser for parser in leaves(build_parser())}


def test_the_detector_options() -> None:
    assert documented(sections()[SHARED]) == options(DETECTOR)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_every_documented_option_exists(name: str) -> None:
    text = sections()[name]
    own = options(COMMANDS[name])
    if own >= options(DETECTOR):
        assert SHARED in text
        own -= options(DETECTOR)
    assert documented(text) == own


def test_every_documented_command_exists() -> None:
    assert {title for title in sections() if title.startswith("mien ")} == {*COMMANDS, "mien evaluate"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_and_every_section_has_an_example(name: str) -> None:
    help_text = COMMANDS[name].format_help()
    (example,) = re.findall(r"^example: (.*)$", help_text, flags=re.MULTILINE)
    assert example.startswith(name + " ")
    build_parser().parse_args(shlex.split(example)[1:])
    assert any(call.startswith(name + " ") for call in calls(CLI))


DOCUMENTS = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.is_file()], ids=lambda path: path.name)
def test_the_calls_in_the_documents_are_calls(path: Path) -> None:
    for call in calls(path):
        words = shlex.split(call, comments=True)[1:]
        if words != ["--help"]:
            build_parser().parse_args(words)
