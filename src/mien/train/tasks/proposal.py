"""Proposals: P-Net on every window of a patch of a pyramid level, or on single crops as in the paper.

Patches hold hundreds of windows, as at inference, so that the background comes in its natural variety and the hardest
windows can be chosen from all of them. The labels are those of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from mien.geometry import boxes as box
from mien.imaging.draw import contact_sheet
from mien.models import OutputSpec, Window
from mien.train import losses
from mien.train.metrics import detection_metrics
from mien.train.networks.deployed import Deployed, normalize
from mien.train.networks.pnet import PNETS, MienPNet, PaperPNet, activate
from mien.train.recipe import Augmentation, Count, NonNegative, Positive, PositiveFraction, Recipe, Section
from mien.train.samples.augment import augment
from mien.train.samples.crops import CropOptions, CropSampler, label_windows
from mien.train.samples.faces import FaceImages, read_faces
from mien.train.samples.views import View
from mien.train.task import Arrays, Batch, Images
from mien.train.tasks.parts import Contract, SampledTask, Sampler, join, validation_batches
from mien.types import Floats

_SHOWN = 16


class ProposalSamples(CropOptions):
    """``kind``: patches of ``windows_per_side`` squared windows, or single crops, for which the shares hold."""

    kind: Literal["windows", "crops"] = "windows"
    windows_per_side: Count = 25


class ProposalLosses(Section):
    """Weights, and which samples count for the score.

    Of windows these are all faces and ``negatives_per_face`` times as many others, hardest first; of crops the
    ``ohem_share`` with the largest loss.
    """

    score: NonNegative = 1.0
    box: NonNegative = 0.5
    regression: losses.Regression = "l2"
    negatives_per_face: Positive = 5.0
    ohem_share: PositiveFraction = 0.7


class ProposalRecipe(Recipe):
    """Recipe of a P-Net."""

    networks: ClassVar[Mapping[str, type[PaperPNet | MienPNet]]] = PNETS

    task: Literal["proposal"]
    samples: ProposalSamples = ProposalSamples()
    losses: ProposalLosses = ProposalLosses()

    def make_task(self, data: Path, runs: Path) -> ProposalTask:
        """Return the task."""
        train, held_out = read_faces(self.data, data)
        return ProposalTask(self, runs, self._sampler(train), validation_batches(self._sampler(held_out), self))

    def _sampler(self, images: FaceImages) -> Sampler:
        network = self.networks[self.network.kind]
        if self.samples.kind == "crops":
            return CropSampler(images, self.samples, self.augmentation, network.input_size)
        return WindowSampler(images, self.samples, self.augmentation, network.crop, network.input_size)


class ProposalTask(SampledTask[ProposalRecipe]):
    """Training of a P-Net. Crops are patches of one window."""

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of score and box."""
        options = self.recipe.losses
        logits, offsets = _windows(network(normalize(batch["images"])))
        labels, has_box = batch["labels"].reshape(logits.shape), batch["has_box"].reshape(logits.shape)
        if self.recipe.samples.kind == "crops":
            score = losses.ohem_score_loss(logits.flatten(), labels.flatten(), options.ohem_share)
        else:
            score = losses.window_score_loss(logits, labels, options.negatives_per_face)
        target = batch["offsets"].reshape(offsets.shape)
        return {
            "score": options.score * score,
            "box": options.box * losses.regression_loss(offsets, target, has_box, options.regression),
        }

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return recall at several false positive rates, and the box error, on held-out images."""
        outputs = [_windows(output) for output in self.outputs(network)]
        target = join(self.validation)
        logits, offsets = (torch.cat(parts).cpu().numpy() for parts in zip(*outputs, strict=True))
        shape = target["labels"].shape
        return detection_metrics(logits.reshape(shape), offsets.reshape((*shape, 4)), target)

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return the first held-out samples."""
        return {"patches": contact_sheet(list(self.validation[0]["images"][:_SHOWN].numpy()), 4)}

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 images to scores and offsets."""
        return Deployed(network, activate)

    def contract(self) -> Contract:
        """Return window and outputs of the network."""
        network = cast(MienPNet, self.network)
        return Contract("pnet", network.input_size, network.crop, OutputSpec(network.outputs))


class WindowSampler:
    """Draws patches of pyramid levels with a label for each window.

    Attributes:
        size: Side of the patches in pixels of the level.
    """

    def __init__(
        self,
        images: FaceImages,
        options: ProposalSamples,
        augmentation: Augmentation,
        crop: Window,
        input_size: int,
    ) -> None:
        self._images = images
        self._options = options
        self._augmentation = augmentation
        self._cell = crop.cell
        self.size = input_size + crop.stride * (options.windows_per_side - 1)
        self._windows = window_grid(self.size, input_size, crop)

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 3) uint8, ``labels`` (k,) in {1, 0, -1 = unlabelled}, ``offsets`` (k, 4), and
        where these are known, ``has_box`` (k,)."""
        show_face = rng.random() >= self._options.negative_share and len(self._images.faces) > 0
        index, view = self._face_view(rng) if show_face else self._background_view(rng)
        annotated = self._images.all[index]
        faces = view.boxes(annotated.sample.boxes) * self.size
        labels, offsets, has_box = label_windows(
            self._windows, faces, annotated.sample.ignored, self._options, background=annotated.background
        )
        patch = augment(view.crop(self._images.mipmap(index), self.size), self._augmentation, rng)
        return {"images": patch, "labels": labels, "offsets": offsets, "has_box": has_box}

    def _face_view(self, rng: np.random.Generator) -> tuple[int, View]:
        """Return a patch with a face anywhere in it, at one of the sizes that P-Net must detect."""
        index, row = self._images.faces[rng.choice(len(self._images.faces), p=self._images.probability)]
        face = box.square(self._images.all[index].sample.boxes[row : row + 1])[0]
        size = self._cell * np.exp(rng.uniform(np.log(0.82), np.log(1.3)))
        side = float(face[2] - face[0]) / size * self.size
        shift = rng.uniform(-0.5, 0.5, 2) * side * (1 - 2 * self._cell / self.size)
        x, y = (face[:2] + face[2:]) / 2 + shift
        return int(index), View.random(float(x), float(y), side, self._augmentation, rng)

    def _background_view(self, rng: np.random.Generator) -> tuple[int, View]:
        """Return a patch anywhere in an image whose background is known, at any level of its pyramid."""
        index = self._images.draw_background(rng)
        height, width = self._images.mipmap(index).image.shape[:2]
        widest = max(height, width) * 1.5
        side = float(np.exp(rng.uniform(np.log(min(self.size, widest)), np.log(widest))))
        return index, View.random(rng.uniform(0, width), rng.uniform(0, height), side, self._augmentation, rng)


def window_grid(size: int, input_size: int, crop: Window) -> Floats:
    """Return the face boxes (H * W, 4) of the windows of a level of ``size`` pixels, row by row, in level pixels."""
    count = (size - input_size) // crop.stride + 1
    rows, columns = np.divmod(np.arange(count * count), count)
    return crop.face_boxes(rows, columns, input_size)


def _windows(outputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return logits (n, k) and offsets (n, k, 4) of all windows of the patches."""
    logits, offsets = outputs
    return logits.flatten(1), offsets.flatten(2).transpose(1, 2)
