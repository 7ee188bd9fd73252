"""Hard examples: what the cascade, as far as it is trained, takes for faces."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mien.detection.config import DetectorConfig
from mien.detection.propose import run_pnet
from mien.detection.refine import run_rnet
from mien.errors import BadRecipe
from mien.geometry import boxes as box
from mien.io import atomic_write
from mien.models import open_model
from mien.train.engine.prefetch import default_workers
from mien.train.examples import Examples
from mien.train.recipe import SampleRecipe
from mien.types import Floats

_MOST_A_IMAGE = 80
_STAGES = ("pnet", "rnet")


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """``examples`` (k,): number of the example; ``boxes`` (k, 4) in its image."""

    examples: NDArray[np.intp]
    boxes: Floats

    @classmethod
    def none(cls) -> Crops:
        """No crops."""
        return cls(np.empty(0, dtype=np.intp), np.empty((0, 4), dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """Candidates that are no faces and candidates that are."""

    negatives: Crops
    positives: Crops

    @classmethod
    def none(cls) -> Mined:
        """Nothing mined."""
        return cls(Crops.none(), Crops.none())


def mine(examples: Examples, networks: Sequence[Path], recipe: SampleRecipe, cache: Path) -> Mined:
    """Run the inference cascade as far as ``networks`` (P-Net, then perhaps R-Net) over all examples.

    The result is kept in ``cache`` for a resumed run, with a mark of what it was made from.
    """
    if len(networks) > len(_STAGES):
        raise BadRecipe(f"hard_from names {len(networks)} networks; it takes P-Net, then perhaps R-Net")
    mark = _mark(examples, networks, recipe)
    if cache.is_file():
        with np.load(cache) as kept:
            if int(kept["mark"]) == mark:
                found = [Crops(kept[f"{name}_examples"], kept[f"{name}_boxes"]) for name in ("negatives", "positives")]
                return Mined(*found)
    mined = _mine(examples, networks, recipe)
    with atomic_write(cache) as part, part.open("wb") as file:
        np.savez(
            file,
            mark=mark,
            negatives_examples=mined.negatives.examples,
            negatives_boxes=mined.negatives.boxes,
            positives_examples=mined.positives.examples,
            positives_boxes=mined.positives.boxes,
        )
    return mined


def _mark(examples: Examples, networks: Sequence[Path], recipe: SampleRecipe) -> int:
    mark = zlib.crc32(repr(recipe).encode())
    for path in networks:
        mark = zlib.crc32(path.read_bytes(), mark)
    for example in examples.all:
        mark = zlib.crc32(str(example.annotation.path).encode(), mark)
    return mark


def _mine(examples: Examples, networks: Sequence[Path], recipe: SampleRecipe) -> Mined:
    models = [open_model(path, stage, threads=1) for path, stage in zip(networks, _STAGES, strict=False)]
    settings = DetectorConfig(
        min_face_size=recipe.hard_min_face_size,
        pnet_threshold=recipe.hard_threshold,
        rnet_threshold=recipe.hard_threshold,
    )

    def look(index: int) -> tuple[Floats, Floats]:
        mipmap = examples.mipmap(index)
        found = run_pnet(mipmap.image, models[0], settings)
        if len(models) > 1:
            found = run_rnet([mipmap], [found], models[1], settings)[0]
        return _judge(found.boxes, index, examples, recipe)

    # Images side by side, each on one thread: better than the threads of one image waiting for each other.
    with ThreadPoolExecutor(default_workers()) as pool:
        progress = tqdm(pool.map(look, range(len(examples))), total=len(examples), desc="mining", unit="image")
        judged = list(progress)
    return Mined(_joined([bad for bad, _ in judged]), _joined([good for _, good in judged]))


def _judge(found: Floats, index: int, examples: Examples, recipe: SampleRecipe) -> tuple[Floats, Floats]:
    """Those of the boxes (best first) that are certainly no faces, and those that are."""
    example = examples.all[index]
    annotation = example.annotation
    windows = box.square(found)
    overlap = box.iou(windows, box.square(annotation.boxes)).max(axis=1, initial=0)
    hidden = box.ioa(windows, annotation.boxes[annotation.ignored]).max(axis=1, initial=0) > recipe.negative
    bad = (overlap < recipe.negative) & ~hidden & example.background
    good = (overlap >= recipe.positive) & ~hidden
    return windows[bad][:_MOST_A_IMAGE], windows[good]


def _joined(boxes: list[Floats]) -> Crops:
    """The boxes of all examples, in order."""
    if not boxes:
        return Crops.none()
    examples = np.repeat(np.arange(len(boxes)), [len(found) for found in boxes])
    return Crops(examples, np.concatenate(boxes).astype(np.float32))
