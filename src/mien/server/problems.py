"""Errors of the service as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mien.errors import BadImage
from mien.schema import ProblemRecord

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem type: HTTP status and constant title."""

    status: int
    title: str


KINDS = {
    "bad-request": Kind(400, "Malformed request"),
    "unauthorized": Kind(401, "API key required"),
    "not-found": Kind(404, "Not found"),
    "method-not-allowed": Kind(405, "Method not allowed"),
    "too-slow": Kind(408, "The request did not arrive in time"),
    "too-many-bytes": Kind(413, "Request body too large"),
    "too-many-pixels": Kind(413, "Image too large"),
    "unsupported-media-type": Kind(415, "Unsupported Content-Type"),
    "unsupported-image": Kind(415, "Unsupported image format"),
    "damaged-image": Kind(422, "Damaged or incomplete image"),
    "no-image": Kind(422, "No image in the request"),
    "bad-option": Kind(422, "Invalid parameter"),
    "too-many-requests": Kind(429, "Rate limit exceeded"),
    "internal-error": Kind(500, "Internal error"),
    "busy": Kind(503, "Too many requests in progress"),
    "took-too-long": Kind(503, "The image was not processed in time"),
}

_IMAGE_PROBLEMS = {"kind": "unsupported-image", "size": "too-many-pixels", "damage": "damaged-image"}


class Problem(Exception):
    """A request answered with a problem document.

    Args:
        code: Key of ``KINDS``.
        detail: The value found, and the cure.
        retry_after: Seconds after which the client may retry.
    """

    def __init__(self, code: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @classmethod
    def of_image(cls, error: BadImage) -> Problem:
        """Return the problem of an unusable image, without the placeholder name that ``read_image`` gives bytes."""
        return cls(_IMAGE_PROBLEMS[error.fault], str(error).removeprefix("bytes: "))

    def document(self) -> ProblemRecord:
        """Return the problem document."""
        kind = KINDS[self.code]
        return {
            "type": f"/problems/{self.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": correlation_id.get() or "",
        }

    def response(self) -> Response:
        """Return the response."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.code == "unauthorized":
            headers["WWW-Authenticate"] = "Bearer"
        if self.code == "bad-request":  # what follows on this connection cannot be trusted
            headers["Connection"] = "close"
        return Response(json.dumps(self.document()), KINDS[self.code].status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _internal_error)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    """Answer the framework's own 404 and 405."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        response = Problem("method-not-allowed", f"{path} does not accept {request.method}").response()
        response.headers.update(error.headers or {})
        return response
    return Problem("not-found", f"{path} does not exist; /docs lists the routes").response()


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return Problem("bad-option", "; ".join(_message(found) for found in error.errors())).response()


def _message(found: dict[str, Any]) -> str:
    """Return what is wrong with a parameter, with the value found."""
    name = ".".join(str(part) for part in found["loc"][1:])
    wrong = "unknown parameter; see /docs" if found["type"] == "extra_forbidden" else found["msg"]
    return f"{name}={found['input']!r}: {wrong}"


async def _internal_error(request: Request, error: Exception) -> Response:
    response = Problem("internal-error", "the log has details under the request id").response()
    response.headers["X-Request-ID"] = correlation_id.get() or ""  # added outside of the request id middleware
    return response
