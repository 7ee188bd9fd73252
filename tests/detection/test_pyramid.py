import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.detection.config import DetectorConfig
from mien.detection.pyramid import face_sizes, run_pnet
from mien.errors import ModelMismatch
from mien.geometry import boxes

ONE_LEVEL = DetectorConfig(min_face_size=24, max_face_size=24, pnet_threshold=0.99)
"""One level at half size: windows of 24 x 24 image pixels, four pixels apart."""

relaxed = settings(
    derandomize=True,
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_face_sizes_grow_until_a_face_fills_the_image():
    # 1.2 x 100 = 120 is reached by 160.
    assert face_sizes(100, DetectorConfig(min_face_size=20, scale_factor=0.5)) == [20, 40, 80, 160]


def test_face_sizes_reach_max_face_size():
    assert face_sizes(100, DetectorConfig(min_face_size=20, max_face_size=50, scale_factor=0.5)) == [20, 40, 80]
    assert face_sizes(100, DetectorConfig(min_face_size=20, max_face_size=20)) == [20]


def test_no_level_where_no_face_fits():
    assert face_sizes(16, DetectorConfig(min_face_size=20)) == []
    assert face_sizes(17, DetectorConfig(min_face_size=20)) == [20, 20 / 0.709]


def test_levels_match_the_face_sizes(fake_pnet):
    pnet = fake_pnet()
    run_pnet(noise(60, 80), pnet, DetectorConfig(min_face_size=24, scale_factor=0.5))
    # 12/24 of 80 x 60, then halves, until 1.2 * 80 = 96 is reached; six pixels of margin on each side.
    assert pnet.shapes == [(1, h + 12, w + 12, 3) for h, w in [(30, 40), (16, 20), (8, 10)]]


def test_a_square_is_located(fake_pnet, square_image):
    found = run_pnet(square_image((32, 20)), fake_pnet(), ONE_LEVEL)
    np.testing.assert_array_equal(found.boxes, [[32, 20, 56, 44]])
    np.testing.assert_array_equal(found.scores, [1])


def test_squares_in_all_corners_are_found(fake_pnet, square_image):
    found = run_pnet(square_image((0, 0), (72, 0), (0, 48), (72, 48)), fake_pnet(), ONE_LEVEL)
    assert sorted(map(tuple, found.boxes[:, :2].tolist())) == [(0, 0), (0, 48), (72, 0), (72, 48)]


def test_offsets_are_in_sides_of_the_window(fake_pnet, square_image):
    found = run_pnet(square_image((32, 20)), fake_pnet(offset=(0.25, 0, -0.25, 0.5)), ONE_LEVEL)
    np.testing.assert_allclose(found.boxes, [[38, 20, 50, 56]])


def test_the_receptive_field_may_exceed_the_cell(fake_pnet, square_image):
    """Input 20, cell 12: a white square of 40 pixels is the field of a cell of 24 in its middle."""
    found = run_pnet(square_image((32, 20), size=40), fake_pnet(input_size=20), ONE_LEVEL)
    np.testing.assert_array_equal(found.boxes, [[40, 28, 64, 52]])


def test_the_threshold_is_the_lowest_score_kept(fake_pnet, square_image):
    image = square_image((32, 20), value=51)  # a score of 0.2
    assert (
        len(run_pnet(image, fake_pnet(), DetectorConfig(min_face_size=24, max_face_size=24, pnet_threshold=0.1999)))
        == 1
    )
    assert (
        len(run_pnet(image, fake_pnet(), DetectorConfig(min_face_size=24, max_face_size=24, pnet_threshold=0.2001)))
        == 0
    )


@pytest.mark.parametrize(("input_size", "cell", "stride"), [(12, 12, 2), (20, 12, 4), (17, 12, 3), (16, 10, 2)])
@pytest.mark.parametrize("shape", [(31, 50), (48, 37)])
def test_window_centers_cover_the_image(fake_pnet, input_size, cell, stride, shape):
    everything = DetectorConfig(
        min_face_size=cell,
        max_face_size=cell,
        pnet_threshold=0,
        level_nms_iou=1,
        pyramid_nms_iou=1,
        pre_nms_top_k=10**6,
    )
    pnet = fake_pnet(input_size=input_size, cell=cell, stride=stride)
    found = run_pnet(noise(*shape), pnet, everything).boxes
    centers = (found[:, :2] + found[:, 2:]) / 2
    assert np.all(centers.min(axis=0) <= 0)
    assert np.all(centers.max(axis=0) >= (shape[1], shape[0]))
    assert np.all(found[:, 2:] - found[:, :2] == cell)
    # Without margin the first window would see from (0, 0) on: its corner is part of the grid.
    first = (input_size - cell) / 2
    assert np.any(np.all(found[:, :2] == first, axis=1))


@relaxed
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    strip=st.integers(1, 2500),
    net=st.sampled_from([(12, 12, 2), (20, 12, 4), (17, 12, 3)]),
)
def test_strips_give_the_windows_of_the_whole_level(fake_pnet, height, width, strip, net):
    size, cell, stride = net
    image = noise(height, width, seed=height * width)
    knobs = {"min_face_size": 14, "pnet_threshold": 0.48, "level_nms_iou": 1, "pyramid_nms_iou": 1}
    whole, parts = (fake_pnet(size, cell, stride, first_pixel=0.1) for _ in range(2))
    a = run_pnet(image, whole, DetectorConfig(**knobs))
    b = run_pnet(image, parts, DetectorConfig(**knobs, strip_pixels=strip))
    np.testing.assert_array_equal(a.boxes, b.boxes)
    np.testing.assert_array_equal(a.scores, b.scores)
    assert len(set(whole.shapes)) == len(whole.shapes), "one call a level"
    for _, h, w, _ in parts.shapes:
        assert h * w <= strip or h == size, "a strip is within its limit, or one row of windows"


def test_no_two_candidates_overlap_more_than_allowed(fake_pnet):
    found = run_pnet(
        noise(60, 80), fake_pnet(), DetectorConfig(min_face_size=12, pnet_threshold=0.5, pyramid_nms_iou=0.3)
    )
    overlaps = boxes.iou(found.boxes, found.boxes)
    np.fill_diagonal(overlaps, 0)
    assert len(found) > 5
    assert overlaps.max() <= 0.3
    assert np.all(np.diff(found.scores) <= 0)


def test_nms_runs_per_level_then_over_the_pyramid(fake_pnet):
    image, free = noise(60, 80), {"min_face_size": 12, "max_face_size": 12, "pnet_threshold": 0.5}
    loose = run_pnet(image, fake_pnet(), DetectorConfig(**free, level_nms_iou=1, pyramid_nms_iou=1))
    strict = run_pnet(image, fake_pnet(), DetectorConfig(**free, level_nms_iou=0.5, pyramid_nms_iou=1))
    kept = boxes.nms(loose.boxes, loose.scores, 0.5)
    np.testing.assert_array_equal(strict.boxes, loose.boxes[kept])
    assert len(strict) < len(loose)


def test_a_level_keeps_its_top_k_windows(fake_pnet):
    free = {"min_face_size": 12, "max_face_size": 12, "pnet_threshold": 0, "level_nms_iou": 1, "pyramid_nms_iou": 1}
    every = run_pnet(noise(40, 40), fake_pnet(), DetectorConfig(**free))
    best = run_pnet(noise(40, 40), fake_pnet(), DetectorConfig(**free, pre_nms_top_k=7))
    assert len(every) > 7
    np.testing.assert_array_equal(best.boxes, every.boxes[:7])


def test_a_face_that_fills_the_image_is_proposed(fake_pnet):
    white = np.full((60, 80, 3), 255, np.uint8)
    found = run_pnet(white, fake_pnet(), DetectorConfig(pnet_threshold=0.5))
    cover = boxes.iou(found.boxes, np.float32([[0, 0, 80, 60]]))
    assert cover.max() > 0.6


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_tiny_and_thin_images_work(fake_pnet, shape):
    assert len(run_pnet(noise(*shape), fake_pnet(), DetectorConfig())) == 0


def test_wrong_output_shapes_are_rejected(fake_pnet):
    class Narrow(fake_pnet):
        def run(self, batch):
            scores, offsets = super().run(batch)
            return scores[:, :, 1:], offsets[:, :, 1:]

    with pytest.raises(ModelMismatch, match="fake pnet gave scores"):
        run_pnet(noise(40, 40), Narrow(), DetectorConfig())
