"""``mien doctor``."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib import metadata
from typing import TypedDict

import typer

import mien
from mien.cli.parameters import Json
from mien.cli.terminal import echo, print_table
from mien.errors import MienError
from mien.models import available_providers, cores, list_models, read_card
from mien.schema import to_json_line

app = typer.Typer(add_completion=False)

_EXTRAS = ("data", "train", "serve", "client")
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[(?P<extras>[\w,-]+)\])?[^;]*(;.*extra == ['\"](?P<extra>\w+)['\"])?")


class Report(TypedDict):
    """What ``mien doctor --json`` prints."""

    mien: str
    python: str
    platform: str
    cores: int
    packages: dict[str, str]
    providers: list[str]
    telemetry: bool
    models: dict[str, str]
    missing: dict[str, list[str]]


@app.command()
def doctor(json: Json = False) -> int:
    """Report versions, providers, telemetry, networks and extras; return 1 where a network is damaged."""
    report = _examine()
    if json:
        echo(to_json_line(report))
    else:
        _print(report)
    return 0 if all(state == "ok" for state in report["models"].values()) else 1


def _examine() -> Report:
    return {
        "mien": mien.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": cores(),
        "packages": {name: metadata.version(name) for name in _requirements(None)},
        "providers": available_providers(),
        "telemetry": os.environ.get("ORT_DISABLE_TELEMETRY") != "1",
        "models": {name: _model_state(name) for name in list_models()},
        "missing": {extra: [name for name in _requirements(extra) if not _is_installed(name)] for extra in _EXTRAS},
    }


def _requirements(extra: str | None) -> list[str]:
    """Return the distributions of an extra, or of the core for None, that this platform needs."""
    found = []
    for requirement in metadata.requires("mien") or ():
        match = _REQUIREMENT.match(requirement)
        if match is None or match["extra"] != extra or _is_for_another_platform(requirement):
            continue
        if match["name"] == "mien":
            found += [name for each in match["extras"].split(",") for name in _requirements(each)]
        else:
            found.append(match["name"])
    return found


def _is_for_another_platform(requirement: str) -> bool:
    excluded = re.search(r"sys_platform != ['\"](\w+)['\"]", requirement)
    return excluded is not None and excluded[1] == sys.platform


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _model_state(name: str) -> str:
    try:
        read_card(name)
    except MienError as error:
        return str(error)
    return "ok"


def _print(report: Report) -> None:
    rows = [
        ("mien", report["mien"]),
        ("Python", report["python"]),
        ("platform", f"{report['platform']}, {report['cores']} cores"),
        *report["packages"].items(),
        ("providers", ", ".join(report["providers"])),
        ("telemetry", "on: set ORT_DISABLE_TELEMETRY=1" if report["telemetry"] else "off"),
        *((f"network {name}", state) for name, state in report["models"].items()),
    ]
    for extra, missing in report["missing"].items():
        cure = f"not installed: pip install 'mien[{extra}]' (missing: {', '.join(missing)})"
        rows.append((f"extra {extra}", cure if missing else "installed"))
    print_table(("what", "state"), rows, numbers=False)
