"""Images and videos: the only package that imports cv2 and Pillow.

``io`` reads, encodes and writes images (``decode`` and ``jpeg`` are its parts); ``resample`` resizes, crops and warps;
``filters`` changes colors and sharpness; ``draw`` draws on images; ``video`` reads and writes frame by frame.
"""

from mien.imaging.draw import Color, draw_label, draw_lines, draw_points, draw_rectangles
from mien.imaging.filters import apply_tables, blur, motion_blur, reduce_resolution, saturate
from mien.imaging.io import (
    MAX_PIXELS,
    SUFFIXES,
    ImageSource,
    encode_jpeg,
    encode_png,
    image_size,
    read_image,
    read_mipmap,
    write_image,
)
from mien.imaging.resample import Mipmap, resize
from mien.imaging.video import VideoReader, VideoWriter

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Color",
    "ImageSource",
    "Mipmap",
    "VideoReader",
    "VideoWriter",
    "apply_tables",
    "blur",
    "draw_label",
    "draw_lines",
    "draw_points",
    "draw_rectangles",
    "encode_jpeg",
    "encode_png",
    "image_size",
    "motion_blur",
    "read_image",
    "read_mipmap",
    "reduce_resolution",
    "resize",
    "saturate",
    "write_image",
]
