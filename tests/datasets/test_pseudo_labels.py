from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.pseudo_labels import read_pseudo_labels
from mien.errors import BadAnnotation, BadOption

Write = Callable[..., Path]

POINTS = "4 5 8 5 6 7 4 9 8 9"
FIVE = [[4, 5], [8, 5], [6, 7], [4, 9], [8, 9]]
ROW = f"[2, 3, 10, 13, %s, {POINTS.replace(' ', ', ')}]"


def test_pseudo_labels(write: Write, tmp_path: Path) -> None:
    write("images/a.jpg")
    write("images/none.jpg")
    rows = ", ".join(ROW % score for score in (0.9, 0.5, 0.49))
    file = write("boxes.json", f'{{"a.jpg": [{rows}], "none.jpg": []}}')
    one, none = read_pseudo_labels(file).samples
    assert one.path == tmp_path / "images/a.jpg"
    assert one.boxes.tolist() == [[2, 3, 10, 13]] * 3
    assert one.keypoints.tolist() == [FIVE] * 3
    assert one.ignored.tolist() == [False, False, True]
    assert len(none) == 0
    assert read_pseudo_labels(file, min_score=0.95).samples[0].ignored.all()


def test_unknown_keypoints(write: Write) -> None:
    write("images/a.jpg")
    unknown = ", ".join(["null"] * 10)
    file = write("boxes.json", f'{{"a.jpg": [[2, 3, 10, 13, 1, {unknown}]]}}')
    (sample,) = read_pseudo_labels(file).samples
    assert sample.boxes.tolist() == [[2, 3, 10, 13]]
    assert np.isnan(sample.keypoints).all()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("[[2, 3, 10, 13, 0.9]]", r"rows of shape \(1, 5\)"),
        ("[2, 3, 10, 13, 0.9]", r"rows of shape \(5,\)"),
        ("[[2, 3], [1]]", "not rows of numbers"),
        ('[["x"]]', "not rows of numbers"),
        ("null", "rows of shape"),
        ("{}", "not rows of numbers"),
        (f"[{ROW % 'NaN'}]", "numbers missing"),
        (f"[{ROW % 1.5}]", r"a score outside \[0, 1\]"),
        (f"[{ROW % 0.9}]".replace("[2, 3, 10,", "[2, 3, 2,"), "an empty box"),
    ],
)
def test_broken_entries(write: Write, tmp_path: Path, value: str, found: str) -> None:
    write("images/a.jpg")
    write("images/good.jpg")
    file = write("boxes.json", f'{{"a.jpg": {value}, "gone.jpg": [], "good.jpg": [{ROW % 0.9}]}}')
    dataset = read_pseudo_labels(file)
    assert [sample.path.name for sample in dataset.samples] == ["good.jpg"]
    annotation_error, missing = dataset.problems
    with pytest.raises(BadAnnotation, match=rf"boxes.json: 'a.jpg': .*{found}.*; write rows"):
        raise annotation_error
    assert "boxes.json: 'gone.jpg': the image" in str(missing)


def test_unusable_files(write: Write, tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match="cannot be read"):
        read_pseudo_labels(tmp_path / "none.json")
    with pytest.raises(BadAnnotation, match=r"cut.json:2: not JSON"):
        read_pseudo_labels(write("cut.json", "{", '"a.jpg": [[1 2]]}'))
    with pytest.raises(BadAnnotation, match="a list at the top"):
        read_pseudo_labels(write("list.json", "[]"))
    (tmp_path / "bytes.json").write_bytes(b'{"\xff\xfe\xfa": []}')
    with pytest.raises(BadAnnotation, match=r"bytes.json: not JSON"):
        read_pseudo_labels(tmp_path / "bytes.json")
    with pytest.raises(BadOption, match=r"min_score is 50; .* between 0 and 1"):
        read_pseudo_labels(write("good.json", "{}"), min_score=50)
