import dataclasses
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mien.detection import DetectorConfig, FaceDetector
from mien.errors import BadImage, BadOption, ModelMismatch, ModelMissing
from mien.models import Window

ONE_LEVEL = DetectorConfig(method="mtcnn", min_face_size=24, max_face_size=24, pnet_threshold=0.99)
"""One level at half size: windows of 24 x 24 image pixels, four pixels apart."""


@pytest.fixture
def detector(fake_pnet, fake_rnet, fake_onet):
    def make(settings=ONE_LEVEL, **networks):
        ready = {"pnet": fake_pnet(), "rnet": fake_rnet(), "onet": fake_onet(), "lnet": None}
        return FaceDetector(settings, **{**ready, **networks})

    return make


def noise(height, width, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("boxes", "scores", "keypoints"))


def test_squares_are_detected_as_faces(detector, square_image):
    faces = detector()(square_image((32, 20)))
    np.testing.assert_allclose(faces.boxes, [[32, 20, 56, 44]])
    fractions = np.float32([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    np.testing.assert_allclose(faces.keypoints[0], (32, 20) + 24 * fractions, rtol=1e-6)


def test_each_stage_can_drop_a_face(detector, fake_rnet, fake_onet, square_image):
    image = square_image((32, 20), value=128)  # a score of 0.502; 0.492 for O-Net, whose magnified crop has soft edges
    knobs = {
        "method": "mtcnn",
        "min_face_size": 24,
        "max_face_size": 24,
        "pnet_threshold": 0.5,
        "rnet_threshold": 0.5,
        "score_threshold": 0.48,
    }
    assert len(detector(DetectorConfig(**knobs))(image)) == 1
    for threshold in ("pnet_threshold", "rnet_threshold", "score_threshold"):
        assert len(detector(DetectorConfig(**{**knobs, threshold: 0.51}))(image)) == 0


def test_no_faces_give_an_empty_result(detector):
    faces = detector(DetectorConfig(method="mtcnn"))(np.zeros((60, 80, 3), np.uint8))
    assert (faces.boxes.shape, faces.scores.shape, faces.keypoints.shape) == ((0, 4), (0,), (0, 5, 2))


def test_an_image_of_one_pixel_has_no_faces(detector):
    assert len(detector(DetectorConfig(method="mtcnn", pnet_threshold=0))(np.full((1, 1, 3), 255, np.uint8))) == 0


def test_array_file_and_bytes_are_the_same_image(detector, square_image, tmp_path):
    image = square_image((32, 20))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    look = detector()
    for source in (buffer.getvalue(), tmp_path / "a.png", str(tmp_path / "a.png")):
        assert same(look(source), look(image))


def test_a_damaged_image_is_named(detector, tmp_path):
    with pytest.raises(BadImage):
        detector()(tmp_path / "absent.jpg")


def mixed_images():
    return [noise(16 + 4 * (i % 7), 20 + 7 * (i % 5), i) for i in range(19)] + [np.zeros((1, 1, 3), np.uint8)]


BUSY = DetectorConfig(
    method="mtcnn", min_face_size=12, pnet_threshold=0.5, rnet_threshold=0.49, score_threshold=0.48, batch_size=5
)


@pytest.mark.parametrize("rotations", [(0,), (90, 0)])
def test_batch_equals_single_calls(detector, fake_lnet, rotations):
    look = detector(dataclasses.replace(BUSY, rotations=rotations), lnet=fake_lnet((0.6, 0.4)))
    batched = look.batch(iter(mixed_images()))
    assert sum(map(len, batched)) > 50
    assert len(batched) == 20
    assert all(same(a, look(image)) for a, image in zip(batched, mixed_images(), strict=True))
    assert look.batch([]) == []


def test_batch_shares_calls(detector, fake_rnet, square_image):
    rnet = fake_rnet()
    detector(rnet=rnet).batch([square_image((32, 20)), square_image((0, 0), (60, 40))])
    assert [len(batch) for batch in rnet.batches] == [3]


def test_threads_share_a_detector(detector):
    look = detector(BUSY)
    alone = [look(image) for image in mixed_images()]
    with ThreadPoolExecutor(16) as pool:
        batched = list(pool.map(look, mixed_images() * 3))
    assert all(same(a, b) for a, b in zip(batched, alone * 3, strict=True))


def turned_face(x, y, side, degrees, place):
    """Map ``place``, in fractions of an upright face, to the image rotated by these degrees."""
    u, v = place
    across, down = {0: (u, v), 90: (1 - v, u), 180: (1 - u, 1 - v), 270: (v, 1 - u)}[degrees]
    return x + side * across, y + side * down


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_detections_are_in_the_image_frame(detector, square_image, degrees):
    faces = detector(dataclasses.replace(ONE_LEVEL, rotations=(degrees,)))(square_image((32, 20)))
    np.testing.assert_allclose(faces.boxes, [[32, 20, 56, 44]])
    expected = [
        turned_face(32, 20, 24, degrees, place)
        for place in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    ]
    np.testing.assert_allclose(faces.keypoints[0], expected, rtol=1e-5)


def test_a_sideways_face_is_found_by_the_matching_rotation(detector, fake_onet):
    """Rotated by 270 degrees, the image's brighter left half becomes the upper half of a face."""

    class UprightOnly(type(fake_onet())):
        def run(self, batch):
            scores, offsets, points = super().run(batch)
            upper, lower = batch[:, :24].mean(axis=(1, 2, 3)), batch[:, 24:].mean(axis=(1, 2, 3))
            return np.where(upper > lower + 20, scores, 0).astype(np.float32), offsets, points

    image = np.zeros((72, 96, 3), np.uint8)
    image[20:44, 32:44] = 255
    image[20:44, 44:56] = 200
    knobs = dataclasses.replace(ONE_LEVEL, pnet_threshold=0.85)
    onet = UprightOnly("onet", 48)
    assert len(detector(knobs, onet=onet)(image)) == 0
    assert len(detector(dataclasses.replace(knobs, rotations=(0, 90, 180)), onet=onet)(image)) == 0
    faces = detector(dataclasses.replace(knobs, rotations=(0, 90, 180, 270)), onet=onet)(image)
    np.testing.assert_allclose(faces.boxes, [[32, 20, 56, 44]])
    # The eyes are on the left, the left one (as the upright face is seen) below.
    np.testing.assert_allclose(faces.keypoints[0, :2], [[41.6, 36.8], [41.6, 27.2]], rtol=1e-5)


def test_detections_of_several_rotations_are_merged(detector, square_image):
    look = detector(dataclasses.replace(ONE_LEVEL, rotations=(0, 90, 180, 270)))
    assert len(look(square_image((32, 20), (60, 48)))) == 2


def test_lnet_is_optional(detector, fake_lnet, square_image):
    image = square_image((32, 20))
    plain = detector()(image)
    moved = detector(lnet=fake_lnet((0.75, 0.5)))(image)
    np.testing.assert_allclose(moved.keypoints - plain.keypoints, np.tile([1.5, 0], (1, 5, 1)), atol=1e-4)
    unmoved = detector(dataclasses.replace(ONE_LEVEL, refine_keypoints=False), lnet=fake_lnet((0.75, 0.5)))(image)
    assert same(unmoved, plain)


def test_a_detector_is_frozen(detector):
    with pytest.raises(dataclasses.FrozenInstanceError):
        detector().config = DetectorConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        detector().config.min_face_size = 40


def test_networks_must_match_their_task(detector, fake_rnet, tmp_path):
    with pytest.raises(ModelMismatch, match="'rnet'; give a onet model"):
        detector(onet=fake_rnet())
    with pytest.raises(ModelMissing):
        detector(onet=tmp_path / "absent.onnx")
    with pytest.raises(ModelMismatch, match="takes crops of the kind Window; give one that takes SquareBox"):
        detector(rnet=fake_rnet(crop=Window(4, 12)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_face_size": 0},
        {"min_face_size": float("nan")},
        {"min_face_size": float("inf")},
        {"min_face_size": 40, "max_face_size": 39},
        {"max_face_size": float("nan")},
        {"method": "viola-jones"},
        {"scale_factor": 1.0},
        {"scale_factor": 0.05},
        {"pnet_threshold": 1.1},
        {"rnet_threshold": -0.1},
        {"score_threshold": float("nan")},
        {"level_nms_iou": 2},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"strip_pixels": 0},
        {"pre_nms_top_k": 0},
        {"rotations": ()},
        {"rotations": (45,)},
        {"rotations": (0, 0)},
    ],
)
def test_invalid_options_are_rejected(wrong):
    name = list(wrong)[-1]
    with pytest.raises(BadOption, match=f"{name}=.* must"):
        DetectorConfig(**wrong)


def test_stages_tell_what_each_network_keeps(detector, fake_proposer, square_image):
    image = square_image((32, 20))
    look = detector()
    stages = look.stages(image)
    assert list(stages) == ["pnet", "rnet", "onet"]
    np.testing.assert_array_equal(stages["onet"].boxes, look(image).boxes)
    assert len(stages["pnet"]) >= len(stages["rnet"]) >= len(stages["onet"]) == 1


def test_the_two_stages_propose_and_refine(fake_proposer, fake_refiner, square_image):
    image = square_image((32, 32), (96, 64))  # bright squares of 24 pixels
    knobs = {"method": "two-stage", "min_face_size": 10, "score_threshold": 0.5}
    proposer, refiner = fake_proposer(), fake_refiner(offset=(0.1, 0, 0, 0))
    look = FaceDetector(proposer=proposer, refiner=refiner, lnet=None, **knobs)
    stages = look.stages(image)
    assert list(stages) == ["proposer", "refiner"]
    proposed = stages["proposer"].boxes
    assert len(refiner.batches[0]) == len(proposed)
    faces = look(image)
    np.testing.assert_array_equal(stages["refiner"].boxes, faces.boxes)
    alone = FaceDetector(proposer=proposer, refiner=None, lnet=None, **knobs)(image)
    assert len(alone) == int((stages["proposer"].scores >= 0.5).sum())
    assert stages["proposer"].scores.min() >= 0.25


def test_lnet_moves_the_keypoints_of_the_refiner_twice(fake_proposer, fake_refiner, fake_lnet, square_image):
    image = square_image((32, 32), (96, 64))
    networks = {"proposer": fake_proposer(), "refiner": fake_refiner(), "min_face_size": 10, "score_threshold": 0.5}
    plain = FaceDetector(lnet=None, **networks)(image)
    moved = FaceDetector(lnet=fake_lnet((0.6, 0.5)), **networks)(image)
    side = (plain.boxes[:, 2:] - plain.boxes[:, :2]).max(axis=1) * 0.8 * 0.25  # of a patch
    np.testing.assert_allclose(
        moved.keypoints[..., 0] - plain.keypoints[..., 0], np.tile(0.2 * side, (5, 1)).T, rtol=1e-3
    )
    np.testing.assert_allclose(moved.keypoints[..., 1], plain.keypoints[..., 1], rtol=1e-5)


def test_each_method_has_its_threshold():
    assert DetectorConfig().threshold == 0.5
    assert DetectorConfig(method="mtcnn").threshold == 0.75
    assert DetectorConfig(method="mtcnn", score_threshold=0.5).threshold == 0.5


def test_only_the_networks_of_the_method_are_opened(fake_proposer, tmp_path):
    absent = tmp_path / "absent.onnx"
    FaceDetector(method="two-stage", proposer=fake_proposer(), refiner=None, pnet=absent)
    with pytest.raises(ModelMissing):
        FaceDetector(method="mtcnn", proposer=fake_proposer(), pnet=absent)
