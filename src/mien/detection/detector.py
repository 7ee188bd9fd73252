"""The order of the stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mien.detection.config import DetectorConfig
from mien.detection.propose import run_pnet
from mien.detection.refine import run_lnet, run_onet, run_rnet
from mien.geometry import boxes
from mien.imaging import ImageSource, Mipmap, read_image
from mien.models import Network, NetworkSource, opened
from mien.types import Faces, Image

_TOGETHER = 16
"""Images whose crops share batches; a longer list is worked through in groups of so many."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class FaceDetector:
    """The cascade: image in, faces with five points out.

    Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks". Each
    network is the name of a shipped one, the path of a file or an opened one; with ``lnet=None`` the points stay
    where O-Net puts them. ``threads``, ``providers``: see :func:`mien.models.open_model`. Immutable; threads may
    share it. Raises ModelMissing, ModelMismatch, BadOption.
    """

    config: DetectorConfig
    pnet: Network
    rnet: Network
    onet: Network
    lnet: Network | None

    def __init__(
        self,
        config: DetectorConfig = DetectorConfig(),  # noqa: B008 - frozen
        *,
        pnet: NetworkSource = "pnet",
        rnet: NetworkSource = "rnet",
        onet: NetworkSource = "onet",
        lnet: NetworkSource | None = "lnet",
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        sources = {"pnet": pnet, "rnet": rnet, "onet": onet, "lnet": lnet}
        object.__setattr__(self, "config", config)
        for task, source in sources.items():
            network = None if source is None else opened(source, task, threads=threads, providers=providers)
            object.__setattr__(self, task, network)

    def __call__(self, image: ImageSource) -> Faces:
        """The faces of one image (array, path or bytes), best first, in image pixels. Raises BadImage.

        The points' left and right are those of the face as it is seen upright, also when ``rotations`` found
        it lying on its side.
        """
        return self.batch([image])[0]

    def batch(self, images: Iterable[ImageSource]) -> list[Faces]:
        """The faces of each image, as one by one but faster: crops of several share the networks' calls."""
        waiting = iter(images)
        faces: list[Faces] = []
        while group := [read_image(source) for source in islice(waiting, _TOGETHER)]:
            faces += self._look_each_way(group)
        return faces

    def _look_each_way(self, images: list[Image]) -> list[Faces]:
        """Look at each image turned by each of the rotations, and merge what is found."""
        turns = [degrees // 90 for degrees in self.config.rotations]
        if turns == [0]:
            return self._look(images)
        turned = [np.ascontiguousarray(np.rot90(image, turn)) for image in images for turn in turns]
        found = iter(self._look(turned))
        return [
            _merge([_turn_back(next(found), image, turn) for turn in turns], self.config.final_nms_iom)
            for image in images
        ]

    def _look(self, images: list[Image]) -> list[Faces]:
        config = self.config
        mipmaps = [Mipmap(image) for image in images]
        candidates = [run_pnet(image, self.pnet, config) for image in images]
        candidates = run_rnet(mipmaps, candidates, self.rnet, config)
        faces = run_onet(mipmaps, candidates, self.onet, config)
        if self.lnet is None or not config.refine_keypoints:
            return faces
        return run_lnet(mipmaps, faces, self.lnet, config)


def _turn_back(faces: Faces, upright: Image, turn: int) -> Faces:
    """Faces found after so many quarter turns, in the frame of the image before them."""
    height, width = upright.shape[:2]
    where, points = faces.boxes, faces.keypoints
    for step in range(turn, 4 if turn else 0):
        side = height if step % 2 else width  # the width of the image after so many steps
        where, points = boxes.quarter_turn(where, side), boxes.quarter_turn_points(points, side)
    return Faces(where, faces.scores, points)


def _merge(found: list[Faces], overlap: float) -> Faces:
    """All faces, best first, without those that were found twice."""
    everything = Faces(
        np.concatenate([faces.boxes for faces in found]),
        np.concatenate([faces.scores for faces in found]),
        np.concatenate([faces.keypoints for faces in found]),
    )
    return everything[boxes.nms(everything.boxes, everything.scores, overlap, "min")]
