"""68 landmarks: crops cut anew for every step from the context images of shards, rotated, shifted and scaled."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.datasets.shards import Sample, read_shards
from mien.errors import BadRecipe
from mien.imaging.draw import contact_sheet, draw_landmarks
from mien.models import OutputSpec
from mien.train.engine.display import report
from mien.train.losses import DISTANCE_LOSSES, distances, laplace, weighted_mean
from mien.train.networks.deployed import Deployed, normalize
from mien.train.networks.landmarks import INPUT_SIZE, LANDMARK_NETWORKS, LandmarkNetwork, activate
from mien.train.recipe import NonNegative, Recipe, Section
from mien.train.samples.faces import source_probability
from mien.train.samples.landmarks import LandmarkSampler, LandmarkSamples
from mien.train.task import Batch, Images
from mien.train.tasks.parts import Contract, SampledTask, collate
from mien.types import Landmarks

_BATCH = 64
_SHOWN = 25
_PERCENT = 100.0
_TYPICAL_EYES, _SMALLEST_EYES = 0.32, 0.12
"""Inter-ocular distance of a frontal face in sides of the crop; and the least that is counted with."""
_JAW = 17
_POSE_UNIT = 10.0
"""Degrees that count as one in the loss of the head pose."""


class LandmarkLosses(Section):
    """Losses of the landmarks, in hundredths of the crop.

    Attributes:
        landmarks: Loss of the distances; "laplace" is their likelihood, with the network's own scale.
        interocular_weighting: Weigh faces by the inverse of their inter-ocular distance, so that turned faces count
            more.
        cross_scheme: Weight with which points other than the jaw also train the other contour.
        uncertainty: Weight of the likelihood that trains the uncertainty alone.
        pose: Weight of the head pose.
    """

    landmarks: Literal["l2", "l1", "smooth-l1", "wing", "adaptive-wing", "laplace"] = "l1"
    interocular_weighting: bool = False
    cross_scheme: NonNegative = 0.0
    uncertainty: NonNegative = 0.0
    pose: NonNegative = 0.0


class LandmarksRecipe(Recipe):
    """Recipe of a network for 68 landmarks."""

    networks: ClassVar[Mapping[str, Callable[[], LandmarkNetwork]]] = LANDMARK_NETWORKS

    task: Literal["landmarks"]
    samples: LandmarkSamples = LandmarkSamples()
    losses: LandmarkLosses = LandmarkLosses()

    def make_task(self, data: Path, runs: Path) -> LandmarksTask:
        """Return the task."""
        return LandmarksTask(self, runs, self._sampler(data, "train"), self._sampler(data, "val"))

    def _sampler(self, data: Path, split: str) -> LandmarkSampler:
        samples: list[Sample] = []
        sources: list[int] = []
        for number, source in enumerate(self.data.sources.values()):
            if source.format != "shards":
                raise BadRecipe(
                    f"{self.name}: source {source.path} has the format {source.format!r}; landmarks are trained from "
                    "shards: make them with `mien prepare landmarks`"
                )
            found = list(read_shards(data / source.path, split))
            report(f"{source.path}: {len(found)} samples ({split})")
            samples += found
            sources += [number] * len(found)
        weights = [source.weight for source in self.data.sources.values()]
        if not samples:
            raise BadRecipe("the sources of this recipe hold no usable sample")
        return LandmarkSampler(
            samples, source_probability(np.array(sources), weights), self.samples, self.augmentation, INPUT_SIZE
        )


class LandmarksTask(SampledTask[LandmarksRecipe]):
    """Training of a network for 68 landmarks; ``subsets`` names the data set of each held-out face."""

    half_precision_weights = True

    def __init__(
        self, recipe: LandmarksRecipe, runs: Path, sampler: LandmarkSampler, held_out: LandmarkSampler
    ) -> None:
        count = len(held_out.all)
        parts = [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]
        super().__init__(recipe, runs, sampler, [collate([held_out.centered(i) for i in rows]) for rows in parts])
        self._subsets = [sample.subset for sample in held_out.all]

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses."""
        return landmark_losses(network(normalize(batch["images"])), batch, self.recipe.losses)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the inter-ocular NME of each subset, the failure rate at 10 %, and the yaw error if it is known.

        The quality is the mean NME of the subsets, so that the largest does not decide alone.
        """
        nme: dict[str, list[float]] = defaultdict(list)
        yaw: list[float] = []
        names = iter(self._subsets)
        for batch, outputs in zip(self.validation, self.outputs(network), strict=True):
            found = _own_contour(outputs["landmarks"].cpu(), batch["scheme"])
            errors = weighted_mean_per_face(distances(found, batch["landmarks"]), batch["known"])
            for name, error in zip(names, (errors / batch["eyes"]).tolist(), strict=False):
                if math.isfinite(error):
                    nme[name].append(error)
            if "pose" in outputs:
                error_yaw = (outputs["pose"].cpu()[:, 0] - batch["pose"][:, 0]).abs()
                yaw += error_yaw[torch.isfinite(error_yaw)].tolist()
        means = {f"nme_inter_ocular_{name}": float(np.mean(errors)) for name, errors in sorted(nme.items())}
        failures = [error > 0.1 for errors in nme.values() for error in errors]
        metrics = {"quality": -float(np.mean(list(means.values()))), **means}
        metrics["failure_rate_10_inter_ocular"] = float(np.mean(failures))
        if yaw:
            metrics["yaw_error_degrees"] = float(np.mean(yaw))
        return metrics

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return held-out faces with the landmarks found."""
        batch, outputs = self.validation[0], self.outputs(network)[0]
        found = _own_contour(outputs["landmarks"].cpu(), batch["scheme"])[:_SHOWN].numpy() * INPUT_SIZE
        faces = [Landmarks(points, "68", np.ones(len(points), dtype=np.float32)) for points in found]
        drawn = [draw_landmarks(crop, [face]) for crop, face in zip(batch["images"].numpy(), faces, strict=False)]
        return {"landmarks": contact_sheet(drawn, 5)}

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 crops to landmarks, uncertainty and pose."""
        return Deployed(network, activate)

    def contract(self) -> Contract:
        """Return crop and outputs; the labels of the landmarks are their contours."""
        network = cast(LandmarkNetwork, self.network)
        output = OutputSpec(network.outputs, {"landmarks": network.contours})
        return Contract("landmarks68", INPUT_SIZE, self.recipe.samples.crop_spec(), output)


def landmark_losses(outputs: dict[str, Tensor], batch: Batch, options: LandmarkLosses) -> dict[str, Tensor]:
    """Return the weighted losses of landmarks, uncertainty, the other contour and pose, as far as they are asked for.

    Args:
        outputs: ``landmarks`` (n, contours, 68, 2), and perhaps ``uncertainty`` (n, contours, 68), ``pose`` (n, 3).
        batch: As :meth:`LandmarkSampler.sample` gives it.
        options: Weights and kinds.
    """
    contours = outputs["landmarks"].shape[1]
    contour = batch["scheme"].clamp(max=contours - 1)
    face = torch.arange(len(contour), device=contour.device)
    known = batch["known"].float()
    weights = known * _face_weights(batch["eyes"], enabled=options.interocular_weighting)[:, None]
    error = distances(outputs["landmarks"][face, contour], batch["landmarks"]) * _PERCENT
    log_scale = outputs["uncertainty"][face, contour] + math.log(_PERCENT) if "uncertainty" in outputs else None
    losses = {"landmarks": weighted_mean(_distance_loss(options.landmarks, error, log_scale), weights)}
    if options.uncertainty > 0 and log_scale is not None:
        losses["uncertainty"] = options.uncertainty * weighted_mean(laplace(error.detach(), log_scale), known)
    if options.cross_scheme > 0 and contours > 1:
        other = distances(outputs["landmarks"][face, 1 - contour], batch["landmarks"]) * _PERCENT
        losses["cross_scheme"] = options.cross_scheme * weighted_mean(other[:, _JAW:], weights[:, _JAW:])
    if options.pose > 0 and "pose" in outputs:
        losses["pose"] = options.pose * _pose_loss(outputs["pose"], batch["pose"])
    return losses


def weighted_mean_per_face(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean (n,) of the values (n, k) that are known."""
    return (values * known).sum(1) / known.sum(1).clamp(min=1)


def _distance_loss(kind: str, error: Tensor, log_scale: Tensor | None) -> Tensor:
    if kind in DISTANCE_LOSSES:
        return DISTANCE_LOSSES[kind](error)
    if log_scale is None:
        raise BadRecipe("losses.landmarks = laplace: the network has no uncertainty; choose another network or loss")
    return laplace(error, log_scale)


def _pose_loss(pose: Tensor, target: Tensor) -> Tensor:
    """Return the smooth L1 loss of the angles that are known."""
    known = torch.isfinite(target)
    error = (pose - torch.where(known, target, pose)) / _POSE_UNIT
    return F.smooth_l1_loss(error, torch.zeros_like(error), reduction="sum") / known.sum().clamp(min=1)


def _face_weights(eyes: Tensor, *, enabled: bool) -> Tensor:
    """Return 1, or the typical inter-ocular distance over that of each face."""
    if not enabled:
        return torch.ones_like(eyes)
    return _TYPICAL_EYES / torch.where(torch.isfinite(eyes), eyes, _TYPICAL_EYES).clamp(min=_SMALLEST_EYES)


def _own_contour(landmarks: Tensor, scheme: Tensor) -> Tensor:
    """Return the contour of each sample's scheme; a network with one contour has no other."""
    return landmarks[torch.arange(len(scheme)), scheme.clamp(max=landmarks.shape[1] - 1)]
