"""Deployment files, as far as their linters can tell."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mien.server.settings import ServeSettings

ROOT = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_hadolint_has_no_findings() -> None:
    checked = run("hadolint", "Dockerfile")
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_systemd_unit_is_confined() -> None:
    checked = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "examples/mien.service")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "examples/mien.service"])
def test_settings_in_deployment_files_exist(name: str) -> None:
    words = (ROOT / name).read_text(encoding="utf-8").replace(":", " ").replace("=", " ").split()
    used = {word.removeprefix("MIEN_").lower() for word in words if word.startswith("MIEN_")}
    assert used
    assert used <= ServeSettings.model_fields.keys()
