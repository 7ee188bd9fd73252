"""Export a network to one .onnx file with its card, checked against torch."""

import copy
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mien.errors import ExportMismatch
from mien.io import atomic_write
from mien.models import Grid, Window, open_model
from mien.models.attach import attach_card
from mien.train.task import Exportable, Images

OPSET = 17
TOLERANCE = 1e-4
"""Largest difference allowed between torch and ONNX Runtime, in units of the value where that is above 1."""

_MIN_HALF_SIZE = 256
"""Constants with fewer values stay in 32 bits."""


def export(task: Exportable, network: nn.Module, path: Path, metrics: dict[str, float]) -> Path:
    """Write ``network`` with its card to ``path`` and return ``path``. ``network`` is not changed.

    Raises:
        ExportMismatch: Torch and ONNX Runtime differ by more than TOLERANCE on the task's example crops; nothing
            was written.
    """
    card = task.card(metrics)
    module = task.exportable(copy.deepcopy(network).cpu().eval()).eval()
    any_size = isinstance(card.crop, Window | Grid)
    names = card.output.names
    example = task.example()
    with atomic_write(path) as part:
        if task.half_precision_weights:
            _fuse(module)
            _round_to_half(module)
        _write_graph(part, module, example, names, any_size=any_size)
        if not any_size:
            _state_shapes(part, _in_torch(module, example[:1]))
        if task.half_precision_weights:
            _store_in_half(part)
        part.write_bytes(attach_card(onnx.load(part), card))
        model = open_model(part, card.task)
        for images in _trials(example, any_size=any_size):
            _compare(path, names, _in_torch(module, images), model.run(images))
    return path


def _write_graph(path: Path, module: nn.Module, example: Images, outputs: tuple[str, ...], *, any_size: bool) -> None:
    """Write the module as an ONNX file; batch normalization after a convolution is folded into it."""
    dynamic = {0: "n", 1: "h", 2: "w"} if any_size else {0: "n"}
    # The second image keeps the tracer from taking a batch of one for a constant.
    pair = torch.from_numpy(np.repeat(example[:1], 2, axis=0))
    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated, but the new one needs onnxscript, does not fold as well, and
        # gives these small networks nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (pair,),
            path,
            input_names=["images"],
            output_names=list(outputs),
            dynamic_axes={"images": dynamic} | {name: {0: "n"} for name in outputs},
            opset_version=OPSET,
            dynamo=False,
        )


def _state_shapes(path: Path, outputs: tuple[NDArray[np.float32], ...]) -> None:
    """Write the sizes of all axes but the first, which the exporter cannot always infer, into the graph's outputs."""
    model = onnx.load(path)
    for declared, output in zip(model.graph.output, outputs, strict=True):
        for axis, size in zip(declared.type.tensor_type.shape.dim[1:], output.shape[1:], strict=True):
            axis.dim_value = size
    onnx.save(model, path)


def _fuse(module: nn.Module) -> None:
    """Fold batch normalization into the convolution before it, wherever one follows the other."""
    for child in module.modules():
        if not isinstance(child, nn.Sequential):
            continue
        for i in range(len(child) - 1):
            convolution, norm = child[i], child[i + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                child[i], child[i + 1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()


@torch.no_grad()
def _round_to_half(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.numel() >= _MIN_HALF_SIZE:
            parameter.copy_(parameter.half().float())


def _store_in_half(path: Path) -> None:
    """Store large constants in 16 bits, to be cast to 32 when the file is opened; rounded weights lose nothing."""
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for constant in list(graph.initializer):
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < _MIN_HALF_SIZE:
            continue
        narrow = onnx.numpy_helper.from_array(values.astype(np.float16), f"{constant.name}.half")
        casts.append(onnx.helper.make_node("Cast", [narrow.name], [constant.name], to=onnx.TensorProto.FLOAT))
        graph.initializer.remove(constant)
        graph.initializer.append(narrow)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def _trials(example: Images, *, any_size: bool) -> list[Images]:
    """Return batches of several sizes, to detect one that tracing froze."""
    if any_size:
        return [example[i : i + 1] for i in range(len(example))] + [np.tile(example[:1], (1, 2, 3, 1))]
    return [example, example[:1]]


def _in_torch(module: nn.Module, images: Images) -> tuple[NDArray[np.float32], ...]:
    with torch.no_grad():
        return tuple(output.numpy() for output in module(torch.from_numpy(images)))


def _compare(
    path: Path,
    names: tuple[str, ...],
    trained: tuple[NDArray[np.float32], ...],
    exported: tuple[NDArray[np.float32], ...],
) -> None:
    if not len(names) == len(trained) == len(exported):
        raise ExportMismatch(
            f"{path}: the card names {len(names)} outputs, torch gives {len(trained)}, "
            f"the file {len(exported)}; nothing was written"
        )
    for name, ours, theirs in zip(names, trained, exported, strict=True):
        if ours.shape != theirs.shape:
            raise ExportMismatch(
                f"{path}: output {name!r} is {ours.shape} in torch and {theirs.shape} in ONNX Runtime; "
                "nothing was written"
            )
        worst = float((np.abs(ours - theirs) / np.maximum(np.abs(ours), 1)).max(initial=0.0))
        if not worst <= TOLERANCE:  # a NaN is a difference, too
            raise ExportMismatch(
                f"{path}: output {name!r} differs by {worst:.3g} between torch and ONNX Runtime "
                f"(allowed: {TOLERANCE:g}); nothing was written"
            )
