"""The training loop: step, validate, keep the best, resume, export. It knows no task.

A run that was killed at any point and started again gives, on the CPU, bit for bit the result of one that was
not: batches and random numbers are functions of the step alone. On CUDA some kernels add in varying order, so
there the results only agree closely.
"""

import hashlib
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch
from torch import nn
from tqdm import tqdm

from mien.errors import BadOption, MienError
from mien.io import atomic_write
from mien.train import checkpoint
from mien.train import recipe as recipes
from mien.train.average import Average
from mien.train.board import Board
from mien.train.checkpoint import Progress
from mien.train.export import export
from mien.train.prefetch import Batch, default_workers, prefetched
from mien.train.recipe import OptimiserRecipe, Recipe, ScheduleRecipe
from mien.train.replicas import Replicas
from mien.train.task import QUALITY, Task

REPORT_EVERY = 50
"""Steps between two points of the loss curves."""

Stop = Callable[[int], bool]


def train(
    recipe: Recipe,
    task: Task,
    run_dir: Path,
    *,
    device: str | None = None,
    resume: bool = True,
    stop: Stop | None = None,
    workers: int | None = None,
    replicas: int = 1,
) -> Path:
    """Train `task.network` and return the exported file `run_dir/<name>.onnx`, made from the best weights.

    `device` is CUDA when there, else the CPU. With `resume` a run that was cut off goes on from
    `run_dir/last.pt`. `stop` is asked after each step, with the number of steps done; when it says so, the
    run is saved and the best weights so far are exported (a later call goes on from there). `workers` threads
    make batches; so many `replicas` of the network share the steps (see `mien.train.replicas`).

    Raises BadRecipe when `run_dir` belongs to another recipe, MienError when a loss is not finite,
    ExportMismatch; KeyboardInterrupt after saving a checkpoint.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    place = choose_device(device)
    network = task.network.to(place)
    average = Average(network, recipe.optimiser.ema)
    progress = Progress(network, average, _optimiser(recipe.optimiser, network))
    _begin(recipe, run_dir, progress, resume=resume)
    with Board(run_dir, progress.step) as board:
        board.line(f"{recipe.name}: from step {progress.step} of {recipe.schedule.steps} on {place}")
        run = _Run(recipe, task, run_dir, progress, board, place, Replicas(network, replicas))
        run.steps(stop, workers or default_workers())
        if progress.best is None:  # stopped before the first validation
            run.validate()
        best = checkpoint.load_best(run_dir / "best.pt", average.network)
        path = export(task, average.network, run_dir / f"{recipe.name}.onnx", best)
        board.line(f"wrote {path}")
    return path


def choose_device(name: str | None) -> torch.device:
    """The device of this name, such as "cuda:1"; without a name CUDA when there, else the CPU. Raises BadOption."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"(cpu|cuda|mps)(:\d+)?", name):
        raise BadOption(f"device {name!r}: give cpu, cuda, cuda:1 or mps")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise BadOption(f"device {name!r}: torch finds no CUDA here; give cpu")
    return torch.device(name)


def learning_rate(schedule: ScheduleRecipe, peak: float, step: int) -> float:
    """Linear warm-up to `peak`, then half a cosine down to a hundredth of it, or stairs. `step` counts from 0."""
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    if schedule.curve == "stairs":
        return peak * float(0.98 ** (step // 1000))
    done = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def seed_of(seed: int, step: int) -> int:
    """A seed for torch's random numbers, of its own for each step of each run."""
    digest = hashlib.sha256(f"{seed}/{step}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@dataclass(slots=True, eq=False)
class _Run:
    """The loop itself, with the things it works on."""

    recipe: Recipe
    task: Task
    run_dir: Path
    progress: Progress
    board: Board
    place: torch.device
    replicas: Replicas
    recent: list[dict[str, float]] = field(default_factory=list)
    since: float = field(default_factory=time.perf_counter)

    def steps(self, stop: Stop | None, workers: int) -> None:
        progress, schedule = self.progress, self.recipe.schedule
        with (
            prefetched(self.task.batch, progress.step, schedule.steps, workers) as batches,
            tqdm(total=schedule.steps, initial=progress.step, desc=self.recipe.name, disable=None) as bar,
            _interruptions() as interrupted,
        ):
            for batch in batches:
                losses = self.step(batch)
                bar.update()
                self.report(bar, losses)
                done = progress.step
                stopping = stop is not None and stop(done)
                valid = done % schedule.validate_every == 0 or done == schedule.steps
                if valid:
                    self.validate()
                leaving = interrupted()
                if valid or stopping or leaving or done % schedule.checkpoint_every == 0:
                    checkpoint.save(self.run_dir / "last.pt", self.recipe, progress)
                if leaving:
                    raise KeyboardInterrupt
                if stopping:
                    return

    def step(self, batch: Batch) -> dict[str, float]:
        """One step of the optimiser; returns the losses and their sum."""
        progress, options = self.progress, self.recipe.optimiser
        torch.manual_seed(seed_of(self.recipe.seed, progress.step))
        rate = learning_rate(self.recipe.schedule, options.rate, progress.step)
        for group in progress.optimiser.param_groups:
            group["lr"] = rate
        progress.network.train()
        placed = {name: tensor.to(self.place, non_blocking=True) for name, tensor in batch.items()}
        losses = self.replicas.backward(self.task.losses, placed)
        values = torch.stack([*losses.values(), torch.stack(list(losses.values())).sum()]).tolist()
        named = dict(zip([*losses, "total"], values, strict=True))
        _refuse_nan(named, progress.step)
        nn.utils.clip_grad_norm_(progress.network.parameters(), options.clip)
        progress.optimiser.step()
        progress.average.update(progress.network, progress.step)
        progress.step += 1
        return named

    def report(self, bar: "tqdm[None]", losses: dict[str, float]) -> None:
        self.recent.append(losses)
        step = self.progress.step
        if step % REPORT_EVERY and step != self.recipe.schedule.steps:
            return
        means = {name: sum(each[name] for each in self.recent) / len(self.recent) for name in losses}
        seconds = time.perf_counter() - self.since
        rate = float(self.progress.optimiser.param_groups[0]["lr"])
        speed = len(self.recent) * self.recipe.schedule.batch / seconds
        self.board.scalars("loss", means, step)
        self.board.scalars("run", {"learning_rate": rate, "samples_per_second": speed}, step)
        bar.set_postfix(means | {"rate": rate}, refresh=False)
        self.recent.clear()
        self.since = time.perf_counter()

    def validate(self) -> None:
        """Measure the averaged weights; keep them when they are the best so far."""
        progress, began = self.progress, time.perf_counter()
        network = progress.average.network
        with torch.no_grad():
            # Plain floats: a checkpoint holds no numpy scalars.
            measures = {name: float(value) for name, value in self.task.validate(network).items()}
            images = self.task.images(network)
        if QUALITY not in measures:
            raise MienError(f"the task's measures {sorted(measures)} lack {QUALITY!r}, which chooses the best weights")
        self.board.scalars("valid", measures, progress.step)
        self.board.images(images, progress.step)
        # A quality that is not a number is never better, but something must be kept the first time.
        if progress.best is None or measures[QUALITY] > progress.best or math.isnan(progress.best):
            progress.best, progress.measures = measures[QUALITY], measures
            checkpoint.save_best(self.run_dir / "best.pt", progress)
        self.since += time.perf_counter() - began


def _begin(recipe: Recipe, run_dir: Path, progress: Progress, *, resume: bool) -> None:
    last = run_dir / "last.pt"
    if resume and last.exists():
        checkpoint.restore(last, recipe, progress)
    else:
        last.unlink(missing_ok=True)
        (run_dir / "best.pt").unlink(missing_ok=True)
    with atomic_write(run_dir / "recipe.toml") as part:
        part.write_text(recipes.dumps(recipe), encoding="utf-8")


def _optimiser(options: OptimiserRecipe, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser; biases, normalisation and slopes of activations (all vectors) do not decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if options.name == "sgd":
        return torch.optim.SGD(groups, lr=options.rate, momentum=0.9)
    if options.name == "adam":
        return torch.optim.Adam(groups, lr=options.rate)
    return torch.optim.AdamW(groups, lr=options.rate)


def _refuse_nan(losses: dict[str, float], step: int) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            raise MienError(
                f"step {step}: loss {name!r} is {value}; lower optimiser.rate, lengthen schedule.warmup, "
                "or look for broken annotations"
            )


@contextmanager
def _interruptions() -> Iterator[Callable[[], bool]]:
    """While the block runs, the first Ctrl-C only sets the flag that is yielded: no step is left half done.

    A second Ctrl-C interrupts at once. Python handles signals in the main thread only; elsewhere the flag
    stays down.
    """
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        flag.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield flag.is_set
    finally:
        signal.signal(signal.SIGINT, before)
