"""The public list, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mien

PUBLIC = {
    *(
        "read_image",
        "write_image",
        "FaceDetector",
        "DetectorConfig",
        "Faces",
        "Face",
        "align_faces",
        "AlignedFace",
        "AlignSpec",
        "draw_faces",
    ),
    *("FaceAnalyzer", "LandmarkDetector", "Landmarks", "FaceAnalysis", "Pose", "draw_landmarks"),
    *("Tracker", "Tracking", "Tracked", "Smoothing"),
    *("MienError", "BadImage", "BadAnnotation", "BadRecipe", "BadOption"),
    *("ModelMissing", "ModelMismatch", "ExportMismatch", "MissingExtra", "ServiceError"),
}

HEAVY = {"torch", "matplotlib", "scipy", "onnx", "tensorboard", "mien.train.networks"}


def test_the_list() -> None:
    assert set(mien.__all__) == PUBLIC
    assert mien.__all__ == sorted(mien.__all__, key=str.swapcase) or len(set(mien.__all__)) == len(mien.__all__)
    assert set(dir(mien)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_each_name_is_there_and_documented(name: str) -> None:
    assert getattr(mien, name).__doc__


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    tree = ast.parse(Path(mien.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "typing"]
    seen = {node.module: tuple(alias.name for alias in node.names) for node in imports}
    del seen["importlib"]
    assert seen == mien._MODULES


def test_all_errors_are_public() -> None:
    from mien import errors

    classes = (value for value in vars(errors).values() if isinstance(value, type))
    assert {one.__name__ for one in classes if issubclass(one, errors.MienError)} <= PUBLIC


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'detectt'; it has "):
        mien.detectt  # noqa: B018


def imported(code: str) -> set[str]:
    """Modules in a fresh interpreter after ``code``, which must print nothing."""
    code += "\nimport sys; sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_import_is_light() -> None:
    assert not imported("import mien") & (HEAVY | {"numpy", "cv2", "onnxruntime"})
    everything = "; ".join(f"mien.{name}" for name in sorted(PUBLIC))
    assert not imported(f"import mien; {everything}") & HEAVY


@pytest.mark.parametrize(
    "call", [["--help"], ["detect", "--help"], ["train", "--help"], ["evaluate", "fddb", "--help"]]
)
def test_help_is_light(call: list[str]) -> None:
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):"
    assert not imported(f"from mien.cli import main\n{quiet}\n    assert main({call}) == 0") & HEAVY
