"""A model small enough to check by hand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.models import InputSpec, ModelCard, OutputSpec, SquareBox
from mien.models.attach import attach_card

CARD = ModelCard(
    name="channel mean",
    task="rnet",
    input=InputSpec(4, 3, "RGB", 127.5, 0.0078125),
    crop=SquareBox(1.25),
    output=OutputSpec(("scores", "means"), {"means": ("all",)}),
    license="CC0",
    training_data="none: ünïcode",
    source="a test",
    scores={"ap": 0.5},
    parameters=1,
)


def tiny_graph(outputs=("means", "scores"), name="images") -> onnx.ModelProto:
    """scores (n,): twice the mean of the first channel; means (n, 1, 3): the mean of each channel."""
    weights = [
        numpy_helper.from_array(np.float32([2.0]), "weight"),
        numpy_helper.from_array(np.int64([0]), "zero"),
        numpy_helper.from_array(np.int64([1]), "one"),
    ]
    nodes = [
        helper.make_node("Cast", [name], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["flat_means"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["flat_means", "one"], ["means"]),
        helper.make_node("Slice", ["flat_means", "zero", "one", "one"], ["first"]),
        helper.make_node("Squeeze", ["first", "one"], ["flat"]),
        helper.make_node("Mul", ["flat", "weight"], ["scores"]),
    ]
    shapes = {"scores": ["n"], "means": ["n", 1, 3]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, shapes[out]) for out in outputs],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def tiny_file(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(attach_card(tiny_graph(), CARD))
    return path


@pytest.fixture
def batch():
    return np.random.default_rng(3).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
