"""Uploads: from a request body (form, raw or base64 in JSON) to the bytes of one image, all in memory."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import PurePath

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File, FormParser, parse_options_header
from starlette.requests import Request

from mien.errors import BadImage
from mien.imaging.io import image_size
from mien.server.problems import Problem

_ACCEPTED = "multipart/form-data with one file, image/* or application/json"
_UNNAMED = "image"
_NAME_BYTES = 200

_MAX_COMMAS = 100
"""In a JSON body; json.loads would hold the interpreter lock for seconds on ten megabytes of small values."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request body."""

    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """An image file that was sent: its name, its bytes, its upright size in pixels from the header."""

    name: str
    data: bytes
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


async def receive_body(request: Request, max_bytes: int) -> Body:
    """Return the body, counting its bytes while they arrive. Raises Problem."""
    content_type = request.headers.get("content-type", "")
    media_type = _media_type(content_type)
    if media_type not in ("multipart/form-data", "application/json") and not media_type.startswith("image/"):
        raise Problem("unsupported-media-type", f"Content-Type {content_type!r}: send {_ACCEPTED}")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Problem("unsupported-media-type", f"Content-Encoding {encoding!r}: send the body unencoded")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    return Body(content_type, bytes(data))


def unpack(body: Body, max_pixels: int) -> UploadedImage:
    """Return the image in a body. Blocks for as long as parsing takes. Raises Problem."""
    media_type = _media_type(body.content_type)
    if media_type == "multipart/form-data":
        name, data = _from_form(body)
    elif media_type == "application/json":
        name, data = _from_json(body.data)
    else:
        name, data = _UNNAMED, body.data
    try:
        width, height = image_size(data, max_pixels=max_pixels)
    except BadImage as error:
        raise Problem.of_image(error) from error
    return UploadedImage(name, data, width, height)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _too_large(max_bytes: int) -> Problem:
    return Problem("too-many-bytes", f"more than {max_bytes} bytes; send a smaller image")


def _from_form(body: Body) -> tuple[str, bytes]:
    boundary = parse_options_header(body.content_type)[1].get(b"boundary")
    if not boundary:
        raise Problem("no-image", "the form's Content-Type has no boundary; let the HTTP client set it")
    files: list[File] = []
    config = {"MAX_MEMORY_FILE_SIZE": float("inf")}  # the parser's default writes large files to disk
    try:
        parser = FormParser("multipart/form-data", None, files.append, boundary=boundary, config=config)
        parser.write(body.data)
        parser.finalize()
    except FormParserError as error:
        raise Problem("no-image", f"invalid form: {error}") from error
    files = [file for file in files if file.file_name or file.size]  # browsers send empty file fields
    if len(files) != 1:
        raise Problem("no-image", f"the form has {len(files)} files; send one, in a field of any name")
    (file,) = files
    file.file_object.seek(0)
    return _safe_name((file.file_name or b"").decode("utf-8", "replace")), file.file_object.read()


def _from_json(data: bytes) -> tuple[str, bytes]:
    if data.count(b",") > _MAX_COMMAS:
        raise Problem("no-image", 'the JSON has too many values; send {"image": "<base64>"}')
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Problem("no-image", f'the body is not JSON; send {{"image": "<base64>"}}: {error}') from error
    text = body.get("image") if isinstance(body, dict) else None
    name = body.get("name", _UNNAMED) if isinstance(body, dict) else None
    if not isinstance(text, str) or not isinstance(name, str) or body.keys() - {"image", "name"}:
        raise Problem("no-image", 'the JSON must be {"image": "<base64>"} with an optional "name"')
    try:
        return _safe_name(name), base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("no-image", f"the image is not base64 ({error}); remove any prefix such as data:") from error


def _safe_name(name: str) -> str:
    """Return the last path component, printable and no longer than a file name may be."""
    last = PurePath(name.replace("\\", "/")).name
    printable = "".join(letter for letter in last if letter.isprintable())
    return printable.encode("utf-8", "ignore")[:_NAME_BYTES].decode("utf-8", "ignore") or _UNNAMED
