"""The proposer: a one-stage detector of the whole image, trained on windows and mosaics of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.evaluation.metrics.average_precision import LabeledImage, precision_recall
from mien.evaluation.metrics.matching import match_boxes
from mien.geometry import boxes as box
from mien.imaging.draw import contact_sheet, draw_rectangles
from mien.models import OutputSpec
from mien.train import losses
from mien.train.assignment import FACE, Cells, Targets, assign, make_cells
from mien.train.metrics import keypoint_error
from mien.train.networks.deployed import Deployed, Outputs, normalize
from mien.train.networks.proposer import PROPOSERS, MienProposer, activate, distances
from mien.train.recipe import NonNegative, Recipe, Section
from mien.train.samples.appearance import SceneAugmentation
from mien.train.samples.faces import FaceImages, read_faces
from mien.train.samples.scenes import SceneImages, SceneOptions, SceneSampler
from mien.train.task import Arrays, Batch, Images
from mien.train.tasks.parts import Contract, SampledTask, validation_batches
from mien.types import Faces, Floats

_KEYPOINT_BETA = 0.05
"""Below this error, in sides of the box, the smooth L1 loss of the keypoints is quadratic."""

_KEYPOINT_MIN_IOU = 0.3
"""A prediction whose box is farther off has nothing to learn about keypoints yet."""

_SHOWN, _SHOWN_SCORE, _GREEN = 16, 0.3, (0, 200, 0)
_NMS_IOU, _MIN_SCORE, _MAX_DETECTIONS = 0.5, 0.02, 300
_KEYPOINTS_SCORE = 0.3


class ProposerLosses(Section):
    """Weights of the losses."""

    score: NonNegative = 1.0
    box: NonNegative = 2.0
    keypoints: NonNegative = 5.0


class ProposerRecipe(Recipe):
    """Recipe of a proposer."""

    networks: ClassVar[Mapping[str, type[MienProposer]]] = PROPOSERS

    task: Literal["proposer"]
    samples: SceneOptions = SceneOptions()
    augmentation: SceneAugmentation = SceneAugmentation()
    losses: ProposerLosses = ProposerLosses()

    def make_task(self, data: Path, runs: Path) -> ProposerTask:
        """Return the task; decoded images are kept in ``<runs>/<name>``."""
        train, held_out = read_faces(self.data, data)
        folder = runs / self.name
        sampler = self._sampler(train, folder / "images.bin")
        held_out_sampler = self._sampler(held_out, folder / "held_out.bin")
        return ProposerTask(self, runs, sampler, validation_batches(held_out_sampler, self, collate_scenes))

    def _sampler(self, images: FaceImages, file: Path) -> SceneSampler:
        weights = [source.weight for source in self.data.sources.values()]
        return SceneSampler(SceneImages.open(images.all, weights, file), self.samples, self.augmentation)


class ProposerTask(SampledTask[ProposerRecipe]):
    """Training of a proposer."""

    half_precision_weights = True

    def __init__(self, recipe: ProposerRecipe, runs: Path, sampler: SceneSampler, validation: Sequence[Batch]) -> None:
        super().__init__(recipe, runs, sampler, validation, collate_scenes)
        # Images arrive as (n, h, w, c); convolutions in this order are a fifth faster on the CPU.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of quality, box and keypoints, per assigned cell."""
        options = self.recipe.losses
        raw, boxes, cells = _predict(network, batch["images"])
        targets = Targets(batch["owners"], batch["boxes"], batch["kinds"], batch["keypoints"])
        assigned = assign(targets, torch.sigmoid(raw[..., 0]).detach(), boxes.detach(), cells)
        image, cell = (assigned.rows >= 0).nonzero(as_tuple=True)
        face = assigned.rows[image, cell]
        predicted, true = boxes[image, cell], targets.boxes[face]
        iou = losses.box_iou(predicted.detach(), true)
        quality = torch.zeros_like(raw[..., 0])
        quality[image, cell] = iou
        count = max(len(cell), 1)
        score = (losses.quality_focal_loss(raw[..., 0], quality) * assigned.weights).sum() / count
        points = _keypoint_loss(raw[image, cell, 5:], predicted.detach(), targets.keypoints[face], iou)
        return {
            "score": options.score * score,
            "box": options.box * losses.giou_loss(predicted, true).sum() / count,
            "keypoints": options.keypoints * points,
        }

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return average precision and recall at IoU 0.5, and the error of the keypoints, on held-out scenes."""
        truth, detections, points, true_points = [], [], [], []
        for batch in self.validation:
            for labels, found in zip(_by_image(batch), _detect(network, batch["images"]), strict=True):
                faces = labels["kinds"] == FACE
                found = _outside(found, labels["boxes"][faces], labels["boxes"][~faces])
                rows = np.flatnonzero(faces)
                truth.append(LabeledImage(labels["boxes"], {"faces": rows}))
                detections.append(found)
                sure = found[found.scores >= _KEYPOINTS_SCORE]
                matched = match_boxes(labels["boxes"][rows], sure.boxes, min_iou=0.5)
                points.append(sure.keypoints[matched[matched >= 0]])
                true_points.append(labels["keypoints"][rows[matched >= 0]])
        curve = precision_recall(truth, detections).get("faces")
        predicted, target = np.concatenate(points), np.concatenate(true_points)
        error = keypoint_error(predicted, target, np.asarray(np.isfinite(target).all(axis=(1, 2))))
        ap, recall = (curve.ap, float(curve.recall[-1])) if curve else (0.0, 0.0)
        return {"quality": ap, "average_precision": ap, "recall": recall, "keypoint_error": error}

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return held-out scenes with what is detected in them."""
        scenes = self.validation[0]["images"][:_SHOWN]
        drawn = scenes.numpy().copy()
        for scene, found in zip(drawn, _detect(network, scenes), strict=True):
            draw_rectangles(scene, found.boxes[found.scores >= _SHOWN_SCORE], _GREEN)
        return {"scenes": contact_sheet(list(drawn), 4)}

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return the network from uint8 images to quality, distances and keypoints of each cell."""
        return Deployed(network, activate)

    def contract(self) -> Contract:
        """Return grid and outputs of the network."""
        return Contract("proposer", MienProposer.input_size, MienProposer.crop, OutputSpec(MienProposer.outputs))


def collate_scenes(samples: Sequence[Arrays]) -> Batch:
    """Return the scenes as one tensor, and the faces of all in one table with the number of their scene: ``owners``."""
    counts = [len(sample["boxes"]) for sample in samples]
    joined = {name: np.concatenate([each[name] for each in samples]) for name in ("boxes", "kinds", "keypoints")}
    arrays = {"images": np.stack([sample["images"] for sample in samples]), **joined}
    arrays["owners"] = np.repeat(np.arange(len(samples)), counts)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _predict(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor, Cells]:
    """Return the outputs (n, a, 15) of all cells, the boxes (n, a, 4) that they predict, and the cells."""
    levels: Outputs = network(normalize(images))
    raw = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1).float()
    cells = make_cells(MienProposer.crop, images.shape[1], images.shape[2], raw.device)
    sides = distances(raw[..., 1:5], cells.strides[:, None])
    return raw, torch.cat([cells.centers - sides[..., :2], cells.centers + sides[..., 2:]], dim=-1), cells


def _keypoint_loss(predicted: Tensor, boxes: Tensor, true: Tensor, iou: Tensor) -> Tensor:
    """Return the smooth L1 loss of keypoints (k, 10), in sides of the predicted boxes (k, 4)."""
    known = torch.isfinite(true).all(dim=(1, 2)) if len(true) else torch.zeros(0, dtype=torch.bool)
    if not known.any():
        return predicted.sum() * 0
    corner, sides = boxes[known, None, :2], (boxes[known, 2:] - boxes[known, :2])[:, None]
    target = (true[known] - corner) / sides
    found = predicted[known].reshape(-1, 5, 2)
    each = F.smooth_l1_loss(found, target, beta=_KEYPOINT_BETA, reduction="none").mean((1, 2))
    return (each * (iou[known] > _KEYPOINT_MIN_IOU)).sum() / known.sum()


def _detect(network: nn.Module, images: Tensor) -> list[Faces]:
    """Return the faces of each image, best first, after NMS."""
    device = next(network.parameters()).device
    raw, boxes, _ = _predict(network, images.to(device))
    scores, found = torch.sigmoid(raw[..., 0]).cpu().numpy(), boxes.cpu().numpy()
    fractions = raw[..., 5:].reshape(*raw.shape[:2], 5, 2).cpu().numpy()
    faces = []
    for i in range(len(images)):
        best = np.argsort(-scores[i], kind="stable")[:_MAX_DETECTIONS]
        best = best[scores[i][best] > _MIN_SCORE]
        kept = best[box.nms(found[i][best], scores[i][best], _NMS_IOU)]
        faces.append(Faces(found[i][kept], scores[i][kept], box.decode_points(fractions[i][kept], found[i][kept])))
    return faces


def _by_image(batch: Batch) -> list[dict[str, Floats]]:
    """Return boxes, kinds and keypoints of each image."""
    owners = batch["owners"].numpy()
    arrays = {name: batch[name].numpy() for name in ("boxes", "kinds", "keypoints")}
    return [{name: array[owners == i] for name, array in arrays.items()} for i in range(len(batch["images"]))]


def _outside(found: Faces, faces: Floats, others: Floats) -> Faces:
    """Return the detections but those in boxes that are no face to be found, unless they match one that is."""
    hidden = box.ioa(found.boxes, others).max(axis=1, initial=0) > 0.5
    matching = box.iou(found.boxes, faces).max(axis=1, initial=0) >= 0.5
    kept: Faces = found[matching | ~hidden]
    return kept
