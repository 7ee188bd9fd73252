"""A client of ``mien serve``: images in, the records of ``mien --json`` out. Needs the extra ``client``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import httpx

from mien.errors import BadImage, BadOption, ServiceError
from mien.schema import AlignedFacesRecord, AnalysisRecord, ImageRecord

Contour = Literal["visible", "3d"]
Template = Literal["mxnet", "arcface"]
Source = str | os.PathLike[str] | bytes
"""The path of an image file, or its bytes."""

_Query = dict[str, str | float | None]


class Client:
    """One connection pool to one service; threads may share it, and ``with`` closes it.

    ``key``: where the service wants one. ``timeout``: seconds until a call gives up. ``transport``: httpx's, for tests
    and special routes. Switches that are None are left to the service; docs/serve.md says what each means.

    Every call raises ServiceError where the service refuses, fails or is not there. Raises BadOption for a key that no
    service can have.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if key is not None and not key.isascii():
            raise BadOption("key: has letters that the head of a request cannot hold; check it")
        headers = {} if key is None else {"X-API-Key": key}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def detect(self, image: Source, *, min_face_size: float | None = None, max_faces: int | None = None) -> ImageRecord:
        """Boxes, scores and five points of the faces in an image, best first."""
        record: ImageRecord = self._send("detect", image, {"min_face_size": min_face_size, "max_faces": max_faces})
        return record

    def landmarks(
        self,
        image: Source,
        *,
        contour: Contour | None = None,
        refinement_steps: Literal[1, 2] | None = None,
        min_face_size: float | None = None,
        max_faces: int | None = None,
    ) -> ImageRecord:
        """The same with 68 points of each face and how its head is turned."""
        query: _Query = {
            "contour": contour,
            "refinement_steps": refinement_steps,
            "min_face_size": min_face_size,
            "max_faces": max_faces,
        }
        record: ImageRecord = self._send("landmarks", image, query)
        return record

    def align(
        self,
        image: Source,
        *,
        template: Template | None = None,
        size: int | None = None,
        padding: float | None = None,
        points: Literal[5, 68] | None = None,
        min_face_size: float | None = None,
        max_faces: int | None = None,
    ) -> AlignedFacesRecord:
        """Each face upright: its PNG in base64, and the way back to the image."""
        query: _Query = {"template": template, "size": size, "padding": padding, "points": points}
        query |= {"min_face_size": min_face_size, "max_faces": max_faces}
        record: AlignedFacesRecord = self._send("align", image, query)
        return record

    def analyze(
        self,
        image: Source,
        *,
        landmarks: bool = True,
        aligned_faces: bool = False,
        png: bool = False,
        contour: Contour | None = None,
        refinement_steps: Literal[1, 2] | None = None,
        template: Template | None = None,
        size: int | None = None,
        padding: float | None = None,
        min_face_size: float | None = None,
        max_faces: int | None = None,
    ) -> AnalysisRecord:
        """All that is switched on, in one request."""
        query: _Query = {
            "landmarks": landmarks,
            "aligned_faces": aligned_faces,
            "png": png,
            "contour": contour,
            "refinement_steps": refinement_steps,
        }
        query |= {
            "template": template,
            "size": size,
            "padding": padding,
            "min_face_size": min_face_size,
            "max_faces": max_faces,
        }
        record: AnalysisRecord = self._send("analyze", image, query)
        return record

    def models(self) -> list[dict[str, Any]]:
        """The cards of the networks, as ``mien models --json`` prints them."""
        cards: list[dict[str, Any]] = self._ask("GET", "/v1/models")["models"]
        return cards

    def ready(self) -> bool:
        """Whether the service is there and would take an image now."""
        try:
            self._ask("GET", "/readyz")
        except ServiceError:
            return False
        return True

    def _send(self, what: str, image: Source, query: _Query) -> Any:
        """Post an image. Raises BadImage where it cannot be read here."""
        name, data = _opened(image)
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("POST", f"/v1/{what}", given, {"image": (name, data)})

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | float | None] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Any:
        """The JSON of the answer."""
        try:
            response = self._http.request(method, path, params=query, files=files)
        except httpx.HTTPError as error:
            raise ServiceError(f"{self._http.base_url}: {error or type(error).__name__}; does it run?") from error
        if not response.is_success:
            raise _refusal(response)
        try:
            return response.json()
        except ValueError as error:
            raise ServiceError(
                f"{response.url}: the answer is no JSON ({error}); is this address that of mien serve?",
                response.status_code,
                "unknown",
            ) from error


def _opened(image: Source) -> tuple[str, bytes]:
    """A name for the image, and its bytes."""
    if isinstance(image, bytes):
        return "image", image
    path = Path(image)
    try:
        return path.name.encode("utf-8", "replace").decode(), path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise BadImage(f"{path}: cannot be opened ({error}); check the path") from error


def _refusal(response: httpx.Response) -> ServiceError:
    """What the problem document says; the status alone where there is none, as from a proxy."""
    wait = response.headers.get("retry-after")
    seconds = int(wait) if wait is not None and wait.isdecimal() else None
    try:
        problem = response.json()
        said = f"{problem['title']}: {problem['detail']} (request {problem['request_id']})"
        return ServiceError(said, response.status_code, problem["code"], seconds)
    except (ValueError, KeyError, TypeError):  # a proxy or another service answered
        return ServiceError(f"{response.url}: HTTP {response.status_code}", response.status_code, "unknown", seconds)
