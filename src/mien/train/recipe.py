"""Recipes: everything that decides a training run, read from TOML, strictly.

A misspelt key, a missing one or a value of the wrong kind stops the run before it starts, with file, table,
key and the keys that are allowed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mien.datasets.crop_rules import RULES
from mien.errors import BadRecipe
from mien.train import tables
from mien.train.tables import demand


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Which architecture is trained; `start`: the `best.pt` of an earlier run, whose weights it begins with."""

    kind: str
    start: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One data set: `format` names the reader, `weight` is its share of faces relative to the other sources.

    `background`: all faces are annotated, so that negatives may be cut from what is not.
    """

    format: str
    path: str
    split: str = "train"
    weight: float = 1.0
    background: bool = True

    def __post_init__(self) -> None:
        demand(self.weight >= 0, "weight", self.weight, "at least 0")


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """Where the images come from; `license` is what the card will say."""

    sources: tuple[Source, ...]
    license: str = "not stated"

    def __post_init__(self) -> None:
        demand(len(self.sources) > 0, "sources", "[]", "at least one [[data.sources]]")


@dataclass(frozen=True, slots=True)
class SampleRecipe:
    """How crops are cut and labelled: IoU thresholds as in the paper, shares of a batch, augmentation.

    `context` (R-Net, O-Net) and `patch_fraction` (L-Net) become the crop specification of the card.

    `occlusion`, `blur`, `jpeg`, `grey`, `mirror` are probabilities; `colour` is a strength; `hard_from` are
    the files of the networks trained so far, whose mistakes become samples.
    """

    kind: Literal["crops", "windows"] = "crops"
    positive: float = 0.65
    part: float = 0.4
    negative: float = 0.3
    context: float = 1.0
    patch_fraction: float = 0.25
    negative_share: float = 0.5
    part_share: float = 0.2
    points_share: float = 0.0
    hard_from: tuple[str, ...] = ()
    hard_share: float = 0.7
    hard_threshold: float = 0.3
    hard_min_face_size: float = 12.0
    rotation_degrees: float = 0.0
    occlusion: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0
    grey: float = 0.0
    colour: float = 0.0
    mirror: float = 0.5
    windows_a_side: int = 25
    points_off: float = 0.12

    def __post_init__(self) -> None:
        for name in ("occlusion", "blur", "jpeg", "grey", "mirror", "hard_share", "hard_threshold"):
            chance = getattr(self, name)
            demand(0 <= chance <= 1, name, chance, "between 0 and 1")
        shares = (self.negative_share, self.part_share, self.points_share)
        demand(min(shares) >= 0 and sum(shares) <= 1, "the shares", shares, "at least 0 and together at most 1")
        demand(self.colour >= 0, "colour", self.colour, "at least 0")
        ordered = 0 <= self.negative <= self.part <= self.positive <= 1
        found = (self.negative, self.part, self.positive)
        demand(ordered, "negative, part, positive", found, "in rising order between 0 and 1")
        demand(self.context >= 1, "context", self.context, "at least 1")
        demand(0 < self.patch_fraction <= 1, "patch_fraction", self.patch_fraction, "above 0 and at most 1")
        demand(self.windows_a_side >= 1, "windows_a_side", self.windows_a_side, "at least 1")


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """Weights of the losses; `hard`: the share of a batch of crops, hardest first, that counts for the score.

    Of windows, all faces count and `negatives_a_face` times as many others, hardest first.
    """

    score: float = 1.0
    offsets: float = 0.5
    points: float = 0.5
    hard: float = 0.7
    regression: Literal["l2", "smooth-l1"] = "l2"
    negatives_a_face: float = 5.0

    def __post_init__(self) -> None:
        for name in ("score", "offsets", "points"):
            demand(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        demand(0 < self.hard <= 1, "hard", self.hard, "above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class LandmarkRecipe:
    """What the 68 points need besides: how crops are cut, and which losses count.

    ``crop``, ``context``: the crop specification of the card, "square" for `SquareBox`, "stretched" for
    `StretchedBox`. ``shift`` and ``resize`` are the deviations of centre (in sides) and size (logarithm) by which a
    crop may be off, and ``near`` the share of crops that are off by a quarter of that, as a second look is. ``loss``:
    of the points, see `mien.train.landmarks.losses`; ``by_eyes``: errors count in inter-ocular distances, so that
    turned faces count more; ``other_row``: weight at which points other than the jaw also teach the other scheme;
    ``uncertainty`` and ``pose``: weights of those heads.
    """

    crop: Literal["square", "stretched"] = "square"
    context: float = RULES["square"].context
    shift: float = 0.06
    resize: float = 0.1
    near: float = 0.0
    loss: Literal["l2", "l1", "smooth-l1", "wing", "adaptive-wing", "laplace"] = "l1"
    by_eyes: bool = False
    other_row: float = 0.0
    uncertainty: float = 0.0
    pose: float = 0.0

    def __post_init__(self) -> None:
        demand(self.context >= 1, "context", self.context, "at least 1")
        demand(self.near <= 1, "near", self.near, "at most 1")
        for name in ("shift", "resize", "near", "other_row", "uncertainty", "pose"):
            demand(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")


@dataclass(frozen=True, slots=True)
class OptimiserRecipe:
    """`ema` is the decay of the averaged weights (0: none), `clip` the largest norm of the gradient."""

    name: Literal["adamw", "adam", "sgd"]
    rate: float
    decay: float
    ema: float = 0.999
    clip: float = 5.0

    def __post_init__(self) -> None:
        demand(self.rate > 0, "rate", self.rate, "above 0")
        demand(self.decay >= 0, "decay", self.decay, "at least 0")
        demand(0 <= self.ema < 1, "ema", self.ema, "at least 0 and below 1")
        demand(self.clip > 0, "clip", self.clip, "above 0")


@dataclass(frozen=True, slots=True)
class ScheduleRecipe:
    """How long; all but `batch` (samples) are counted in steps.

    `curve` of the learning rate after the warm-up: half a cosine, or "stairs", 0.98 times as much every 1,000
    steps.
    """

    steps: int
    batch: int
    warmup: int
    validate_every: int
    checkpoint_every: int
    curve: Literal["cosine", "stairs"] = "cosine"

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "validate_every", "checkpoint_every"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        demand(0 <= self.warmup < self.steps, "warmup", self.warmup, f"at least 0 and below steps ({self.steps})")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One network's training, complete: the same recipe on the same data gives the same network."""

    name: str
    task: Literal["pnet", "rnet", "onet", "lnet", "landmarks68"]
    seed: int
    network: NetworkRecipe
    data: DataRecipe
    optimiser: OptimiserRecipe
    schedule: ScheduleRecipe
    samples: SampleRecipe = field(default_factory=SampleRecipe)
    losses: LossRecipe = field(default_factory=LossRecipe)
    landmarks: LandmarkRecipe = field(default_factory=LandmarkRecipe)

    def __post_init__(self) -> None:
        plain = self.name != "" and all(c.isalnum() or c in "-_." for c in self.name) and self.name[0] != "."
        demand(plain, "name", repr(self.name), "letters, digits, '-', '_' and '.': it names a file")
        demand(self.seed >= 0, "seed", self.seed, "at least 0")


@dataclass(frozen=True, slots=True)
class Cascade:
    """Recipes to be run in order; paths are relative to the file that names them."""

    recipes: tuple[str, ...]

    def __post_init__(self) -> None:
        demand(len(self.recipes) > 0, "recipes", "[]", "at least one file")


def read(path: Path) -> tuple[Recipe, ...]:
    """The recipes of a file, in order: one, or all that a cascade file names.

    All are checked before any is run. Raises BadRecipe.
    """
    if "recipes" not in tables.parse(_text(path), str(path)):
        return (read_recipe(path),)
    return tuple(read_recipe(path.parent / name) for name in read_cascade(path).recipes)


def read_recipe(path: Path) -> Recipe:
    """Read one recipe. Raises BadRecipe."""
    return loads(_text(path), str(path))


def read_cascade(path: Path) -> Cascade:
    """Read a list of recipes. Raises BadRecipe."""
    return tables.fill(Cascade, tables.parse(_text(path), str(path)), str(path))


def loads(text: str, file: str) -> Recipe:
    """A recipe from TOML text; `file` is named in errors. Raises BadRecipe."""
    return tables.fill(Recipe, tables.parse(text, file), file)


def dumps(recipe: Recipe) -> str:
    """The recipe as TOML, every default spelt out; `loads` reads it back to an equal recipe."""
    return "\n".join(tables.lines(recipe)).strip() + "\n"


def differences(old: Recipe, new: Recipe) -> list[str]:
    """Keys on which two recipes differ, as 'schedule.steps: 100 -> 200'."""
    before, after = tables.flat(old), tables.flat(new)
    return [f"{key}: {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadRecipe(f"{path}: no such recipe; see the folder recipes/ for those that exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecipe(f"{path}: cannot be read: {error}") from error
