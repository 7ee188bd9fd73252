"""Videos and cameras, frame by frame."""

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


class VideoReader:
    """Frames of a video file or of a camera (by its number), upright RGB: ``for image in reader``.

    Use it in a ``with`` block. Iterating goes on where it stopped; a camera never ends.
    Raises BadImage where the file or camera cannot be opened or gives no frame.
    """

    def __init__(self, source: str | os.PathLike[str] | int) -> None:
        if isinstance(source, int):
            self._name = f"camera {source}"
            self._capture = cv2.VideoCapture(source)
            cure = "check that it is connected and not in use, and count from 0"
        else:
            path = Path(source)
            self._name = str(path)
            if not path.is_file():
                raise BadImage(f"{path}: there is no such video file; check the path (looked in {Path.cwd()})")
            self._capture = cv2.VideoCapture(str(path))
            cure = "it is damaged, or of a kind that OpenCV does not know; convert it to .mp4"
        if not self._capture.isOpened():
            raise BadImage(f"{self._name}: cannot be opened as a video; {cure}")

    @property
    def fps(self) -> float:
        """Frames per second; 25 where the source does not say."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        return fps if math.isfinite(fps) and fps > 0 else _DEFAULT_FPS

    @property
    def frames(self) -> int | None:
        """How many frames the file says it has; None where it does not say (a camera)."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if math.isfinite(count) and count > 0 else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames, pixels."""
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
        """Let the file or camera go."""
        self._capture.release()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class VideoWriter:
    """Write an .mp4 in a ``with`` block: it appears whole when the block ends, and not at all when it raises.

    The first image sets the size; MPEG-4 needs even sides, so an odd side gets one repeated row or column.
    Without an image no file is made. Raises BadOption for another suffix, a missing folder, an impossible
    ``fps``, or images of different sizes.
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
        """Append one RGB image."""
        if not self._shape:
            self._shape = image.shape
            self._start(image)
        if image.shape != self._shape:
            raise BadOption(f"the video began with {self._shape}, this image is {image.shape}; resize it")
        height, width = image.shape[:2]
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))

    def _start(self, image: Image) -> None:
        height, width = image.shape[:2]
        size = (width + width % 2, height + height % 2)
        self._writer = cv2.VideoWriter(str(self._partial), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
        # Before the file is renamed or removed, the writer finishes it and lets it go.
        self._undo.callback(self._writer.release)
        if not self._writer.isOpened():
            raise BadOption(f"{self._path}: OpenCV cannot write .mp4 of {size} there; check folder and space")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)
