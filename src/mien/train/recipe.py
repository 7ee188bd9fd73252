"""Recipes: everything that decides a training run, read from TOML and checked strictly.

An unknown key, a missing one or a value of the wrong type stops the run before it starts, with file, table, key and
the keys that are allowed. A recipe may extend another: ``extends = "base.toml"`` (a path relative to the file) takes
over its settings; tables are merged, all other values replaced.
"""

from __future__ import annotations

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from torch import nn

from mien.errors import BadRecipe
from mien.train.task import Task

Fraction = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
PositiveFraction = Annotated[float, Field(gt=0, le=1)]
AtLeastOne = Annotated[float, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Names = Annotated[tuple[str, ...], Field(strict=False)]  # TOML has lists only
Pair = Annotated[tuple[Positive, Positive], Field(strict=False)]
Table = dict[str, Any]

_S = TypeVar("_S", bound=BaseModel)


class Section(BaseModel):
    """A table of a recipe: unknown keys, other types and non-finite numbers are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class NetworkChoice(Section):
    """Which network is trained.

    Attributes:
        kind: A name in the ``networks`` of the task's recipe.
        start: ``best.pt`` of an earlier run, below the runs folder, whose weights it starts from.
        share: ``best.pt`` of an earlier run of another network; layers with the same names and shapes start from it.
    """

    kind: str
    start: str = ""
    share: str = ""


class Source(Section):
    """A data set.

    Attributes:
        format: Reader, a key of ``mien.datasets.registry.FORMATS`` or "shards".
        path: File or folder below the data folder.
        split: Part of the data set.
        weight: Share of its faces among those drawn, relative to the other sources.
        background: Every face is annotated, so everything else may be used as background.
        box_scale: Factors of the width and height of its boxes, where they are drawn by another rule.
        box_shift: Then, how far their centers move down, in heights of the box as annotated.
    """

    format: str
    path: str
    split: str = "train"
    weight: NonNegative = 1.0
    background: bool = True
    box_scale: Pair = (1.0, 1.0)
    box_shift: float = 0.0


class Data(Section):
    """The data sets by name, and what the card says of their license."""

    sources: dict[str, Source] = Field(min_length=1)
    license: str = "not stated"


class Augmentation(Section):
    """Random changes of a crop: probabilities, but for ``rotation_degrees``, ``color`` and ``blur_scale``.

    Attributes:
        rotation_degrees: Largest rotation of most crops.
        turned: Share of crops rotated by up to 90 degrees instead.
        any_angle: Share of crops rotated by any angle instead.
        color: Strength of changes of brightness, contrast and color.
        dark: Share of crops with the brightness reduced to 8 to 50 %.
        blur_scale: Lowest resolution of a blurred crop, relative to its own.
        occlusion: Share of crops with a small part covered.
        half_cover: Share of crops with a side covered up to about the middle.
        border: Share of crops of faces cut off at one or more sides, as by the border of the image.
    """

    rotation_degrees: NonNegative = 0.0
    turned: Fraction = 0.0
    any_angle: Fraction = 0.0
    mirror: Fraction = 0.5
    color: NonNegative = 0.0
    dark: Fraction = 0.0
    gray: Fraction = 0.0
    blur: Fraction = 0.0
    blur_scale: PositiveFraction = 0.35
    jpeg: Fraction = 0.0
    occlusion: Fraction = 0.0
    half_cover: Fraction = 0.0
    border: Fraction = 0.0


class OptimizerOptions(Section):
    """The optimizer; ``gradient_clip`` is the largest norm of the gradient, an ``ema_decay`` of 0 means no average."""

    name: Literal["adamw", "adam", "sgd"]
    learning_rate: Positive
    weight_decay: NonNegative
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    gradient_clip: Positive = 5.0


class Schedule(Section):
    """How long to train; all but ``batch_size`` (samples over all processes) is counted in steps.

    ``curve`` of the learning rate after warm-up: half a cosine, or "stairs", times 0.98 every 1,000 steps.
    """

    steps: Count
    batch_size: Count
    warmup: Annotated[int, Field(ge=0)] = 0
    validate_every: Count
    checkpoint_every: Count
    curve: Literal["cosine", "stairs"] = "cosine"

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.warmup >= self.steps:
            raise ValueError(f"warmup = {self.warmup} must be below steps = {self.steps}")
        return self


class Recipe(Section, ABC):
    """One network's training: the same recipe on the same data gives the same network.

    Each task has its own subclass, which adds the task's tables and builds the task.
    """

    networks: ClassVar[Mapping[str, Callable[[], nn.Module]]]

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
    task: str
    seed: int = Field(ge=0)
    network: NetworkChoice
    augmentation: Augmentation = Augmentation()
    optimizer: OptimizerOptions
    schedule: Schedule
    data: Data

    @model_validator(mode="after")
    def _network_exists(self) -> Self:
        if self.network.kind not in self.networks:
            raise ValueError(f"network.kind = {self.network.kind!r} must be one of {', '.join(self.networks)}")
        return self

    @abstractmethod
    def make_task(self, data: Path, runs: Path) -> Task:
        """Return the task: network, data, losses, metrics and card.

        Args:
            data: Folder that the paths of the sources start from.
            runs: Folder of all runs; earlier networks are read from, and caches written below it.

        Raises:
            BadRecipe: The sources hold nothing to train on.
            BadAnnotation, ModelMissing: A source or an earlier network cannot be read.
        """

    def dumps(self) -> str:
        """Return the recipe as TOML, with every default."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def read_table(path: Path, extended_by: tuple[Path, ...] = ()) -> Table:
    """Return the settings of a TOML file, merged over those that it extends. Raises BadRecipe."""
    if path.resolve() in extended_by:
        chain = " -> ".join(each.name for each in (*extended_by, path))
        raise BadRecipe(f"{path}: extends itself ({chain}); remove one 'extends'")
    table = _parse(path)
    base = table.pop("extends", None)
    if base is None:
        return table
    if not isinstance(base, str):
        raise BadRecipe(f"{path}: extends must be the path of a recipe, found {base!r}")
    return _merge(read_table(path.parent / base, (*extended_by, path.resolve())), table)


def check(kind: type[_S], table: Table, file: Path) -> _S:
    """Return the settings as a section. Raises BadRecipe naming the file, table and key of each mistake."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        mistakes = [_explain(kind, mistake) for mistake in error.errors()]
        raise BadRecipe(f"{file}: {'; '.join(mistakes)}") from None


def differences(old: Table, new: Table) -> list[str]:
    """Return the keys on which two dumped recipes differ, as "schedule.steps: 100 -> 200"."""
    before, after = _flatten(old), _flatten(new)
    keys = [*before, *(key for key in after if key not in before)]
    absent = "absent"
    return [
        f"{key}: {before.get(key, absent)} -> {after.get(key, absent)}"
        for key in keys
        if before.get(key, absent) != after.get(key, absent)
    ]


def _parse(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadRecipe(f"{path}: not TOML: {error}") from None
    except FileNotFoundError:
        raise BadRecipe(f"{path}: no such recipe; see the folder recipes/ for those that exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecipe(f"{path}: cannot be read: {error}") from error


def _merge(base: Table, changes: Table) -> Table:
    merged = dict(base)
    for key, value in changes.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def _explain(kind: type[BaseModel], mistake: ErrorDetails) -> str:
    *table, key = mistake["loc"] or ("",)
    place = f"[{'.'.join(map(str, table))}]" if table else "top level"
    if mistake["type"] in ("extra_forbidden", "missing"):
        fault = "unknown key" if mistake["type"] == "extra_forbidden" else "missing key"
        return f"{place}: {fault} {key!r}; allowed are {', '.join(_section(kind, table).model_fields)}"
    if mistake["type"] == "value_error":
        where = ".".join(map(str, mistake["loc"]))
        return f"{f'[{where}]' if where else 'top level'}: {mistake['ctx']['error']}"
    return f"{place}: {key} = {mistake['input']!r}: {mistake['msg'].lower()}"


def _section(kind: type[BaseModel], table: list[int | str]) -> type[BaseModel]:
    """Return the type of the section at a place in a recipe."""
    for key in table:
        field = kind.model_fields.get(str(key))
        if field is not None:  # else the name of an entry, as in [data.sources.wider]
            types = (field.annotation, *get_args(field.annotation))
            kind = next(each for each in types if isinstance(each, type) and issubclass(each, BaseModel))
    return kind


def _flatten(table: Table, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        found |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found
