"""Every example runs as a reader would run it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mien.imaging import read_image

ROOT = Path(__file__).parents[1]
ASTRONAUT = ROOT / "examples" / "astronaut.jpg"


def run(*words, folder):
    return subprocess.run([sys.executable, *map(str, words)], cwd=folder, capture_output=True, text=True, check=True)


def test_every_example_has_a_test():
    tested = Path(__file__).read_text()
    for example in (ROOT / "examples").glob("*.py"):
        assert f'"{example.name}"' in tested


def test_find_faces(tmp_path):
    output = run(ROOT / "examples" / "find_faces.py", ASTRONAUT, "drawn.png", folder=tmp_path).stdout
    assert output.count("score") == 1
    assert (read_image(tmp_path / "drawn.png") != read_image(ASTRONAUT)).any()


def test_group_photo(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(ASTRONAUT, photos)
    (photos / "broken.jpg").write_bytes(ASTRONAUT.read_bytes()[:2000])
    done = run(ROOT / "examples" / "group_photo.py", photos, "aligned_faces", folder=tmp_path)
    assert "astronaut.jpg: 1 faces" in done.stdout
    assert "broken.jpg" in done.stderr
    assert read_image(tmp_path / "aligned_faces" / "astronaut.0.png").shape == (112, 112, 3)


def test_landmarks(tmp_path):
    output = run(ROOT / "examples" / "landmarks.py", ASTRONAUT, "drawn.png", folder=tmp_path).stdout
    assert output.count("yaw") == 1
    assert (read_image(tmp_path / "drawn.png") != read_image(ASTRONAUT)).any()


@pytest.mark.parametrize("example", ["find_faces.py", "group_photo.py", "landmarks.py"])
def test_missing_arguments_are_a_usage_error(example, tmp_path):
    command = [sys.executable, str(ROOT / "examples" / example)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr
