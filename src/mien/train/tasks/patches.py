"""Patches: L-Net moves each keypoint, seen in a patch around a position that is a little off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from mien.errors import BadRecipe
from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging.draw import contact_sheet
from mien.models import OutputSpec, PointPatches
from mien.train import losses
from mien.train.networks.deployed import Deployed, normalize
from mien.train.networks.lnet import LNETS, MienLNet, PaperLNet, activate
from mien.train.recipe import Augmentation, NonNegative, PositiveFraction, Recipe, Section
from mien.train.samples.augment import augment
from mien.train.samples.faces import FaceImages, read_faces
from mien.train.samples.views import View
from mien.train.task import Arrays, Batch, Images
from mien.train.tasks.parts import Contract, SampledTask, join, validation_batches

_SHOWN = 64
_FARTHEST = 0.4


class PatchesSamples(Section):
    """Patches around keypoints.

    Attributes:
        fraction: Side of a patch in longer sides of the box.
        keypoint_jitter: Standard deviation of a keypoint's position, in sides of the patch.
    """

    fraction: PositiveFraction = 0.25
    keypoint_jitter: NonNegative = 0.12


class PatchesLosses(Section):
    """Weight and kind of the regression loss."""

    keypoints: NonNegative = 0.5
    regression: losses.Regression = "l2"


class PatchesRecipe(Recipe):
    """Recipe of an L-Net."""

    networks: ClassVar[Mapping[str, type[PaperLNet | MienLNet]]] = LNETS

    task: Literal["patches"]
    samples: PatchesSamples = PatchesSamples()
    losses: PatchesLosses = PatchesLosses()

    def make_task(self, data: Path, runs: Path) -> PatchesTask:
        """Return the task."""
        train, held_out = read_faces(self.data, data)
        return PatchesTask(self, runs, self._sampler(train), validation_batches(self._sampler(held_out), self))

    def crop_spec(self) -> PointPatches:
        """Return the crop of the card."""
        return PointPatches(self.samples.fraction)

    def _sampler(self, images: FaceImages) -> PatchSampler:
        size = self.networks[self.network.kind].input_size
        return PatchSampler(images, self.crop_spec(), self.samples.keypoint_jitter, self.augmentation, size)


class PatchesTask(SampledTask[PatchesRecipe]):
    """Training of an L-Net."""

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted loss of the keypoints."""
        options = self.recipe.losses
        keypoints = network(normalize(batch["images"]))
        known = torch.ones(len(keypoints), dtype=torch.bool, device=keypoints.device)
        error = losses.regression_loss(keypoints, batch["keypoints"], known, options.regression)
        return {"keypoints": options.keypoints * error}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the mean error of a coordinate, in sides of the patch, on held-out images."""
        found = torch.cat(self.outputs(network))
        target = np.asarray(join(self.validation)["keypoints"], np.float32)
        error = float(np.abs(found.cpu().numpy() - target).mean())
        return {"quality": -error, "error_in_patches": error}

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return the first patch of held-out samples."""
        return {"patches": contact_sheet(list(self.validation[0]["images"][:_SHOWN, :, :, :3].numpy()), 8)}

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 patches to keypoints."""
        return Deployed(network, activate)

    def contract(self) -> Contract:
        """Return patches and outputs: five crops of three channels."""
        network = cast(MienLNet, self.network)
        return Contract("lnet", network.input_size, self.recipe.crop_spec(), OutputSpec(("keypoints",)), channels=15)


class PatchSampler:
    """Draws five patches of ``size`` pixels, stacked on the channel axis."""

    def __init__(
        self, images: FaceImages, crop: PointPatches, jitter: float, augmentation: Augmentation, size: int
    ) -> None:
        probability = images.keypoint_probability()
        if probability is None:
            raise BadRecipe("L-Net learns from keypoints, but no source of this recipe has any")
        self._images = images
        self._crop = crop
        self._jitter = jitter
        self._augmentation = augmentation
        self._size = size
        self._probability = probability

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 15) uint8 and ``keypoints`` (5, 2) in fractions of each patch."""
        index, row = self._images.faces[rng.choice(len(self._probability), p=self._probability)]
        sample = self._images.all[index].sample
        side = float(self._crop.sides(sample.boxes[row : row + 1])[0] * np.exp(rng.uniform(-0.15, 0.15)))
        view = View.random(0.0, 0.0, side, self._augmentation, rng)
        keypoints = sample.keypoints[row][list(FIVE_MIRROR)] if view.mirrored else sample.keypoints[row]
        jitter = np.clip(rng.normal(0, self._jitter, (5, 2)), -_FARTHEST, _FARTHEST)
        mipmap = self._images.mipmap(int(index))
        patches = [
            View(float(x), float(y), side, view.degrees, view.mirrored).crop(mipmap, self._size)
            for x, y in keypoints - jitter @ view.linear().T
        ]
        # Side by side, the five patches share one change of color.
        strip = augment(np.concatenate(patches, axis=1), self._augmentation, rng)
        stacked = strip.reshape(self._size, 5, self._size, 3).transpose(0, 2, 1, 3)
        images = np.ascontiguousarray(stacked).reshape(self._size, self._size, 15)
        return {"images": images, "keypoints": (jitter + 0.5).astype(np.float32)}
