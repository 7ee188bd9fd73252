"""Networks of one convolution each that take a white square on black for a face, as files with cards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.imaging import write_image
from mien.models import Grid, InputSpec, ModelCard, OutputSpec, PointPatches, SquareBox, StretchedBox, Window
from mien.models.attach import attach_card
from mien.models.manifest import write_manifest

FIVE = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]], dtype=np.float32)
SQUARE = 40
BOX = 60
"""The networks see a face of this side in a white square of ``SQUARE`` pixels with its black margin."""


_SHAPES = {
    (True, "scores"): ["n", "H", "W"],
    (True, "offsets"): ["n", "H", "W", 4],
    (False, "scores"): ["n"],
    (False, "offsets"): ["n", 4],
    (False, "keypoints"): ["n", 5, 2],
}


def _template(size: int) -> np.ndarray:
    """Mean of the inner two thirds minus mean of the margin, of values from 0 to 255: -1 to 1."""
    inner = np.zeros((size, size), bool)
    inner[size // 6 : -(size // 6), size // 6 : -(size // 6)] = True
    weights = np.where(inner, 1 / inner.sum(), -1 / (~inner).sum()) / (3 * 255)
    return np.broadcast_to(20 * weights, (1, 3, size, size)).astype(np.float32)


def _network(task: str, size: int, channels: int, stride: int) -> bytes:
    """A graph in the contract of the task; scores are sigmoid(20 (match - 0.35))."""
    outputs = {"pnet": ("scores", "offsets"), "rnet": ("scores", "offsets")}.get(
        task, ("scores", "offsets", "keypoints")
    )
    outputs = ("keypoints",) if task == "lnet" else outputs
    constants = {
        "score_w": _template(size),
        "score_b": np.array([-7], np.float32),
        "offsets_w": np.zeros((4, 3, size, size), np.float32),
        "points_w": np.zeros((10, channels, size, size), np.float32),
        "points_b": np.full(10, 0.5, np.float32) if task == "lnet" else FIVE.ravel(),
        "flat_4": np.array([-1, 4]),
        "flat_points": np.array([-1, 5, 2]),
        "flat": np.array([-1]),
        "channel": np.array([1]),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        node("Transpose", ["floats"], ["x"], perm=[0, 3, 1, 2]),
    ]
    used = set()
    if "scores" in outputs:
        used |= {"score_w", "score_b", "offsets_w"}
        strides = [stride or 1] * 2
        nodes += [
            node("Conv", ["x", "score_w", "score_b"], ["logit"], strides=strides),
            node("Sigmoid", ["logit"], ["score"]),
            node("Conv", ["x", "offsets_w"], ["offset"], strides=strides),
        ]
        if task == "pnet":
            used |= {"channel"}
            nodes += [
                node("Squeeze", ["score", "channel"], ["scores"]),
                node("Transpose", ["offset"], ["offsets"], perm=[0, 2, 3, 1]),
            ]
        else:
            used |= {"flat", "flat_4"}
            nodes += [
                node("Reshape", ["score", "flat"], ["scores"]),
                node("Reshape", ["offset", "flat_4"], ["offsets"]),
            ]
    if "keypoints" in outputs:
        used |= {"points_w", "points_b", "flat_points"}
        nodes += [
            node("Conv", ["x", "points_w", "points_b"], ["point"]),
            node("Reshape", ["point", "flat_points"], ["keypoints"]),
        ]
    any_side = ["n", "h", "w", channels] if task == "pnet" else ["n", size, size, channels]
    graph = helper.make_graph(
        nodes,
        task,
        [helper.make_tensor_value_info("images", TensorProto.UINT8, any_side)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, _SHAPES[task == "pnet", name]) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return attach_card(model, _card(task, size, channels, outputs))


def _card(task: str, size: int, channels: int, outputs: tuple[str, ...]) -> ModelCard:
    crops = {"pnet": Window(2, size), "lnet": PointPatches(0.25), "proposer": Grid((8, 16, 32), 10.0, 340.0)}
    return ModelCard(
        name=f"square-{task}",
        task=task,
        input=InputSpec(size, channels, "RGB", 0.0, 1.0),
        crop=crops.get(task, SquareBox(1.0)),
        output=OutputSpec(outputs),
        license="MIT",
        training_data="none: made by hand",
        source="tests",
        scores={"squares": 1.0},
        parameters=0,
    )


_WINDOW = 48
"""Side of what a cell of the proposer sees: it must hold one white square and no part of another."""


def _proposer() -> bytes:
    """A graph whose cells see the white square around them by its area and centroid; only stride 8 finds any.

    With m white pixels and their mean (x, y) from the center of the cell, the box is ``BOX / SQUARE`` sqrt(m) wide
    and the score sigmoid(m - 20) sigmoid(2 (9 - |x| - |y|)).
    """
    node, white = helper.make_node, 1 / (3 * 255)
    steps = np.arange(_WINDOW, dtype=np.float32) - (_WINDOW - 1) / 2
    x, y = np.broadcast_to(steps, (_WINDOW, _WINDOW)), np.broadcast_to(steps[:, None], (_WINDOW, _WINDOW))
    kernels = np.stack([np.ones_like(x), -x, -y, x, y])[:, None] * np.float32(white)
    constants = {
        "kernels": np.broadcast_to(kernels, (5, 3, _WINDOW, _WINDOW)).astype(np.float32),
        "sizes": np.array([1, 4]),
        "one": np.float32([1]),
        "twenty": np.float32([20]),
        "eighteen": np.float32([18]),
        "half_side": np.float32([BOX / SQUARE / 2]),
        "channel": np.array([1]),
        "points": FIVE.reshape(1, 10, 1, 1),
        "nothing": np.zeros((15, 3, 1, 1), np.float32),
    }
    nodes = [
        node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        node("Transpose", ["floats"], ["x"], perm=[0, 3, 1, 2]),
        node("Conv", ["x", "kernels"], ["sums"], strides=[8, 8], pads=[_WINDOW // 2 - 4] * 4),
        node("Split", ["sums", "sizes"], ["mass", "moments"], axis=1),
        node("Max", ["mass", "one"], ["at_least_one"]),
        node("Div", ["moments", "at_least_one"], ["shifts"]),
        node("Sqrt", ["at_least_one"], ["side"]),
        node("Mul", ["side", "half_side"], ["half"]),
        node("Add", ["shifts", "half"], ["distances"]),
        node("Abs", ["shifts"], ["away"]),
        node("ReduceSum", ["away", "channel"], ["twice"]),
        node("Sub", ["eighteen", "twice"], ["near"]),
        node("Sigmoid", ["near"], ["nearness"]),
        node("Sub", ["mass", "twenty"], ["excess"]),
        node("Sigmoid", ["excess"], ["presence"]),
        node("Mul", ["nearness", "presence"], ["score"]),
        node("Shape", ["score"], ["map"]),
        node("Expand", ["points", "map"], ["places"]),
        node("Concat", ["score", "distances", "places"], ["stride8"], axis=1),
        node("Conv", ["x", "nothing"], ["stride16"], strides=[16, 16]),
        node("Conv", ["x", "nothing"], ["stride32"], strides=[32, 32]),
    ]
    outputs = ("stride8", "stride16", "stride32")
    graph = helper.make_graph(
        nodes,
        "proposer",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 15, "H", "W"]) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return attach_card(model, _card("proposer", 32, 3, outputs))


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each network of the two methods."""
    folder = tmp_path_factory.mktemp("networks")
    (folder / "proposer.onnx").write_bytes(_proposer())
    for task, size, channels, stride in (
        ("pnet", 12, 3, 2),
        ("rnet", 24, 3, 0),
        ("onet", 48, 3, 0),
        ("refiner", 48, 3, 0),
        ("lnet", 24, 15, 0),
    ):
        (folder / f"{task}.onnx").write_bytes(_network(task, size, channels, stride))
    write_manifest(folder)
    return folder


POSE = (10, -20, 5)


@pytest.fixture(scope="session")
def landmark_detector(face68: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a network that sees the same 68 points in every box, both contours alike, and ``POSE``."""
    size, answers = (
        16,
        {"landmarks": np.tile(face68.ravel(), 2), "uncertainty": np.full(2 * 68, 0.02), "pose": np.array(POSE)},
    )
    shapes = {"landmarks": [-1, 2, 68, 2], "uncertainty": [-1, 2, 68], "pose": [-1, 3]}
    node = helper.make_node
    nodes = [
        node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        node("Transpose", ["floats"], ["x"], perm=[0, 3, 1, 2]),
    ]
    constants = []
    for name, answer in answers.items():
        nodes += [
            node("Conv", ["x", f"{name}_w", f"{name}_b"], [f"{name}_flat"]),
            node("Reshape", [f"{name}_flat", f"{name}_shape"], [name]),
        ]
        constants += [
            numpy_helper.from_array(np.zeros((len(answer), 3, size, size), np.float32), f"{name}_w"),
            numpy_helper.from_array(answer.astype(np.float32), f"{name}_b"),
            numpy_helper.from_array(np.array(shapes[name]), f"{name}_shape"),
        ]
    graph = helper.make_graph(
        nodes,
        "landmarks68",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", size, size, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shapes[name][1:]]) for name in answers],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    card = ModelCard(
        name="same-landmarks",
        task="landmarks68",
        input=InputSpec(size, 3, "RGB", 0.0, 1.0),
        crop=StretchedBox(1.0),
        output=OutputSpec(tuple(answers), {"landmarks": ("visible", "3d")}),
        license="MIT",
        training_data="none: made by hand",
        source="tests",
        scores={},
        parameters=0,
    )
    path = tmp_path_factory.mktemp("landmarks") / "same.onnx"
    path.write_bytes(attach_card(model, card))
    return str(path)


@pytest.fixture
def shipped(networks: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """These networks in the place of the shipped ones."""
    monkeypatch.setattr("mien.models.manifest.WEIGHTS", networks)
    return networks


def squares(*corners: tuple[int, int], width: int = 200, height: int = 160) -> np.ndarray:
    """White squares of ``SQUARE`` pixels on black; each is a face of ``BOX`` pixels round the same center."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in corners:
        image[y : y + SQUARE, x : x + SQUARE] = 255
    return image


Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """Write an image of squares below the working folder, which is ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, *corners: tuple[int, int]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, squares(*corners))
        return path

    return write
