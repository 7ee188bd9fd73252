"""Networks of one convolution each that take a white square on black for a face, as files with cards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.imaging import write_image
from mien.models import InputSpec, ModelCard, OutputSpec, PointPatches, SquareBox, StretchedBox, Window
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
    card = ModelCard(
        name=f"square-{task}",
        task=task,
        input=InputSpec(size, channels, "RGB", 0.0, 1.0),
        crop={"pnet": Window(2, size), "lnet": PointPatches(0.25)}.get(task, SquareBox(1.0)),
        output=OutputSpec(outputs),
        license="MIT",
        training_data="none: made by hand",
        source="tests",
        scores={"squares": 1.0},
        parameters=0,
    )
    return attach_card(model, card)


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pnet.onnx, rnet.onnx, onet.onnx and lnet.onnx."""
    folder = tmp_path_factory.mktemp("networks")
    for task, size, channels, stride in (
        ("pnet", 12, 3, 2),
        ("rnet", 24, 3, 0),
        ("onet", 48, 3, 0),
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
