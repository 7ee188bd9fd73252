"""The tasks of the cascade, as the training loop sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from mien.datasets.registry import read_dataset
from mien.datasets.samples import DetectionSample
from mien.errors import BadRecipe
from mien.models import CropSpec, InputSpec, ModelCard, OutputSpec, PointPatches, SquareBox, Window
from mien.train import losses, measures
from mien.train.crops import CropSamples
from mien.train.engine.checkpoint import load_best
from mien.train.engine.task import Images, Task
from mien.train.examples import Example, Examples, split
from mien.train.landmarks.task import Landmarks68Task
from mien.train.mining import Mined, mine
from mien.train.networks import MEAN, OUTPUTS, SCALE, Deployed, make_network
from mien.train.patches import PatchSamples
from mien.train.recipe import Recipe
from mien.train.windows import WindowSamples

_VALIDATION_BATCHES = 12
_VALIDATION_STEP = 1 << 40
"""Validation batches are those of steps that training never reaches."""

_PROBLEMS_SHOWN = 10


def make_task(recipe: Recipe, data: Path, run_dir: Path, networks: Path) -> Task:
    """The task of a recipe.

    ``data``: folder that the paths of its sources start from; ``networks``: folder that ``hard_from`` starts from.
    Raises BadRecipe, BadAnnotation, ModelMissing.
    """
    if recipe.task == "landmarks68":
        return Landmarks68Task(recipe, data, networks)
    train, held = _read(recipe, data)
    weights = [source.weight for source in recipe.data.sources]
    return _CascadeTask(recipe, Examples(train, weights), Examples(held or train, weights), run_dir, networks)


def _read(recipe: Recipe, data: Path) -> tuple[list[Example], list[Example]]:
    """Training and held-out examples of all sources; what cannot be used is counted and named."""
    examples: list[Example] = []
    for number, source in enumerate(recipe.data.sources):
        dataset = read_dataset(DetectionSample, source.format, data / source.path, source.split)
        for problem in dataset.problems[:_PROBLEMS_SHOWN]:
            tqdm.write(f"problem: {problem}")
        tqdm.write(f"{source.path}: {len(dataset)} images, {len(dataset.problems)} problems")
        examples += [Example(annotation, source.background, number) for annotation in dataset]
    return split(examples)


class _CascadeTask:
    """Any network of the cascade: the samples differ, the rest is shared."""

    def __init__(self, recipe: Recipe, train: Examples, held: Examples, run_dir: Path, networks: Path) -> None:
        self._recipe = recipe
        torch.manual_seed(recipe.seed)
        self.network = make_network(recipe.network.kind)
        if recipe.network.start:
            load_best(networks / recipe.network.start, self.network)
        self._input = cast(int, self.network.input_size)
        self._crop = self._crop_spec()
        self._windows = recipe.task == "pnet" and recipe.samples.kind == "windows"
        hard = [networks / name for name in recipe.samples.hard_from]
        mined = mine(train, hard, recipe.samples, run_dir / "mined.npz") if hard else Mined.none()
        mined_held = mine(held, hard, recipe.samples, run_dir / "mined_held_out.npz") if hard else Mined.none()
        self._train = self._samples(train, mined, recipe.seed)
        self._held = self._samples(held, mined_held, recipe.seed + 1)
        self._validation = [self._tensors(self._held, _VALIDATION_STEP + i) for i in range(_VALIDATION_BATCHES)]

    def _samples(self, examples: Examples, mined: Mined, seed: int) -> CropSamples | WindowSamples | PatchSamples:
        recipe = self._recipe.samples
        if self._windows and isinstance(self._crop, Window):
            return WindowSamples(examples, recipe, self._crop, input_size=self._input, seed=seed)
        if isinstance(self._crop, PointPatches):
            return PatchSamples(examples, recipe, self._crop, size=self._input, seed=seed)
        return CropSamples(examples, mined, recipe, size=self._input, seed=seed)

    def _crop_spec(self) -> CropSpec:
        """Return what the samples are cut by and the card says."""
        if self._recipe.task == "pnet":
            return Window(cast(int, self.network.stride), cast(int, self.network.cell))
        if self._recipe.task == "lnet":
            return PointPatches(self._recipe.samples.patch_fraction)
        return SquareBox(self._recipe.samples.context)

    def _tensors(self, samples: CropSamples | WindowSamples | PatchSamples, step: int) -> dict[str, Tensor]:
        batch = samples.batch(step, self._recipe.schedule.batch)
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}

    def batch(self, step: int, rows: range) -> dict[str, Tensor]:
        """The samples of a step."""
        return {name: tensor[rows.start : rows.stop] for name, tensor in self._tensors(self._train, step).items()}

    def _outputs(self, network: nn.Module, images: Tensor) -> Any:
        x = (images.permute(0, 3, 1, 2).float() - MEAN) * SCALE
        out = network(x)
        if self._recipe.task == "pnet" and not self._windows:
            return out[0].flatten(), out[1].flatten(1)  # one window a crop
        return out

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Named and weighted."""
        out = self._outputs(network, batch["images"])
        if self._windows:
            return losses.window_losses(out, batch, self._recipe.losses)
        if self._recipe.task == "lnet":
            return losses.point_losses(out, batch, self._recipe.losses)
        return losses.crop_losses(out, batch, self._recipe.losses)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Recall at fixed rates of false alarms, errors of boxes and points, on held-out images."""
        device = next(network.parameters()).device
        outs = [self._outputs(network, batch["images"].to(device)) for batch in self._validation]
        truth = {name: torch.cat([b[name] for b in self._validation]).numpy() for name in self._validation[0]}
        if self._recipe.task == "lnet":
            error = float(np.abs(torch.cat(outs).cpu().numpy() - truth["points"]).mean())
            return {"quality": -error, "error_in_patches": error}
        found = [torch.cat(list(parts)).cpu().numpy() for parts in zip(*outs, strict=True)]
        if self._windows:
            found = [
                found[0].reshape(len(found[0]), -1),
                np.moveaxis(found[1].reshape(*found[1].shape[:2], -1), 1, 2),
            ]
        return self._judged(found, truth)

    def _judged(self, found: list[NDArray[np.float32]], truth: dict[str, NDArray[Any]]) -> dict[str, float]:
        out = {
            f"recall_at_{rate:g}": measures.recall_at(found[0], truth["labels"], rate) for rate in (0.001, 0.01, 0.1)
        }
        out["box_error"] = measures.box_error(found[1], truth["offsets"], truth["located"])
        # Not by the fewest false alarms: those are mostly faces that nobody annotated.
        quality = (out["recall_at_0.01"] + out["recall_at_0.1"]) / 2 - out["box_error"]
        if len(found) > 2:
            out["point_error"] = measures.point_error(found[2], truth["points"], truth["pointed"])
            quality -= out["point_error"]
        return {"quality": quality, **out}

    def images(self, network: nn.Module) -> dict[str, Images]:
        """The first held-out samples; for crops, with a green frame where the network sees a face, else a red one."""
        images = self._validation[0]["images"][:64].numpy()
        if self._recipe.task == "lnet":
            return {"patches": _sheet(images[..., :3])}
        if self._windows:
            return {"patches": _sheet(images[:16])}
        device = next(network.parameters()).device
        logits = self._outputs(network, torch.from_numpy(images).to(device))[0].cpu().numpy()
        framed = images.copy()
        for image, logit in zip(framed, logits, strict=True):
            colour = (0, 200, 0) if logit > 0 else (220, 0, 0)
            image[[0, -1]] = colour
            image[:, [0, -1]] = colour
        return {"crops": _sheet(framed)}

    def example(self) -> Images:
        """Held-out samples."""
        return np.ascontiguousarray(self._validation[0]["images"][:16].numpy())

    def exportable(self, network: nn.Module) -> nn.Module:
        """The network with its normalisation."""
        return Deployed(network)

    def card(self, measures: dict[str, float]) -> ModelCard:
        """What the exported file says of itself."""
        recipe = self._recipe
        sources = ", ".join(f"{s.path} ({s.format}, {s.split})" for s in recipe.data.sources)
        return ModelCard(
            name=recipe.name,
            task=recipe.task,
            input=InputSpec(self._input, 15 if recipe.task == "lnet" else 3, "RGB", MEAN, SCALE),
            crop=self._crop,
            output=OutputSpec(OUTPUTS[recipe.task]),
            license=recipe.data.license,
            training_data=sources,
            source=f"trained with mien, recipe {recipe.name}, network {recipe.network.kind}, seed {recipe.seed}",
            scores={name: round(value, 5) for name, value in measures.items()},
            parameters=sum(p.numel() for p in self.network.parameters()),
        )


def _sheet(images: Images) -> Images:
    """Images (n, h, w, 3) in a square, row by row; what does not fill a row is left out."""
    side = int(np.sqrt(len(images)))
    n, h, w, c = images[: side * side].shape
    if n == 0:
        raise BadRecipe("no held-out sample to show")
    rows = images[: side * side].reshape(side, side, h, w, c).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(side * h, side * w, c))
