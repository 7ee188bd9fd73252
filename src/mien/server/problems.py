"""What can go wrong, as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mien.errors import BadImage
from mien.schema import ProblemRecord
from mien.server.logs import request_id

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: HTTP status and a title that is the same every time."""

    status: int
    title: str


KINDS = {
    "unauthorized": Kind(401, "A key is needed"),
    "not-found": Kind(404, "There is nothing here"),
    "method-not-allowed": Kind(405, "The method is not one of this path"),
    "too-slow": Kind(408, "The request did not arrive in time"),
    "too-many-bytes": Kind(413, "The request is too long"),
    "too-many-pixels": Kind(413, "The image has too many pixels"),
    "unsupported-media-type": Kind(415, "The Content-Type is none that is taken here"),
    "unsupported-image": Kind(415, "The image is of a kind that is not read"),
    "damaged-image": Kind(422, "The image is damaged or incomplete"),
    "no-image": Kind(422, "There is no image in the request"),
    "bad-option": Kind(422, "A switch has a value that makes no sense"),
    "too-many-requests": Kind(429, "Too many requests of one client"),
    "internal-error": Kind(500, "The service made a mistake"),
    "busy": Kind(503, "The queue is full"),
    "took-too-long": Kind(503, "The answer was not there in time"),
}

_FAULTS = {"kind": "unsupported-image", "size": "too-many-pixels", "damage": "damaged-image"}


class Problem(Exception):
    """A request that is answered with a problem document; ``code`` is one of ``KINDS``."""

    def __init__(self, code: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @classmethod
    def of_image(cls, error: BadImage) -> Problem:
        """The image is at fault. The name that ``pixels.read`` gives to what came without one is left out."""
        return cls(_FAULTS[error.fault], str(error).removeprefix("bytes: "))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status

    def document(self) -> ProblemRecord:
        """The members of the problem document."""
        kind = KINDS[self.code]
        return {
            "type": f"/problems/{self.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id.get(),
        }

    def response(self) -> Response:
        """The answer."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.code == "unauthorized":
            headers["WWW-Authenticate"] = "Bearer"
        return Response(json.dumps(self.document()), self.status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _mistake)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: 404 and 405."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        response = Problem("method-not-allowed", f"{request.method} is not a method of {path}").response()
        response.headers.update(error.headers or {})
        return response
    return Problem("not-found", f"{path}: see /docs for what there is").response()


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return Problem("bad-option", "; ".join(_sentence(found) for found in error.errors())).response()


def _sentence(found: dict[str, Any]) -> str:
    """What is wrong with a switch, with the value found."""
    name = ".".join(str(part) for part in found["loc"][1:])
    wrong = "there is no such switch; see /docs" if found["type"] == "extra_forbidden" else found["msg"]
    return f"{name}={found['input']!r}: {wrong}"


async def _mistake(request: Request, error: Exception) -> Response:
    response = Problem("internal-error", "it is in the log, under the request id").response()
    response.headers["X-Request-ID"] = request_id.get()
    return response
