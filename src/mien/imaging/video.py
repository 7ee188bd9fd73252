"""Read videos and cameras frame by frame; write videos."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from mien.errors import BadImage, BadOption
from mien.io import atomic_write
from mien.types import Image

_DEFAULT_FPS = 25.0


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system allows
        return False


class VideoReader:
    """Iterate over the frames of a video file or camera, upright RGB (h, w, 3).

    Use it in a ``with`` block. A second iteration continues where the first stopped; a camera never ends.

    Args:
        source: The path of a file, or the number of a camera, from 0.

    Raises:
        BadImage: The file or camera cannot be opened, or yields no frame.
    """

    def __init__(self, source: str | os.PathLike[str] | int) -> None:
        if isinstance(source, int):
            self._name = f"camera {source}"
            self._capture = cv2.VideoCapture(source)
            cure = "check that it is connected and not in use, and count from 0"
        else:
            path = Path(source)
            self._name = str(path)
            if not _is_file(path):
                raise BadImage(f"{path}: there is no such video file; check the path (looked in {Path.cwd()})")
            self._capture = cv2.VideoCapture(str(path))
            cure = "it is damaged, or OpenCV does not know its format; convert it to .mp4"
        if not self._capture.isOpened():
            raise BadImage(f"{self._name}: cannot be opened as a video; {cure}")

    @property
    def fps(self) -> float:
        """Frames per second; 25 if the source does not report it."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        return fps if math.isfinite(fps) and fps > 0 else _DEFAULT_FPS

    @property
    def frames(self) -> int | None:
        """Number of frames that the file reports; None if unknown (a camera)."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if math.isfinite(count) and count > 0 else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        width = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        return int(width), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

    def __iter__(self) -> Iterator[Image]:
        first = self._capture.get(cv2.CAP_PROP_POS_FRAMES) <= 0
        while True:
            there, frame = self._capture.read()
            if not there:
                if first:
                    raise BadImage(f"{self._name}: no frame could be decoded; convert it to .mp4")
                return
            first = False
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def close(self) -> None:
        """Release the file or camera."""
        self._capture.release()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class VideoWriter:
    """Write an .mp4 in a ``with`` block: the file appears when the block ends, and not at all if it raises.

    The first image sets the size. MPEG-4 needs even sides: the last row or column is repeated if needed. Without an
    image no file is created.

    Args:
        path: The file, with suffix .mp4; missing folders are created.
        fps: Frames per second.

    Raises:
        BadOption: Another suffix, an impossible ``fps``, images of different sizes, or no codec for .mp4.
    """

    def __init__(self, path: str | os.PathLike[str], fps: float) -> None:
        self._path = Path(path)
        self._fps = fps
        if self._path.suffix.lower() != ".mp4":
            raise BadOption(f"{self._path}: videos are written as .mp4; choose that suffix")
        if not (math.isfinite(fps) and fps > 0):
            raise BadOption(f"fps is {fps}; it must be above 0")
        self._shape: tuple[int, ...] = ()
        self._undo = ExitStack()

    def __enter__(self) -> VideoWriter:
        self._partial = self._undo.enter_context(atomic_write(self._path))
        return self

    def write(self, image: Image) -> None:
        """Append an RGB image (h, w, 3)."""
        if not self._shape:
            self._shape = image.shape
            self._start(image)
        if image.shape != self._shape:
            raise BadOption(f"the video began with {self._shape}, but this image is {image.shape}; resize it")
        height, width = image.shape[:2]
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))

    def _start(self, image: Image) -> None:
        height, width = image.shape[:2]
        size = (width + width % 2, height + height % 2)
        self._writer = cv2.VideoWriter(str(self._partial), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
        # The writer completes and releases the file before it is renamed or removed.
        self._undo.callback(self._writer.release)
        if not self._writer.isOpened():
            raise BadOption(f"{self._path}: OpenCV cannot write .mp4 of {size} there; check folder and space")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)
