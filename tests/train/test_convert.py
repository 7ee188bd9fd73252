"""Conversion of facenet-pytorch's weights: made-up weights in its format must compute the same in ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import ModelMismatch, ModelMissing
from mien.models import InputSpec, Window, open_model
from mien.train.convert import convert_facenet

State = dict[str, Tensor]

CONVOLUTIONS = {
    "pnet": [("1", 3, 10, 3), ("2", 10, 16, 3), ("3", 16, 32, 3)],
    "rnet": [("1", 3, 28, 3), ("2", 28, 48, 3), ("3", 48, 64, 2)],
    "onet": [("1", 3, 32, 3), ("2", 32, 64, 3), ("3", 64, 64, 3), ("4", 64, 128, 2)],
}
"""Of each network: number of the layer, channels in and out, kernel."""

POOLS = {"pnet": {"1": 2}, "rnet": {"1": 3, "2": 3}, "onet": {"1": 3, "2": 3, "3": 2}}
"""After which layer there is a pool, and its kernel; the stride is two, the last window may be cut off."""

DENSE = {"rnet": ("dense4", "prelu4", 576, 128), "onet": ("dense5", "prelu5", 1152, 256)}

HEADS = {
    "pnet": ["conv4_1", "conv4_2"],
    "rnet": ["dense5_1", "dense5_2"],
    "onet": ["dense6_1", "dense6_2", "dense6_3"],
}
"""Background and face, four offsets, five x and five y."""

SIZES = {"pnet": 31, "rnet": 24, "onet": 48}


def _made_up(name: str) -> State:
    torch.manual_seed(len(name))
    state: State = {}

    def keep(layer: str, module: nn.Module) -> None:
        state.update({f"{layer}.{key}": value for key, value in module.state_dict().items()})

    for number, inputs, outputs, kernel in CONVOLUTIONS[name]:
        keep(f"conv{number}", nn.Conv2d(inputs, outputs, kernel))
        state[f"prelu{number}.weight"] = torch.rand(outputs)
    features = CONVOLUTIONS[name][-1][2]
    if name in DENSE:
        dense, prelu, inputs, features = DENSE[name]
        keep(dense, nn.Linear(inputs, features))
        state[f"{prelu}.weight"] = torch.rand(features)
    for head, outputs in zip(HEADS[name], (2, 4, 10), strict=False):
        keep(head, nn.Conv2d(features, outputs, 1) if name == "pnet" else nn.Linear(features, outputs))
    return state


def _theirs(name: str, state: State, images: np.ndarray) -> list[np.ndarray]:
    """What facenet-pytorch computes, written down from its description; scores are those of "face"."""
    x = torch.from_numpy((images.astype(np.float32) - 127.5) * 0.0078125).permute(0, 3, 1, 2)
    for number, *_ in CONVOLUTIONS[name]:
        x = functional.conv2d(x, state[f"conv{number}.weight"], state[f"conv{number}.bias"])
        x = functional.prelu(x, state[f"prelu{number}.weight"])
        if number in POOLS[name]:
            x = functional.max_pool2d(x, POOLS[name][number], 2, ceil_mode=True)
    if name in DENSE:
        dense, prelu, *_ = DENSE[name]
        columns_first = x.permute(0, 3, 2, 1).flatten(1)
        x = functional.linear(columns_first, state[f"{dense}.weight"], state[f"{dense}.bias"])
        x = functional.prelu(x, state[f"{prelu}.weight"])
    layer = functional.conv2d if name == "pnet" else functional.linear
    heads = [layer(x, state[f"{head}.weight"], state[f"{head}.bias"]) for head in HEADS[name]]
    scores, offsets, *points = [head.permute(0, 2, 3, 1) if name == "pnet" else head for head in heads]
    pairs = [torch.stack([found[:, :5], found[:, 5:]], dim=2).numpy() for found in points]
    return [scores.softmax(-1)[..., 1].numpy(), offsets.numpy(), *pairs]


@pytest.fixture(scope="module")
def states() -> dict[str, State]:
    return {name: _made_up(name) for name in SIZES}


@pytest.fixture(scope="module")
def folder(states: dict[str, State], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facenet")
    for name, state in states.items():
        torch.save(state, folder / f"{name}.pt")
    return folder


@pytest.fixture(scope="module")
def converted(folder: Path) -> list[Path]:
    return convert_facenet(folder, folder / "new" / "folder")


@pytest.mark.parametrize("name", list(SIZES))
def test_the_converted_network_computes_what_the_original_does(
    name: str, states: dict[str, State], converted: list[Path]
) -> None:
    path = next(path for path in converted if path.stem == name)
    model = open_model(path, name)
    count, size = (1 if name == "pnet" else 7), SIZES[name]
    images = np.random.default_rng(1).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    ours, theirs = model.run(images), _theirs(name, states[name], images)
    assert [output.shape for output in ours] == [output.shape for output in theirs]
    for our, their in zip(ours, theirs, strict=True):
        # float32 sums of some thousand terms in another order
        np.testing.assert_allclose(our, their, atol=2e-5)
        assert their.std() > 1e-4, "made-up weights that answer the same to everything prove nothing"


def test_the_card_says_whose_weights_these_are(converted: list[Path]) -> None:
    card = open_model(converted[2], "onet").card
    assert [path.name for path in converted] == ["pnet.onnx", "rnet.onnx", "onet.onnx"]
    assert card.license.startswith("MIT (facenet-pytorch)")
    assert "WIDER FACE" in card.training_data
    assert "CelebA" in card.training_data
    assert "facenet_pytorch/data/onet.pt" in card.source
    assert card.input == InputSpec(48, 3, "RGB", 127.5, 1 / 128)
    assert card.output.names == ("scores", "offsets", "keypoints")
    assert card.parameters == 389_040


def test_pnet_has_the_windows_of_the_paper(converted: list[Path]) -> None:
    card = open_model(converted[0], "pnet").card
    assert (card.crop, card.input.size) == (Window(2, 12), 12)


def test_a_missing_file_is_named_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    for name in ("pnet", "onet"):
        (tmp_path / f"{name}.pt").write_bytes((folder / f"{name}.pt").read_bytes())
    with pytest.raises(ModelMissing, match=r"rnet\.pt"):
        convert_facenet(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"not weights", "is not a file of torch weights"),
        ([1, 2], "holds a list, not named tensors"),
        ({"conv1.weight": torch.zeros(1)}, "lacks .*'conv1.bias'"),
    ],
)
def test_a_file_of_something_else_is_refused(content: object, complaint: str, folder: Path, tmp_path: Path) -> None:
    for name in SIZES:
        (tmp_path / f"{name}.pt").write_bytes((folder / f"{name}.pt").read_bytes())
    if isinstance(content, bytes):
        (tmp_path / "rnet.pt").write_bytes(content)
    else:
        torch.save(content, tmp_path / "rnet.pt")
    with pytest.raises(ModelMismatch, match=complaint):
        convert_facenet(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("layer", ["conv1.weight", "dense5.weight", "dense6_3.bias"])
def test_a_layer_of_another_size_is_refused(layer: str, states: dict[str, State], folder: Path, tmp_path: Path) -> None:
    for name in ("pnet", "rnet"):
        (tmp_path / f"{name}.pt").write_bytes((folder / f"{name}.pt").read_bytes())
    short = {key: value[:-1] if key == layer else value for key, value in states["onet"].items()}
    torch.save(short, tmp_path / "onet.pt")
    with pytest.raises(ModelMismatch, match=r"onet\.pt is not the onet of facenet-pytorch"):
        convert_facenet(tmp_path, tmp_path / "out")
