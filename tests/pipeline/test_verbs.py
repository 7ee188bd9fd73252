"""The one-line functions on the example image."""

from pathlib import Path

import numpy as np
import pytest

import mien

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


def test_verbs_agree_with_the_analyzer():
    image = mien.read_image(ASTRONAUT)
    faces = mien.detect(image)
    (one,) = mien.analyze(image)
    np.testing.assert_array_equal(faces.boxes, one.face.box[None])
    (landmarks,) = mien.landmarks(image)
    np.testing.assert_array_equal(landmarks.points, one.landmarks.points)
    (aligned,) = mien.align(image)
    assert aligned.image.shape == (112, 112, 3)
    eyes = aligned.to_image.apply(mien.AlignSpec.arcface().points[:2])
    np.testing.assert_allclose(eyes, faces[0].keypoints[:2], atol=5)


@pytest.mark.parametrize("source", [str(ASTRONAUT), ASTRONAUT.read_bytes()])
def test_every_kind_of_source(source):
    assert len(mien.detect(source)) == 1


def test_deadline_and_options_per_call():
    analyzer = mien.FaceAnalyzer()
    with pytest.raises(mien.DeadlineExceeded):
        analyzer(ASTRONAUT, deadline=mien.Deadline.after(-1))
    assert analyzer(ASTRONAUT, min_face_size=400) == []
    (one,) = analyzer(ASTRONAUT, heads=[], max_faces=1)
    assert one.landmarks is None
    (solid,) = analyzer(ASTRONAUT, contour="3d", refinement_steps=1)
    assert solid.landmarks.scheme == "68-3d"
    with pytest.raises(mien.BadOption, match="'age' is not open"):
        analyzer(ASTRONAUT, heads=["age"])
    with pytest.raises(mien.BadOption, match="max_faces=0"):
        analyzer(ASTRONAUT, max_faces=0)
    with pytest.raises(mien.BadOption, match="max_faces=0"):
        analyzer.detect(ASTRONAUT, max_faces=0)
    with pytest.raises(TypeError, match="contor"):
        analyzer(ASTRONAUT, heads=[], contor="3d")


def test_single_options_and_config_exclude_each_other():
    assert mien.FaceDetector(min_face_size=40).config.min_face_size == 40
    with pytest.raises(mien.BadOption, match="not both"):
        mien.FaceDetector(mien.DetectorConfig(), min_face_size=40)
    with pytest.raises(mien.BadOption, match="did you mean 'min_face_size'"):
        mien.FaceDetector(min_face=40)
    with pytest.raises(mien.BadOption, match="min_face_size='40': must be a number"):
        mien.FaceDetector(min_face_size="40")
