"""Client of ``mien serve``: sends images, returns the records of :mod:`mien.schema`. Needs the extra ``client``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypedDict, Unpack, cast

import httpx

from mien.errors import BadImage, BadOption, ServiceError
from mien.schema import AlignedFacesRecord, AnalysisRecord, ImageRecord, ModelRecord

Source = str | os.PathLike[str] | bytes
"""The path of an image file, or its bytes."""


class DetectParams(TypedDict, total=False):
    """Parameters of every call; docs/serve.md has defaults and limits."""

    min_face_size: float
    """Smallest face to search for, side in pixels."""
    max_faces: int
    """Faces returned at most, best first."""


class LandmarksParams(DetectParams, total=False):
    """Parameters of calls with landmarks."""

    contour: Literal["visible", "3d"]
    """Jaw line of a turned head: its visible edge, or projected 3D."""
    refinement_steps: Literal[1, 2]
    """2 runs the network again on the upright crop."""


class AlignParams(DetectParams, total=False):
    """Parameters of calls with aligned faces."""

    template: Literal["mxnet", "arcface"]
    """Keypoint template."""
    size: int
    """Side of the aligned image in pixels."""
    padding: float
    """Margin of the mxnet template, relative to its side."""


class AnalyzeParams(LandmarksParams, AlignParams, total=False):
    """Parameters of :meth:`Client.analyze`."""

    landmarks: bool
    """Whether to add landmarks (default: true)."""
    aligned_faces: bool
    """Whether to add the transforms of the aligned faces (default: false)."""
    png: bool
    """Whether to add the aligned faces as PNG files in base64 (default: false)."""


class Client:
    """A connection pool to one service. Safe to share between threads; usable as a context manager.

    Every call raises ServiceError if the service refuses, fails or cannot be reached, and BadImage if the image file
    cannot be read.

    Args:
        url: Address of the service.
        key: Its API key, if it has one.
        timeout: Seconds until a call gives up.
        transport: An httpx transport, for tests and special routing.

    Raises:
        BadOption: The key cannot be sent in a header.
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
            raise BadOption("key: not ASCII, so a header cannot carry it; check the key")
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

    def detect(self, image: Source, **params: Unpack[DetectParams]) -> ImageRecord:
        """Return the faces of an image, best first: bounding box, score and five keypoints of each."""
        return cast(ImageRecord, self._upload("detect", image, params))

    def landmarks(self, image: Source, **params: Unpack[LandmarksParams]) -> ImageRecord:
        """Return the faces of an image with their 68 landmarks and head poses."""
        return cast(ImageRecord, self._upload("landmarks", image, params))

    def align(self, image: Source, *, points: Literal[5, 68] = 68, **params: Unpack[AlignParams]) -> AlignedFacesRecord:
        """Return the aligned faces of an image as PNG files in base64, aligned by 5 keypoints or 68 landmarks."""
        return cast(AlignedFacesRecord, self._upload("align", image, {**params, "points": points}))

    def analyze(self, image: Source, **params: Unpack[AnalyzeParams]) -> AnalysisRecord:
        """Return the faces of an image with everything requested."""
        return cast(AnalysisRecord, self._upload("analyze", image, params))

    def models(self) -> list[ModelRecord]:
        """Return the model cards, as ``mien models --json`` prints them."""
        return cast(list[ModelRecord], self._request("GET", "/v1/models")["models"])

    def ready(self) -> bool:
        """Return whether the service can be reached and accepts images now."""
        try:
            self._request("GET", "/readyz")
        except ServiceError:
            return False
        return True

    def _upload(self, route: str, image: Source, params: Mapping[str, Any]) -> Any:
        return self._request("POST", f"/v1/{route}", params=params, files={"image": _opened(image)})

    def _request(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of the response."""
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            reason = error or type(error).__name__
            raise ServiceError(f"{self._http.base_url}: {reason}; is the service running?") from error
        if not response.is_success:
            raise _service_error(response)
        try:
            return response.json()
        except ValueError as error:
            message = f"{response.url}: the response is not JSON ({error}); is this the address of mien serve?"
            raise ServiceError(message, response.status_code, "unknown") from error


def _opened(image: Source) -> tuple[str, bytes]:
    """Return a name for the image, and its bytes. Raises BadImage."""
    if isinstance(image, bytes):
        return "image", image
    path = Path(image)
    try:
        return path.name.encode("utf-8", "replace").decode(), path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise BadImage(f"{path}: cannot be opened ({error}); check the path") from error


def _service_error(response: httpx.Response) -> ServiceError:
    """Return the error of a problem document, or of the bare status that a proxy may send."""
    wait = response.headers.get("retry-after")
    seconds = int(wait) if wait is not None and wait.isdecimal() else None
    try:
        problem = response.json()
        message = f"{problem['title']}: {problem['detail']} (request {problem['request_id']})"
        return ServiceError(message, response.status_code, problem["code"], seconds)
    except (ValueError, KeyError, TypeError):
        return ServiceError(f"{response.url}: HTTP {response.status_code}", response.status_code, "unknown", seconds)
