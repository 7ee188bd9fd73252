"""The proposer learns faces that are drawn, finds them, and resumes to the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mien.errors import BadRecipe
from mien.geometry import boxes as box
from mien.imaging import encode_png
from mien.models import open_model
from mien.train.engine.devices import make_fabric
from mien.train.engine.loop import train
from mien.train.recipe import check, read_table
from mien.train.run import train_recipes
from mien.train.tasks.proposer import ProposerRecipe, collate_scenes

RECIPE = """
name = "proposer"
task = "proposer"
seed = 1
[network]
kind = "mien-proposer"
[samples]
size = 64
min_face_size = 14
max_face_size = 44
close_up_share = 0.0
mosaic_share = 0.2
fine_mosaic_share = 0.0
[augmentation]
tone = 0.3
color = 0.1
[optimizer]
name = "adamw"
learning_rate = 3e-3
weight_decay = 1e-4
ema_decay = 0.9
gradient_clip = 20.0
[schedule]
steps = {steps}
batch_size = {batch}
warmup = 4
validate_every = 1000
checkpoint_every = 2
[data.sources.faces]
format = "wider-text"
path = "faces"
"""


def draw_face(image: np.ndarray, x: int, y: int, side: int) -> None:
    """A light disc with two dark eyes and a mouth."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    across, down = (columns - x) / side, (rows - y) / side
    image[np.hypot(across * 1.2, down) < 0.5] = (230, 190, 160)
    for eye in (-0.17, 0.17):
        image[np.hypot(across - eye, down + 0.12) < 0.07] = (30, 30, 60)
    image[(np.abs(across) < 0.15) & (np.abs(down - 0.22) < 0.04)] = (150, 40, 40)


def write_data(folder: Path, count: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """Write images of two faces on noise; return them with the boxes."""
    (folder / "faces" / "images").mkdir(parents=True)
    rng, made, text = np.random.default_rng(0), [], ""
    for number in range(count):
        image = rng.integers(0, 120, (128, 160, 3), np.uint8)
        boxes = []
        for x0 in (0, 80):
            side = int(rng.integers(24, 60))
            x, y = x0 + int(rng.integers(side // 2, 80 - side // 2)), int(rng.integers(side // 2, 128 - side // 2))
            draw_face(image, x, y, side)
            boxes.append((x - side / 2.4, y - side / 2, x + side / 2.4, y + side / 2))
        (folder / "faces" / "images" / f"{number}.png").write_bytes(encode_png(image))
        lines = [f"{x0:.1f} {y0:.1f} {x1 - x0:.1f} {y1 - y0:.1f} 0 0 0 0 0 0" for x0, y0, x1, y1 in boxes]
        text += "\n".join([f"{number}.png", "2", *lines, ""])
        made.append((image, np.array(boxes, np.float32)))
    (folder / "faces" / "bbx_gt.txt").write_text(text)
    return made


def recipe_in(folder: Path, steps: int, batch: int) -> Path:
    path = folder / "proposer.toml"
    path.write_text(RECIPE.format(steps=steps, batch=batch))
    return path


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The images, and a network trained on them."""
    folder = tmp_path_factory.mktemp("proposer")
    made = write_data(folder)
    (path,) = train_recipes(recipe_in(folder, 120, 8), data=folder, runs=folder / "runs", device="cpu")
    return made, path


def detect(model, image):
    """Return the best box (n, 4) of each cell with a quality from 0.3 up, after NMS."""
    boxes, scores = [], []
    grid = model.card.crop
    for stride, output in zip(grid.strides, model.run(image[None]), strict=True):
        rows, columns = np.nonzero(output[0, 0] > 0.3)
        centers, sides = grid.centers(rows, columns, stride), output[0, 1:5, rows, columns]
        boxes.append(np.concatenate([centers - sides[:, :2], centers + sides[:, 2:]], axis=1))
        scores.append(output[0, 0, rows, columns])
    found, quality = np.concatenate(boxes), np.concatenate(scores)
    return found[box.nms(found, quality, 0.5)]


def test_the_exported_network_finds_the_faces_it_was_shown(learned):
    made, path = learned
    model = open_model(path, "proposer", threads=1)
    found, false, faces = 0, 0, 0
    for image, boxes in made:
        overlap = box.iou(detect(model, image), boxes)
        faces += len(boxes)
        found += int((overlap.max(axis=0, initial=0) > 0.5).sum())
        false += int((overlap.max(axis=1, initial=0) < 0.3).sum())
    assert found >= 0.9 * faces
    assert false <= 0.2 * faces


def test_the_card_says_what_it_takes_and_how_good_it_is(learned):
    card = open_model(learned[1], "proposer").card
    assert card.output.names == ("stride8", "stride16", "stride32")
    assert card.scores["recall"] > 0.8
    assert card.scores["quality"] == card.scores["average_precision"] > 0.6


def task_of(folder: Path, runs: Path, steps: int) -> tuple:
    path = recipe_in(folder, steps, 2)
    recipe = check(ProposerRecipe, read_table(path), path)
    return recipe, recipe.make_task(folder, runs)


class PowerError(Exception):
    """The plug is pulled."""


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    def stop(done: int) -> bool:
        if done == 3:
            raise PowerError
        return False

    write_data(tmp_path, 2)
    expected = train(*task_of(tmp_path, tmp_path / "runs", 5), tmp_path / "whole", make_fabric("cpu"))
    with pytest.raises(PowerError):
        train(*task_of(tmp_path, tmp_path / "runs", 5), tmp_path / "cut", make_fabric("cpu"), stop=stop)
    found = train(*task_of(tmp_path, tmp_path / "runs", 5), tmp_path / "cut", make_fabric("cpu"))
    states = [torch.load(path.parent / "last.pt", weights_only=True)["network"] for path in (expected, found)]
    for name in states[0]:
        assert torch.equal(states[0][name], states[1][name]), name
    assert expected.read_bytes() == found.read_bytes()


def test_a_batch_without_faces_has_losses_and_gradients(tmp_path):
    write_data(tmp_path, 1)
    _, task = task_of(tmp_path, tmp_path / "runs", 5)
    nothing = {
        "images": np.zeros((64, 64, 3), np.uint8),
        "boxes": np.empty((0, 4), np.float32),
        "kinds": np.empty(0, np.int8),
        "keypoints": np.empty((0, 5, 2), np.float32),
    }
    losses = task.losses(task.network.train(), collate_scenes([nothing, nothing]))
    sum(losses.values()).backward()
    assert losses["score"] > 0
    assert losses["box"] == losses["keypoints"] == 0
    assert all(p.grad is not None for p in task.network.parameters())


def test_scenes_are_joined_with_the_number_of_their_image():
    def scene(count):
        boxes, kinds = np.full((count, 4), count, np.float32), np.ones(count, np.int8)
        points = np.zeros((count, 5, 2), np.float32)
        return {"images": np.zeros((32, 32, 3), np.uint8), "boxes": boxes, "kinds": kinds, "keypoints": points}

    batch = collate_scenes([scene(2), scene(0), scene(1)])
    assert batch["images"].shape == (3, 32, 32, 3)
    assert batch["owners"].tolist() == [0, 0, 2]
    assert batch["boxes"][:, 0].tolist() == [2, 2, 1]


def test_keypoints_are_learned_where_they_are_known(tmp_path):
    write_data(tmp_path, 1)
    _, task = task_of(tmp_path, tmp_path / "runs", 5)
    scene = task.batch(0, range(2))
    assert task.losses(task.network.train(), scene)["keypoints"] == 0
    scene["keypoints"] = torch.full_like(scene["keypoints"], 40.0)
    scene["boxes"][:] = torch.tensor([10.0, 10.0, 50.0, 50.0])
    assert task.losses(task.network.train(), scene)["keypoints"] > 0


def test_a_source_without_images_is_refused(tmp_path):
    (tmp_path / "faces" / "images").mkdir(parents=True)
    (tmp_path / "faces" / "bbx_gt.txt").write_text("")
    with pytest.raises(BadRecipe, match="no usable image"):
        task_of(tmp_path, tmp_path / "runs", 5)
