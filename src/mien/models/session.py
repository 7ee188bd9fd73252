"""Locate, verify, open and run ONNX models. The only module that imports onnxruntime."""

from __future__ import annotations

import difflib
import os

# ONNX Runtime 1.29 and newer reports to Microsoft unless this is set before its first import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as _state

from mien.errors import BadOption, ModelMismatch, ModelMissing
from mien.models import manifest
from mien.models.card import CARD_KEY, ModelCard
from mien.types import Floats

_INPUT = "images"
_MAX_THREADS = 4
_UNUSABLE = (
    _state.Fail,
    _state.InvalidArgument,
    _state.InvalidGraph,
    _state.InvalidProtobuf,
    _state.NotImplemented,
    _state.RuntimeException,
)


class Model(Protocol):
    """A network that can be run: :class:`OnnxModel`, or a fake in a test."""

    @property
    def card(self) -> ModelCard:
        """The contract of the network."""

    def run(self, batch: NDArray[np.uint8]) -> tuple[Floats, ...]:
        """Return the outputs in the order of ``card.output.names`` for RGB crops (n, h, w, channels)."""


ModelPath: TypeAlias = str | os.PathLike[str]
"""The name of a shipped model, or the path of a file."""

ModelSource: TypeAlias = ModelPath | Model
"""The name of a shipped model, the path of a file, or an opened model."""


class OnnxModel:
    """An opened ONNX file; see :func:`open_model`. Threads may share it; a pickled one reopens its file."""

    __slots__ = ("_card", "_reopen", "_session")

    def __init__(self, card: ModelCard, session: Any, reopen: Callable[[], Model]) -> None:
        self._card = card
        self._session = session
        self._reopen = reopen

    def __repr__(self) -> str:
        return f"OnnxModel({self._card.name!r}, task={self._card.task!r})"

    def __reduce__(self) -> tuple[Callable[[], Model], tuple[()]]:
        return self._reopen, ()

    @property
    def card(self) -> ModelCard:
        """The contract of the network."""
        return self._card

    def run(self, batch: NDArray[np.uint8]) -> tuple[Floats, ...]:
        """Return the outputs in the order of ``card.output.names``.

        Args:
            batch: RGB crops uint8 (n, h, w, channels); n may be 0. Channels beyond three are further crops.

        Raises:
            BadOption: The batch has another type or shape.
        """
        spec = self._card.input
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[3] != spec.channels:
            wanted = f"uint8 (n, h, w, {spec.channels})"
            raise BadOption(f"{self._card.name} takes {wanted}, not {batch.dtype} {batch.shape}")
        if not len(batch):
            return self._empty_outputs()
        if spec.color == "BGR":
            batch = batch.reshape(*batch.shape[:3], -1, 3)[..., ::-1].reshape(batch.shape)
        return tuple(self._session.run(list(self._card.output.names), {_INPUT: batch}))

    def _empty_outputs(self) -> tuple[Floats, ...]:
        """Return the outputs for no crops; axes of unknown length have length 0."""
        shapes = {node.name: node.shape for node in self._session.get_outputs()}
        sides = [[side if isinstance(side, int) else 0 for side in shapes[name]] for name in self._card.output.names]
        return tuple(np.zeros((0, *shape[1:]), dtype=np.float32) for shape in sides)


def open_model(
    source: ModelSource, task: str, *, threads: int | None = None, providers: Sequence[str] | None = None
) -> Model:
    """Open a model for a task.

    Args:
        source: Name of a shipped model ("pnet"), path of an .onnx file, or an opened model (returned unchanged).
        task: The task that its card must state, such as "pnet".
        threads: Threads within one call; by default one per available core, at most four.
        providers: ONNX Runtime execution providers, best first; by default the CPU.

    Raises:
        ModelMissing: There is no such model.
        ModelMismatch: The file has no model card, is for another task, or is damaged.
        BadOption: Invalid ``threads`` or ``providers``.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _for_task(source, task)
    path = model_path(source)
    session = _create_session(path, _options(threads), _providers(providers))
    card = _card(path, session)
    inputs = [node.name for node in session.get_inputs()]
    outputs = {node.name for node in session.get_outputs()}
    if inputs != [_INPUT] or not outputs.issuperset(card.output.names):
        raise ModelMismatch(
            f"{path} has inputs {inputs} and outputs {sorted(outputs)}, but its card promises {[_INPUT]} and "
            f"{list(card.output.names)}; export it again"
        )
    again = source if _is_shipped(source) else path.absolute()
    reopen = partial(open_model, again, task, threads=threads, providers=providers)
    return _for_task(OnnxModel(card, session, reopen), task)


def list_models() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.stem for path in manifest.WEIGHTS.glob("*.onnx"))


def read_card(source: ModelPath) -> ModelCard:
    """Return the card of a shipped model or of a file. Raises ModelMissing, ModelMismatch."""
    path = model_path(source)
    options = _options(1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # opens faster
    return _card(path, _create_session(path, options, _providers(None)))


def model_path(source: ModelPath) -> Path:
    """Return the file of a shipped model, or of a path that has a folder or the suffix .onnx. Raises ModelMissing."""
    shipped = _is_shipped(source)
    path = manifest.WEIGHTS / f"{source}.onnx" if shipped else Path(source)
    if path.is_file():
        return path
    kind = "shipped model has that name" if shipped else "such file"
    names = list_models()
    similar = difflib.get_close_matches(str(source), names, 1) if shipped else []
    hint = f"did you mean {similar[0]!r}? Or give" if similar else "give"
    listed = ", ".join(names) or "none"
    raise ModelMissing(f"{os.fspath(source)!r}: no {kind}; {hint} a path to an .onnx file or one of: {listed}")


def available_providers() -> list[str]:
    """Return the execution providers of the installed ONNX Runtime, best first."""
    providers: list[str] = onnxruntime.get_available_providers()
    return providers


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_shipped(source: ModelPath) -> bool:
    return isinstance(source, str) and Path(source).name == source and Path(source).suffix != ".onnx"


def _for_task(model: Model, task: str) -> Model:
    if model.card.task != task:
        raise ModelMismatch(f"{model.card.name} is for the task {model.card.task!r}; give a {task} model")
    return model


def _create_session(path: Path, options: Any, providers: list[str]) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if path.parent == manifest.WEIGHTS:
        manifest.verify(path, data)
    try:
        return onnxruntime.InferenceSession(data, options, providers=providers)
    except _UNUSABLE as error:
        version = onnxruntime.__version__
        raise ModelMismatch(f"{path} cannot be opened by ONNX Runtime {version} ({error}); fetch it again") from error


def _card(path: Path, session: Any) -> ModelCard:
    metadata = session.get_modelmeta().custom_metadata_map
    if CARD_KEY not in metadata:
        raise ModelMismatch(f"{path} has no model card; export it with mien train, or use mien convert")
    try:
        return ModelCard.from_json(metadata[CARD_KEY])
    except ModelMismatch as error:
        raise ModelMismatch(f"{path} cannot be used: {error}") from error


def _providers(wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        return ["CPUExecutionProvider"]
    available = onnxruntime.get_available_providers()
    if not isinstance(wanted, (list, tuple)) or not wanted or any(name not in available for name in wanted):
        raise BadOption(f"providers={wanted!r}: give a list of some of {available}, or None for the CPU")
    return list(wanted)


def _options(threads: int | None) -> Any:
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise BadOption(f"threads={threads!r}: must be a whole number, 1 or more, or None for the default")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(cores(), _MAX_THREADS)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Memory patterns are kept for each input shape, and P-Net sees many: 473 against 317 MB, and no faster.
    options.enable_mem_pattern = False
    # Spinning threads take the core from other work: 30 to 100 % slower on two shared cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
