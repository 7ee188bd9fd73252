"""Training for real, small: three networks learn one face and then find it through the inference cascade."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mien.detection import DetectorConfig, FaceDetector
from mien.geometry import boxes as box
from mien.train import recipe as recipes
from mien.train.engine.devices import make_fabric
from mien.train.engine.loop import train
from mien.train.tasks import make_task

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
FACE = (178, 68, 88, 112)
"""x, y, width, height of her face, by hand."""

GENEROUS = DetectorConfig(min_face_size=40, pnet_threshold=0.1, rnet_threshold=0.2, onet_threshold=0.3)
"""Networks that have seen a single face for seconds are not sure of themselves."""

RECIPE = """
name = "{name}"
task = "{name}"
seed = 1
[network]
kind = "mien-{name}"
[samples]
kind = "{kind}"
positive = 0.5
context = {context}
colour = 0.1
points_share = 0.1
hard_from = [{hard}]
[losses]
regression = "smooth-l1"
offsets = 2.0
[optimiser]
name = "adamw"
rate = 3e-3
decay = 1e-4
ema = 0.9
[schedule]
steps = {steps}
batch = {batch}
warmup = 5
validate_every = 1000
checkpoint_every = 1000
[[data.sources]]
format = "wider-text"
path = "faces"
"""


def write_data(folder: Path) -> None:
    """One image with one face, in WIDER's text format."""
    (folder / "faces" / "images").mkdir(parents=True)
    shutil.copy(ASTRONAUT, folder / "faces" / "images" / "astronaut.jpg")
    line = " ".join(str(number) for number in (*FACE, 0, 0, 0, 0, 0, 0))
    (folder / "faces" / "bbx_gt.txt").write_text(f"astronaut.jpg\n1\n{line}\n")


def losses_of(log: str) -> list[float]:
    """The scores' loss of each report, in order."""
    return [float(line.split("score")[1].split()[0]) for line in log.splitlines() if "  loss  " in line]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_data(folder)
    stages = [
        ("pnet", "windows", 1.0, "", 200, 6),
        ("rnet", "crops", 1.25, '"pnet/pnet.onnx"', 150, 32),
        ("onet", "crops", 1.25, '"pnet/pnet.onnx", "rnet/rnet.onnx"', 100, 32),
    ]
    for name, kind, context, hard, steps, batch in stages:
        text = RECIPE.format(name=name, kind=kind, context=context, hard=hard, steps=steps, batch=batch)
        recipe = recipes.loads(text, f"{name}.toml")
        run = folder / "runs" / name
        run.mkdir(parents=True)
        train(recipe, make_task(recipe, folder, run, folder / "runs"), run, make_fabric("cpu"))
    return folder / "runs"


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_the_loss_goes_down(runs, name):
    losses = losses_of((runs / name / "log.txt").read_text())
    assert losses[-1] < 0.5 * losses[0]


def test_the_exported_cascade_finds_the_face_it_was_shown(runs):
    networks = {name: runs / name / f"{name}.onnx" for name in ("pnet", "rnet", "onet")}
    found = FaceDetector(GENEROUS, lnet=None, **networks)(ASTRONAUT)
    x, y, width, height = FACE
    truth = np.array([[x, y, x + width, y + height]], dtype=np.float32)
    assert len(found) >= 1
    assert box.iou(found.boxes[:1], truth)[0, 0] > 0.6
