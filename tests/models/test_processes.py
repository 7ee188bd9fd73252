"""Detectors work in other processes: pickled, they reopen their models there."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import mien

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def image():
    return mien.read_image(ASTRONAUT)


def test_detectors_work_in_a_process_pool(image):
    detector = mien.FaceDetector(threads=1)
    landmarks = mien.LandmarkDetector(threads=1)
    here = detector(image)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(detector, image).result(60)
        points = pool.submit(landmarks, image, here).result(60)
    np.testing.assert_array_equal(there.boxes, here.boxes)
    np.testing.assert_array_equal(there.keypoints, here.keypoints)
    np.testing.assert_array_equal(points[0].points, landmarks(image, here)[0].points)


def test_a_pickled_analyzer_gives_the_same(image):
    analyzer = mien.FaceAnalyzer()
    again = pickle.loads(pickle.dumps(analyzer))
    (expected,), (found,) = analyzer(image), again(image)
    np.testing.assert_array_equal(found.face.box, expected.face.box)
    np.testing.assert_array_equal(found.landmarks.points, expected.landmarks.points)


def test_options_survive_pickling():
    detector = mien.FaceDetector(mien.DetectorConfig(method="mtcnn", min_face_size=40), lnet=None, threads=1)
    again = pickle.loads(pickle.dumps(detector))
    assert again.config == detector.config
    assert again.networks.lnet is None
    assert again.networks.pnet.card == detector.networks.pnet.card
