"""Refinement: R-Net, O-Net and the refiner on crops around, beside and far from faces, and on mined examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from mien.imaging.draw import contact_sheet
from mien.models import OutputSpec, SquareBox
from mien.train import losses
from mien.train.metrics import detection_metrics, keypoint_error
from mien.train.networks.deployed import Deployed, Outputs, normalize
from mien.train.networks.onet import MienONet, PaperONet
from mien.train.networks.refiner import MienRefiner
from mien.train.networks.rnet import MienRNet, PaperRNet
from mien.train.recipe import AtLeastOne, Fraction, Names, NonNegative, Positive, PositiveFraction, Recipe, Section
from mien.train.samples.crops import CropOptions, CropSampler
from mien.train.samples.faces import FaceImages, read_faces
from mien.train.samples.mining import Mined, MiningOptions, mine
from mien.train.task import Batch, Images
from mien.train.tasks.parts import Contract, SampledTask, join, validation_batches

_SHOWN = 64
RefinementNet = PaperRNet | MienRNet | PaperONet | MienONet | MienRefiner

REFINEMENT_NETS: Mapping[str, type[RefinementNet]] = MappingProxyType(
    {
        "paper-rnet": PaperRNet,
        "mien-rnet": MienRNet,
        "paper-onet": PaperONet,
        "mien-onet": MienONet,
        "refiner": MienRefiner,
    }
)

_GREEN, _RED = (0, 200, 0), (220, 0, 0)


class RefinementSamples(CropOptions):
    """Crops and mined examples.

    Attributes:
        context: Side of a crop in sides of the squared box.
        mine_from: Exported proposer, or P-Net and then perhaps R-Net, below the runs folder; their candidates become
            samples.
        mined_share: Share of mined examples among the negatives; half of it among the positives.
        mining_threshold: Score threshold of these networks.
        mining_min_face_size: Smallest face that they detect, in pixels.
    """

    context: AtLeastOne = 1.0
    mine_from: Names = ()
    mined_share: Fraction = 0.7
    mining_threshold: Fraction = 0.3
    mining_min_face_size: Positive = 12.0


class RefinementLosses(Section):
    """Weights and kinds of the losses.

    Attributes:
        heat_maps: Weight of the heat maps of a refiner's keypoints.
        keypoint_regression: Kind of the loss of the keypoints; "same" as that of the box.
        ohem_share: Share of the crops, hardest first, that counts for the score.
    """

    score: NonNegative = 1.0
    box: NonNegative = 0.5
    keypoints: NonNegative = 0.5
    heat_maps: NonNegative = 0.0
    regression: losses.Regression = "l2"
    keypoint_regression: losses.Regression | Literal["same"] = "same"
    ohem_share: PositiveFraction = 0.7


class RefinementRecipe(Recipe):
    """Recipe of an R-Net, an O-Net or a refiner."""

    networks: ClassVar[Mapping[str, type[RefinementNet]]] = REFINEMENT_NETS

    task: Literal["refinement"]
    samples: RefinementSamples = RefinementSamples()
    losses: RefinementLosses = RefinementLosses()

    def make_task(self, data: Path, runs: Path) -> RefinementTask:
        """Return the task, after mining."""
        train, held_out = read_faces(self.data, data)
        sampler = self._sampler(train, runs / self.name / "mined.npz", runs)
        held_out_sampler = self._sampler(held_out, runs / self.name / "mined_held_out.npz", runs)
        return RefinementTask(self, runs, sampler, validation_batches(held_out_sampler, self))

    def _sampler(self, images: FaceImages, cache: Path, runs: Path) -> CropSampler:
        samples = self.samples
        mined = Mined.none()
        if samples.mine_from:
            options = MiningOptions(
                samples.mining_threshold, samples.mining_min_face_size, samples.positive_iou, samples.negative_iou
            )
            mined = mine(images, [runs / name for name in samples.mine_from], options, cache)
        return CropSampler(
            images,
            samples,
            self.augmentation,
            self.networks[self.network.kind].input_size,
            context=samples.context,
            mined=mined,
            mined_share=samples.mined_share,
        )


class RefinementTask(SampledTask[RefinementRecipe]):
    """Training of an R-Net, an O-Net or a refiner."""

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of score, box and, where the network has them, keypoints."""
        options = self.recipe.losses
        logits, offsets, *keypoints = network(normalize(batch["images"]))
        kind = options.regression
        named = {
            "score": options.score * losses.ohem_score_loss(logits, batch["labels"], options.ohem_share),
            "box": options.box * losses.regression_loss(offsets, batch["offsets"], batch["has_box"], kind),
        }
        if keypoints:
            kind = kind if options.keypoint_regression == "same" else options.keypoint_regression
            error = losses.regression_loss(keypoints[0], batch["keypoints"], batch["has_keypoints"], kind)
            named["keypoints"] = options.keypoints * error
        if len(keypoints) > 1 and options.heat_maps:
            places = (batch["keypoints"] - 0.5) / self.recipe.samples.context + 0.5
            named["heat_maps"] = options.heat_maps * losses.heat_map_loss(keypoints[1], places, batch["has_keypoints"])
        return named

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return recall at several false positive rates, and the errors of box and keypoints, on held-out images."""
        outputs = self.outputs(network)
        target = join(self.validation)
        logits, offsets, *keypoints = (torch.cat(parts).cpu().numpy() for parts in zip(*outputs, strict=True))
        metrics = detection_metrics(logits, offsets, target)
        if keypoints:
            known = np.asarray(target["has_keypoints"], dtype=np.bool_)
            error = keypoint_error(keypoints[0], np.asarray(target["keypoints"], np.float32), known)
            metrics |= {"quality": metrics["quality"] - error, "keypoint_error": error}
        return metrics

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return held-out crops, with a green frame where the network sees a face, else a red one."""
        framed = self.validation[0]["images"][:_SHOWN].numpy().copy()
        logits = self.outputs(network)[0][0].cpu().numpy()
        for image, logit in zip(framed, logits, strict=False):
            color = _GREEN if logit > 0 else _RED
            image[[0, -1]] = color
            image[:, [0, -1]] = color
        return {"crops": contact_sheet(list(framed), 8)}

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 crops to scores, offsets and keypoints."""
        return Deployed(network, activate)

    def contract(self) -> Contract:
        """Return crop and outputs of the network."""
        network = cast(RefinementNet, self.network)
        crop = SquareBox(self.recipe.samples.context)
        return Contract(network.stage, network.input_size, crop, OutputSpec(network.outputs))


def activate(outputs: Outputs) -> Outputs:
    """Return scores (n,), offsets (n, 4) and, where the network has them, keypoints (n, 5, 2)."""
    logits, *others = outputs
    return (torch.sigmoid(logits), *others)
