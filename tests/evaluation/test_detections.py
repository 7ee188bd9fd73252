import json

import numpy as np
import pytest

from mien.errors import BadAnnotation
from mien.evaluation.detections import (
    faces_without_points,
    read_fddb_text,
    read_json,
    read_wider_text,
    select,
    write_fddb_text,
    write_json,
    write_wider_text,
)
from mien.types import Faces

ONE = faces_without_points(np.array([[1.5, 2, 11.5, 22]]), np.array([0.25]))
NONE = Faces.empty()
POINTED = Faces(np.array([[0, 0, 10, 10]]), np.array([0.5]), np.arange(10.0).reshape(1, 5, 2))


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        for field in ("boxes", "scores", "keypoints"):
            np.testing.assert_array_equal(getattr(a[name], field), getattr(b[name], field))


def test_json_there_and_back(tmp_path):
    given = {"a/1.jpg": ONE, "a/é.jpg": NONE, "b/2.jpg": POINTED}
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
    same({"": faces[:1]}, {"": POINTED})
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
def test_a_broken_line_is_named(tmp_path, line):
    file = tmp_path / "found.jsonl"
    file.write_text('{"image": "first.jpg", "faces": []}\n' + line + "\n")
    with pytest.raises(BadAnnotation, match=r"found\.jsonl:2: "):
        read_json(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadAnnotation, match=r"nowhere\.jsonl"):
        read_json(tmp_path / "nowhere.jsonl")


def test_wider_text_there_and_back(tmp_path):
    given = {"0--Parade/0_Parade_1.jpg": ONE, "0--Parade/0_Parade_2.jpg": NONE}
    write_wider_text(tmp_path, given)
    text = (tmp_path / "0--Parade" / "0_Parade_1.txt").read_text()
    assert text == "0_Parade_1\n1\n1.5 2 10 20 0.25\n"  # x y width height score
    same(read_wider_text(tmp_path), given)


def test_wider_text_names_what_is_wrong(tmp_path):
    with pytest.raises(BadAnnotation, match="event folders"):
        read_wider_text(tmp_path)
    with pytest.raises(BadAnnotation, match="no event"):
        write_wider_text(tmp_path, {"1.jpg": ONE})
    file = tmp_path / "event" / "1.txt"
    file.parent.mkdir()
    for text, where in (
        ("1\n2\n1 2 3 4 0.5\n", r"1\.txt:4: ''"),
        ("1\n1\n1 2 3 4\n", r"1\.txt:3: .* 5 numbers"),
        ("1\n1\n1 2 3 4 nan\n", r"1\.txt:3: "),
        ("1\nmany\n", r"1\.txt:2: 'many'"),
        ("1\n", r"1\.txt:2: "),
        ("1\n0\n2\n0\n", "2 images"),
        ("", "0 images"),
    ):
        file.write_text(text)
        with pytest.raises(BadAnnotation, match=where):
            read_wider_text(tmp_path)


def test_fddb_text_there_and_back(tmp_path):
    given = {"2002/08/11/big/img_591": ONE, "2002/07/19/big/img_423": NONE}
    write_fddb_text(tmp_path / "fold-01-out.txt", given)
    text = (tmp_path / "fold-01-out.txt").read_text()
    assert text == "2002/08/11/big/img_591\n1\n1.5 2 10 20 0.25\n2002/07/19/big/img_423\n0\n"
    same(read_fddb_text(tmp_path / "fold-01-out.txt"), given)
    write_fddb_text(tmp_path / "fold-02-out.txt", {"2003/img_1.jpg": ONE})
    same(read_fddb_text(tmp_path), given | {"2003/img_1": ONE})


def test_fddb_text_names_what_is_wrong(tmp_path):
    with pytest.raises(BadAnnotation, match=r"fold-\*-out\.txt"):
        read_fddb_text(tmp_path)
    file = tmp_path / "fold-01-out.txt"
    file.write_text("img\n1\n10 5 0 20 20 0.5\n")  # an ellipse
    with pytest.raises(BadAnnotation, match=r"fold-01-out\.txt:3: .* 5 numbers"):
        read_fddb_text(file)
    file.write_text("img\n0\nimg\n0\n")
    with pytest.raises(BadAnnotation, match="second time"):
        read_fddb_text(file)


def test_images_are_found_by_the_end_of_their_path():
    given = {"/data/val/a/1.jpg": ONE, "/data/val/b/1.jpg": NONE, r"C:\val\c\img_3": POINTED}
    chosen = select(given, ["a/1.jpg", "b/1", "c/img_3.jpg"])
    assert [chosen[name] for name in ("a/1.jpg", "b/1", "c/img_3.jpg")] == [ONE, NONE, POINTED]


def test_the_exact_name_goes_first():
    assert select({"1.jpg": ONE, "a/1.jpg": NONE}, ["1.jpg"]) == {"1.jpg": ONE}


def test_images_that_cannot_be_chosen_are_named():
    with pytest.raises(BadAnnotation, match=r"lack 1 of 2 images, the first is 'b/1\.jpg'"):
        select({"x/a/1.jpg": ONE, "1.jpg": ONE}, ["a/1.jpg", "b/1.jpg"])
    with pytest.raises(BadAnnotation, match="both are"):
        select({"x/a/1.jpg": ONE, "y/a/1.jpg": ONE}, ["a/1.jpg"])
    annotation_error = faces_without_points(np.array([[0, 0, 1, np.nan]]), np.array([0.5]))
    with pytest.raises(BadAnnotation, match="not finite"):
        select({"1.jpg": annotation_error}, ["1.jpg"])


def test_an_error_leaves_no_half_written_file(tmp_path):
    file = tmp_path / "found.jsonl"
    write_json(file, {"a/1.jpg": ONE})
    before = file.read_text()
    with pytest.raises(AttributeError):
        write_json(file, {"a/1.jpg": ONE, "a/2.jpg": [1]})  # fails at the second image
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]
