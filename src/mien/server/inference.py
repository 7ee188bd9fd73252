"""Inference: face analyzers shared by all requests, worker threads, and the limits on what one image may cost."""

from __future__ import annotations

import asyncio
import base64
import io
import math
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TypeVar

import anyio
import anyio.to_thread

from mien.alignment import AlignedFace, AlignSpec
from mien.detection import DetectorConfig
from mien.errors import BadImage, DeadlineExceeded
from mien.heads import Contour
from mien.imaging import Mipmap, encode_png, read_image
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import (
    AlignedFaceRecord,
    AlignedFacesRecord,
    ImageRecord,
    aligned_face_record,
    aligned_faces_record,
    image_record,
    to_json_line,
)
from mien.server.problems import Problem
from mien.server.settings import ServeSettings
from mien.server.upload import UploadedImage
from mien.types import Deadline, Faces, Landmarks

_Result = TypeVar("_Result")

_LARGE = 4
"""Images of more than this many times ``detect_pixels`` take too much memory to be decoded side by side."""

_RETRY_SECONDS = 5


class WorkerPool:
    """``workers`` threads, and slots for ``workers + queue`` requests.

    A request holds a slot from the first byte of its body to the last byte of its response, so that the memory of
    bodies and responses is bounded. At most one large image is processed at a time.
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._slots = workers + queue
        self._used = 0
        self._readers = anyio.CapacityLimiter(workers)
        self._workers = anyio.CapacityLimiter(workers)
        self._large = anyio.CapacityLimiter(1)
        self._threads = anyio.CapacityLimiter(math.inf)
        self._running: set[object] = set()

    @property
    def running(self) -> int:
        """Number of busy threads."""
        return len(self._running)

    @property
    def used(self) -> int:
        """Number of requests that arrive, wait or are processed."""
        return self._used

    @property
    def full(self) -> bool:
        """Whether the next request will be refused."""
        return self._used >= self._slots

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot. Raises Problem if all are taken."""
        if self.full:
            raise Problem("busy", f"{self._used} requests are in progress", retry_after=1)
        self._used += 1
        try:
            yield
        finally:
            self._used -= 1

    async def read(self, work: Callable[[], _Result]) -> _Result:
        """Return ``work()``, which parses a request, computed beside the workers so that it waits for no analysis."""
        return await self._run(work, self._readers)

    async def run(self, work: Callable[[], _Result], *, large: bool = False) -> _Result:
        """Return ``work()``, computed by a worker, first come, first served."""
        return await self._run(work, *(self._large,) * large, self._workers)

    async def _run(self, work: Callable[[], _Result], *limiters: anyio.CapacityLimiter) -> _Result:
        """Return ``work()``, computed in a thread that holds a token of each limiter.

        A caller that is cancelled while it waits leaves the queue. Work that has started runs to its end, and its
        tokens are taken until then.
        """
        borrower = object()

        def tracked() -> _Result:
            self._running.add(borrower)
            try:
                return work()
            finally:
                self._running.discard(borrower)

        with ExitStack() as held:
            for limiter in limiters:
                await limiter.acquire_on_behalf_of(borrower)
                held.callback(limiter.release_on_behalf_of, borrower)
            job = asyncio.ensure_future(anyio.to_thread.run_sync(tracked, limiter=self._threads))
            release = held.pop_all()
            job.add_done_callback(lambda _: release.close())
        return await asyncio.shield(job)


class SessionPool:
    """Two analyzers: one thread per network for concurrent images, several threads for an image processed alone.

    Concurrent images on one thread each give the higher throughput, several threads the lower latency
    (docs/decisions/0011-http-service.md has the measurement).
    """

    def __init__(self, config: AnalyzerConfig) -> None:
        self.shared = FaceAnalyzer(replace(config, threads=1))
        self._alone = self.shared if config.threads == 1 else FaceAnalyzer(config)
        self._busy = 0
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[FaceAnalyzer]:
        """Borrow the analyzer for one image."""
        with self._lock:
            analyzer = self.shared if self._busy else self._alone
            self._busy += 1
        try:
            yield analyzer
        finally:
            with self._lock:
                self._busy -= 1


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """What a client asks for; None: the default."""

    min_face_size: float | None = None
    max_faces: int | None = None
    landmarks: bool = False
    contour: Contour | None = None
    refinement_steps: int | None = None
    align: AlignSpec | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The results of one image; None: not requested.

    Attributes:
        found: Number of detected faces, of which ``faces`` are the best.
        min_face_size: Side in pixels of the smallest face searched for.
    """

    upload: UploadedImage
    faces: Faces
    landmarks: list[Landmarks] | None
    aligned: list[AlignedFace] | None
    found: int
    min_face_size: float

    def record(self) -> ImageRecord:
        """Return the record of faces and landmarks."""
        return image_record(self.upload.name, self.upload.width, self.upload.height, self.faces, self.landmarks)

    def aligned_records(self, *, png: bool) -> list[AlignedFaceRecord]:
        """Return the records of the aligned faces, with their PNG files in base64 if ``png``."""
        stem = PurePath(self.upload.name).stem or "image"
        aligned = self.aligned or []
        records = [
            aligned_face_record(f"{stem}_{index}.png", len(each.image), each.to_image.matrix, face)
            for index, (each, face) in enumerate(zip(aligned, self.faces, strict=True))
        ]
        if png:
            for record, each in zip(records, aligned, strict=True):
                record["png"] = base64.b64encode(encode_png(each.image)).decode("ascii")
        return records

    def aligned_record(self, *, png: bool) -> AlignedFacesRecord:
        """Return the record of the aligned faces alone."""
        upload = self.upload
        return aligned_faces_record(upload.name, upload.width, upload.height, self.aligned_records(png=png))

    def archive(self) -> bytes:
        """Return a ZIP archive of the aligned faces as PNG files and ``aligned_faces.json``, their record."""
        record, memory = self.aligned_record(png=False), io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
            for face, each in zip(record["aligned_faces"], self.aligned or [], strict=True):
                archive.writestr(face["file"], encode_png(each.image))
            archive.writestr("aligned_faces.json", to_json_line(record))
        return memory.getvalue()


class Engine:
    """Runs requests on the analyzers within the limits of the service. Safe to share between threads.

    Raises:
        ModelMissing, ModelMismatch, BadOption.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        detector = DetectorConfig(min_face_size=settings.min_face_size)
        self.sessions = SessionPool(AnalyzerConfig(detector=detector, threads=settings.threads))

    def min_face_size(self, pixels: int, requested: float | None) -> float:
        """Return the smallest face to search for in an image. Raises Problem below the limit of the service.

        Unless the client asks for a size, it grows with images above ``detect_pixels``: the image pyramid then starts
        at a copy of that many pixels, which bounds the cost.
        """
        smallest = self._settings.min_face_size
        if requested is None:
            return smallest * max(1.0, math.sqrt(pixels / self._settings.detect_pixels))
        if requested < smallest:
            raise Problem("bad-option", f"min_face_size={requested:g}: this service accepts {smallest:g} or more")
        return requested

    def is_large(self, upload: UploadedImage, request: AnalysisRequest) -> bool:
        """Return whether the image costs so much time or memory that only one such image may be in work."""
        limit = self._settings.detect_pixels
        if upload.pixels > _LARGE * limit:
            return True
        if request.min_face_size is None:
            return False
        return upload.pixels * (self._settings.min_face_size / request.min_face_size) ** 2 > limit

    def analyze(self, upload: UploadedImage, request: AnalysisRequest, deadline: Deadline) -> Analysis:
        """Decode the image and run what was requested. Raises Problem."""
        min_face_size = self.min_face_size(upload.pixels, request.min_face_size)
        landmarks = aligned = None
        try:
            with self.sessions.take() as analyzer:
                image = self.decode(upload.data)
                everything = analyzer.detect(image, min_face_size=min_face_size, deadline=deadline)
                faces = everything[: self.max_faces(request.max_faces)]
                if request.landmarks:
                    landmarks = analyzer.landmarks(
                        image,
                        faces,
                        contour=request.contour,
                        refinement_steps=request.refinement_steps,
                        deadline=deadline,
                    )
                if request.align is not None:
                    aligned = analyzer.align(image, faces, request.align, landmarks)
        except DeadlineExceeded as error:
            raise timed_out(self._settings.timeout) from error
        return Analysis(upload, faces, landmarks, aligned, len(everything), min_face_size)

    def max_faces(self, requested: int | None) -> int:
        """Return how many faces to report at most."""
        limit = self._settings.max_faces
        return limit if requested is None else min(requested, limit)

    def decode(self, data: bytes) -> Mipmap:
        """Return the decoded image of an upload. Raises Problem."""
        return self._decode(data, self._settings.max_pixels)

    def decode_frame(self, data: bytes) -> Mipmap:
        """Return the decoded frame of a stream, which must not be large. Raises Problem."""
        return self._decode(data, min(self._settings.max_pixels, _LARGE * self._settings.detect_pixels))

    def _decode(self, data: bytes, max_pixels: int) -> Mipmap:
        try:
            return Mipmap(read_image(data, max_pixels=max_pixels))
        except BadImage as error:
            raise Problem.of_image(error) from error


def timed_out(seconds: float) -> Problem:
    """Return the problem of an image that was not processed in time."""
    return Problem(
        "took-too-long", f"more than {seconds:g} s; retry later or send a smaller image", retry_after=_RETRY_SECONDS
    )
