"""What all paths share, and how an image that was sent becomes an answer within its limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mien.server.engine import Answer, Engine
from mien.server.guard import Guard
from mien.server.metrics import Metrics
from mien.server.pool import Pool
from mien.server.problems import Problem
from mien.server.settings import ServeSettings
from mien.server.upload import Sent, Upload, receive, unpack

CLIENT_GONE = 499
"""In the log and the metrics, for want of a status, where the client did not wait for the answer."""

_PIECE = 65_536
"""Bytes of an answer that are handed on at once."""

_RETRY_SECONDS = 5
"""After which a client whose image took too long may ask again."""


@dataclass(slots=True)
class Service:
    """The parts of one service; ``streams``: how many are open; ``strangers``: how many may become one."""

    settings: ServeSettings
    engine: Engine
    pool: Pool
    guard: Guard
    metrics: Metrics
    streams: int = 0
    strangers: int = 0

    @classmethod
    def of(cls, connection: HTTPConnection) -> Service:
        """The service that a request or WebSocket came to."""
        service: Service = connection.app.state.service
        return service

    async def answer(self, request: Request, work: Callable[[Sent], Answer], send: Send) -> None:
        """Send what ``work`` makes of the image in the request. Raises Problem, and ClientDisconnect."""
        end = time.monotonic() + self.settings.timeout
        with self.pool.place():
            upload = await self._receive(request)
            answer = await self._work(request, lambda: work(unpack(upload)), end)
            self.metrics.images.inc()
            self.metrics.faces.inc(answer.found)
            await self._send(answer, send)

    async def _send(self, answer: Answer, send: Send) -> None:
        """Piece by piece, so that who does not read is waited for, and not for ever. Raises ClientDisconnect."""
        headers = {"Cache-Control": "no-store", "X-Faces-Found": str(answer.found)}
        head = Response(answer.body, 200, headers, answer.media_type)
        await send({"type": "http.response.start", "status": head.status_code, "headers": head.raw_headers})

        async def pieces() -> None:
            for at in range(0, len(answer.body), _PIECE):
                await send({"type": "http.response.body", "body": answer.body[at : at + _PIECE], "more_body": True})
            await send({"type": "http.response.body"})

        try:
            await asyncio.wait_for(pieces(), self.settings.timeout)
        except TimeoutError as error:
            raise ClientDisconnect from error

    async def _receive(self, request: Request) -> Upload:
        try:
            return await asyncio.wait_for(receive(request, self.settings.max_bytes), self.settings.timeout)
        except TimeoutError as error:
            raise Problem("too-slow", f"it took more than {self.settings.timeout:g} s; send a smaller one") from error

    async def _work(self, request: Request, work: Callable[[], Answer], end: float) -> Answer:
        """What ``work`` returns. Raises ClientDisconnect, and Problem where it is not done at ``end``."""
        job = asyncio.ensure_future(self.pool.run(work))
        gone = asyncio.ensure_future(request.receive())  # after the body there comes nothing but the end
        try:
            await asyncio.wait({job, gone}, timeout=end - time.monotonic(), return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            if gone.done():
                raise ClientDisconnect
            raise Problem(
                "took-too-long",
                f"more than {self.settings.timeout:g} s; ask later, or send a smaller image",
                retry_after=_RETRY_SECONDS,
            )
        finally:
            job.cancel()
            gone.cancel()


class Answering(Response):
    """A response that is made while it is sent, so that it holds its place in the queue to its last byte."""

    def __init__(self, request: Request, work: Callable[[Sent], Answer]) -> None:
        super().__init__()
        self._request = request
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises Problem."""
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await Service.of(self._request).answer(self._request, self._work, send_on)
        except ClientDisconnect:
            if not begun:  # for the log and the metrics; nobody reads it
                await Response(status_code=CLIENT_GONE)(scope, receive, send)
