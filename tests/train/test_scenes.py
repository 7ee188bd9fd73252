"""Scenes of the proposer: placements, labels, mosaics, covered faces, and the cache of decoded images."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from mien.datasets.samples import DetectionSample
from mien.imaging import encode_png
from mien.train.assignment import FACE, IGNORED, TOO_LARGE
from mien.train.samples.appearance import SceneAugmentation, change_appearance, cover_faces, rotation
from mien.train.samples.faces import AnnotatedImage
from mien.train.samples.image_cache import open_cache
from mien.train.samples.placement import Placement, linear_map
from mien.train.samples.scenes import SceneImages, SceneOptions, SceneSampler, label_scene

PLAIN = SceneAugmentation(mirror=0.0)
ALL = SceneAugmentation(
    rotation_degrees=12,
    rotated=0.4,
    turned=0.3,
    any_angle=0.3,
    tone=1.0,
    color=0.3,
    dark=0.5,
    gray=0.3,
    saturation=0.3,
    blur=0.6,
    noise=0.5,
    jpeg=0.5,
    occlusion=0.5,
)
POINTS = np.array([[60, 60], [80, 60], [70, 72], [62, 84], [78, 84]], np.float32)
OPTIONS = SceneOptions(size=96)


def unknown(n):
    return np.full((n, 5, 2), np.nan, np.float32)


def sample(path="none", boxes=((50, 45, 90, 95),), ignored=None, keypoints=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    ignored = np.zeros(len(boxes), bool) if ignored is None else np.array(ignored)
    return DetectionSample(Path(path), boxes, ignored, unknown(len(boxes)) if keypoints is None else keypoints)


@pytest.fixture
def images(tmp_path):
    """A gray image with a white dot on each keypoint of its face."""
    image = np.full((160, 200, 3), 90, np.uint8)
    for x, y in POINTS.astype(int):
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    path = tmp_path / "face.png"
    path.write_bytes(encode_png(image))
    annotated = AnnotatedImage(sample(path, keypoints=POINTS[None]), background=True, source=0)
    return SceneImages.open((annotated,), [1.0], tmp_path / "cache" / "images.bin")


def draw(sampler, seed):
    return sampler.sample(np.random.default_rng(seed))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_placement_and_its_inverse(mirrored):
    placement = Placement.centered(linear_map(0.5, 30, 1.1, mirrored=mirrored), np.array([40.0, 30.0]), 64, 48)
    assert placement.points(np.array([[40, 30]], np.float32))[0].tolist() == pytest.approx([32, 24])
    to_image = placement.to_image()
    seen = placement.points(np.array([[13, 7]], np.float32))[0]
    assert (to_image[:, :2] @ seen + to_image[:, 2]).tolist() == pytest.approx([13, 7], abs=1e-4)


@pytest.mark.parametrize(
    ("degrees", "half"),
    [(0, (10, 20)), (90, (20, 10)), (180, (10, 20)), (45, (math.sqrt(250), math.sqrt(250)))],
)
def test_the_box_of_a_rotated_face_frames_its_ellipse(degrees, half):
    placement = Placement.centered(linear_map(1.0, degrees, 1.0, mirrored=False), np.array([50.0, 50.0]), 100, 100)
    (found,) = placement.boxes(np.array([[40, 30, 60, 70]], np.float32))
    wide, high = half
    assert found.tolist() == pytest.approx([50 - wide, 50 - high, 50 + wide, 50 + high], rel=1e-5)


def test_labels_by_hand():
    placement = Placement(np.eye(2), np.zeros(2))
    faces = sample(
        boxes=[
            [10, 10, 30, 34],  # whole
            [-10, 10, 10, 30],  # half of it
            [-20, 10, 4, 34],  # a sixth: ignored
            [-30, 50, 0.2, 80],  # less than a fiftieth: left out
            [60, 60, 65, 65],  # tiny: ignored
            [40, 60, 60, 80],  # marked as ignored
        ],
        ignored=[False, False, False, False, False, True],
    )
    found = label_scene(faces, placement, 96, 96, OPTIONS, mirrored=False)
    assert found.kinds.tolist() == [FACE, FACE, IGNORED, IGNORED, IGNORED]
    assert found.boxes[1].tolist() == [0, 10, 10, 30]  # cut at the border


def test_a_face_larger_than_the_largest_is_marked_even_where_little_of_it_is_seen():
    placement = Placement(np.eye(2) * 10, np.zeros(2))
    found = label_scene(sample(boxes=[[0, 0, 43, 43], [0, 0, 41, 41]]), placement, 96, 96, OPTIONS, mirrored=False)
    assert found.kinds.tolist() == [TOO_LARGE, IGNORED]


def test_mirrored_keypoints_swap_left_and_right():
    placement = Placement.centered(linear_map(1.0, 0, 1.0, mirrored=True), np.array([70.0, 70.0]), 96, 96)
    found = label_scene(sample(keypoints=POINTS[None]), placement, 96, 96, OPTIONS, mirrored=True)
    left, right = found.keypoints[0, :2]
    assert left.tolist() == pytest.approx([38, 38])
    assert right.tolist() == pytest.approx([58, 38])


@pytest.mark.parametrize(
    "augmentation",
    [PLAIN, SceneAugmentation(mirror=1.0), SceneAugmentation(any_angle=1.0), SceneAugmentation(turned=1.0)],
    ids=["plain", "mirrored", "any angle", "turned"],
)
def test_scenes_show_the_keypoints_where_their_labels_say(images, augmentation):
    options = SceneOptions(size=96, min_face_size=30, max_face_size=60, mosaic_share=0.3, close_up_share=0)
    sampler = SceneSampler(images, options, augmentation)
    checked = 0
    for seed in range(40):
        scene = draw(sampler, seed)
        assert scene["images"].shape == (96, 96, 3)
        for points, box in zip(scene["keypoints"], scene["boxes"], strict=True):
            for x, y in points - 0.5:  # a point beyond the cut box is in another window of the mosaic
                if box[0] + 3 < x < box[2] - 3 and box[1] + 3 < y < box[3] - 3:
                    near = scene["images"][round(float(y)) - 1 :, round(float(x)) - 1 :][:3, :3]
                    checked += 1
                    assert near.max() > 150
    assert checked > 100


def test_windows_aim_at_faces_of_the_sizes_asked_for(images):
    options = SceneOptions(
        size=96, min_face_size=20, max_face_size=40, close_up_share=0, mosaic_share=0, fine_mosaic_share=0
    )
    sizes = []
    for seed in range(200):
        scene = draw(SceneSampler(images, options, PLAIN), seed)
        whole = (scene["boxes"][:, :2] > 0).all(1) & (scene["boxes"][:, 2:] < 96).all(1)
        sizes += np.sqrt((scene["boxes"][whole, 2:] - scene["boxes"][whole, :2]).prod(1)).tolist()
    assert len(sizes) > 50
    assert np.quantile(sizes, 0.1) > 18
    assert np.quantile(sizes, 0.6) < 41


def test_a_mosaic_joins_windows(images):
    options = SceneOptions(size=96, max_face_size=60, close_up_share=0, mosaic_share=1, fine_mosaic_share=0)
    counts = [len(draw(SceneSampler(images, options, PLAIN), seed)["boxes"]) for seed in range(20)]
    assert 2 < np.mean(counts) <= 4


def test_an_image_with_unannotated_faces_is_ignored_around_them(images, tmp_path):
    unsure = tuple(AnnotatedImage(each.sample, background=False, source=0) for each in images.all)
    sampler = SceneSampler(SceneImages.open(unsure, [1.0], tmp_path / "other.bin"), OPTIONS, PLAIN)
    scene = draw(sampler, 0)
    regions = scene["boxes"][scene["kinds"] == IGNORED]
    assert (regions[:, 2:] - regions[:, :2]).prod(1).sum() >= 96 * 96


def test_a_scene_is_a_function_of_its_random_numbers(images):
    one, again, other = (draw(SceneSampler(images, OPTIONS, ALL), seed) for seed in (1, 1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], again[name])
    assert (one["images"] != other["images"]).any()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"size": 100}, "multiple of 32"),
        ({"min_face_size": 500.0}, "must rise"),
        ({"mosaic_share": 0.9, "fine_mosaic_share": 0.2}, "at most 1 together"),
    ],
)
def test_options_that_cannot_be_are_refused(values, fault):
    with pytest.raises(ValidationError, match=fault):
        SceneOptions(**values)


def test_sources_are_drawn_by_weight_and_images_by_their_faces(tmp_path):
    path = tmp_path / "any.png"
    path.write_bytes(encode_png(np.zeros((64, 64, 3), np.uint8)))
    one, four = [[1, 1, 9, 9]], [[1 + 10 * i, 1, 9 + 10 * i, 9] for i in range(4)]
    rows = [(one, None, 0), (four, None, 0), (one, [True], 0), ([], None, 1)]
    annotated = tuple(AnnotatedImage(sample(path, b, i), background=True, source=s) for b, i, s in rows)
    images = SceneImages.open(annotated, [3.0, 1.0], tmp_path / "images.bin")
    rng = np.random.default_rng(0)
    counts = np.bincount([images.draw(rng) for _ in range(4000)], minlength=4) / 4000
    # a quarter of the draws for the second source; of the first, one to two for one and four faces
    assert counts.tolist() == pytest.approx([0.25, 0.5, 0, 0.25], abs=0.03)


def test_rotations_have_their_shares():
    def angles(**shares):
        options = SceneAugmentation(rotation_degrees=12, **shares)
        rng = np.random.default_rng(0)
        return np.array([rotation(options, rng) for _ in range(2000)])

    assert (angles() == 0).all()
    assert angles(rotated=1.0).std() == pytest.approx(12, rel=0.1)
    assert np.abs(angles(turned=1.0)).max() <= 80
    assert np.abs(angles(any_angle=1.0)).max() > 150
    assert (angles(rotated=0.25) != 0).mean() == pytest.approx(0.25, abs=0.04)


def test_covered_faces_are_covered_in_part():
    boxes = np.array([[20, 20, 60, 60]], np.float32)
    parts = []
    for seed in range(30):
        image = np.full((96, 96, 3), 90, np.uint8)
        image[:5] = 200  # so that a copied part may differ, too
        cover_faces(image, boxes, 1.0, np.random.default_rng(seed))
        changed = (image != 90).any(2)[20:60, 20:60].mean()
        parts.append(changed)
    assert max(parts) < 0.6
    assert np.median(parts) > 0.2
    untouched = np.full((96, 96, 3), 90, np.uint8)
    cover_faces(untouched, boxes, 0.0, np.random.default_rng(0))
    assert (untouched == 90).all()


def test_every_change_of_appearance_changes_the_image_and_not_its_input():
    image = np.random.default_rng(0).integers(30, 226, (33, 32, 3), np.uint8)
    before = image.copy()
    changes = [{"tone": 1.0, "color": 0.3}, {"gray": 1.0}, {"saturation": 1.0}, {"blur": 1.0}, {"noise": 1.0}]
    for change in [*changes, {"jpeg": 1.0}]:
        found = change_appearance(image, SceneAugmentation(**change), np.random.default_rng(1))
        assert found.shape == image.shape
        assert (found != image).any(), change
        np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(change_appearance(image, PLAIN, np.random.default_rng(1)), image)


def test_dark_images_are_dark():
    image = np.full((8, 8, 3), 200, np.uint8)
    dark = SceneAugmentation(tone=1.0, dark=1.0)
    found = [change_appearance(image, dark, np.random.default_rng(seed)).mean() for seed in range(50)]
    assert max(found) <= 100
    assert min(found) < 30


def test_the_cache_holds_the_images_and_is_written_once(tmp_path):
    rng = np.random.default_rng(0)
    originals = [rng.integers(0, 256, shape, np.uint8) for shape in [(60, 80, 3), (200, 100, 3)]]
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, image in zip(paths, originals, strict=True):
        path.write_bytes(encode_png(image))
    file = tmp_path / "cache" / "images.bin"
    cache = open_cache(paths, file, max_side=100)
    assert cache.scales.tolist() == [1.0, 0.5]
    np.testing.assert_array_equal(cache.mipmap(0).image, originals[0])
    assert cache.mipmap(1).image.shape == (100, 50, 3)
    written = file.stat().st_mtime_ns, file.stat().st_ino
    open_cache(paths, file, max_side=100)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written
    os.utime(paths[0], (1, 1))
    open_cache(paths, file, max_side=100)
    assert file.stat().st_ino != written[1]


def test_images_that_the_cache_shrinks_keep_their_labels(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(encode_png(np.zeros((2048, 1024, 3), np.uint8)))
    annotated = AnnotatedImage(sample(path, [[100, 200, 300, 400]]), background=True, source=0)
    images = SceneImages.open((annotated,), [1.0], tmp_path / "images.bin")
    assert images.mipmap(0).image.shape == (1024, 512, 3)
    assert images.all[0].sample.boxes.tolist() == [[50, 100, 150, 200]]
