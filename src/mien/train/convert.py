"""Convert the MTCNN weights that facenet-pytorch publishes into our files.

They are the MTCNN authors' own weights, by way of several ports. facenet-pytorch flattens a feature map as (width,
height, channel), returns five x and then five y, and a softmax over (background, face). Our networks flatten (channel,
height, width), return pairs, and the sigmoid of the difference of the two logits, which is the same number.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import ModelMismatch, ModelMissing
from mien.models import InputSpec, ModelCard, OutputSpec, SquareBox
from mien.train.export import export
from mien.train.networks import pnet
from mien.train.networks.deployed import MEAN, SCALE, Deployed
from mien.train.networks.onet import PaperONet
from mien.train.networks.pnet import PaperPNet
from mien.train.networks.rnet import PaperRNet
from mien.train.task import Images
from mien.train.tasks.refinement import activate

State = dict[str, Tensor]

LICENSE = "MIT (facenet-pytorch); the images it was trained on are research data"
DATA = "WIDER FACE and CelebA, by the authors of MTCNN, as they published it"
SOURCE = "facenet-pytorch, facenet_pytorch/data/{}.pt, by mien convert"

_CONVOLUTIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"pnet": (0, 2, 3), "rnet": (0, 2, 4), "onet": (0, 2, 4, 6)}
)
"""Places of the convolutions in our ``body``; theirs are conv1, conv2 and so on, each followed by a PReLU."""

_OTHERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "pnet": {"score": "conv4_1", "offsets": "conv4_2"},
        "rnet": {"dense.1": "dense4", "dense.2": "prelu4", "score": "dense5_1", "offsets": "dense5_2"},
        "onet": {
            "dense.1": "dense5",
            "dense.3": "prelu5",
            "score": "dense6_1",
            "offsets": "dense6_2",
            "keypoints": "dense6_3",
        },
    }
)
"""Their name of each of our other layers."""

PaperNet = PaperPNet | PaperRNet | PaperONet

_NETWORKS: Mapping[str, type[PaperNet]] = MappingProxyType({"pnet": PaperPNet, "rnet": PaperRNet, "onet": PaperONet})


def convert_facenet(directory: Path, out_dir: Path) -> list[Path]:
    """Convert facenet-pytorch's pnet.pt, rnet.pt, onet.pt; nothing is written before all three have been read.

    Args:
        directory: The folder ``facenet_pytorch/data`` of its wheel.
        out_dir: Where pnet.onnx, rnet.onnx and onet.onnx go; created if it does not exist.

    Returns:
        The paths of the files.

    Raises:
        ModelMissing: A file does not exist.
        ModelMismatch: A file holds something else.
    """
    networks = {name: _network(name, directory / f"{name}.pt") for name in _NETWORKS}
    out_dir.mkdir(parents=True, exist_ok=True)
    return [
        export(_Conversion(name, network), network, out_dir / f"{name}.onnx", {}) for name, network in networks.items()
    ]


def _network(name: str, path: Path) -> PaperNet:
    """Return our network of this name with the weights of their file."""
    theirs = _read(path)
    layers = _layers(name)
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
    network.eval()
    return network


def _layers(name: str) -> dict[str, str]:
    """Return their name of each of our layers."""
    layers = dict(_OTHERS[name])
    for number, place in enumerate(_CONVOLUTIONS[name], 1):
        layers |= {f"body.{place}.0": f"conv{number}", f"body.{place}.1": f"prelu{number}"}
    return layers


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
    """Reorder the weights of the dense layer and of the keypoints to our layout."""
    out = dict(state)
    if "dense.1.weight" in out and out["dense.1.weight"].shape[1] % 9 == 0:
        weight = out["dense.1.weight"]
        columns_first = weight.reshape(len(weight), 3, 3, -1)
        out["dense.1.weight"] = columns_first.permute(0, 3, 2, 1).flatten(1)
    for name in ("keypoints.weight", "keypoints.bias"):
        if name in out and len(out[name]) == 10:
            out[name] = out[name].reshape(2, 5, *out[name].shape[1:]).transpose(0, 1).flatten(0, 1)
    return out


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A converted network, ready for export."""

    name: str
    network: PaperNet
    half_precision_weights: bool = False

    def example(self) -> Images:
        """Return fine and coarse noise: enough to compare two engines."""
        size = {"pnet": 40, "rnet": 24, "onet": 48}[self.name]
        fine = np.random.default_rng(0).integers(0, 256, (12, size, size, 3), dtype=np.uint8)
        coarse = np.repeat(np.repeat(fine[:, ::4, ::4], 4, axis=1), 4, axis=2)
        return np.concatenate([fine, coarse])

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 images to scores, offsets and keypoints."""
        return Deployed(network, pnet.activate if isinstance(network, PaperPNet) else activate)

    def card(self, metrics: dict[str, float]) -> ModelCard:
        """Return the card, which names the authors of the weights."""
        network = self.network
        return ModelCard(
            name=f"facenet-{self.name}",
            task=self.name,
            input=InputSpec(network.input_size, 3, "RGB", MEAN, SCALE),
            crop=network.crop if isinstance(network, PaperPNet) else SquareBox(1.0),
            output=OutputSpec(network.outputs),
            license=LICENSE,
            training_data=DATA,
            source=SOURCE.format(self.name),
            scores=metrics,
            parameters=sum(value.numel() for value in network.parameters()),
        )
