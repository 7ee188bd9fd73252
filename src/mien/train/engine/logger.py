"""What a training run reports: TensorBoard events, and the same as text in log.txt."""

import time
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter


class TrainingLogger:
    """Writes ``<run>/tensorboard/`` and ``<run>/log.txt``. Use it in a ``with`` block."""

    def __init__(self, run_dir: Path, first_step: int) -> None:
        """``first_step``: later events, left by an interrupted run, are dropped from the curves."""
        self._events = SummaryWriter(str(run_dir / "tensorboard"), purge_step=first_step)
        self._log = (run_dir / "log.txt").open("a", encoding="utf-8", buffering=1)

    def __enter__(self) -> "TrainingLogger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.line(f"stopped: {type(error).__name__} {error}")
        self._events.close()
        self._log.close()

    def line(self, text: str) -> None:
        """Write one line with the time to log.txt."""
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def scalars(self, group: str, values: dict[str, float], step: int) -> None:
        """Add a point to the curve ``group/name`` of each value; also a line in log.txt."""
        for name, value in values.items():
            self._events.add_scalar(f"{group}/{name}", value, step)
        text = "  ".join(f"{name} {value:.5g}" for name, value in values.items())
        self.line(f"step {step}  {group}  {text}")

    def images(self, images: dict[str, NDArray[np.uint8]], step: int) -> None:
        """Show RGB images (h, w, 3)."""
        for name, image in images.items():
            self._events.add_image(name, image, step, dataformats="HWC")
