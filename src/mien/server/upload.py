"""From a request to the bytes of an image: in a form, raw, or base64 in JSON. All in memory."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import PurePath

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File, FormParser, parse_options_header
from starlette.requests import Request

from mien.server.problems import Problem

_TAKEN = "multipart/form-data with one file, image/* or application/json"
_UNNAMED = "image"

_MOST_COMMAS = 100
"""In a body of JSON, before it is read: ten megabytes of small parts would stop all other threads for seconds."""

_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A request's body, as it came: ``content_type`` and ``data``."""

    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of an image file and the name that the client gave to it."""

    name: str
    data: bytes


async def receive(request: Request, most: int) -> Upload:
    """The body of a request, at most ``most`` bytes, which are counted as they arrive. Raises Problem."""
    content_type = request.headers.get("content-type", "")
    kind = _kind(content_type)
    if kind not in ("multipart/form-data", "application/json") and not kind.startswith("image/"):
        raise Problem("unsupported-media-type", f"Content-Type {content_type!r}: send {_TAKEN}")
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise Problem("unsupported-media-type", f"Content-Encoding {coding!r}: send it as it is")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise _too_long(most)
    data = bytearray()
    async for batch_size in request.stream():
        data += batch_size
        if len(data) > most:
            raise _too_long(most)
    return Upload(content_type, bytes(data))


def unpack(upload: Upload) -> Sent:
    """The image in a body. Raises Problem. Takes as long as the body is: not for the event loop."""
    kind = _kind(upload.content_type)
    if kind == "multipart/form-data":
        sent = _from_form(upload)
    elif kind == "application/json":
        sent = _from_json(upload.data)
    else:
        sent = Sent(_UNNAMED, upload.data)
    if not sent.data:
        raise Problem("damaged-image", "empty (0 bytes); send the bytes of an image file")
    return sent


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _too_long(most: int) -> Problem:
    return Problem("too-many-bytes", f"more than {most} bytes; make the image smaller")


def _from_form(upload: Upload) -> Sent:
    boundary = parse_options_header(upload.content_type)[1].get(b"boundary")
    if not boundary:
        raise Problem("no-image", "the form's Content-Type has no boundary; let the HTTP client set it")
    files: list[File] = []
    # The parser writes large files to disk unless its limit is out of reach.
    config = {"MAX_MEMORY_FILE_SIZE": float("inf")}
    try:
        parser = FormParser("multipart/form-data", None, files.append, boundary=boundary, config=config)
        parser.write(upload.data)
        parser.finalize()
    except FormParserError as error:
        raise Problem("no-image", f"the form cannot be read: {error}") from error
    files = [file for file in files if file.file_name or file.size]  # a browser sends its empty fields, too
    if len(files) != 1:
        raise Problem("no-image", f"the form has {len(files)} files; send one, in a field of any name")
    (file,) = files
    file.file_object.seek(0)
    return Sent(_plain((file.file_name or b"").decode("utf-8", "replace")), file.file_object.read())


def _from_json(data: bytes) -> Sent:
    if data.count(b",") > _MOST_COMMAS:
        raise Problem("no-image", 'the JSON has too many parts; send {"image": "<base64>"}')
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Problem("no-image", f'the body is not JSON; send {{"image": "<base64>"}}: {error}') from error
    text = body.get("image") if isinstance(body, dict) else None
    name = body.get("name", _UNNAMED) if isinstance(body, dict) else None
    if not isinstance(text, str) or not isinstance(name, str) or body.keys() - {"image", "name"}:
        raise Problem("no-image", 'the JSON must be {"image": "<base64>"}, with a "name" if you like')
    try:
        return Sent(_plain(name), base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise Problem("no-image", f"the image is not base64 ({error}); leave out what stands before it") from error


def _plain(name: str) -> str:
    """The last part of a name: no folders, nothing that does not print, not longer than a file name may be."""
    last = PurePath(name.replace("\\", "/")).name
    printed = "".join(letter for letter in last if letter.isprintable())
    return printed.encode("utf-8", "ignore")[:_NAME_BYTES].decode("utf-8", "ignore") or _UNNAMED
