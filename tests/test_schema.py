import json

import numpy as np
import pytest

from mien.errors import BadImage
from mien.schema import (
    aligned_face_record,
    aligned_faces_record,
    error_record,
    frame_record,
    image_record,
    to_json_line,
)
from mien.types import Faces, Landmarks, Pose

BOX = [1.25, 2.5, 11.25, 12.5]
POINTS = [[3, 4], [8, 4], [5.5, 6.5], [4, 9], [7.123456, 9]]


def faces(points: object = POINTS) -> Faces:
    return Faces(np.array([BOX]), np.array([0.87654321]), np.array([points]))


def test_image_record() -> None:
    record = image_record("a/b.jpg", 640, 480, faces())
    assert json.loads(to_json_line(record)) == {
        "image": "a/b.jpg",
        "width": 640,
        "height": 480,
        "faces": [{"box": BOX, "score": 0.876543, "keypoints": [*POINTS[:4], [7.123, 9]]}],
    }


def test_no_faces_and_unknown_keypoints() -> None:
    assert image_record("x", 1, 1, Faces.empty())["faces"] == []
    unknown = image_record("x", 1, 1, faces(np.full((5, 2), np.nan)))
    assert unknown["faces"][0]["keypoints"] is None


def test_frame_record() -> None:
    record = frame_record("clip.mp4", 3, 0.12, 64, 48, Faces.empty())
    assert record == {
        "video": "clip.mp4",
        "frame": 3,
        "seconds": 0.12,
        "width": 64,
        "height": 48,
        "faces": [],
    }


def test_landmarks_are_optional() -> None:
    found = Landmarks(np.array([[1.23456, 2], [3, 4]]), "2", np.array([0.98765, 1]), Pose(12.3456, -5, 0.001))
    (record,) = image_record("x", 9, 9, faces(), [found])["faces"]
    assert record["landmarks"] == {
        "scheme": "2",
        "points": [[1.235, 2], [3, 4]],
        "scores": [0.988, 1],
        "pose": {"yaw": 12.35, "pitch": -5, "roll": 0},
    }
    (record,) = image_record("x", 9, 9, faces(), [Landmarks(found.points, "2", found.scores)])["faces"]
    assert record["landmarks"]["pose"] is None
    (record,) = frame_record("x", 0, 0, 9, 9, faces(), [found])["faces"]
    assert record["landmarks"]["scheme"] == "2"
    assert "landmarks" not in image_record("x", 9, 9, faces())["faces"][0]
    assert image_record("x", 9, 9, Faces.empty(), [])["faces"] == []


def test_aligned_faces_record() -> None:
    aligned_face = aligned_face_record("out/x_0.png", 112, np.array([[1.23456789, 0, 5], [0, 1, -6]]), faces()[0])
    assert json.loads(to_json_line(aligned_faces_record("x.jpg", 640, 480, [aligned_face]))) == {
        "image": "x.jpg",
        "width": 640,
        "height": 480,
        "aligned_faces": [
            {
                "file": "out/x_0.png",
                "size": 112,
                "to_image": [[1.234568, 0, 5], [0, 1, -6]],
                "box": BOX,
                "score": 0.876543,
            }
        ],
    }


def test_error_record() -> None:
    record = error_record("x.jpg", BadImage("x.jpg: empty"))
    assert record == {"image": "x.jpg", "error": {"kind": "BadImage", "message": "x.jpg: empty"}}


def test_json_lines_are_ascii_without_nan() -> None:
    assert to_json_line({"image": "Zo\xeb\n"}) == '{"image": "Zo\\u00eb\\n"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json_line({"score": float("nan")})


def test_evaluation_reads_our_records(tmp_path) -> None:
    from mien.evaluation.detections import read_json

    file = tmp_path / "found.jsonl"
    lines = [image_record("a.jpg", 9, 9, faces()), image_record("b.jpg", 9, 9, Faces.empty())]
    file.write_text("\n".join(to_json_line(line) for line in lines))
    found = read_json(file)
    np.testing.assert_allclose(found["a.jpg"].boxes, [BOX])
    np.testing.assert_allclose(found["a.jpg"].keypoints[0], POINTS, atol=0.001)  # rounded to three digits
    assert len(found["b.jpg"]) == 0
