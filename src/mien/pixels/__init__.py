"""Pixels: the only room that imports cv2 and Pillow.

``read`` turns bytes, paths and arrays into upright RGB; ``sample`` resizes, crops and warps; ``paint`` draws,
encodes and writes; ``video`` reads and writes frame by frame.
"""

from mien.pixels.paint import (
    Colour,
    draw_label,
    draw_lines,
    draw_points,
    draw_rectangles,
    encode_jpeg,
    encode_png,
    write_picture,
)
from mien.pixels.read import MAX_PIXELS, Source, read
from mien.pixels.sample import Mipmap, resize
from mien.pixels.video import VideoReader, VideoWriter

__all__ = [
    "MAX_PIXELS",
    "Colour",
    "Mipmap",
    "Source",
    "VideoReader",
    "VideoWriter",
    "draw_label",
    "draw_lines",
    "draw_points",
    "draw_rectangles",
    "encode_jpeg",
    "encode_png",
    "read",
    "resize",
    "write_picture",
]
