"""Hard example mining with a proposer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mien.datasets.samples import DetectionSample
from mien.errors import BadRecipe
from mien.geometry import boxes as box
from mien.imaging import encode_png
from mien.models import model_path
from mien.train.export import export
from mien.train.networks.proposer import MienProposer
from mien.train.samples.faces import AnnotatedImage, FaceImages
from mien.train.samples.mining import MiningOptions, mine

OPTIONS = MiningOptions(threshold=0.001, min_face_size=10, positive_iou=0.5, negative_iou=0.3)
FACE = np.array([[36, 36, 68, 68]], dtype=np.float32)


@pytest.fixture(scope="module")
def proposer(proposer_source, tmp_path_factory) -> Path:
    """A proposer that sees nothing: each cell proposes a box of four strides around it."""
    network = MienProposer()
    for predict in network.predictions:
        torch.nn.init.zeros_(predict.weight)
    return export(
        proposer_source(half_precision_weights=False),
        network,
        tmp_path_factory.mktemp("proposer") / "proposer.onnx",
        {},
    )


def make_images(path: Path, background: bool = True) -> FaceImages:
    sample = DetectionSample(path, FACE, np.zeros(1, bool), np.full((1, 5, 2), np.nan, np.float32))
    return FaceImages([AnnotatedImage(sample, background, 0)], [1.0])


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "noise.png"
    path.write_bytes(encode_png(np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)))
    return path


def test_proposals_are_divided_by_their_overlap_with_the_faces(image, proposer, tmp_path):
    mined = mine(make_images(image), [proposer], OPTIONS, tmp_path / "mined.npz")
    assert len(mined.negatives) > 10
    assert len(mined.positives) > 0
    assert box.iou(mined.negatives.boxes, FACE).max() < 0.3
    assert box.iou(mined.positives.boxes, FACE).min() >= 0.5


def test_the_result_is_kept(image, proposer, tmp_path):
    images = make_images(image)
    mined = mine(images, [proposer], OPTIONS, tmp_path / "mined.npz")
    image.unlink()
    kept = mine(make_images(image), [proposer], OPTIONS, tmp_path / "mined.npz")
    np.testing.assert_array_equal(kept.positives.boxes, mined.positives.boxes)


def test_an_image_without_known_background_gives_no_negatives(image, proposer, tmp_path):
    mined = mine(make_images(image, background=False), [proposer], OPTIONS, tmp_path / "mined.npz")
    assert len(mined.negatives) == 0
    assert len(mined.positives) > 0


def test_other_networks_are_refused(image, tmp_path):
    with pytest.raises(BadRecipe, match=r"\('rnet',\); give a proposer, or a P-Net and then perhaps an R-Net"):
        mine(make_images(image), [model_path("rnet")], OPTIONS, tmp_path / "mined.npz")
