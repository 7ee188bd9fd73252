"""The public list, and what importing costs."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import mien
from mien import errors

HEAVY = {"torch", "pydantic", "lightning_fabric", "matplotlib", "scipy", "onnx", "tensorboard", "mien.train"}


STUB = Path(mien.__file__).with_suffix(".pyi")


def test_the_stub_lists_what_it_imports() -> None:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    (listed,) = (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert imported == set(listed) == set(mien.__all__)
    assert set(dir(mien)) >= imported


@pytest.mark.parametrize("name", sorted(mien.__all__))
def test_public_names_are_documented(name: str) -> None:
    assert getattr(mien, name).__doc__


def test_verbs_are_not_shadowed_by_submodules() -> None:
    code = "import mien.alignment, mien.heads.landmarks, mien.detection, mien.pipeline.analyzer; "
    code += "assert all(map(callable, (mien.detect, mien.align, mien.landmarks, mien.analyze)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_errors_are_public() -> None:
    defined = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == "mien.errors"
    }
    assert defined <= set(mien.__all__)


def test_version() -> None:
    assert mien.__version__ == version("mien")


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="detectt"):
        mien.detectt  # noqa: B018


def imported(code: str) -> set[str]:
    """Modules in a fresh interpreter after ``code``, which must print nothing."""
    code += "\nimport sys; sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_import_is_light() -> None:
    assert not imported("import mien") & (HEAVY | {"numpy", "cv2", "onnxruntime"})
    everything = "; ".join(f"mien.{name}" for name in sorted(mien.__all__))
    assert not imported(f"import mien; {everything}") & HEAVY


@pytest.mark.parametrize(
    "call", [["--help"], ["detect", "--help"], ["train", "--help"], ["evaluate", "fddb", "--help"]]
)
def test_help_is_light(call: list[str]) -> None:
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):"
    assert not imported(f"from mien.cli import main\n{quiet}\n    assert main({call}) == 0") & HEAVY


def test_listing_commands_does_not_load_numpy() -> None:
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):"
    loaded = imported(f"from mien.cli import main\n{quiet}\n    assert main(['--help']) == 0")
    assert not loaded & {*HEAVY, "numpy", "cv2", "onnxruntime", "fastapi"}
