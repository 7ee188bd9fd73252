"""TFRecord files record by record, verifying the checksums that the library ``tfrecord`` ignores.

A record is its length (8 bytes, little endian), the masked CRC-32C of these, the bytes, and their masked CRC-32C.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

from mien.datasets.parsing import annotation_error
from mien.errors import needs_extra

_HEAD = 12
_TAIL = 4
_CURE = "copy it again, or delete it and run the same mien prepare again"


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the bytes of each record. Raises BadAnnotation naming record and byte: truncated, or a wrong checksum."""
    masked_crc = tfrecord_library(path).TFRecordWriter.masked_crc
    try:
        stream = path.open("rb")
    except OSError as error:
        raise annotation_error(
            path, f"cannot be opened ({error.strerror})", "check the path and its permissions"
        ) from error
    with stream:
        number = 0
        while head := stream.read(_HEAD):
            number += 1
            place = f"{path}: record {number}, byte {stream.tell() - len(head)}"
            yield _record(stream, head, place, masked_crc)


def _record(stream: IO[bytes], head: bytes, place: str, masked_crc: Callable[[bytes], bytes]) -> bytes:
    """Return the record after its header; its length is used only if its own checksum is right."""
    if len(head) < _HEAD:
        raise annotation_error(place, "the file is truncated", _CURE)
    if masked_crc(head[:8]) != head[8:]:
        raise annotation_error(place, "the checksum of the length is wrong: altered, or not a TFRecord file", _CURE)
    (length,) = struct.unpack("<Q", head[:8])
    body = stream.read(length + _TAIL)
    if len(body) < length + _TAIL:
        raise annotation_error(place, "the file is truncated", _CURE)
    if masked_crc(body[:-_TAIL]) != body[-_TAIL:]:
        raise annotation_error(place, "the checksum is wrong: the file was altered", _CURE)
    return body[:-_TAIL]


def tfrecord_library(path: Path) -> ModuleType:
    """Return the package ``tfrecord``, for the shard at ``path``.

    Raises MissingExtra without it, BadAnnotation where it cannot be loaded.
    """
    try:
        with needs_extra("reading and writing shards", "data"):
            import tfrecord
    except TypeError as error:  # both define TensorFlow's protobuf messages, which a process may register once
        cure = "use an environment without TensorFlow"
        raise annotation_error(path, f"the package tfrecord does not load beside TensorFlow ({error})", cure) from error
    library: ModuleType = tfrecord
    return library
