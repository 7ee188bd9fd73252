"""Third-party packages are imported only where they belong; import-linter checks the internal imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mien

SOURCE = Path(mien.__file__).parent

HOMES = {
    "cv2": "imaging/",
    "PIL": "imaging/",
    "pillow_heif": "imaging/",
    "onnxruntime": "models/",
    "torch": "train/",
    "fastapi": "server/",
    "starlette": "server/",
    "uvicorn": "server/",
    "pydantic": ("server/", "train/"),
    "prometheus_client": "server/",
    "httpx": "client.py",
}


def imported(tree):
    """Top names of all packages that a file imports, inside functions and type checks as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.fixture(scope="module")
def importers():
    """For each package, the files that import it, as paths below the source folder."""
    files = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for package in set(imported(ast.parse(file.read_text(encoding="utf-8")))):
            files.setdefault(package, []).append(file.relative_to(SOURCE).as_posix())
    return files


@pytest.mark.parametrize("package", HOMES)
def test_third_party_imports_stay_in_their_packages(importers, package):
    home = HOMES[package]
    misplaced = [file for file in importers[package] if not file.startswith(home)]
    assert not misplaced, f"{package} belongs to mien/{home}"


def test_every_form_of_import_is_found():
    code = "import a.b\nfrom c.d import e\nfrom . import f\ndef g():\n    import h as i, j\n"
    assert sorted(imported(ast.parse(code))) == ["a", "c", "h", "j"]


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        (
            "from mien.cli import main; main(['--none'])",
            ["cv2", "fastapi", "httpx", "numpy", "onnxruntime", "pydantic"],
        ),
        ("import mien", ["cv2", "matplotlib", "numpy", "onnxruntime", "scipy", "torch"]),
        ("import mien; [getattr(mien, name) for name in mien.__all__]", ["matplotlib", "scipy", "torch"]),
        ("from mien.cli import main; main(['detect'])", ["fastapi", "matplotlib", "scipy", "torch"]),
    ],
)
def test_inference_does_not_load_training_packages(code, heavy):
    show = f"{code}; import sys; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", show], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
