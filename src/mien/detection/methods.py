"""The two methods of detection: which networks run, in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from mien.detection.config import DetectorConfig
from mien.detection.proposer import run_proposer
from mien.detection.pyramid import run_pnet
from mien.detection.refine import run_lnet, run_onet, run_refiner, run_rnet
from mien.imaging import Mipmap
from mien.models import CropSpec, Grid, Model, PointPatches, SquareBox, Window
from mien.types import Candidates, Deadline, Faces

CROPS: Mapping[str, type[CropSpec]] = MappingProxyType(
    {
        "proposer": Grid,
        "refiner": SquareBox,
        "pnet": Window,
        "rnet": SquareBox,
        "onet": SquareBox,
        "lnet": PointPatches,
    }
)
"""The crop specification of each network, by its task."""

_PATCH_SCALE = 0.8
"""L-Net learned from patches in proportion to O-Net's boxes, and the refiner's are larger. On a ninth of MTFL's
training images, this part and two passes gave an error of 3.2 %; whole boxes and one pass gave 3.8 %."""

_LNET_PASSES = 2

Observer: TypeAlias = Callable[[str, Sequence[Candidates | Faces]], None]
"""Receives the task of a network, and what it keeps of each image."""


def _ignore(task: str, kept: Sequence[Candidates | Faces]) -> None:
    pass


@dataclass(frozen=True, slots=True, eq=False)
class TwoStage:
    """The proposer over the whole image, the refiner on its proposals and L-Net; each of the last two may be None."""

    proposer: Model
    refiner: Model | None
    lnet: Model | None

    def __call__(
        self, images: list[Mipmap], config: DetectorConfig, deadline: Deadline | None, observe: Observer = _ignore
    ) -> list[Faces]:
        """Return the faces of each image, best first."""
        if self.refiner is None:
            faces = run_proposer(images, self.proposer, config, deadline)
            observe("proposer", faces)
            return faces
        # A face has the geometric mean of two scores of at most 1.
        least = replace(config, score_threshold=config.threshold**2)
        faces = run_proposer(images, self.proposer, least, deadline)
        observe("proposer", faces)
        faces = run_refiner(images, faces, self.refiner, config, deadline)
        observe("refiner", faces)
        if self.lnet is not None and config.refine_keypoints:
            for _ in range(_LNET_PASSES):
                faces = run_lnet(images, faces, self.lnet, config, deadline, patch_scale=_PATCH_SCALE)
        return faces


@dataclass(frozen=True, slots=True, eq=False)
class Mtcnn:
    """The cascade of P-, R- and O-Net and, unless None, L-Net.

    Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks".
    """

    pnet: Model
    rnet: Model
    onet: Model
    lnet: Model | None

    def __call__(
        self, images: list[Mipmap], config: DetectorConfig, deadline: Deadline | None, observe: Observer = _ignore
    ) -> list[Faces]:
        """Return the faces of each image, best first."""
        candidates = [run_pnet(image.image, self.pnet, config, deadline) for image in images]
        observe("pnet", candidates)
        candidates = run_rnet(images, candidates, self.rnet, config, deadline)
        observe("rnet", candidates)
        faces = run_onet(images, candidates, self.onet, config, deadline)
        observe("onet", faces)
        if self.lnet is None or not config.refine_keypoints:
            return faces
        return run_lnet(images, faces, self.lnet, config, deadline)
