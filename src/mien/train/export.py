"""From a trained network to one self-describing .onnx file that provably computes the same."""

import copy
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mien import models
from mien.errors import ExportMismatch
from mien.files import whole_file
from mien.train.task import Exportable, Pictures

OPSET = 17
TOLERANCE = 1e-4
"""Largest difference allowed between torch and ONNX Runtime; all outputs are scores or fractions of a box."""

FULLY_CONVOLUTIONAL = frozenset({"pnet"})
"""Tasks whose graph takes pictures of any height and width, one at a time."""


def export(task: Exportable, network: nn.Module, path: Path, measures: dict[str, float]) -> Path:
    """Write `network` with its card to `path`, whole or not at all, and return `path`.

    Raises ExportMismatch, and writes nothing, when torch and ONNX Runtime differ on the task's example crops
    by more than TOLERANCE anywhere. `network` itself is not changed.
    """
    card = task.card(measures)
    module = task.exportable(copy.deepcopy(network).cpu().eval()).eval()
    anyhow = card.task in FULLY_CONVOLUTIONAL
    example = task.example()
    with whole_file(path) as part:
        _write_graph(part, module, example, card.outputs, any_size=anyhow)
        part.write_bytes(models.attach_card(part.read_bytes(), card))
        model = models.open_model(part, card.task)
        for pictures in _trials(example, any_size=anyhow):
            _compare(path, card.outputs, _in_torch(module, pictures), model.run(pictures))
    return path


def _write_graph(path: Path, module: nn.Module, example: Pictures, outputs: tuple[str, ...], *, any_size: bool) -> None:
    """The module as an ONNX file; batch normalisation after a convolution is folded into it."""
    free = {0: "n", 1: "h", 2: "w"} if any_size else {0: "n"}
    # The second picture keeps the tracer from taking a batch of one for a constant.
    pair = torch.from_numpy(np.repeat(example[:1], 2, axis=0))
    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated, but the new one needs onnxscript, does not fold as well, and
        # gives these small networks nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (pair,),
            path,
            input_names=["pictures"],
            output_names=list(outputs),
            dynamic_axes={"pictures": free} | {name: {0: "n"} for name in outputs},
            opset_version=OPSET,
            dynamo=False,
        )


def _trials(example: Pictures, *, any_size: bool) -> list[Pictures]:
    """Batches of more than one size, so that a size frozen by tracing is noticed."""
    if any_size:
        return [example[i : i + 1] for i in range(len(example))] + [np.tile(example[:1], (1, 2, 3, 1))]
    return [example, example[:1]]


def _in_torch(module: nn.Module, pictures: Pictures) -> tuple[NDArray[np.float32], ...]:
    with torch.no_grad():
        return tuple(output.numpy() for output in module(torch.from_numpy(pictures)))


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
        worst = float(np.abs(ours - theirs).max(initial=0.0))
        if not worst <= TOLERANCE:  # a NaN is a difference, too
            raise ExportMismatch(
                f"{path}: output {name!r} differs by {worst:.3g} between torch and ONNX Runtime "
                f"(allowed: {TOLERANCE:g}); nothing was written"
            )
