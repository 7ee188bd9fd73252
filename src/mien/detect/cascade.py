"""The order of the stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mien.detect.propose import run_pnet
from mien.detect.refine import run_lnet, run_onet, run_rnet
from mien.detect.settings import Settings
from mien.geometry import boxes
from mien.models import Network, NetworkSource, opened
from mien.pixels import Mipmap, Source, read
from mien.values import Faces, Picture

_TOGETHER = 16
"""Pictures whose crops share batches; a longer list is worked through in groups of so many."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Detector:
    """The cascade: picture in, faces with five points out.

    Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks". Each
    network is the name of a shipped one, the path of a file or an opened one; with ``lnet=None`` the points stay
    where O-Net puts them. ``threads``, ``providers``: see :func:`mien.models.open_model`. Immutable; threads may
    share it. Raises ModelMissing, ModelMismatch, BadOption.
    """

    settings: Settings
    pnet: Network
    rnet: Network
    onet: Network
    lnet: Network | None

    def __init__(
        self,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        *,
        pnet: NetworkSource = "pnet",
        rnet: NetworkSource = "rnet",
        onet: NetworkSource = "onet",
        lnet: NetworkSource | None = "lnet",
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        sources = {"pnet": pnet, "rnet": rnet, "onet": onet, "lnet": lnet}
        object.__setattr__(self, "settings", settings)
        for task, source in sources.items():
            network = None if source is None else opened(source, task, threads=threads, providers=providers)
            object.__setattr__(self, task, network)

    def __call__(self, picture: Source) -> Faces:
        """The faces of one picture (array, path or bytes), best first, in picture pixels. Raises BadImage.

        The points' left and right are those of the face as it is seen upright, also when ``rotations`` found
        it lying on its side.
        """
        return self.batch([picture])[0]

    def batch(self, pictures: Iterable[Source]) -> list[Faces]:
        """The faces of each picture, as one by one but faster: crops of several share the networks' calls."""
        waiting = iter(pictures)
        faces: list[Faces] = []
        while group := [read(source) for source in islice(waiting, _TOGETHER)]:
            faces += self._look_each_way(group)
        return faces

    def _look_each_way(self, pictures: list[Picture]) -> list[Faces]:
        """Look at each picture turned by each of the rotations, and merge what is found."""
        turns = [degrees // 90 for degrees in self.settings.rotations]
        if turns == [0]:
            return self._look(pictures)
        turned = [np.ascontiguousarray(np.rot90(picture, turn)) for picture in pictures for turn in turns]
        found = iter(self._look(turned))
        return [
            _merge([_turn_back(next(found), picture, turn) for turn in turns], self.settings.final_overlap)
            for picture in pictures
        ]

    def _look(self, pictures: list[Picture]) -> list[Faces]:
        settings = self.settings
        mipmaps = [Mipmap(picture) for picture in pictures]
        candidates = [run_pnet(picture, self.pnet, settings) for picture in pictures]
        candidates = run_rnet(mipmaps, candidates, self.rnet, settings)
        faces = run_onet(mipmaps, candidates, self.onet, settings)
        if self.lnet is None or not settings.refine_points:
            return faces
        return run_lnet(mipmaps, faces, self.lnet, settings)


def _turn_back(faces: Faces, upright: Picture, turn: int) -> Faces:
    """Faces found after so many quarter turns, in the frame of the picture before them."""
    height, width = upright.shape[:2]
    where, points = faces.boxes, faces.points
    for step in range(turn, 4 if turn else 0):
        side = height if step % 2 else width  # the width of the picture after so many steps
        where, points = boxes.quarter_turn(where, side), boxes.quarter_turn_points(points, side)
    return Faces(where, faces.scores, points)


def _merge(found: list[Faces], overlap: float) -> Faces:
    """All faces, best first, without those that were found twice."""
    everything = Faces(
        np.concatenate([faces.boxes for faces in found]),
        np.concatenate([faces.scores for faces in found]),
        np.concatenate([faces.points for faces in found]),
    )
    return everything[boxes.suppress(everything.boxes, everything.scores, overlap, "min")]
