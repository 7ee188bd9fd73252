import json

import numpy as np
import pytest

from mien.errors import BadAnnotation, BadOption
from mien.evaluation.detections import (
    faces_without_keypoints,
    read_detections,
    read_fddb_text,
    read_json,
    read_wider_text,
    select,
    write_json,
)
from mien.types import Faces

ONE = faces_without_keypoints(np.array([[1.5, 2, 11.5, 22]]), np.array([0.25]))
NONE = Faces.empty()
WITH_KEYPOINTS = Faces(np.array([[0, 0, 10, 10]]), np.array([0.5]), np.arange(10.0).reshape(1, 5, 2))


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        for field in ("boxes", "scores", "keypoints"):
            np.testing.assert_array_equal(getattr(a[name], field), getattr(b[name], field))


def test_json_round_trip(tmp_path):
    given = {"a/1.jpg": ONE, "a/é.jpg": NONE, "b/2.jpg": WITH_KEYPOINTS}
    write_json(tmp_path / "new" / "found.jsonl", given)
    same(read_json(tmp_path / "new" / "found.jsonl"), given)


def test_json_as_mien_detect_writes_it(tmp_path):
    file = tmp_path / "found.jsonl"
    record = {
        "image": "a/1.jpg",
        "width": 640,
        "height": 480,
        "faces": [
            {"box": [0, 0, 10, 10], "score": 0.5, "keypoints": [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]},
            {"box": [0, 0, 10, 10], "score": 0.4, "keypoints": None},
        ],
    }
    failed = {"image": "a/2.jpg", "error": {"kind": "BadImage", "message": "empty"}}
    file.write_text(json.dumps(record) + "\n\n" + json.dumps(failed) + "\n")
    assert list(read_json(file)) == ["a/1.jpg"]
    faces = read_json(file)["a/1.jpg"]
    same({"": faces[:1]}, {"": WITH_KEYPOINTS})
    assert np.isnan(faces.keypoints[1]).all()


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"image": "a.jpg"}',
        '{"faces": []}',
        '{"image": "a.jpg", "faces": [{"box": [0, 0, 1], "score": 1}]}',
        '{"image": "a.jpg", "faces": [{"box": [0, 0, 1, "x"], "score": 1}]}',
        '{"image": "a.jpg", "faces": [{"box": [0, 0, 1, 1]}]}',
        '{"image": "a.jpg", "faces": [{"box": [0, 0, 1, 1], "score": 1, "keypoints": [[1, 2]]}]}',
        '{"image": "first.jpg", "faces": []}',
    ],
)
def test_an_invalid_line_is_named(tmp_path, line):
    file = tmp_path / "found.jsonl"
    file.write_text('{"image": "first.jpg", "faces": []}\n' + line + "\n")
    with pytest.raises(BadAnnotation, match=r"found\.jsonl:2: "):
        read_json(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadAnnotation, match=r"nowhere\.jsonl"):
        read_json(tmp_path / "nowhere.jsonl")


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_wider_text(tmp_path):
    write(tmp_path / "0--Parade" / "0_Parade_1.txt", "0_Parade_1\n1\n1.5 2 10 20 0.25\n")  # x y width height score
    write(tmp_path / "0--Parade" / "12.txt", "12\n0\n")  # a name that is a number
    same(read_wider_text(tmp_path), {"0--Parade/0_Parade_1.jpg": ONE, "0--Parade/12.jpg": NONE})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("1\n2\n1 2 3 4 0.5\n", r"1\.txt:2: 2 faces announced, 1 listed"),
        ("1\n1\n1 2 3 4\n", r"1\.txt:3: 4 numbers: .* write 'x y width height score'"),
        ("1\n1\n1 2 3 4 nan\n", r"1\.txt:3: "),
        ("1\nmany\n", r"1\.txt:2: 'many'"),
        ("1\n", r"1\.txt:1: no number of faces"),
        ("1\n0\n2\n0\n", r"1\.txt:3: 1 numbers"),
        ("", "an empty file"),
    ],
)
def test_errors_in_wider_text_name_file_and_line(tmp_path, text, where):
    write(tmp_path / "event" / "1.txt", text)
    with pytest.raises(BadAnnotation, match=where):
        read_wider_text(tmp_path)


def test_a_folder_without_wider_text(tmp_path):
    with pytest.raises(BadAnnotation, match="event folders"):
        read_wider_text(tmp_path)


def test_fddb_text(tmp_path):
    text = "2002/08/11/big/img_591\n1\n1.5 2 10 20 0.25\n2002/07/19/big/img_423\n0\n"
    given = {"2002/08/11/big/img_591": ONE, "2002/07/19/big/img_423": NONE}
    same(read_fddb_text(write(tmp_path / "fold-01-out.txt", text)), given)
    write(tmp_path / "fold-02-out.txt", "2003/img_1\n1\n1.5 2 10 20 0.25\n")
    same(read_fddb_text(tmp_path), given | {"2003/img_1": ONE})


def test_errors_in_fddb_text_name_file_and_line(tmp_path):
    with pytest.raises(BadAnnotation, match=r"fold-\*-out\.txt"):
        read_fddb_text(tmp_path)
    file = write(tmp_path / "fold-01-out.txt", "img\n1\n10 5 0 20 20 0.5\n")  # an ellipse
    with pytest.raises(BadAnnotation, match=r"fold-01-out\.txt:3: 6 numbers"):
        read_fddb_text(file)
    write(file, "img\n0\nimg\n0\n")
    with pytest.raises(BadAnnotation, match=r"fold-01-out\.txt:3: 'img' twice"):
        read_fddb_text(file)


def test_the_suffix_decides_between_json_and_text(tmp_path):
    write_json(tmp_path / "found.jsonl", {"a/1.jpg": ONE})
    same(read_detections(tmp_path / "found.jsonl", read_fddb_text), {"a/1.jpg": ONE})
    file = write(tmp_path / "found.txt", "a/1\n0\n")
    same(read_detections(file, read_fddb_text), {"a/1": NONE})
    with pytest.raises(BadOption, match="no such file"):
        read_detections(tmp_path / "gone")
    with pytest.raises(BadOption, match="a folder; this data set has no text format"):
        read_detections(tmp_path)


def test_images_are_matched_by_path_suffix():
    given = {"/data/val/a/1.jpg": ONE, "/data/val/b/1.jpg": NONE, r"C:\val\c\img_3": WITH_KEYPOINTS}
    chosen = select(given, ["a/1.jpg", "b/1", "c/img_3.jpg"])
    assert [chosen[name] for name in ("a/1.jpg", "b/1", "c/img_3.jpg")] == [ONE, NONE, WITH_KEYPOINTS]


def test_an_exact_name_takes_precedence():
    assert select({"1.jpg": ONE, "a/1.jpg": NONE}, ["1.jpg"]) == {"1.jpg": ONE}


def test_missing_and_ambiguous_images_are_reported():
    with pytest.raises(BadAnnotation, match=r"lack 1 of 2 images, the first is 'b/1\.jpg'"):
        select({"x/a/1.jpg": ONE, "1.jpg": ONE}, ["a/1.jpg", "b/1.jpg"])
    with pytest.raises(BadAnnotation, match="both match"):
        select({"x/a/1.jpg": ONE, "y/a/1.jpg": ONE}, ["a/1.jpg"])
    broken = faces_without_keypoints(np.array([[0, 0, 1, np.nan]]), np.array([0.5]))
    with pytest.raises(BadAnnotation, match="not finite"):
        select({"1.jpg": broken}, ["1.jpg"])


def test_an_error_leaves_no_half_written_file(tmp_path):
    file = tmp_path / "found.jsonl"
    write_json(file, {"a/1.jpg": ONE})
    before = file.read_text()
    with pytest.raises(AttributeError):
        write_json(file, {"a/1.jpg": ONE, "a/2.jpg": [1]})  # fails at the second image
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]
