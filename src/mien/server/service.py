"""The life of an upload: hold a slot, receive, wait for a worker, analyze, send; within the time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mien.server.inference import Analysis, AnalysisRequest, Engine, WorkerPool, timed_out
from mien.server.middleware import CLIENT_CLOSED, Metrics
from mien.server.problems import Problem
from mien.server.security import AccessControl
from mien.server.settings import ServeSettings
from mien.server.upload import Body, receive_body, unpack
from mien.types import Deadline

_PIECE = 65_536
"""Bytes of a response sent at a time."""


@dataclass(frozen=True, slots=True)
class Content:
    """The body of a response."""

    data: bytes
    media_type: str = "application/json"


Format = Callable[[Analysis], Content]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one service."""

    settings: ServeSettings
    engine: Engine
    workers: WorkerPool
    access: AccessControl
    metrics: Metrics

    @classmethod
    def of(cls, connection: HTTPConnection) -> Service:
        """Return the service of a request or WebSocket."""
        service: Service = connection.app.state.service
        return service


class AnalysisResponse(Response):
    """The response to an upload, computed while it is sent, so that its slot is held until its last byte.

    Args:
        request: The HTTP request with the image in its body.
        wanted: What to compute.
        format: Makes the response from the results; runs in the worker thread.
    """

    def __init__(self, request: Request, wanted: AnalysisRequest, format: Format) -> None:
        super().__init__()
        self._request = request
        self._wanted = wanted
        self._format = format
        self._service = Service.of(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive, analyze and send. Raises Problem."""
        started = False

        async def tracked_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            with self._service.workers.slot():
                await self._respond(tracked_send)
        except ClientDisconnect:
            if not started:  # for log and metrics only
                await Response(status_code=CLIENT_CLOSED)(scope, receive, send)

    async def _respond(self, send: Send) -> None:
        deadline = Deadline.after(self._service.settings.timeout)
        analyzed = self._analyze(await self._receive(), deadline)
        analysis, content = await self._until_disconnect(analyzed, deadline)
        self._service.metrics.images.inc()
        self._service.metrics.faces.inc(analysis.found)
        headers = {
            "Cache-Control": "no-store",
            "X-Faces-Found": str(analysis.found),
            "X-Min-Face-Size": f"{analysis.min_face_size:.1f}",
        }
        await self._send(Response(content.data, 200, headers, content.media_type), send)

    async def _receive(self) -> Body:
        settings = self._service.settings
        try:
            return await asyncio.wait_for(receive_body(self._request, settings.max_bytes), settings.timeout)
        except TimeoutError as error:
            raise Problem("too-slow", f"more than {settings.timeout:g} s; send a smaller image") from error

    async def _analyze(self, body: Body, deadline: Deadline) -> tuple[Analysis, Content]:
        engine, workers = self._service.engine, self._service.workers
        upload = await workers.read(partial(unpack, body, self._service.settings.max_pixels))
        del body  # or each waiting request would hold its image twice

        def work() -> tuple[Analysis, Content]:
            analysis = engine.analyze(upload, self._wanted, deadline)
            return analysis, self._format(analysis)

        return await workers.run(work, large=engine.is_large(upload, self._wanted))

    async def _until_disconnect(
        self, work: Coroutine[None, None, tuple[Analysis, Content]], deadline: Deadline
    ) -> tuple[Analysis, Content]:
        """Return the result of ``work``. Raises Problem after the deadline, ClientDisconnect if the client leaves."""
        job = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._request.receive())  # after the body only the disconnect can come
        try:
            left = deadline.expires - time.monotonic()
            await asyncio.wait({job, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            if gone.done():
                raise ClientDisconnect
            raise timed_out(self._service.settings.timeout)
        finally:
            job.cancel()
            gone.cancel()

    async def _send(self, response: Response, send: Send) -> None:
        """Send piece by piece, waiting for the client to read, within the time limit. Raises ClientDisconnect."""
        await send({"type": "http.response.start", "status": 200, "headers": response.raw_headers})

        async def pieces() -> None:
            for start in range(0, len(response.body), _PIECE):
                piece = response.body[start : start + _PIECE]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})

        try:
            await asyncio.wait_for(pieces(), self._service.settings.timeout)
        except TimeoutError as error:
            raise ClientDisconnect from error
