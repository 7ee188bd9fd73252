"""What a training run tells: TensorBoard events, and the same in words in log.txt."""

import time
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter


class Board:
    """Writes `<run>/tensorboard/` and `<run>/log.txt`. Use it in a `with` block."""

    def __init__(self, run_dir: Path, first_step: int) -> None:
        """`first_step`: later events, left by a run that was cut off, are dropped from the curves."""
        self._events = SummaryWriter(str(run_dir / "tensorboard"), purge_step=first_step)
        self._log = (run_dir / "log.txt").open("a", encoding="utf-8", buffering=1)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.line(f"left: {type(error).__name__} {error}")
        self._events.close()
        self._log.close()

    def line(self, text: str) -> None:
        """One line in the log, with the time."""
        self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def scalars(self, group: str, values: dict[str, float], step: int) -> None:
        """One curve for each name, under `group`; also a line in the log."""
        for name, value in values.items():
            self._events.add_scalar(f"{group}/{name}", value, step)
        words = "  ".join(f"{name} {value:.5g}" for name, value in values.items())
        self.line(f"step {step}  {group}  {words}")

    def images(self, images: dict[str, NDArray[np.uint8]], step: int) -> None:
        """RGB images (h, w, 3)."""
        for name, image in images.items():
            self._events.add_image(name, image, step, dataformats="HWC")
