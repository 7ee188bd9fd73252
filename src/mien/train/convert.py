"""Convert the MTCNN weights that facenet-pytorch publishes to our ONNX files.

These are the weights of the MTCNN authors, by way of several ports. The modules there flatten a map as (width,
height, channel), return five x and then five y, and a softmax over (background, face). Ours flatten (channel, height,
width), return pairs, and the sigmoid of the difference of the two logits, which is the same number.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import ModelMismatch, ModelMissing
from mien.models import InputSpec, ModelCard, OutputSpec, SquareBox, Window
from mien.train.engine.task import Images
from mien.train.export import export
from mien.train.networks import MEAN, OUTPUTS, SCALE, Deployed, PaperONet, PaperPNet, PaperRNet

State = dict[str, Tensor]

LICENSE = "MIT (facenet-pytorch); the images it was trained on are research data"
DATA = "WIDER FACE and CelebA, by the authors of MTCNN, as they published it"
SOURCE = "facenet-pytorch, facenet_pytorch/data/{}.pt, by mien convert"

_LAYERS: dict[str, dict[str, str]] = {
    "pnet": {
        "body.0.0": "conv1",
        "body.0.1": "prelu1",
        "body.2.0": "conv2",
        "body.2.1": "prelu2",
        "body.3.0": "conv3",
        "body.3.1": "prelu3",
        "score": "conv4_1",
        "offsets": "conv4_2",
    },
    "rnet": {
        "body.0.0": "conv1",
        "body.0.1": "prelu1",
        "body.2.0": "conv2",
        "body.2.1": "prelu2",
        "body.4.0": "conv3",
        "body.4.1": "prelu3",
        "dense.1": "dense4",
        "dense.2": "prelu4",
        "score": "dense5_1",
        "offsets": "dense5_2",
    },
    "onet": {
        "body.0.0": "conv1",
        "body.0.1": "prelu1",
        "body.2.0": "conv2",
        "body.2.1": "prelu2",
        "body.4.0": "conv3",
        "body.4.1": "prelu3",
        "body.6.0": "conv4",
        "body.6.1": "prelu4",
        "dense.1": "dense5",
        "dense.3": "prelu5",
        "score": "dense6_1",
        "offsets": "dense6_2",
        "points": "dense6_3",
    },
}
"""The name in facenet-pytorch of each of our layers."""

_NETWORKS: dict[str, type[PaperPNet | PaperRNet | PaperONet]] = {
    "pnet": PaperPNet,
    "rnet": PaperRNet,
    "onet": PaperONet,
}


def convert_facenet(directory: Path, out_dir: Path) -> list[Path]:
    """Convert facenet-pytorch's pnet.pt, rnet.pt, onet.pt to pnet.onnx, rnet.onnx, onet.onnx, and return their paths.

    Args:
        directory: The folder ``facenet_pytorch/data`` of the wheel.
        out_dir: Is created if missing. Nothing is written before all three files have been read.

    Raises:
        ModelMissing: A file does not exist.
        ModelMismatch: A file does not hold such a network.
    """
    networks = {name: _network(name, directory / f"{name}.pt") for name in _NETWORKS}
    out_dir.mkdir(parents=True, exist_ok=True)
    return [export(_Conversion(name), network, out_dir / f"{name}.onnx", {}) for name, network in networks.items()]


def _network(name: str, path: Path) -> nn.Module:
    """Return our network of this name with the weights of a file of facenet-pytorch."""
    theirs = _read(path)
    layers = _LAYERS[name]
    wanted = {f"{layer}.{kind}" for layer in layers.values() for kind in _kinds(layer)}
    if theirs.keys() != wanted:
        raise ModelMismatch(
            f"{path} is not the {name} of facenet-pytorch: it lacks {sorted(wanted - theirs.keys())} and has "
            f"unknown {sorted(theirs.keys() - wanted)}; give the folder of the package itself"
        )
    state = {f"{our}.{kind}": theirs[f"{layer}.{kind}"] for our, layer in layers.items() for kind in _kinds(layer)}
    network = _NETWORKS[name]()
    try:
        network.load_state_dict(_reordered(state))
    except RuntimeError as error:
        raise ModelMismatch(f"{path} is not the {name} of facenet-pytorch: {error}") from error
    return network.eval()


def _kinds(layer: str) -> tuple[str, ...]:
    return ("weight",) if layer.startswith("prelu") else ("weight", "bias")


def _read(path: Path) -> State:
    if not path.is_file():
        raise ModelMissing(f"{path}: no such file; give the folder facenet_pytorch/data of facenet-pytorch's wheel")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelMismatch(f"{path} is not a file of torch weights ({error}); fetch it again") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelMismatch(f"{path} holds a {type(state).__name__}, not named tensors; give facenet-pytorch's file")
    return dict(state)


def _reordered(state: State) -> State:
    """Return the weights with dense layers for our order of flattening and keypoints as pairs."""
    out = dict(state)
    if "dense.1.weight" in out and out["dense.1.weight"].shape[1] % 9 == 0:
        weight = out["dense.1.weight"]
        columns_first = weight.reshape(len(weight), 3, 3, -1)
        out["dense.1.weight"] = columns_first.permute(0, 3, 2, 1).flatten(1)
    for name in ("points.weight", "points.bias"):
        if name in out and len(out[name]) == 10:
            out[name] = out[name].reshape(2, 5, *out[name].shape[1:]).transpose(0, 1).flatten(0, 1)
    return out


@dataclass(frozen=True, slots=True)
class _Conversion:
    """The conversion of one network, as the export needs it."""

    name: str

    def example(self) -> Images:
        """Return fine and coarse noise, which is enough to compare two runtimes."""
        size = {"pnet": 40, "rnet": 24, "onet": 48}[self.name]
        fine = np.random.default_rng(0).integers(0, 256, (12, size, size, 3), dtype=np.uint8)
        coarse = np.repeat(np.repeat(fine[:, ::4, ::4], 4, axis=1), 4, axis=2)
        return np.concatenate([fine, coarse])

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the module that is exported."""
        return Deployed(network)

    def card(self, measures: dict[str, float]) -> ModelCard:
        """Return the card, which names the origin of the weights."""
        network = _NETWORKS[self.name]
        return ModelCard(
            name=f"facenet-{self.name}",
            task=self.name,
            input=InputSpec(network.input_size, 3, "RGB", MEAN, SCALE),
            crop=Window(network.stride, network.cell) if self.name == "pnet" else SquareBox(1.0),
            output=OutputSpec(OUTPUTS[self.name]),
            license=LICENSE,
            training_data=DATA,
            source=SOURCE.format(self.name),
            scores=measures,
            parameters=sum(value.numel() for value in network().parameters()),
        )
