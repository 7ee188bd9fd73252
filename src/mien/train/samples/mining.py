"""Hard example mining: what the proposer, or the cascade as far as it is trained, takes for faces."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.detection.config import DetectorConfig
from mien.detection.proposer import run_proposer
from mien.detection.pyramid import run_pnet
from mien.detection.refine import run_rnet
from mien.errors import BadRecipe
from mien.geometry import boxes as box
from mien.imaging import Mipmap
from mien.io import atomic_write
from mien.models import open_model, read_card
from mien.train.engine.display import progress_bar
from mien.train.engine.prefetch import default_workers
from mien.train.samples.faces import FaceImages
from mien.types import Floats

_MAX_NEGATIVES_PER_IMAGE = 80
_STAGES = (("proposer",), ("pnet",), ("pnet", "rnet"))


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """``images`` (k,): number of the image; ``boxes`` (k, 4) in its pixels."""

    images: NDArray[np.intp]
    boxes: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def join(cls, boxes: Sequence[Floats]) -> Crops:
        """Return the boxes of all images, in order."""
        images = np.repeat(np.arange(len(boxes)), [len(found) for found in boxes])
        empty = np.empty((0, 4), dtype=np.float32)
        return cls(images, np.concatenate([empty, *boxes]).astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """Candidates that are background, and candidates that are faces."""

    negatives: Crops
    positives: Crops

    @classmethod
    def none(cls) -> Mined:
        """Return no candidates."""
        return cls(Crops.join([]), Crops.join([]))


@dataclass(frozen=True, slots=True)
class MiningOptions:
    """Thresholds of the networks while mining, and of the IoU with the nearest face that decides on a candidate."""

    threshold: float
    min_face_size: float
    positive_iou: float
    negative_iou: float


def mine(images: FaceImages, networks: Sequence[Path], options: MiningOptions, cache: Path) -> Mined:
    """Run the first stages of detection over all images: the proposer, or P-Net and then perhaps R-Net.

    The result is kept in ``cache``, with a checksum of what it was made from. Raises BadRecipe for other networks.
    """
    checksum = _checksum(images, networks, options)
    if cache.is_file():
        with np.load(cache) as kept:
            if int(kept["checksum"]) == checksum:
                crops = [Crops(kept[f"{kind}_images"], kept[f"{kind}_boxes"]) for kind in ("negatives", "positives")]
                return Mined(*crops)
    mined = _mine(images, networks, options)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(cache) as part, part.open("wb") as file:
        np.savez(
            file,
            checksum=checksum,
            negatives_images=mined.negatives.images,
            negatives_boxes=mined.negatives.boxes,
            positives_images=mined.positives.images,
            positives_boxes=mined.positives.boxes,
        )
    return mined


def _checksum(images: FaceImages, networks: Sequence[Path], options: MiningOptions) -> int:
    checksum = zlib.crc32(repr(options).encode())
    for path in networks:
        checksum = zlib.crc32(path.read_bytes(), checksum)
    for image in images.all:
        checksum = zlib.crc32(str(image.sample.path).encode("utf-8", "surrogateescape"), checksum)
    return checksum


def _mine(images: FaceImages, networks: Sequence[Path], options: MiningOptions) -> Mined:
    propose = _proposals(networks, options)

    def candidates(index: int) -> tuple[Floats, Floats]:
        return _divide(propose(images.mipmap(index)), index, images, options)

    # Images side by side, one thread each: faster than several threads on one image.
    with ThreadPoolExecutor(default_workers()) as pool, progress_bar("mining", len(images)) as bar:
        divided = []
        for pair in pool.map(candidates, range(len(images))):
            divided.append(pair)
            bar.advance(bar.task_ids[0])
    return Mined(Crops.join([bad for bad, _ in divided]), Crops.join([good for _, good in divided]))


def _proposals(networks: Sequence[Path], options: MiningOptions) -> Callable[[Mipmap], Floats]:
    """Return a function from an image to the boxes (n, 4) that the networks propose in it, best first."""
    stages = tuple(read_card(path).task for path in networks)
    if stages not in _STAGES:
        raise BadRecipe(f"mine_from names networks for {stages}; give a proposer, or a P-Net and then perhaps an R-Net")
    first, *second = (open_model(path, stage, threads=1) for path, stage in zip(networks, stages, strict=True))
    config = DetectorConfig(
        min_face_size=options.min_face_size,
        score_threshold=options.threshold,
        pnet_threshold=options.threshold,
        rnet_threshold=options.threshold,
    )

    def propose(image: Mipmap) -> Floats:
        if stages == ("proposer",):
            return run_proposer([image], first, config)[0].boxes
        found = run_pnet(image.image, first, config)
        return run_rnet([image], [found], second[0], config)[0].boxes if second else found.boxes

    return propose


def _divide(found: Floats, index: int, images: FaceImages, options: MiningOptions) -> tuple[Floats, Floats]:
    """Return the boxes (best first) that are certainly background, and those that are faces."""
    image = images.all[index]
    sample = image.sample
    windows = box.square(found)
    overlap = box.iou(windows, box.square(sample.boxes)).max(axis=1, initial=0)
    hidden = box.ioa(windows, sample.boxes[sample.ignored]).max(axis=1, initial=0) > options.negative_iou
    bad = (overlap < options.negative_iou) & ~hidden & image.background
    good = (overlap >= options.positive_iou) & ~hidden
    return windows[bad][:_MAX_NEGATIVES_PER_IMAGE], windows[good]
