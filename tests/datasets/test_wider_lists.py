from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mien.datasets.wider_lists import image_key, read_wider_lists
from mien.errors import BadAnnotation


def _cells(*items: object) -> np.ndarray:
    cells = np.empty((len(items), 1), dtype=object)
    for i, item in enumerate(items):
        cells[i, 0] = item
    return cells


def _save(folder: Path, name: str, field: str, first: object, second: object, images: str = "ab") -> None:
    """Two events with one image each."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "event_list": _cells(np.array(["0--Parade"]), np.array(["1--Handshaking"])),
        "file_list": _cells(*(_cells(np.array([image])) for image in images)),
        field: _cells(_cells(first), _cells(second)),
    }
    savemat(folder / f"wider_{name}_val.mat", content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "eval_tools" / "ground_truth"
    _save(folder, "face", "face_bbx_list", np.ones((3, 4), np.int16), np.zeros((1, 4), np.int16))
    none = np.empty((0, 1), np.uint8)
    _save(folder, "easy", "gt_list", none, none)
    _save(folder, "medium", "gt_list", np.array([[3]], np.uint8), none)
    _save(folder, "hard", "gt_list", np.array([[1], [3]], np.uint8), none)
    return folder


def test_rows_count_from_zero(folder: Path) -> None:
    for root in (folder, folder.parents[1]):
        lists = read_wider_lists(root)
        assert list(lists) == ["0--Parade/a", "1--Handshaking/b"]
        first = lists["0--Parade/a"]
        assert first.faces == 3
        assert {level: rows.tolist() for level, rows in first.counted.items()} == {
            "easy": [],
            "medium": [2],
            "hard": [0, 2],
        }
        assert np.arange(10, 13)[first.counted["easy"]].tolist() == []  # usable as an index even when empty


def test_a_box_of_zeros_is_no_face(folder: Path) -> None:
    assert read_wider_lists(folder)["1--Handshaking/b"].faces == 0


def test_keys_from_paths() -> None:
    assert image_key(Path("WIDER_val/images/0--Parade/0_Parade_1.jpg")) == "0--Parade/0_Parade_1"


@pytest.mark.parametrize("row", [0, 4])
def test_rows_beyond_the_faces(folder: Path, row: int) -> None:
    none = np.empty((0, 1), np.uint8)
    _save(folder, "easy", "gt_list", np.array([[row]], np.uint8), none)
    with pytest.raises(BadAnnotation, match=rf"easy_val.mat: rows \[{row}\] of the 3 faces of '0--Parade/a'"):
        read_wider_lists(folder)


def test_lists_of_different_images(folder: Path) -> None:
    none = np.empty((0, 1), np.uint8)
    _save(folder, "hard", "gt_list", none, none, images="ac")
    with pytest.raises(BadAnnotation, match=r"hard_val.mat: '1--Handshaking/b' is not in all lists"):
        read_wider_lists(folder)


def test_a_missing_list(folder: Path) -> None:
    (folder / "wider_medium_val.mat").unlink()
    with pytest.raises(BadAnnotation, match="medium_val"):
        read_wider_lists(folder)


def test_broken_lists(folder: Path) -> None:
    file = folder / "wider_face_val.mat"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAnnotation, match=r"face_val.mat: "):
        read_wider_lists(folder)
    file.write_text("this is text and not a mat file " * 9)
    with pytest.raises(BadAnnotation, match=r"face_val.mat: not a readable .mat file"):
        read_wider_lists(folder)
    savemat(file, {"event_list": [1], "file_list": [1]})
    with pytest.raises(BadAnnotation, match=r"face_val.mat: the field 'face_bbx_list' is missing"):
        read_wider_lists(folder)
    savemat(file, {field: [[1]] for field in ("event_list", "file_list", "face_bbx_list")})
    with pytest.raises(BadAnnotation, match=r"face_val.mat: not laid out as WIDER's"):
        read_wider_lists(folder)
