import dataclasses

import numpy as np
import pytest

from mien.detection import DetectorConfig, proposer
from mien.detection.proposer import run_proposer, scales
from mien.errors import DeadlineExceeded, ModelMismatch
from mien.imaging import Mipmap
from mien.models import Grid
from mien.types import Deadline

GRID = Grid((8, 16, 32), 10.0, 340.0)
FULL_SIZE = DetectorConfig(min_face_size=10, max_face_size=300, score_threshold=0.9)
"""One level: the image itself."""


def test_the_first_level_shows_the_smallest_faces_and_the_last_the_largest():
    assert scales(640, GRID, DetectorConfig(min_face_size=20)) == [0.5, 0.125]  # 340 / 0.5 = 680 < 1.2 * 640
    assert scales(560, GRID, DetectorConfig(min_face_size=20)) == [0.5]
    assert scales(640, GRID, DetectorConfig(min_face_size=10, max_face_size=300)) == [1.0]
    assert scales(10, GRID, DetectorConfig(min_face_size=20)) == []


def test_a_bright_cell_is_decoded_at_its_center(fake_proposer):
    image = np.zeros((64, 96, 3), np.uint8)
    image[16:24, 40:48] = 255
    (faces,) = run_proposer([Mipmap(image)], fake_proposer(), FULL_SIZE)
    np.testing.assert_array_equal(faces.boxes, [[32, 8, 56, 32]])
    np.testing.assert_array_equal(faces.keypoints[0], np.tile([44, 20], (5, 1)))
    np.testing.assert_array_equal(faces.scores, [1])


def test_a_smaller_level_is_mapped_back_to_the_image(fake_proposer):
    image = np.zeros((128, 192, 3), np.uint8)
    image[32:48, 80:96] = 255
    (faces,) = run_proposer([Mipmap(image)], fake_proposer(), dataclasses.replace(FULL_SIZE, min_face_size=20))
    np.testing.assert_array_equal(faces.boxes, [[64, 16, 112, 64]])


def test_sides_are_padded_to_the_coarsest_stride(fake_proposer):
    network = fake_proposer()
    run_proposer([Mipmap(np.zeros((33, 70, 3), np.uint8))], network, FULL_SIZE)
    assert network.shapes == [(1, 64, 96, 3)]


def test_strips_give_what_the_whole_level_gives(fake_proposer, monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (1030, 90, 3), dtype=np.uint8)
    config = dataclasses.replace(FULL_SIZE, score_threshold=0.5, max_proposals=2000)
    (whole,) = run_proposer([Mipmap(image)], fake_proposer(), config)
    monkeypatch.setattr(proposer, "_STRIP_PIXELS", 96 * 600)
    network = fake_proposer()
    (strips,) = run_proposer([Mipmap(image)], network, config)
    assert len(network.shapes) == 4
    assert max(shape[1] for shape in network.shapes) <= 600
    assert len(whole) > 100
    np.testing.assert_array_equal(np.sort(strips.boxes, axis=0), np.sort(whole.boxes, axis=0))


def test_overlapping_proposals_are_suppressed_and_counted(fake_proposer):
    image = np.full((64, 64, 3), 255, np.uint8)
    loose = dataclasses.replace(FULL_SIZE, proposal_nms_iou=1.0)
    (everything,) = run_proposer([Mipmap(image)], fake_proposer(), loose)
    assert len(everything) == 64 + 16 + 4
    (some,) = run_proposer([Mipmap(image)], fake_proposer(), dataclasses.replace(loose, max_proposals=7))
    assert len(some) == 7
    (apart,) = run_proposer([Mipmap(image)], fake_proposer(), dataclasses.replace(loose, proposal_nms_iou=0.4))
    assert len(apart) < 64 + 16 + 4


def test_larger_faces_than_wanted_are_left_out(fake_proposer):
    image = np.full((64, 64, 3), 255, np.uint8)
    config = dataclasses.replace(FULL_SIZE, max_face_size=50, proposal_nms_iou=1.0)
    (faces,) = run_proposer([Mipmap(image)], fake_proposer(), config)
    assert len(faces) == 64 + 16  # squares of 24 and 48 pixels; those of 96 are too large


def test_the_deadline_is_checked(fake_proposer):
    with pytest.raises(DeadlineExceeded):
        run_proposer([Mipmap(np.zeros((64, 64, 3), np.uint8))], fake_proposer(), FULL_SIZE, Deadline.after(-1))


def test_maps_must_be_as_the_card_promises(fake_proposer):
    class Coarser(type(fake_proposer())):
        def run(self, batch):
            return super().run(batch)[1:] * 2

    with pytest.raises(ModelMismatch, match=r"correct crop\.strides"):
        run_proposer([Mipmap(np.zeros((64, 64, 3), np.uint8))], Coarser(), FULL_SIZE)
