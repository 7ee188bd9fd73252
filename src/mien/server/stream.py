"""``WS /v1/stream``: frames in, faces out; a frame that still waits when a newer one arrives is dropped."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocketDisconnect

from mien.errors import DeadlineExceeded
from mien.heads import Contour
from mien.imaging import Mipmap
from mien.pipeline.tracker import Tracker
from mien.schema import FaceRecord, StreamErrorRecord, StreamRecord, face_records, to_json_line
from mien.server.inference import Engine, timed_out
from mien.server.middleware import log
from mien.server.problems import Problem
from mien.server.security import client_of, key_of
from mien.server.service import Service
from mien.types import Deadline, Faces, Landmarks

router = APIRouter()

_GOING_AWAY, _REFUSED, _TOO_LONG, _LATER = 1001, 1008, 1009, 1013
_CLOSE_CODES = {"busy": _LATER, "too-many-requests": _LATER, "too-many-bytes": _TOO_LONG}
_KEY_SECONDS = 5
_KEY_BYTES = 4096
_FIRST_FRAME_SECONDS = 10


class StreamParams(BaseModel):
    """Query parameters of ``/v1/stream``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    landmarks: bool = True
    track: bool = True
    contour: Contour = "visible"
    min_face_size: float = Field(40.0, ge=1, le=10_000, allow_inf_nan=False)
    max_faces: int | None = Field(None, ge=1, le=10_000)
    fps: float = Field(15.0, ge=1, le=240, allow_inf_nan=False)


class _Close(Exception):
    """The stream ends: code and reason of the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame, its number, and how many were dropped before it."""

    data: bytes
    number: int
    dropped: int


@dataclass(slots=True)
class _Mailbox:
    """Holds the newest unprocessed frame; ``number`` counts from 0."""

    data: bytes | None = None
    number: int = -1
    dropped: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, data: bytes) -> bool:
        """Replace the frame; return whether an unprocessed one was dropped."""
        with self.lock:
            drop = self.data is not None
            self.dropped += drop
            self.data = data
            self.number += 1
        self.arrived.set()
        return drop

    async def wait(self) -> None:
        """Wait until there is a frame."""
        while self.data is None:
            self.arrived.clear()
            await self.arrived.wait()

    def take(self) -> _Frame:
        """Return and remove the newest frame. Called in the worker thread, as a newer one may have arrived by then."""
        with self.lock:
            data, self.data = self.data, None
            assert data is not None  # there is one consumer, and it has waited
            return _Frame(data, self.number, self.dropped)


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """Accept first, as browsers show the reason of a refusal only then; process frames until one side closes."""
    service, client = Service.of(socket), client_of(socket.scope)
    await socket.accept()
    start, mailbox, end = time.perf_counter(), _Mailbox(), _Close(1000, "")
    try:
        processor = await _authorize(service, socket, client)
        with service.access.streams.hold(client):
            service.metrics.streams.inc()
            try:
                await _first_to_end(_receive(service, socket, mailbox), _process(service, socket, mailbox, processor))
            finally:
                service.metrics.streams.dec()
    except (_Close, Problem) as error:
        end = error if isinstance(error, _Close) else _Close(_CLOSE_CODES.get(error.code, _REFUSED), error.code)
        await socket.close(end.code, end.reason)
    except WebSocketDisconnect as gone:
        end = _Close(gone.code, "client closed")
    finally:
        seconds = round(time.perf_counter() - start, 3)
        counts = {"frames": mailbox.number + 1, "dropped": mailbox.dropped}
        log("stream", {"code": end.code, "reason": end.reason, "seconds": seconds, **counts})


async def _authorize(service: Service, socket: WebSocket, client: str) -> _FrameProcessor:
    """Check origin, rate, key and parameters. Raises _Close, Problem."""
    if not _same_origin(socket, service.settings.cors_origins):
        raise _Close(_REFUSED, "origin")
    service.access.requests.take(client)
    key = key_of(socket.headers)
    if service.access.key is not None and key is None:
        with service.access.unauthenticated.hold(client):
            key = await _key_message(socket)
    service.access.check_key(client, key)
    try:
        params = StreamParams.model_validate(dict(socket.query_params))
        return _FrameProcessor(service.engine, params, service.settings.timeout)
    except ValidationError as error:
        raise _Close(_REFUSED, "bad-option") from error


def _same_origin(socket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """Return whether the page is ours or allowed: browsers open WebSockets to any host without asking."""
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return True
    return origin.partition("://")[2] == socket.headers.get("host")


async def _key_message(socket: WebSocket) -> str | None:
    """Return the key of a first message ``{"key": "..."}``, or None for anything else."""
    try:
        message = await asyncio.wait_for(socket.receive(), _KEY_SECONDS)
    except TimeoutError:
        return None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text = message.get("text") or ""
    try:
        body = json.loads(text) if len(text) <= _KEY_BYTES else None
    except (ValueError, RecursionError):
        return None
    key = body.get("key") if isinstance(body, dict) else None
    return key if isinstance(key, str) else None


async def _first_to_end(*jobs: Coroutine[None, None, None]) -> None:
    """Run the jobs until the first of them ends, then cancel the others."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _receive(service: Service, socket: WebSocket, mailbox: _Mailbox) -> None:
    """Put frames into the mailbox as fast as they arrive. Raises _Close if none comes in time."""
    patience = min(_FIRST_FRAME_SECONDS, service.settings.idle)
    while True:
        try:
            data = await asyncio.wait_for(_next_frame(socket), patience)
        except TimeoutError as error:
            raise _Close(_GOING_AWAY, "idle") from error
        patience = service.settings.idle
        if mailbox.put(data):
            service.metrics.frames.labels("dropped").inc()


async def _next_frame(socket: WebSocket) -> bytes:
    """Return the next binary message. Text messages are ignored and do not keep the stream open."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        data: bytes | None = message.get("bytes")
        if data is not None:
            return data


async def _process(service: Service, socket: WebSocket, mailbox: _Mailbox, processor: _FrameProcessor) -> None:
    """Process the newest frame and send its result, again and again."""
    while True:
        await mailbox.wait()
        record = await service.workers.run(lambda: processor(mailbox.take()))
        service.metrics.frames.labels("processed").inc()
        await socket.send_text(to_json_line(record))


class _FrameProcessor:
    """Analyzes the frames of one stream, in order. Raises Problem for invalid parameters.

    Serves its tracker as an analyzer whose options are those of the stream.
    """

    def __init__(self, engine: Engine, params: StreamParams, timeout: float) -> None:
        self._engine = engine
        self._analyzer = engine.sessions.shared
        self._params = params
        self._timeout = timeout
        self._deadline = Deadline.after(timeout)
        self._tracker = Tracker(self, params.fps) if params.landmarks and params.track else None
        engine.min_face_size(0, params.min_face_size)

    def __call__(self, frame: _Frame) -> StreamRecord | StreamErrorRecord:
        """Return the result of a frame, or the problem with it."""
        start = time.perf_counter()
        self._deadline = Deadline.after(self._timeout)
        try:
            image = self._engine.decode_frame(frame.data)
            faces = self._faces(image)
        except DeadlineExceeded:
            return _error(frame, timed_out(self._timeout))
        except Problem as problem:
            return _error(frame, problem)
        height, width = image.image.shape[:2]
        return {
            "frame": frame.number,
            "width": width,
            "height": height,
            "dropped": frame.dropped,
            "ms": round(1000 * (time.perf_counter() - start), 1),
            "faces": faces,
        }

    def detect(self, image: Mipmap) -> Faces:
        """Return the faces of a frame; the smallest size grows with frames above ``detect_pixels``."""
        height, width = image.image.shape[:2]
        smallest = max(self._params.min_face_size, self._engine.min_face_size(width * height, None))
        return self._analyzer.detect(image, min_face_size=smallest, deadline=self._deadline)

    def landmarks(self, image: Mipmap, faces: Faces) -> list[Landmarks]:
        """Return the landmarks of the faces, in one step as consecutive frames refine each other."""
        return self._analyzer.landmarks(
            image, faces, contour=self._params.contour, refinement_steps=1, deadline=self._deadline
        )

    def _faces(self, image: Mipmap) -> list[FaceRecord]:
        limit = self._engine.max_faces(self._params.max_faces)
        if self._tracker is not None:
            tracked = self._tracker(image.image)[:limit]
            found = [each.analysis.landmarks for each in tracked if each.analysis.landmarks is not None]
            faces = Faces.from_list([each.analysis.face for each in tracked])
            return face_records(faces, found, [each.track for each in tracked])
        faces = self.detect(image)[:limit]
        return face_records(faces, self.landmarks(image, faces) if self._params.landmarks else None)


def _error(frame: _Frame, problem: Problem) -> StreamErrorRecord:
    return {"frame": frame.number, "dropped": frame.dropped, "error": problem.document()}
