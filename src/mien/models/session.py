"""Find a network's file, verify it, open it, run it. The only file that imports onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as Unsupported

from mien.errors import BadOption, ModelMismatch, ModelMissing
from mien.models.card import ModelCard, read_card
from mien.types import Floats

WEIGHTS = Path(__file__).parents[1] / "weights"
"""The folder of the shipped networks."""

_INPUT = "images"
_MAX_THREADS = 4


class Network(Protocol):
    """What the detector needs of a network: :class:`Model`, or a fake in a test."""

    @property
    def card(self) -> ModelCard:
        """The contract of the network."""

    def run(self, batch: NDArray[np.uint8]) -> tuple[Floats, ...]:
        """Outputs in the order of ``card.outputs`` for RGB crops (n, h, w, c)."""


NetworkSource: TypeAlias = str | os.PathLike[str] | Network
"""The name of a shipped network, the path of a file, or an opened network."""


def _load(path: Path) -> tuple[bytes, ModelCard]:
    data = path.read_bytes()
    try:
        return data, read_card(data)
    except ModelMismatch as error:
        raise ModelMismatch(f"{path} cannot be used: {error}") from error


def available() -> list[ModelCard]:
    """The cards of the shipped networks, by file name."""
    return [_load(path)[1] for path in sorted(WEIGHTS.glob("*.onnx"))]


def _locate(name_or_path: str | os.PathLike[str]) -> Path:
    """A bare word is a shipped network; anything with a folder or the suffix .onnx is a path."""
    path = Path(name_or_path)
    shipped = isinstance(name_or_path, str) and path.name == name_or_path and path.suffix != ".onnx"
    if shipped:
        path = WEIGHTS / f"{name_or_path}.onnx"
    if path.is_file():
        return path
    names = ", ".join(sorted(found.stem for found in WEIGHTS.glob("*.onnx"))) or "none"
    kind = "network of that name is shipped" if shipped else "such file"
    raise ModelMissing(f"{os.fspath(name_or_path)!r}: no {kind}; give a path to an .onnx file or one of: {names}")


def open_model(
    name_or_path: str | os.PathLike[str],
    task: str,
    *,
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> Model:
    """Open a shipped network by name, or any by path, for a task such as "pnet".

    ``threads``: threads inside one call (default: one a core this process may use, at most four).
    ``providers``: ONNX Runtime execution providers, best first (default: the CPU).
    Raises ModelMissing; ModelMismatch when the file has no card, another task, or was altered; BadOption.
    """
    path = _locate(name_or_path)
    data, card = _load(path)
    if card.task != task:
        raise ModelMismatch(f"{path} is for the task {card.task!r}, not {task!r}; give the file of a {task} network")
    options = _options(threads)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=_providers(providers))
    except (Fail, InvalidGraph, InvalidProtobuf, Unsupported) as error:
        raise ModelMismatch(f"{path} cannot be run by ONNX Runtime {onnxruntime.__version__}: {error}") from error
    inputs = [node.name for node in session.get_inputs()]
    outputs = {node.name for node in session.get_outputs()}
    if inputs != [_INPUT] or not outputs.issuperset(card.outputs):
        raise ModelMismatch(
            f"{path} has inputs {inputs} and outputs {sorted(outputs)}; its card promises {[_INPUT]} and "
            f"{list(card.outputs)}: export it again"
        )
    return Model(card, session)


def opened(
    source: NetworkSource, task: str, *, threads: int | None = None, providers: Sequence[str] | None = None
) -> Network:
    """The network itself, or what :func:`open_model` opens.

    Raises as :func:`open_model` does; ModelMismatch where an opened network is for another task.
    """
    if isinstance(source, (str, os.PathLike)):
        return open_model(source, task, threads=threads, providers=providers)
    if source.card.task != task:
        raise ModelMismatch(f"{source.card.name} is for the task {source.card.task!r}; give a {task} network")
    return source


def _providers(wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        return ["CPUExecutionProvider"]
    here = onnxruntime.get_available_providers()
    absent = [name for name in wanted if name not in here]
    if absent or not wanted:
        raise BadOption(f"providers={list(wanted)}: this ONNX Runtime offers {here}; choose from these")
    return list(wanted)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _options(threads: int | None) -> Any:
    if threads is not None and threads < 1:
        raise BadOption(f"threads={threads}: must be 1 or more, or None for the default")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(cores(), _MAX_THREADS)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Patterns are kept for each shape seen, and P-Net sees many: 473 against 317 MB, and no faster.
    options.enable_mem_pattern = False
    # Spinning threads steal the core from whoever else needs it: 30 to 100 % slower on two shared cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


class Model:
    """An opened network; :func:`open_model` makes it. Threads may share it."""

    __slots__ = ("_card", "_session")

    def __init__(self, card: ModelCard, session: Any) -> None:
        self._card = card
        self._session = session

    @property
    def card(self) -> ModelCard:
        """The contract of the network."""
        return self._card

    def run(self, batch: NDArray[np.uint8]) -> tuple[Floats, ...]:
        """Outputs in the order of ``card.outputs`` for RGB crops uint8 (n, h, w, 3 k); n may be 0.

        Raises BadOption for another type or shape.
        """
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[3] % 3:
            raise BadOption(f"{self._card.name} takes uint8 (n, h, w, 3 k), not {batch.dtype} {batch.shape}")
        if not len(batch):
            return self._nothing()
        if self._card.colour == "BGR":
            batch = batch.reshape(*batch.shape[:3], -1, 3)[..., ::-1].reshape(batch.shape)
        return tuple(self._session.run(list(self._card.outputs), {_INPUT: batch}))

    def _nothing(self) -> tuple[Floats, ...]:
        """Outputs for no crops: sides that the graph leaves open are 0."""
        shapes = {node.name: node.shape for node in self._session.get_outputs()}
        sides = [[side if isinstance(side, int) else 0 for side in shapes[name]] for name in self._card.outputs]
        return tuple(np.zeros((0, *shape[1:]), dtype=np.float32) for shape in sides)
