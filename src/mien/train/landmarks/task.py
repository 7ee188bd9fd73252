"""The task of the 68 points, as the training loop sees it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mien.datasets.shards import Sample, read_shards
from mien.errors import BadRecipe
from mien.imaging.draw import contact_sheet, draw_landmarks
from mien.models import InputSpec, ModelCard, OutputSpec
from mien.train.engine.checkpoint import load_best
from mien.train.engine.task import Images
from mien.train.landmarks.losses import landmark_losses, point_errors
from mien.train.landmarks.networks import PointNetwork, make_landmark_network
from mien.train.landmarks.samples import CONTOURS, LandmarkSamples, crop_spec
from mien.train.networks import MEAN, SCALE
from mien.train.recipe import Recipe
from mien.types import Landmarks

_CHUNK = 64
_SHOWN = 25


class Landmarks68Task:
    """Network, samples, losses and measures of one recipe; validation has its own people."""

    def __init__(self, recipe: Recipe, data: Path, networks: Path) -> None:
        self._recipe = recipe
        torch.manual_seed(recipe.seed)
        self.network = make_landmark_network(recipe.network.kind)
        if recipe.network.start:
            load_best(networks / recipe.network.start, self.network)
        self._train = self._samples(data, "train", recipe.seed)
        self._held = self._samples(data, "val", recipe.seed + 1)
        self._subsets = [sample.subset for sample in self._held.all]
        order = np.arange(len(self._held))
        self._validation = [self._held.straight(order[i : i + _CHUNK]) for i in range(0, len(order), _CHUNK)]
        spread = np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).astype(np.intp)
        self._shown = self._held.straight(spread)

    def _samples(self, data: Path, split: str, seed: int) -> LandmarkSamples:
        recipe = self._recipe
        samples: list[Sample] = []
        sources: list[int] = []
        for number, source in enumerate(recipe.data.sources):
            if source.format != "shards":
                raise BadRecipe(
                    f"{recipe.name}: source {source.path} has the format {source.format!r}; landmarks68 trains from "
                    "shards: make them with `mien prepare landmarks`"
                )
            found = list(read_shards(data / source.path, split))
            tqdm.write(f"{source.path}: {len(found)} samples to {split}")
            samples += found
            sources += [number] * len(found)
        weights = [source.weight for source in recipe.data.sources]
        size = PointNetwork.input_size
        return LandmarkSamples(samples, sources, weights, recipe.landmarks, recipe.samples, size=size, seed=seed)

    def batch(self, step: int, rows: range) -> dict[str, Tensor]:
        """The samples of a step."""
        arrays = self._train.batch(step, self._recipe.schedule.batch)
        return {name: torch.from_numpy(array[rows.start : rows.stop]) for name, array in arrays.items()}

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Named and weighted."""
        out = network(_normalised(batch["images"]))
        return landmark_losses(out, batch, self._recipe.landmarks)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean error in inter-ocular distances of each subset, of all, and the yaw where it is known.

        The quality is the mean over the subsets, so that the largest does not choose alone.
        """
        device = next(network.parameters()).device
        errors: dict[str, list[float]] = defaultdict(list)
        yaw: list[float] = []
        names = iter(self._subsets)
        for batch_size in self._validation:
            out = network(_normalised(torch.from_numpy(batch_size["images"]).to(device)))
            found = _own_row(out["landmarks"].cpu(), torch.from_numpy(batch_size["row"]))
            distance = point_errors(found, torch.from_numpy(batch_size["points"])).numpy()
            known, eyes = batch_size["known"], batch_size["eyes"]
            mean = (distance * known).sum(1) / np.maximum(known.sum(1), 1)
            for name, each in zip(names, mean / eyes, strict=False):
                if np.isfinite(each):
                    errors[name].append(float(each))
            if "pose" in out:
                off = np.abs(out["pose"].cpu().numpy()[:, 0] - batch_size["pose"][:, 0])
                yaw += off[np.isfinite(off)].tolist()
        measures = {f"nme_inter_ocular_{name}": float(np.mean(each)) for name, each in sorted(errors.items())}
        everything = [each for group in errors.values() for each in group]
        found_measures = {"quality": -float(np.mean(list(measures.values()))), **measures}
        found_measures["failure_rate_10_inter_ocular"] = float(np.mean(np.array(everything) > 0.1))
        if yaw:
            found_measures["yaw_error_degrees"] = float(np.mean(yaw))
        return found_measures

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Fixed held-out faces with the points that the network puts on them."""
        device = next(network.parameters()).device
        crops = self._shown["images"]
        out = network(_normalised(torch.from_numpy(crops).to(device)))
        points = _own_row(out["landmarks"].cpu(), torch.from_numpy(self._shown["row"])).numpy() * crops.shape[1]
        faces = [Landmarks(each, "68", np.ones(len(each), dtype=np.float32)) for each in points]
        drawn = [draw_landmarks(crop, [face]) for crop, face in zip(crops, faces, strict=True)]
        return {"points": contact_sheet(drawn, 5)}

    def example(self) -> Images:
        """Held-out crops."""
        return np.ascontiguousarray(self._shown["images"])

    def exportable(self, network: nn.Module) -> nn.Module:
        """The network with its normalisation."""
        return Deployed68(network)

    def card(self, measures: dict[str, float]) -> ModelCard:
        """What the exported file says of itself."""
        recipe, network = self._recipe, cast(PointNetwork, self.network)
        return ModelCard(
            name=recipe.name,
            task=recipe.task,
            input=InputSpec(PointNetwork.input_size, 3, "RGB", MEAN, SCALE),
            crop=crop_spec(recipe.landmarks),
            output=OutputSpec(network.outputs, {"landmarks": CONTOURS[: network.rows]}),
            license=recipe.data.license,
            training_data=", ".join(f"{s.path} (weight {s.weight:g})" for s in recipe.data.sources),
            source=f"trained with mien, recipe {recipe.name}, network {recipe.network.kind}, seed {recipe.seed}",
            scores={name: round(value, 5) for name, value in measures.items()},
            parameters=sum(p.numel() for p in self.network.parameters()),
        )


class Deployed68(nn.Module):
    """What is exported: landmarks and uncertainty in fractions of the uint8 crop (n, 128, 128, 3), pose in degrees."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs in the order of the card."""
        out = self.network(_normalised(images))
        return tuple(torch.exp(value) if name == "uncertainty" else value for name, value in out.items())


def _normalised(images: Tensor) -> Tensor:
    return (images.permute(0, 3, 1, 2).float() - MEAN) * SCALE


def _own_row(points: Tensor, row: Tensor) -> Tensor:
    """Of points (n, rows, 68, 2) those of each sample's scheme; a network of one row has no other."""
    return points[torch.arange(len(row)), row.clamp(max=points.shape[1] - 1)]
