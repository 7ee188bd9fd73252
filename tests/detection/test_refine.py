import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.detection.config import DetectorConfig
from mien.detection.refine import run_lnet, run_onet, run_refiner, run_rnet
from mien.imaging import Mipmap
from mien.types import Candidates, Faces

relaxed = settings(
    derandomize=True,
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KEEP_ALL = DetectorConfig(
    rnet_threshold=0, score_threshold=0, rnet_nms_iou=1, final_nms_iom=1, box_voting=False, flip_tta=False
)


def candidates(*boxes):
    return Candidates(np.float32(boxes).reshape(-1, 4), np.full(len(boxes), 0.9, np.float32))


def one_face(box, points):
    return Faces(np.float32([box]), np.float32([0.9]), np.float32([points]))


def test_crops_are_the_squares_of_the_boxes(fake_rnet, gradient):
    rnet = fake_rnet()
    # 24 x 12 around (62, 46): squared to 24 x 24, one image pixel for one of the crop.
    run_rnet([Mipmap(gradient)], [candidates((50, 40, 74, 52))], rnet, KEEP_ALL)
    (batch,) = rnet.batches
    assert batch.shape == (1, 24, 24, 3)
    np.testing.assert_array_equal(batch[0], gradient[34:58, 50:74])


def test_context_widens_the_crop_but_not_the_window(fake_rnet, gradient):
    rnet = fake_rnet(context=2.0, offset=(0.5, 0, 0, 0))
    (kept,) = run_rnet([Mipmap(gradient)], [candidates((50, 40, 62, 52))], rnet, KEEP_ALL)
    np.testing.assert_array_equal(rnet.batches[0][0], gradient[34:58, 44:68])
    score = kept.scores[0]
    np.testing.assert_allclose(kept.boxes, [[50 + 12 * 0.5 * (1 + score), 40, 62, 52]], rtol=1e-6)


def test_pixels_beyond_the_border_are_black(fake_rnet):
    rnet = fake_rnet()
    white = np.full((60, 60, 3), 255, np.uint8)
    run_rnet([Mipmap(white)], [candidates((-12, -12, 12, 12), (54, 0, 78, 24))], rnet, KEEP_ALL)
    corner, right = rnet.batches[0]
    assert np.all(corner[12:, 12:] == 255)
    assert np.all(corner[:12] == 0)
    assert np.all(corner[:, :12] == 0)
    assert np.all(right[:, :6] == 255)
    assert np.all(right[:, 6:] == 0)


def test_rnet_applies_the_threshold_and_sorts_by_score(fake_rnet):
    image = np.zeros((40, 160, 3), np.uint8)
    for i, value in enumerate((102, 204, 51, 153)):  # scores 0.4, 0.8, 0.2, 0.6
        image[:, 40 * i : 40 * i + 40] = value
    asked = candidates(*[(40 * i + 8, 8, 40 * i + 32, 32) for i in range(4)])
    (kept,) = run_rnet([Mipmap(image)], [asked], fake_rnet(), DetectorConfig(rnet_threshold=0.39))
    np.testing.assert_allclose(kept.scores, [0.8, 0.6, 0.4], rtol=1e-6)
    np.testing.assert_allclose(kept.boxes[:, 0], [48, 128, 8])


def test_rnet_nms_uses_iou(fake_rnet):
    image = np.full((60, 60, 3), 255, np.uint8)
    # The second is shifted by 4 of 24 (20/28 = 0.714), the third by 6 (18/30 = 0.6); the fourth is inside.
    asked = candidates((10, 10, 34, 34), (14, 10, 38, 34), (10, 16, 34, 40), (16, 16, 28, 28))
    (kept,) = run_rnet([Mipmap(image)], [asked], fake_rnet(), DetectorConfig(rnet_nms_iou=0.7))
    np.testing.assert_allclose(kept.boxes, asked.boxes[[0, 2, 3]])


def test_onet_keypoints_are_relative_to_the_window(fake_onet):
    onet = fake_onet(keypoints=((0, 0), (1, 0), (0.5, 0.5), (0, 1), (1.5, 1)), context=1.5)
    image = np.full((100, 100, 3), 255, np.uint8)
    (faces,) = run_onet([Mipmap(image)], [candidates((40, 30, 60, 40))], onet, KEEP_ALL)
    # Squared: (40, 25) to (60, 45).
    np.testing.assert_allclose(faces.keypoints[0], [[40, 25], [60, 25], [50, 35], [40, 45], [70, 45]])
    np.testing.assert_allclose(faces.boxes[0], [40, 25, 60, 45])
    assert onet.batches[0].shape == (1, 48, 48, 3)


def test_onet_nms_uses_iom(fake_onet):
    image = np.full((60, 60, 3), 255, np.uint8)
    asked = candidates((10, 10, 50, 50), (20, 20, 30, 30), (0, 0, 20, 20))
    (faces,) = run_onet([Mipmap(image)], [asked], fake_onet(), DetectorConfig(final_nms_iom=0.7))
    # The second lies in the first; a quarter of the third does.
    np.testing.assert_allclose(faces.boxes, asked.boxes[[0, 2]])


def test_box_voting_averages_overlapping_boxes(fake_onet):
    image = np.full((60, 120, 3), 51, np.uint8)
    image[:, :26] = 204
    crops = candidates((0, 0, 20, 20), (6, 0, 26, 20), (80, 0, 100, 20))
    (found,) = run_onet([Mipmap(image)], [crops], fake_onet(), DetectorConfig(score_threshold=0, final_nms_iom=0.5))
    # the first two share 14 of 26 columns and both score 0.8: the face is half-way; the third stays where it was
    np.testing.assert_allclose(found.boxes, [[3, 0, 23, 20], [80, 0, 100, 20]], atol=0.05)  # crops blur the border
    np.testing.assert_allclose(found.keypoints[0, 0], [3 + 0.3 * 20, 0.4 * 20], atol=0.05)


def test_flip_tta_averages_both_results(fake_onet):
    white = np.full((120, 120, 3), 255, np.uint8)
    points = ((0.2, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    onet = fake_onet(offset=(0.1, 0, 0, 0), keypoints=points)
    (found,) = run_onet([Mipmap(white)], [candidates((40, 40, 60, 60))], onet, DetectorConfig())
    # All white: score 1, and the left side moves by 0.1 * (1 + 1) of the window. First (44, 40, 60, 60); its square is
    # (42, 40, 62, 60), whose right side the mirrored crop moves: (42, 40, 58, 60).
    assert [len(batch) for batch in onet.batches] == [1, 1]
    np.testing.assert_allclose(found.boxes, [[43, 40, 59, 60]], rtol=1e-6)
    # The left eye: at 0.2 of the first window, and where the mirrored right eye (0.7) is in the second: at 0.3.
    np.testing.assert_allclose(found.keypoints[0, 0], [(44 + 48) / 2, 48], rtol=1e-6)


def test_flip_tta_mirrors_the_crop(fake_onet, gradient):
    onet = fake_onet()
    run_onet([Mipmap(gradient)], [candidates((40, 40, 88, 88))], onet, DetectorConfig(score_threshold=0))
    first, second = onet.batches
    np.testing.assert_array_equal(second, first[:, :, ::-1])


def test_flip_tta_thresholds_the_mean_score(fake_onet):
    image = np.full((120, 120, 3), 102, np.uint8)
    image[:, 60:] = 255
    # The window is half bright: 0.7; the box lies half a window further right, where all is bright: 1.
    onet = fake_onet(offset=(0.5 / 1.7, 0, 0.5 / 1.7, 0))
    where = [candidates((50, 40, 70, 60))]
    (found,) = run_onet([Mipmap(image)], where, onet, DetectorConfig(score_threshold=0.8))
    assert found.scores == pytest.approx([(0.7 + 1.0) / 2], abs=0.01)
    (alone,) = run_onet([Mipmap(image)], where, onet, DetectorConfig(score_threshold=0.8, flip_tta=False))
    assert len(alone) == 0


def test_onet_keeps_boxes_keypoints_and_scores_aligned(fake_onet):
    image = np.zeros((40, 160, 3), np.uint8)
    for i, value in enumerate((204, 51, 255)):
        image[:, 40 * i : 40 * i + 40] = value
    asked = candidates(*[(40 * i + 8, 8, 40 * i + 32, 32) for i in range(3)])
    (faces,) = run_onet([Mipmap(image)], [asked], fake_onet(), DetectorConfig(score_threshold=0.5))
    np.testing.assert_allclose(faces.scores, [1, 0.8], rtol=1e-6)
    np.testing.assert_allclose(faces.boxes[:, 0], [88, 8])
    np.testing.assert_allclose(faces.keypoints[:, 0, 0], [88 + 0.3 * 24, 8 + 0.3 * 24], rtol=1e-6)


def random_candidates(counts, seed):
    rng = np.random.default_rng(seed)
    out = []
    for count in counts:
        corner = rng.uniform(-10, 60, (count, 2))
        out.append(candidates(*np.hstack([corner, corner + rng.uniform(5, 40, (count, 2))])))
    return out


@relaxed
@given(counts=st.lists(st.integers(0, 9), max_size=5), batch_size=st.integers(1, 12))
def test_results_do_not_depend_on_batching(fake_rnet, fake_onet, fake_lnet, counts, batch_size):
    rng = np.random.default_rng(len(counts))
    images = [Mipmap(rng.integers(0, 256, (50 + 7 * i, 70, 3), dtype=np.uint8)) for i in range(len(counts))]
    asked = random_candidates(counts, seed=sum(counts))
    knobs = DetectorConfig(rnet_threshold=0.4, score_threshold=0.4, batch_size=batch_size)
    rnet, onet = fake_rnet(offset=(0.1, 0, 0, 0)), fake_onet(offset=(0, 0.1, 0, 0))
    lnet = fake_lnet((0.6, 0.7))
    kept = run_rnet(images, asked, rnet, knobs)
    faces = run_onet(images, asked, onet, knobs)
    moved = run_lnet(images, faces, lnet, knobs)
    assert len(kept) == len(faces) == len(moved) == len(counts)
    for i, image in enumerate(images):
        (alone,) = run_rnet([image], [asked[i]], rnet, DetectorConfig(rnet_threshold=0.4, batch_size=1000))
        np.testing.assert_array_equal(kept[i].boxes, alone.boxes)
        (alone_faces,) = run_onet([image], [asked[i]], onet, DetectorConfig(score_threshold=0.4, batch_size=1000))
        np.testing.assert_array_equal(faces[i].boxes, alone_faces.boxes)
        (alone_moved,) = run_lnet([image], [alone_faces], lnet, DetectorConfig(batch_size=1000))
        np.testing.assert_array_equal(moved[i].keypoints, alone_moved.keypoints)


def test_batches_are_filled_across_images(fake_rnet):
    rnet = fake_rnet()
    image = Mipmap(np.full((80, 80, 3), 255, np.uint8))
    run_rnet([image] * 3, random_candidates((5, 0, 6), 1), rnet, DetectorConfig(batch_size=4))
    assert [len(batch) for batch in rnet.batches] == [4, 4, 3]


def test_no_images_give_no_results(fake_rnet):
    assert run_rnet([], [], fake_rnet(), DetectorConfig()) == []


POINTS = ((40, 40), (60, 40), (50, 50), (42, 60), (58, 60))


def test_lnet_crops_a_quarter_of_the_box_around_each_keypoint(fake_lnet, gradient):
    lnet = fake_lnet()
    # The longer side is 96, so that a patch is 24 pixels wide.
    run_lnet([Mipmap(gradient)], [one_face((10, 0, 70, 96), POINTS)], lnet, DetectorConfig())
    (batch,) = lnet.batches
    assert batch.shape == (1, 24, 24, 15)
    for i, (x, y) in enumerate(POINTS):
        np.testing.assert_array_equal(batch[0, :, :, 3 * i : 3 * i + 3], gradient[y - 12 : y + 12, x - 12 : x + 12])


@pytest.mark.parametrize(
    ("place", "move"),
    [
        ((0.5, 0.5), (0, 0)),
        ((0.75, 0.25), (5, -5)),
        ((0.84, 0.5), (6.8, 0)),
        ((0.86, 0.5), (0, 0)),
        ((0.6, 0.14), (0, 0)),
        ((0.5, 0.16), (0, -6.8)),
    ],
)
def test_lnet_moves_keypoints_within_its_limit(fake_lnet, place, move):
    face = one_face((0, 0, 60, 80), POINTS)  # patches of 20 pixels
    image = Mipmap(np.zeros((100, 100, 3), np.uint8))
    (moved,) = run_lnet([image], [face], fake_lnet(place), DetectorConfig())
    np.testing.assert_allclose(moved.keypoints, face.keypoints + np.float32(move), atol=1e-4)
    np.testing.assert_array_equal(moved.boxes, face.boxes)
    np.testing.assert_array_equal(moved.scores, face.scores)


def test_the_refiner_is_fused_with_the_proposal(fake_refiner):
    image = np.full((64, 64, 3), 128, np.uint8)
    proposals = Faces(np.float32([[10, 10, 30, 30]]), np.float32([0.8]), np.zeros((1, 5, 2), np.float32))
    refiner = fake_refiner(offset=(0.1, 0, 0, 0))
    score = 128 / 255
    (faces,) = run_refiner([Mipmap(image)], [proposals], refiner, DetectorConfig(score_threshold=0.5, flip_tta=False))
    assert faces.scores[0] == pytest.approx(np.sqrt(0.8 * score), rel=1e-5)
    np.testing.assert_allclose(faces.boxes, [[10 + 20 * 0.1 * (1 + score), 10, 30, 30]], rtol=1e-5)
    np.testing.assert_allclose(faces.keypoints[0, 0], [10 + 0.3 * 20, 10 + 0.4 * 20], rtol=1e-5)


def test_the_mirrored_crop_is_averaged_before_fusion(fake_refiner):
    image = np.full((64, 64, 3), 128, np.uint8)
    proposals = Faces(np.float32([[10, 10, 30, 30]]), np.float32([0.8]), np.zeros((1, 5, 2), np.float32))
    refiner = fake_refiner(offset=(0.1, 0, 0, 0))
    (faces,) = run_refiner([Mipmap(image)], [proposals], refiner, DetectorConfig(score_threshold=0.5))
    assert [len(batch) for batch in refiner.batches] == [1, 1]
    step = 20 * 0.1 * (1 + 128 / 255)  # by which an offset moves an edge
    first = 10 + step, 30
    second = 10 + step / 2, 30 - step / 2  # the square around the first box, its right edge moved by the mirrored crop
    np.testing.assert_allclose(faces.boxes[0, [0, 2]], np.mean([first, second], axis=0), rtol=1e-5)


def test_overlapping_refined_faces_are_suppressed(fake_refiner):
    image = np.full((64, 64, 3), 200, np.uint8)
    where = np.float32([[10, 10, 30, 30], [11, 10, 31, 30], [40, 40, 60, 60]])
    proposals = Faces(where, np.float32([0.7, 0.9, 0.3]), np.zeros((3, 5, 2), np.float32))
    alone = DetectorConfig(score_threshold=0.6, box_voting=False)
    (faces,) = run_refiner([Mipmap(image)], [proposals], fake_refiner(), alone)
    np.testing.assert_allclose(faces.boxes, where[[1]], atol=1e-4)
    (faces,) = run_refiner([Mipmap(image)], [proposals], fake_refiner(), DetectorConfig(score_threshold=0.6))
    share = 0.7**0.5 / (0.7**0.5 + 0.9**0.5)  # of the first box in the mean
    np.testing.assert_allclose(faces.boxes[0], where[1] - [share, 0, share, 0], atol=1e-4)
