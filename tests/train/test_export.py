import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from mien import models
from mien.errors import ExportMismatch
from mien.train.export import export

from .tiny import TinyTask, tiny_recipe


@pytest.fixture
def task():
    return TinyTask(tiny_recipe())


def folded(network: nn.Module) -> nn.Module:
    """Running statistics that are not the neutral ones, so that folding has something to do."""
    with torch.no_grad():
        network.normalization.running_mean.fill_(0.3)
        network.normalization.running_var.fill_(2.0)
    return network


def test_the_file_computes_what_torch_computes(task, tmp_path):
    network = folded(task.network)
    path = export(task, network, tmp_path / "tiny.onnx", {"quality": 0.5})
    model = models.open_model(path, "rnet")
    images = np.random.default_rng(1).integers(0, 256, (7, 4, 4, 3), np.uint8)
    scores, offsets = model.run(images)
    with torch.no_grad():
        expected = task.exportable(network.eval())(torch.from_numpy(images))
    np.testing.assert_allclose(scores, expected[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(offsets, expected[1].numpy(), atol=1e-5)
    assert model.card.scores == {"quality": 0.5}
    assert model.card.output.names == ("scores", "offsets")
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.onnx"]


def test_the_network_is_left_as_it_was(task, tmp_path):
    task.network.train()
    export(task, task.network, tmp_path / "tiny.onnx", {})
    assert task.network.training
    assert task.network.convolution.weight.requires_grad


def test_dropout_and_batch_normalization_are_gone_from_the_file(task, tmp_path):
    path = export(task, folded(task.network), tmp_path / "tiny.onnx", {})
    kinds = {node.op_type for node in onnx.load(path).graph.node}
    assert "Conv" in kinds
    assert not kinds & {"BatchNormalization", "Dropout"}


def test_a_file_that_computes_something_else_is_refused(tmp_path):
    task = TinyTask(tiny_recipe(), noise=0.01)
    with pytest.raises(ExportMismatch, match=r"output 'scores' differs by 0\.0\d+ .*allowed: 0.0001"):
        export(task, task.network, tmp_path / "tiny.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_the_earlier_file_alone(task, tmp_path):
    path = export(task, task.network, tmp_path / "tiny.onnx", {})
    before = path.read_bytes()
    task.noise = 0.01
    with pytest.raises(ExportMismatch):
        export(task, task.network, path, {})
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_not_a_number_is_refused(task, tmp_path):
    nn.init.constant_(task.network.dense.bias, float("nan"))
    with pytest.raises(ExportMismatch, match="differs by nan"):
        export(task, task.network, tmp_path / "tiny.onnx", {})


class Window(nn.Module):
    """A P-Net of one layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        out = self.layer(images.permute(0, 3, 1, 2).float() / 255)
        return torch.sigmoid(out[:, 0]), out[:, 1:].permute(0, 2, 3, 1)


class WindowTask(TinyTask):
    def __init__(self) -> None:
        super().__init__(tiny_recipe(task="pnet"))
        self.network = nn.Conv2d(3, 5, 3, stride=2)

    def example(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (3, 13, 17, 3), np.uint8)

    def exportable(self, network: nn.Module) -> nn.Module:
        return Window(network)


def test_a_pnet_takes_images_of_any_size(tmp_path):
    task = WindowTask()
    model = models.open_model(export(task, task.network, tmp_path / "p.onnx", {}), "pnet")
    for height, width in [(3, 3), (20, 9), (31, 64)]:
        scores, offsets = model.run(np.zeros((1, height, width, 3), np.uint8))
        rows, columns = (height - 3) // 2 + 1, (width - 3) // 2 + 1
        assert scores.shape == (1, rows, columns)
        assert offsets.shape == (1, rows, columns, 4)


class Frozen(Window):
    """Takes the size it was traced with for a constant, as a careless network does."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = (int(side) for side in images.shape[1:3])
        scores, offsets = super().forward(images[:, : min(rows, 13), : min(columns, 17)])
        return scores, offsets if rows < 20 else 2 * offsets


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_pnet_that_is_right_only_at_the_size_it_was_traced_with_is_refused(tmp_path):
    class FrozenTask(WindowTask):
        def exportable(self, network: nn.Module) -> nn.Module:
            return Frozen(network)

    task = FrozenTask()
    with pytest.raises(ExportMismatch, match="output 'offsets' differs"):
        export(task, task.network, tmp_path / "p.onnx", {})


class Three(nn.Module):
    """One output more than the card names."""

    def __init__(self, two: nn.Module) -> None:
        super().__init__()
        self.two = two

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scores, offsets = self.two(images)
        return scores, offsets, offsets + 1


def test_a_card_with_another_number_of_outputs_is_refused(tmp_path):
    class Wordy(TinyTask):
        def exportable(self, network: nn.Module) -> nn.Module:
            return Three(super().exportable(network))

    task = Wordy(tiny_recipe())
    with pytest.raises(ExportMismatch, match="the card names 2 outputs, torch gives 3"):
        export(task, task.network, tmp_path / "tiny.onnx", {})
    assert list(tmp_path.iterdir()) == []
