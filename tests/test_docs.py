"""Code in the documentation runs and type-checks; the site builds without a warning."""

import subprocess
import sys
from pathlib import Path

import pytest
from mktestdocs import check_md_file
from mktestdocs.__main__ import grab_code_blocks

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_PYTHON = [page for page in PAGES if "```python\n" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page, tmp_path, monkeypatch, capsys):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    check_md_file(page, memory=True)
    assert capsys.readouterr().err == ""


def test_python_blocks_and_examples_type_check(tmp_path):
    files = [str(path) for path in sorted((ROOT / "examples").glob("*.py"))]
    for number, page in enumerate(WITH_PYTHON):
        file = tmp_path / f"page_{number}_{page.stem.replace('-', '_')}.py"
        file.write_text("\n".join(grab_code_blocks(page.read_text(encoding="utf-8"))))
        files.append(str(file))
    config = str(ROOT / "pyproject.toml")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", config, "--scripts-are-modules", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_site_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "tutorials" / "first-steps" / "index.html").is_file()
