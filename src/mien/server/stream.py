"""``WS /v1/stream``: frames in, faces out; a frame that waits when a newer one comes is dropped."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.tracker import Tracker
from mien.schema import StreamRecord, face_records, to_json_line
from mien.server.engine import Engine
from mien.server.front import client_of
from mien.server.guard import key_of
from mien.server.logs import log
from mien.server.problems import Problem
from mien.server.service import Service
from mien.server.switches import StreamSwitches
from mien.types import Faces, Image, Landmarks

router = APIRouter()

_GOING_AWAY, _REFUSED, _TOO_LONG, _LATER = 1001, 1008, 1009, 1013
_CODES = {"busy": _LATER, "too-many-requests": _LATER, "too-many-bytes": _TOO_LONG}
_STRANGERS = 16
"""Connections that may be open without having shown their key."""
_KEY_SECONDS = 5
_KEY_BYTES = 4096


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
class _Newest:
    """The newest frame that nobody has looked at; ``number`` counts from 0."""

    data: bytes | None = None
    number: int = -1
    dropped: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, data: bytes) -> bool:
        """In the place of the one before; says whether that one is dropped."""
        with self.lock:
            drop = self.data is not None
            self.dropped += drop
            self.data = data
            self.number += 1
        self.arrived.set()
        return drop

    async def wait(self) -> None:
        """Until there is one."""
        await self.arrived.wait()
        self.arrived.clear()

    def take(self) -> _Frame:
        """The newest frame, once; called in a thread of the pool, as there may be a newer one when one is free."""
        with self.lock:
            data, self.data = self.data, None
            assert data is not None  # only what waits for it takes it
            return _Frame(data, self.number, self.dropped)


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """Accept, so that a browser is told why when it is refused; then look at frames until one side ends it."""
    service = Service.of(socket)
    await socket.accept()
    start, newest, why = time.perf_counter(), _Newest(), _Close(1000, "")
    try:
        with _strangers(service):
            look = await _open(service, socket)
        with _counted(service):
            await _both(_read(service, socket, newest), _work(service, socket, newest, look))
    except _Close as close:
        why = close
        await socket.close(close.code, close.reason)
    except WebSocketDisconnect as gone:
        why = _Close(gone.code, "the client went")
    finally:
        seconds = round(time.perf_counter() - start, 3)
        counts = {"frames": newest.number + 1, "dropped": newest.dropped}
        log("stream", {"code": why.code, "reason": why.reason, "seconds": seconds, **counts})


@contextmanager
def _strangers(service: Service) -> Iterator[None]:
    """One more that has not shown its key. Raises _Close where there are enough: each may send a whole frame."""
    if service.strangers >= _STRANGERS:
        raise _Close(_LATER, "busy")
    service.strangers += 1
    try:
        yield
    finally:
        service.strangers -= 1


@contextmanager
def _counted(service: Service) -> Iterator[None]:
    """One stream more, as long as it is open. Raises _Close where there are enough."""
    if service.streams >= service.settings.streams:
        raise _Close(_LATER, "busy")
    service.streams += 1
    service.metrics.streams.set(service.streams)
    try:
        yield
    finally:
        service.streams -= 1
        service.metrics.streams.set(service.streams)


async def _open(service: Service, socket: WebSocket) -> _Look:
    """What looks at the frames of this stream. Raises _Close where it may not be."""
    try:
        if not _same_origin(socket, service.settings.cors_origins):
            raise _Close(_REFUSED, "origin")
        service.guard.limit.take(client_of(socket.scope))
        given = key_of(socket.headers)
        if service.guard.key is not None and given is None:
            given = await _first_message(socket)
        service.guard.check_key(given)
        return _Look(service.engine, StreamSwitches.model_validate(dict(socket.query_params)))
    except ValidationError as error:
        raise _Close(_REFUSED, "bad-option") from error
    except Problem as problem:
        raise _Close(_CODES.get(problem.code, _REFUSED), problem.code) from problem


def _same_origin(socket: WebSocket, others: tuple[str, ...]) -> bool:
    """Whether the page that opens the stream is ours or allowed: browsers ask nobody before they open one."""
    origin = socket.headers.get("origin")
    if origin is None or origin in others or "*" in others:
        return True
    return origin.partition("://")[2] == socket.headers.get("host")


async def _first_message(socket: WebSocket) -> str | None:
    """The key in a first message ``{"key": "..."}``; None where it is something else or does not come."""
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


async def _both(*jobs: Coroutine[None, None, None]) -> None:
    """Until the first of them ends; then the others are ended, too."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _read(service: Service, socket: WebSocket, newest: _Newest) -> None:
    """Take frames as fast as they come; never wait for the work."""
    while True:
        try:
            message = await asyncio.wait_for(socket.receive(), service.settings.idle)
        except TimeoutError as error:
            raise _Close(_GOING_AWAY, "idle") from error
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        data = message.get("bytes")
        if data is None:
            continue
        if newest.put(data):
            service.metrics.frames.labels("dropped").inc()


async def _work(service: Service, socket: WebSocket, newest: _Newest, look: _Look) -> None:
    """Look at one frame after the other and answer."""
    while True:
        await newest.wait()
        if newest.data is None:  # it was taken with the one before
            continue
        answer = await service.pool.run(lambda: look(newest.take()))
        service.metrics.frames.labels("seen").inc()
        await socket.send_text(answer)


class _Look:
    """Looks at the frames of one stream, in order."""

    def __init__(self, engine: Engine, switches: StreamSwitches) -> None:
        """Raises Problem."""
        self._engine = engine
        networks = engine.steady
        self._detector = networks.detector(switches.min_face_size)
        self._landmarker = networks.landmarker(switches.contour) if switches.landmarks else None
        self._tracker = None
        if self._landmarker is not None and switches.track:
            self._tracker = Tracker(
                FaceAnalyzer(face_detector=self._detector, landmark_detector=self._landmarker), switches.fps
            )
        self._most = engine.most(switches.max_faces)

    def __call__(self, frame: _Frame) -> str:
        """The answer to a frame: the faces, or the problem with it."""
        start = time.perf_counter()
        try:
            image = self._engine.image(frame.data)
        except Problem as problem:
            return json.dumps({"frame": frame.number, "dropped": frame.dropped, "error": problem.document()})
        faces, landmarks, tracks = self._find(image)
        height, width = image.shape[:2]
        record: StreamRecord = {
            "frame": frame.number,
            "width": width,
            "height": height,
            "dropped": frame.dropped,
            "ms": round(1000 * (time.perf_counter() - start), 1),
            "faces": face_records(faces, landmarks, tracks),
        }
        return to_json_line(record)

    def _find(self, image: Image) -> tuple[Faces, list[Landmarks] | None, list[int] | None]:
        if self._tracker is not None:
            tracked = self._tracker(image)[: self._most]
            landmarks = [one.analysis.landmarks for one in tracked if one.analysis.landmarks is not None]
            return Faces.from_list([one.analysis.face for one in tracked]), landmarks, [one.track for one in tracked]
        faces = self._detector(image)[: self._most]
        return faces, None if self._landmarker is None else self._landmarker(image, faces), None
