"""Samples: what training sees, held against what was annotated."""

from pathlib import Path

import numpy as np
import pytest

from mien.datasets.samples import DetectionSample
from mien.errors import BadRecipe
from mien.geometry import boxes as box
from mien.imaging import Mipmap, encode_png
from mien.models import PointPatches, Window
from mien.train.recipe import Augmentation, Source
from mien.train.samples.augment import augment
from mien.train.samples.crops import CropOptions, CropSampler, Place, cut_off, label_windows
from mien.train.samples.faces import AnnotatedImage, FaceImages, redraw_boxes, split
from mien.train.samples.mining import Crops, Mined
from mien.train.samples.views import View
from mien.train.tasks.parts import draw_batch
from mien.train.tasks.patches import PatchSampler
from mien.train.tasks.proposal import ProposalSamples, WindowSampler, window_grid

OPTIONS = CropOptions()
AUGMENTATION = Augmentation(mirror=0.5, rotation_degrees=20)
UPRIGHT = Augmentation()
ALL = Augmentation(rotation_degrees=20, color=0.3, blur=0.5, jpeg=0.5, occlusion=0.5, gray=0.5)
POINTS = np.array([[40, 40], [60, 40], [50, 50], [42, 60], [58, 60]], dtype=np.float32)


def marked_image():
    """Gray, with a white dot of 3 x 3 on each of the five points."""
    image = np.full((100, 120, 3), 90, dtype=np.uint8)
    for x, y in POINTS.astype(int):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return image


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "face.png"
    path.write_bytes(encode_png(marked_image()))
    sample = DetectionSample(
        path=path,
        boxes=np.array([[32, 28, 68, 72], [90, 80, 110, 98]], dtype=np.float32),
        ignored=np.array([False, True]),
        keypoints=np.stack([POINTS, np.full((5, 2), np.nan, dtype=np.float32)]),
    )
    return FaceImages([AnnotatedImage(sample, background=True, source=0)], [1.0])


def draw(sampler, count, seed=0, step=0):
    return {name: tensor.numpy() for name, tensor in draw_batch(sampler, seed, step, range(count)).items()}


def brightest_at(image, points, size):
    """Whether there is a bright pixel within a pixel of each point given in fractions of the image."""
    for x, y in points * size - 0.5:
        j, i = round(float(x)), round(float(y))
        near = image[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        if near.size and near.max() < 180:
            return False
    return True


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 30, -90])
def test_a_view_shows_points_where_it_says(mirrored, degrees):
    view = View(50, 50, 60, degrees, mirrored)
    seen = view.crop(Mipmap(marked_image()), 60)
    assert brightest_at(seen, view.points(POINTS), 60)
    assert brightest_at(view.crop(Mipmap(marked_image()), 80, context=2), view.points(POINTS) / 2 + 0.25, 80)


def test_a_mirrored_view_swaps_left_and_right():
    seen = View(50, 50, 60, mirrored=True).keypoints(POINTS)
    assert seen[0, 0] < seen[1, 0]
    assert seen[3, 0] < seen[4, 0]
    np.testing.assert_allclose(seen[0], (np.array([40, 40]) - 20) / 60, atol=1e-6)


@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_the_box_of_a_turned_face_frames_its_ellipse(degrees):
    view = View(50, 50, 100, degrees, mirrored=True)
    seen = view.boxes(np.array([[30, 40, 70, 60]], dtype=np.float32))[0]
    angles = np.linspace(0, 2 * np.pi, 721)
    ellipse = view.points(np.stack([50 + 20 * np.cos(angles), 50 + 10 * np.sin(angles)], axis=1))
    np.testing.assert_allclose(seen, [*ellipse.min(axis=0), *ellipse.max(axis=0)], atol=1e-5)


def test_rotations_have_their_shares():
    options = Augmentation(rotation_degrees=10, turned=0.2, any_angle=0.1)
    rng = np.random.default_rng(0)
    degrees = np.abs([View.random(0, 0, 1, options, rng).degrees for _ in range(4000)])
    assert degrees.max() > 170
    assert (degrees > 90).mean() == pytest.approx(0.05, abs=0.015)
    assert (degrees > 10).mean() == pytest.approx(0.2 * 8 / 9 + 0.1 * 17 / 18, abs=0.02)


def test_bounds_cut_off_image_and_face():
    place = Place(0, View(50, 50, 60), bounds=(40, 0, 120, 60))
    seen = place.crop(Mipmap(marked_image()), 60, 1.0)
    whole = View(50, 50, 60).crop(Mipmap(marked_image()), 60)
    np.testing.assert_array_equal(seen[:39, 21:], whole[:39, 21:])
    assert (seen[:, :19] == 0).all()
    assert (seen[41:] == 0).all()
    face = place.boxes(np.array([[32, 28, 68, 72]], dtype=np.float32))[0]
    np.testing.assert_allclose(face, [1 / 3, 8 / 60, 0.8, 2 / 3], atol=1e-6)


def test_cut_off_leaves_part_of_the_face():
    face = np.array([32, 28, 68, 72], dtype=np.float32)
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(200):
        x0, y0, x1, y1 = cut_off(face, 120, 100, rng)
        assert 0 <= x0 < x1 <= 120
        assert 0 <= y0 < y1 <= 100
        left = box.clip(face[None], (x0, y0, x1, y1))
        parts.append(float(box.area(left)[0] / box.area(face[None])[0]))
    assert min(parts) > 0.08
    assert max(parts) < 0.99


def test_faces_are_cut_off_where_the_recipe_says(images):
    options = CropOptions(negative_share=0.0, part_share=0.0)
    cut = draw(CropSampler(images, options, Augmentation(mirror=0.0, border=1.0), 48, context=1.5), 16)
    assert (cut["images"] == 0).all(axis=3).mean() > 0.1
    whole = draw(CropSampler(images, options, Augmentation(mirror=0.0), 48), 16)
    assert not (whole["images"] == 0).any()
    assert (cut["labels"] == 1).mean() > 0.8


def test_windows_by_hand():
    # a level of 20 pixels, windows of 12 that see 12, two apart: five by five
    windows = window_grid(20, 12, Window(2, 12))
    assert len(windows) == 25
    assert windows[1].tolist() == [2, 0, 14, 12]
    # seen through 31 pixels, the cell of 12 lies in the middle
    assert window_grid(35, 31, Window(4, 12))[0].tolist() == [9.5, 9.5, 21.5, 21.5]


def test_labels_by_hand():
    corners = np.array([[0, 0], [5, 0], [2, 0], [30, 30], [50, 50]], dtype=np.float32)
    windows = np.concatenate([corners, corners + 10], axis=1)
    faces = np.array([[0, 0, 10, 10], [50, 50, 62, 62]], dtype=np.float32)
    ignored = np.array([False, True])
    labels, offsets, has_box = label_windows(windows, faces, ignored, OPTIONS, background=True)
    # overlaps 1, 50/150, 80/120 with the face; none; inside an ignored one
    assert labels.tolist() == [1, -1, 1, 0, -1]
    assert has_box.tolist() == [True, False, True, False, False]
    assert offsets[2].tolist() == pytest.approx([-0.2, 0, -0.2, 0])
    labels, _, _ = label_windows(windows, faces, ignored, OPTIONS, background=False)
    assert labels.tolist() == [1, -1, 1, -1, -1]


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_crops_hold_what_their_labels_say(images, mirror):
    options = CropOptions(negative_share=0.0, part_share=0.0, keypoint_share=1.0)
    batch = draw(CropSampler(images, options, Augmentation(mirror=mirror, rotation_degrees=20), 48), 16)
    assert batch["images"].shape == (16, 48, 48, 3)
    assert (batch["labels"] == 1).mean() > 0.8  # rotated views may show less
    assert batch["has_keypoints"].all()
    for image, points in zip(batch["images"], batch["keypoints"], strict=True):
        assert brightest_at(image, points, 48)
        assert points[0, 0] < points[1, 0]


def test_negatives_hold_no_face(images):
    options = CropOptions(negative_share=1.0, part_share=0.0)
    batch = draw(CropSampler(images, options, AUGMENTATION, 24), 64)
    assert (batch["labels"] != 1).all()
    assert (batch["labels"] == 0).mean() > 0.5


def test_parts_have_a_box_but_no_label(images):
    options = CropOptions(negative_share=0.0, part_share=1.0)
    batch = draw(CropSampler(images, options, UPRIGHT, 24), 32)
    parts = batch["has_box"] & (batch["labels"] == -1)
    assert parts.mean() > 0.8


def test_mined_crops_are_used(images):
    mined = Mined(Crops(np.array([0]), np.array([[0, 70, 20, 90]], dtype=np.float32)), Crops.join([]))
    options = CropOptions(negative_share=1.0, part_share=0.0)
    batch = draw(CropSampler(images, options, UPRIGHT, 24, mined=mined, mined_share=1.0), 8)
    assert (batch["labels"] == 0).all()
    assert (batch["images"] < 100).all()  # gray: none of the dots


def test_window_samples_find_the_face_in_their_patch(images):
    options = ProposalSamples(positive_iou=0.5, negative_share=0.0, windows_per_side=12)
    batch = draw(WindowSampler(images, options, AUGMENTATION, Window(4, 12), 31), 12)
    assert batch["images"].shape == (12, 75, 75, 3)
    assert batch["labels"].shape == (12, 144)
    assert ((batch["labels"] == 1).any(axis=1)).mean() > 0.7
    windows = window_grid(75, 31, Window(4, 12))
    for image, labels, offsets in zip(batch["images"], batch["labels"], batch["offsets"], strict=True):
        for k in np.flatnonzero(labels == 1):
            face = box.decode_boxes(offsets[k : k + 1], windows[k : k + 1])[0]
            x, y = ((face[:2] + face[2:]) / 2).astype(int)
            assert image[y - 2 : y + 3, x - 2 : x + 3].max() > 100  # the nose, between bright dots


def test_patches_are_around_their_keypoints(images):
    batch = draw(PatchSampler(images, PointPatches(0.25), 0.1, AUGMENTATION, 24), 8)
    assert batch["images"].shape == (8, 24, 24, 15)
    for stack, points in zip(batch["images"], batch["keypoints"], strict=True):
        for k, point in enumerate(points):
            assert brightest_at(stack[..., 3 * k : 3 * k + 3], point[None], 24)


@pytest.mark.parametrize("kind", ["crops", "windows", "patches"])
def test_a_sample_is_a_function_of_seed_step_and_row(images, kind):
    make = {
        "crops": lambda: CropSampler(images, CropOptions(), ALL, 24),
        "windows": lambda: WindowSampler(images, ProposalSamples(), ALL, Window(2, 12), 12),
        "patches": lambda: PatchSampler(images, PointPatches(0.25), 0.12, ALL, 24),
    }[kind]
    first, again, other = draw(make(), 6, 5, 7), draw(make(), 6, 5, 7), draw(make(), 6, 5, 8)
    part = draw_batch(make(), 5, 7, range(2, 4))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        np.testing.assert_array_equal(first[name][2:4], part[name])
    assert not np.array_equal(first["images"], other["images"])


def test_augment_changes_the_image_and_not_its_input():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    before = image.copy()
    for change in (
        {"color": 0.3},
        {"blur": 1.0},
        {"jpeg": 1.0},
        {"occlusion": 1.0},
        {"half_cover": 1.0},
        {"dark": 1.0},
        {"gray": 1.0},
    ):
        changed = augment(image, Augmentation(**change), np.random.default_rng(1))
        np.testing.assert_array_equal(image, before)
        assert (changed != image).any(), change
    np.testing.assert_array_equal(augment(image, Augmentation(), np.random.default_rng(1)), image)


def test_darkness_and_cover_do_what_they_say():
    image = np.full((64, 64, 3), 200, dtype=np.uint8)
    for seed in range(20):
        dark = augment(image, Augmentation(dark=1.0), np.random.default_rng(seed))
        assert 15 <= dark[0, 0, 0] <= 100
        covered = (augment(image, Augmentation(half_cover=1.0), np.random.default_rng(seed)) != image).any(axis=2)
        assert 0.08 < covered.mean() < 0.56


def test_the_split_goes_by_name_alone():
    def annotated(name):
        no_boxes, no_points = np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32)
        return AnnotatedImage(DetectionSample(Path(name), no_boxes, np.empty(0, bool), no_points), True, 0)

    names = [f"{i}.jpg" for i in range(400)]
    train, held = split([annotated(name) for name in names])
    assert 5 < len(held) < 45
    again, _ = split([annotated(f"elsewhere/{name}") for name in reversed(names)])
    assert {e.sample.path.name for e in train} == {e.sample.path.name for e in again}


def test_boxes_are_redrawn_as_the_source_says(images):
    sample = images.all[0].sample
    source = Source(format="wider", path="any", box_scale=(0.5, 2.0), box_shift=-0.25)
    redrawn = redraw_boxes(sample, source)
    # 36 x 44 at (50, 50): 18 x 88, 11 higher
    assert redrawn.boxes[0].tolist() == [41, -5, 59, 83]
    assert redrawn.keypoints is sample.keypoints
    assert redraw_boxes(sample, Source(format="wider", path="any")) is sample


def test_sources_without_images_are_refused():
    with pytest.raises(BadRecipe, match="no usable image"):
        FaceImages([], [])
