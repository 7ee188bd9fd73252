"""What training draws from: annotated images, kept in memory as far as they fit."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.datasets.samples import DetectionSample
from mien.errors import BadRecipe
from mien.imaging import Mipmap, read_image

_VALIDATION_ONE_IN = 20


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One annotated image.

    ``background``: all that is not annotated here is known to be no face, so that negatives may be cut.
    ``source``: number of the source in the recipe.
    """

    annotation: DetectionSample
    background: bool
    source: int


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Training and validation examples; one image in twenty, chosen by its name, validates."""
    chosen = [zlib.crc32(e.annotation.path.name.encode()) % _VALIDATION_ONE_IN == 0 for e in examples]
    train = [e for e, held in zip(examples, chosen, strict=True) if not held]
    held_out = [e for e, held in zip(examples, chosen, strict=True) if held]
    return train, held_out


class Examples:
    """A sequence of examples with their images, and the faces in it as one table.

    ``faces`` (m, 2): example and row of each face that counts; ``chance`` (m,): how likely it is drawn, such
    that each source gets the share of its weight however many faces it has.
    """

    def __init__(self, examples: Sequence[Example], weights: Sequence[float], memory: int = 8 << 30) -> None:
        if not examples:
            raise BadRecipe("the sources of this recipe hold no usable image")
        self.all = tuple(examples)
        self._memory = memory
        self._held = 0
        self._mipmaps: OrderedDict[int, Mipmap] = OrderedDict()
        self._lock = threading.Lock()
        rows = [(i, j) for i, e in enumerate(self.all) for j in np.flatnonzero(~e.annotation.ignored)]
        self.faces: NDArray[np.intp] = np.array(rows, dtype=np.intp).reshape(-1, 2)
        self.chance = self._chances(self.faces, weights)
        self.with_background = np.array([i for i, e in enumerate(self.all) if e.background], dtype=np.intp)

    def _chances(self, faces: NDArray[np.intp], weights: Sequence[float]) -> NDArray[np.float64]:
        source = np.array([self.all[i].source for i in faces[:, 0]], dtype=np.intp)
        counts = np.maximum(np.bincount(source, minlength=len(weights)), 1)
        chance = np.asarray(weights)[source] / counts[source]
        return np.asarray(chance / max(chance.sum(), 1e-12))

    def __len__(self) -> int:
        return len(self.all)

    def mipmap(self, index: int) -> Mipmap:
        """The image of example ``index``, read now or kept from before."""
        with self._lock:
            held = self._mipmaps.get(index)
            if held is not None:
                self._mipmaps.move_to_end(index)
                return held
        mipmap = Mipmap(read_image(self.all[index].annotation.path))
        with self._lock:
            if index not in self._mipmaps:
                self._mipmaps[index] = mipmap
                self._held += mipmap.image.nbytes
            while self._held > self._memory and len(self._mipmaps) > 1:
                _, old = self._mipmaps.popitem(last=False)
                self._held -= old.image.nbytes
        return mipmap
