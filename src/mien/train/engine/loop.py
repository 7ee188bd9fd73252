"""The training loop: step, validate, keep the best weights, resume, export. It knows no task.

On the CPU a run that was killed at any point and resumed gives the same bits as one that was not: batches and random
numbers are functions of the step alone. On CUDA some kernels add in varying order, so results only agree closely.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.progress import Progress as ProgressBar
from torch import Tensor, nn

from mien.errors import BadOption, MienError
from mien.io import atomic_write
from mien.train.engine import checkpoint
from mien.train.engine.checkpoint import Progress
from mien.train.engine.display import progress_bar
from mien.train.engine.ema import make_ema
from mien.train.engine.interrupts import deferred_interrupts
from mien.train.engine.logger import TrainingLogger
from mien.train.engine.optimizer import learning_rate, make_optimizer, step_seed
from mien.train.engine.prefetch import default_workers, prefetched
from mien.train.export import export
from mien.train.recipe import Recipe
from mien.train.task import QUALITY, Batch, Task

REPORT_EVERY = 50
"""Steps between two points of the loss curves."""

Stop = Callable[[int], bool]


class Objective(nn.Module):
    """The network and its losses as one module, so that DDP and autocast cover both."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network = task.network
        self._losses = task.losses

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the named losses of a batch."""
        return self._losses(self.network, batch)


def train(
    recipe: Recipe,
    task: Task,
    run_dir: Path,
    fabric: Fabric,
    *,
    resume: bool = True,
    stop: Stop | None = None,
    workers: int | None = None,
) -> Path:
    """Train ``task.network`` and export its best weights.

    Args:
        recipe: What to train.
        task: Network, batches, losses and metrics.
        run_dir: Where checkpoints, logs and the exported file go; only the process of rank 0 writes.
        fabric: Devices and processes, already launched; each process takes an equal part of every batch.
        resume: Continue from ``run_dir/last.pt`` if it exists.
        stop: Called after each step with the number of steps done; when it returns true, the run is saved and the
            best weights so far are exported. A later call continues from there.
        workers: Threads that make batches.

    Returns:
        Path of the exported file, ``run_dir/<name>.onnx``.

    Raises:
        BadRecipe: ``run_dir`` belongs to another recipe.
        BadOption: The batch cannot be divided evenly among the processes.
        MienError: A loss is not finite, or a checkpoint is broken.
        ExportMismatch: Torch and ONNX Runtime disagree.
        KeyboardInterrupt: Ctrl-C, after saving a checkpoint.
    """
    path = run_dir / f"{recipe.name}.onnx"
    run_dir.mkdir(parents=True, exist_ok=True)
    rows = _rows(recipe.schedule.batch_size, fabric)
    optimizer = make_optimizer(recipe.optimizer, task.network)
    objective, stepper = fabric.setup(Objective(task), optimizer)
    progress = Progress(task.network, make_ema(task.network, recipe.optimizer.ema_decay), optimizer)
    _begin(recipe, run_dir, progress, fabric, resume=resume)
    with TrainingLogger(run_dir, progress.step) if fabric.is_global_zero else nullcontext() as logger:
        run = _Run(recipe, task, run_dir, fabric, objective, stepper, progress, rows, logger)
        run.log(f"{recipe.name}: from step {progress.step} of {recipe.schedule.steps} on {fabric.device}")
        run.steps(stop, workers or default_workers())
        if fabric.is_global_zero:
            if progress.best is None:  # stopped before the first validation
                run.validate()
            best = checkpoint.load_best(run_dir / "best.pt", progress.ema.module)
            export(task, progress.ema.module, path, best)
            run.log(f"wrote {path}")
    fabric.barrier()
    return path


def _rows(batch: int, fabric: Fabric) -> range:
    """Return which samples of each global batch this process takes."""
    share, rest = divmod(batch, fabric.world_size)
    if rest:
        raise BadOption(f"a batch of {batch} cannot be divided evenly among {fabric.world_size} processes")
    return range(fabric.global_rank * share, (fabric.global_rank + 1) * share)


def _begin(recipe: Recipe, run_dir: Path, progress: Progress, fabric: Fabric, *, resume: bool) -> None:
    last = run_dir / "last.pt"
    if fabric.is_global_zero and not (resume and last.exists()):
        last.unlink(missing_ok=True)
        (run_dir / "best.pt").unlink(missing_ok=True)
    fabric.barrier()
    if last.exists():
        checkpoint.restore(last, recipe, progress)
    if fabric.is_global_zero:
        with atomic_write(run_dir / "recipe.toml") as part:
            part.write_text(recipe.dumps(), encoding="utf-8")


@dataclass(slots=True, eq=False)
class _Run:
    """The loop itself and its state; ``logger`` is None in all processes but that of rank 0."""

    recipe: Recipe
    task: Task
    run_dir: Path
    fabric: Fabric
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    progress: Progress
    rows: range
    logger: TrainingLogger | None
    recent: list[dict[str, float]] = field(default_factory=list)
    since: float = field(default_factory=time.perf_counter)

    def steps(self, stop: Stop | None, workers: int) -> None:
        progress, schedule = self.progress, self.recipe.schedule
        with (
            prefetched(self.batch, progress.step, schedule.steps, workers) as batches,
            progress_bar(self.recipe.name, schedule.steps, progress.step, hidden=self.logger is None) as bar,
            deferred_interrupts() as interrupted,
        ):
            for batch in batches:
                losses = self.step(batch)
                bar.advance(bar.task_ids[0])
                self.report(bar, losses)
                done = progress.step
                stopping = self.agreed(stop is not None and stop(done))
                validating = done % schedule.validate_every == 0 or done == schedule.steps
                if validating:
                    self.validate()
                leaving = self.agreed(interrupted())
                if validating or stopping or leaving or done % schedule.checkpoint_every == 0:
                    self.save()
                if leaving:
                    raise KeyboardInterrupt
                if stopping:
                    return

    def batch(self, step: int) -> Batch:
        """Return this process's part of the batch of ``step``."""
        return self.task.batch(step, self.rows)

    def agreed(self, flag: bool) -> bool:
        """Return whether ``flag`` is set in any process, so that all leave at the same step."""
        if self.fabric.world_size == 1:
            return flag
        return bool(self.fabric.all_reduce(torch.tensor(float(flag)), reduce_op="sum"))

    def step(self, batch: Batch) -> dict[str, float]:
        """Take one step of the optimizer; return the losses and their total, averaged over the processes."""
        progress, options, fabric = self.progress, self.recipe.optimizer, self.fabric
        torch.manual_seed(step_seed(self.recipe.seed, progress.step, fabric.global_rank))
        for group in progress.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe.schedule, options.learning_rate, progress.step)
        self.objective.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses = self.objective(fabric.to_device(batch))
        total = torch.stack(list(losses.values())).sum()
        fabric.backward(total)
        values = fabric.all_reduce(torch.stack([*losses.values(), total]).detach(), reduce_op="mean")
        named = dict(zip([*losses, "total"], torch.as_tensor(values).tolist(), strict=True))
        _check_finite(named, progress.step)
        fabric.clip_gradients(self.objective, self.optimizer, max_norm=options.gradient_clip)
        self.optimizer.step()
        progress.ema.update_parameters(progress.network)
        progress.step += 1
        return named

    def report(self, bar: ProgressBar, losses: dict[str, float]) -> None:
        if self.logger is None:
            return
        self.recent.append(losses)
        step = self.progress.step
        if step % REPORT_EVERY and step != self.recipe.schedule.steps:
            return
        means = {name: sum(each[name] for each in self.recent) / len(self.recent) for name in losses}
        seconds = time.perf_counter() - self.since
        rate = float(self.progress.optimizer.param_groups[0]["lr"])
        speed = len(self.recent) * self.recipe.schedule.batch_size / seconds
        self.logger.scalars("loss", means, step)
        self.logger.scalars("run", {"learning_rate": rate, "samples_per_second": speed}, step)
        shown = (means | {"rate": rate}).items()
        bar.update(bar.task_ids[0], notes=" ".join(f"{name} {value:.3g}" for name, value in shown))
        self.recent.clear()
        self.since = time.perf_counter()

    def validate(self) -> None:
        """Evaluate the averaged weights in the process of rank 0; keep them if they are the best so far."""
        if self.logger is None:
            return
        progress, began = self.progress, time.perf_counter()
        network = progress.ema.module
        with torch.no_grad():
            # Plain floats: a checkpoint holds no numpy scalars.
            metrics = {name: float(value) for name, value in self.task.validate(network).items()}
            images = self.task.images(network)
        if QUALITY not in metrics:
            raise MienError(f"the task's metrics {sorted(metrics)} lack {QUALITY!r}, which chooses the best weights")
        self.logger.scalars("valid", metrics, progress.step)
        self.logger.images(images, progress.step)
        # A NaN quality is never better, but something must be kept the first time.
        if progress.best is None or metrics[QUALITY] > progress.best or math.isnan(progress.best):
            progress.best, progress.metrics = metrics[QUALITY], metrics
            checkpoint.save_best(self.run_dir / "best.pt", progress)
        self.since += time.perf_counter() - began

    def save(self) -> None:
        if self.logger is not None:
            checkpoint.save(self.run_dir / "last.pt", self.recipe, self.progress)

    def log(self, text: str) -> None:
        if self.logger is not None:
            self.logger.line(text)


def _check_finite(losses: dict[str, float], step: int) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            raise MienError(
                f"step {step}: loss {name!r} is {value}; lower optimizer.learning_rate, lengthen schedule.warmup, "
                "or look for broken annotations"
            )
