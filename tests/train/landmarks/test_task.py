"""A few steps from shards to a file that the LandmarkDetector runs."""

import numpy as np
import pytest

import mien
from mien.datasets.shards import shard_path, write_shard
from mien.errors import BadRecipe
from mien.geometry.boxes import face_box
from mien.imaging import read_image
from mien.models import OutputSpec, StretchedBox
from mien.train.engine import loop
from mien.train.engine.devices import make_fabric
from mien.train.engine.loop import train
from mien.train.recipe import Augmentation, Data, NetworkChoice, OptimizerOptions, Schedule, Source
from mien.train.samples.landmarks import LandmarkSamples
from mien.train.tasks.landmarks import LandmarkLosses, LandmarksRecipe
from mien.types import Faces

from .faces import dotted


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    for subset, scheme in (("DOTS", "68"), ("MODEL", "68-3d")):
        for split, seeds in (("train", range(6)), ("val", range(6, 9))):
            faces = [dotted(seed, scheme=scheme, subset=subset) for seed in seeds]
            write_shard(shard_path(folder, subset, split, 0, 1), faces)
    return folder


def recipe(format="shards", **changes):
    values = {
        "name": "tiny68",
        "task": "landmarks",
        "seed": 1,
        "network": NetworkChoice(kind="mobilenet68"),
        "data": Data(sources={name: Source(format=format, path=name) for name in ("DOTS", "MODEL")}),
        "optimizer": OptimizerOptions(name="adamw", learning_rate=1e-3, weight_decay=0.0, ema_decay=0.5),
        "schedule": Schedule(steps=2, batch_size=4, validate_every=2, checkpoint_every=2),
        "losses": LandmarkLosses(uncertainty=0.1),
    }
    return LandmarksRecipe(**(values | changes))


def test_from_shards_to_points(data, tmp_path):
    made = recipe()
    path = train(made, made.make_task(data, tmp_path), tmp_path / "run", make_fabric("cpu"))
    assert path.stat().st_size < 1_000_000  # 16 bits a weight
    landmark_detector = mien.LandmarkDetector(path)
    card = landmark_detector.network.card
    assert card.output == OutputSpec(("landmarks", "uncertainty"), {"landmarks": ("visible", "3d")})
    assert {"nme_inter_ocular_DOTS", "nme_inter_ocular_MODEL", "failure_rate_10_inter_ocular"} <= set(card.scores)
    sample = dotted()
    box = face_box(sample.wide_points[None])
    faces = Faces(box, np.ones(1), np.full((1, 5, 2), np.nan))
    (found,) = landmark_detector(read_image(sample.wide), faces)
    assert found.points.shape == (68, 2)
    middle = (box[0, :2] + box[0, 2:]) / 2
    # Hardly trained, it says "about the middle" of the crop that it was shown: the right crop, in the right frame.
    assert np.abs(found.points.mean(axis=0) - middle).max() < 0.3 * (box[0, 2] - box[0, 0])


def test_the_loss_falls(data, tmp_path, monkeypatch):
    """From the center of the crop, which the network predicts first, to the layout of the dots."""
    monkeypatch.setattr(loop, "REPORT_EVERY", 1)
    made = recipe(
        network=NetworkChoice(kind="senet68-direct"),
        optimizer=OptimizerOptions(name="adamw", learning_rate=1e-3, weight_decay=0.0, ema_decay=0.5),
        schedule=Schedule(steps=24, batch_size=8, warmup=4, validate_every=24, checkpoint_every=24),
        augmentation=Augmentation(mirror=0.0),  # in a mirror the layout of the dots is ambiguous
    )
    train(made, made.make_task(data, tmp_path), tmp_path / "run", make_fabric("cpu"))
    lines = (tmp_path / "run" / "log.txt").read_text().splitlines()
    losses = [float(line.split("landmarks")[1].split()[0]) for line in lines if "  loss  " in line]
    assert np.mean(losses[-4:]) < 0.5 * losses[0]


def test_other_formats_are_refused(data, tmp_path):
    with pytest.raises(BadRecipe, match=r"'wider'.*mien prepare landmarks"):
        recipe(format="wider").make_task(data, tmp_path)


def test_the_stretched_crop_is_on_the_card(data, tmp_path):
    made = recipe(samples=LandmarkSamples(crop="stretched", context=1.25))
    assert made.make_task(data, tmp_path).card({}).crop == StretchedBox(1.25)
