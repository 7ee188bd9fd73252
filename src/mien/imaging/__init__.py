"""Pixels: the only room that imports cv2 and Pillow.

``read`` turns bytes, paths and arrays into upright RGB; ``sample`` resizes, crops and warps; ``paint`` draws,
encodes and writes; ``video`` reads and writes frame by frame.
"""

from mien.imaging.io import MAX_PIXELS, ImageSource, read_image
from mien.imaging.paint import (
    Colour,
    draw_label,
    draw_lines,
    draw_points,
    draw_rectangles,
    encode_jpeg,
    encode_png,
    write_image,
)
from mien.imaging.resample import Mipmap, resize
from mien.imaging.video import VideoReader, VideoWriter

__all__ = [
    "MAX_PIXELS",
    "Colour",
    "ImageSource",
    "Mipmap",
    "VideoReader",
    "VideoWriter",
    "draw_label",
    "draw_lines",
    "draw_points",
    "draw_rectangles",
    "encode_jpeg",
    "encode_png",
    "read_image",
    "resize",
    "write_image",
]
