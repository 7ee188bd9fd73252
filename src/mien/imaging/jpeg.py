"""The structure of a JPEG file from its markers: the number of scans, and where the data end."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A marker inside or after entropy-coded data: neither a stuffed zero byte, nor padding, nor a restart marker.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_LAST_RESERVED = 0xBF


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """The layout of a JPEG.

    Attributes:
        scans: Number of scans (SOS markers). The decoder visits every block of a component once per scan.
        one_scan: Whether the first scan carries the whole image (baseline, interleaved).
        end: Byte offset of the end marker (EOI), or the length of the data where it is missing.
    """

    scans: int
    one_scan: bool
    end: int


def jpeg_layout(data: bytes) -> JpegLayout:
    """Walk the segments of a JPEG as libjpeg does, without decoding anything.

    Damaged data never raise; the number of scans is then at least the number that libjpeg would decode.
    """
    scans, progressive, components, first = 0, False, 0, 0
    position = 2
    while match := _MARKER.search(data, position):
        marker, position = match[1][0], match.end()
        if marker == _EOI:
            return JpegLayout(scans, not progressive and first == components, match.start())
        if marker <= _LAST_RESERVED or marker == _SOI:  # markers without a length
            continue
        segment = data[position : position + 8]
        if marker in _SOF and len(segment) == 8:
            progressive, components = marker & 3 == 2, segment[7]
        elif marker == _SOS:
            scans += 1
            first = first or (segment[2] if len(segment) > 2 else 0)
        position += max(2, int.from_bytes(segment[:2], "big"))
    return JpegLayout(scans, not progressive and first == components, len(data))
