"""The model card: what a network expects, what it returns and where it comes from.

The card travels as JSON in the metadata of the ``.onnx`` file, under the key :data:`CARD_KEY`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from mien.errors import ModelMismatch
from mien.models.crops import CROP_KINDS, CropSpec, require

CARD_KEY = "mien.card"

_T = TypeVar("_T")
_Crop = TypeVar("_Crop", bound=CropSpec)
_KIND_NAMES = MappingProxyType({kind: name for name, kind in CROP_KINDS.items()})
_HUGE = 1e300
_CURE = "export the network again with this version of mien"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Input of a network: uint8 images (n, size, size, channels).

    ``color``: channel order of the graph; callers always pass RGB. ``mean``, ``scale``: the normalization inside
    the graph, (value - mean) * scale. Fully convolutional networks accept any height and width of at least ``size``.
    """

    size: int
    channels: int
    color: Literal["RGB", "BGR"]
    mean: float
    scale: float

    def __post_init__(self) -> None:
        require(self.size >= 1, "input.size", self.size, "1 or more")
        require(self.channels >= 3 and self.channels % 3 == 0, "input.channels", self.channels, "a multiple of 3")


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Outputs of a network: their ``names`` in order, and ``labels`` along the first axis of an output per sample.

    The labels of "landmarks" are its contours; those of a classifier are its classes.
    """

    names: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.names
        require(len(set(names)) == len(names) > 0, "output.names", names, "different names, at least one")
        require(set(self.labels) <= set(names), "output.labels", list(self.labels), f"labels of {names}")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The contract and the provenance of a network.

    ``task``: what it is for, such as "pnet". ``scores``: measured results by metric. ``source``: how it was made.
    ``parameters``: number of trained values.
    """

    name: str
    task: str
    input: InputSpec
    crop: CropSpec
    output: OutputSpec
    license: str
    training_data: str
    source: str
    scores: Mapping[str, float]
    parameters: int

    def __post_init__(self) -> None:
        finite = all(math.isfinite(score) for score in self.scores.values())
        require(finite, "scores", dict(self.scores), "finite numbers")
        require(self.parameters >= 0, "parameters", self.parameters, "0 or more")

    def crop_as(self, kind: type[_Crop]) -> _Crop:
        """Return the crop specification. Raises ModelMismatch where it is of another kind."""
        if isinstance(self.crop, kind):
            return self.crop
        found, wanted = type(self.crop).__name__, kind.__name__
        raise ModelMismatch(f"{self.name} ({self.task}) takes crops of the kind {found}; give one that takes {wanted}")

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain data."""
        values = asdict(self)
        values["crop"] = {"kind": _KIND_NAMES[type(self.crop)], **values["crop"]}
        return values

    def to_json(self) -> str:
        """Return the card as JSON; equal cards give the same text."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Parse what :meth:`to_json` wrote. Raises ModelMismatch for unknown, missing or unsuitable entries."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelMismatch(f"the model card is not JSON ({error}); {_CURE}") from error
        return _build(cls, values, "")


@cache
def _field_types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _refuse(place: str, value: object, wanted: str) -> NoReturn:
    name = f"{place} " if place else ""
    raise ModelMismatch(f"the model card has {name}{value!r:.80}: it must be {wanted}; {_CURE}")


def _build(kind: type[_T], values: object, place: str) -> _T:
    """Build a dataclass from a JSON object that has exactly its fields."""
    if not isinstance(values, dict):
        _refuse(place, values, "an object")
    hints = _field_types(kind)  # type: ignore[arg-type]
    if values.keys() != hints.keys():
        unknown, missing = sorted(values.keys() - hints.keys()), sorted(hints.keys() - values.keys())
        where = f" in {place}" if place else ""
        raise ModelMismatch(f"the model card has unknown entries {unknown} and lacks {missing}{where}; {_CURE}")
    prefix = f"{place}." if place else ""
    return kind(**{name: _convert(hint, values[name], prefix + name) for name, hint in hints.items()})


def _build_crop(values: object, place: str) -> CropSpec:
    if not isinstance(values, dict) or values.get("kind") not in list(CROP_KINDS):
        _refuse(place, values, f"an object with a kind among {', '.join(CROP_KINDS)}")
    kind = CROP_KINDS[values["kind"]]
    return _build(kind, {name: value for name, value in values.items() if name != "kind"}, place)


def _convert(hint: Any, value: Any, place: str) -> Any:
    """Return the JSON value as the type of a field."""
    origin, args = get_origin(hint), get_args(hint)
    if hint == CropSpec:
        return _build_crop(value, place)
    if is_dataclass(hint):
        return _build(hint, value, place)  # type: ignore[arg-type]
    if origin is Literal:
        return value if value in args else _refuse(place, value, f"one of {args}")
    if origin is tuple:
        return tuple(_convert(args[0], item, place) for item in _list(value, args, place))
    if origin is Mapping:
        if not isinstance(value, dict):
            _refuse(place, value, "an object")
        return {key: _convert(args[1], item, f"{place}.{key}") for key, item in value.items()}
    return _scalar(hint, value, place)


def _list(value: object, args: tuple[Any, ...], place: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(place, value, "a list")
    if args[-1] is not ... and len(value) != len(args):
        _refuse(place, value, f"a list of {len(args)}")
    return value


def _scalar(hint: type, value: object, place: str) -> object:
    if hint is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _HUGE:
            return float(value)
    elif type(value) is hint:
        return value
    _refuse(place, value, {float: "a finite number", int: "a whole number", str: "text"}[hint])
