"""Training for real, small: three networks learn one face and then find it through the inference cascade."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mien.detection import DetectorConfig, FaceDetector
from mien.geometry import boxes as box
from mien.train.run import train_recipes

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
FACE = (178, 68, 88, 112)
"""x, y, width, height of her face, by hand."""

GENEROUS = DetectorConfig(min_face_size=40, pnet_threshold=0.1, rnet_threshold=0.2, score_threshold=0.3)
"""Networks that have seen a single face for seconds are not sure of themselves."""

RECIPE = """
name = "{name}"
task = "{task}"
seed = 1
[network]
kind = "mien-{name}"
[samples]
positive_iou = 0.5
keypoint_share = 0.1
{samples}
[augmentation]
color = 0.1
[losses]
regression = "smooth-l1"
box = 2.0
[optimizer]
name = "adamw"
learning_rate = 3e-3
weight_decay = 1e-4
ema_decay = 0.9
[schedule]
steps = {steps}
batch_size = {batch_size}
warmup = 5
validate_every = 1000
checkpoint_every = 1000
[data.sources.faces]
format = "wider-text"
path = "faces"
"""

STAGES = [
    ("pnet", "proposal", 'kind = "windows"', 200, 6),
    ("rnet", "refinement", 'context = 1.25\nmine_from = ["pnet/pnet.onnx"]', 150, 32),
    ("onet", "refinement", 'context = 1.25\nmine_from = ["pnet/pnet.onnx", "rnet/rnet.onnx"]', 100, 32),
]


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
    for name, task, samples, steps, batch_size in STAGES:
        text = RECIPE.format(name=name, task=task, samples=samples, steps=steps, batch_size=batch_size)
        (folder / f"{name}.toml").write_text(text)
    names = ", ".join(f'"{name}.toml"' for name, *_ in STAGES)
    (folder / "cascade.toml").write_text(f"recipes = [{names}]")
    options = {"data": folder, "runs": folder / "runs", "device": "cpu"}
    exported = list(train_recipes(folder / "cascade.toml", **options))
    assert exported == [folder / "runs" / name / f"{name}.onnx" for name, *_ in STAGES]
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
