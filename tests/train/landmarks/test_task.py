"""A few steps from shards to a file that the LandmarkDetector runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import mien
from mien.datasets.shards import shard_path, write_shard
from mien.errors import BadRecipe
from mien.geometry.boxes import face_box
from mien.imaging import read_image
from mien.models import OutputSpec, StretchedBox
from mien.train.engine.devices import make_fabric
from mien.train.engine.loop import train
from mien.train.landmarks.task import Landmarks68Task
from mien.train.recipe import DataRecipe, LandmarkRecipe, NetworkRecipe, OptimiserRecipe, Recipe, ScheduleRecipe, Source
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


def recipe(**changes):
    values = {
        "name": "tiny68",
        "task": "landmarks68",
        "seed": 1,
        "network": NetworkRecipe("mobilenet68"),
        "data": DataRecipe((Source("shards", "DOTS"), Source("shards", "MODEL")), "none"),
        "optimiser": OptimiserRecipe("adamw", rate=1e-3, decay=0.0, ema=0.5),
        "schedule": ScheduleRecipe(2, batch=4, warmup=0, validate_every=2, checkpoint_every=2),
        "landmarks": LandmarkRecipe(uncertainty=0.1),
    }
    return Recipe(**(values | changes))


def test_from_shards_to_points(data, tmp_path):
    made = recipe()
    path = train(made, Landmarks68Task(made, data, tmp_path), tmp_path / "run", make_fabric("cpu"))
    assert path.stat().st_size < 1_000_000  # 16 bits a weight
    landmarker = mien.LandmarkDetector(path)
    card = landmarker.network.card
    assert card.output == OutputSpec(("landmarks", "uncertainty"), {"landmarks": ("visible", "3d")})
    assert {"nme_inter_ocular_DOTS", "nme_inter_ocular_MODEL", "failure_rate_10_inter_ocular"} <= set(card.scores)
    sample = dotted()
    box = face_box(sample.wide_points[None])
    faces = Faces(box, np.ones(1), np.full((1, 5, 2), np.nan))
    (found,) = landmarker(read_image(sample.wide), faces)
    assert found.points.shape == (68, 2)
    middle = (box[0, :2] + box[0, 2:]) / 2
    # Hardly trained, it says "about the middle" of the crop that it was shown: the right crop, in the right frame.
    assert np.abs(found.points.mean(axis=0) - middle).max() < 0.3 * (box[0, 2] - box[0, 0])


def test_it_learns(data, tmp_path):
    made = recipe(
        network=NetworkRecipe("senet68-direct"),
        optimiser=OptimiserRecipe("adamw", rate=3e-3, decay=0.0, ema=0.5),
        schedule=ScheduleRecipe(40, batch=8, warmup=0, validate_every=40, checkpoint_every=40),
    )
    task = Landmarks68Task(made, data, tmp_path)
    with torch.no_grad():
        before = task.validate(task.network.eval())["quality"]
        with torch.enable_grad():
            train(made, task, tmp_path / "run", make_fabric("cpu"))
        assert task.validate(task.network.eval())["quality"] > before / 2


def test_other_formats_are_refused(data, tmp_path):
    made = recipe(data=DataRecipe((Source("wider", "DOTS"),)))
    with pytest.raises(BadRecipe, match=r"'wider'.*mien prepare landmarks"):
        Landmarks68Task(made, data, tmp_path)


def test_the_stretched_crop_is_on_the_card(data, tmp_path):
    made = recipe(landmarks=LandmarkRecipe(crop="stretched", context=1.25))
    card = Landmarks68Task(replace(made), data, tmp_path).card({})
    assert card.crop == StretchedBox(1.25)
