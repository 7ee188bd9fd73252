"""Make the sample images of the web page from examples/astronaut.jpg, which is in the public domain.

With the address of a running service as its argument, also store the analysis that the start page shows:

    python web/scripts/make_samples.py http://127.0.0.1:8000
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from mien.client import Client

WEB = Path(__file__).parents[1]
SOURCE = WEB.parent / "examples" / "astronaut.jpg"
FOLDER = WEB / "src" / "samples"
THUMBNAIL_SIZE = (180, 120)


def portrait(image: Image.Image) -> Image.Image:
    """Return the image as it is."""
    return image


def rotated(image: Image.Image) -> Image.Image:
    """Rotate the head by 38 degrees in the image plane."""
    turned = image.crop((60, 0, 400, 340)).rotate(38, Image.Resampling.BICUBIC, fillcolor=(150, 148, 152))
    return turned.resize((512, 512), Image.Resampling.LANCZOS)


def dark(image: Image.Image) -> Image.Image:
    """Underexpose by a factor of eight."""
    return ImageEnhance.Brightness(image).enhance(0.12)


def masked(image: Image.Image) -> Image.Image:
    """Draw a surgical mask over the nose, the mouth and the chin."""
    scale = 4
    large = image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(large)
    outline = [
        (188, 124),
        (206, 121),
        (225, 116),
        (245, 122),
        (263, 128),
        (260, 153),
        (246, 172),
        (226, 180),
        (206, 172),
        (192, 152),
    ]
    scaled = [(x * scale, y * scale) for x, y in outline]
    for left, right in (
        ((188, 126), (177, 108)),
        ((192, 150), (178, 128)),
        ((263, 130), (270, 110)),
        ((260, 151), (270, 130)),
    ):
        pen.line([(left[0] * scale, left[1] * scale), (right[0] * scale, right[1] * scale)], (225, 235, 238), 2 * scale)
    pen.polygon(scaled, fill=(174, 205, 219))
    for rise in (0, 12, 24):
        fold = [(194 + rise / 3, 136 + rise), (226, 142 + rise), (259 - rise / 3, 140 + rise)]
        pen.line([(x * scale, y * scale) for x, y in fold], (143, 179, 196), scale + 2, joint="curve")
    return large.resize(image.size, Image.Resampling.LANCZOS)


def crowd(image: Image.Image) -> Image.Image:
    """Tile the head in rows of growing size, mirrored in turns, like the audience of a lecture hall."""
    head = image.crop((130, 20, 330, 240))
    canvas = Image.new("RGB", (960, 640), (58, 62, 70))
    top = 8
    for row, width in enumerate((40, 52, 68, 88, 112, 140)):
        height = round(width * head.height / head.width)
        small = head.resize((width, height), Image.Resampling.LANCZOS)
        for column in range(-1, canvas.width // width + 1):
            left = column * width + (row % 2) * width // 2
            tile = ImageOps.mirror(small) if (row + column) % 2 else small
            canvas.paste(ImageEnhance.Brightness(tile).enhance(0.7 + 0.1 * ((3 * row + 5 * column) % 5)), (left, top))
        top += height + 6
    return canvas.crop((0, 0, canvas.width, top))


SAMPLES = {"portrait": portrait, "rotated": rotated, "dark": dark, "masked": masked, "crowd": crowd}


def main() -> None:
    """Write the images and their thumbnails, and the analysis of the portrait if there is a service."""
    FOLDER.mkdir(exist_ok=True)
    with Image.open(SOURCE) as source:
        image = source.convert("RGB")
    for name, make in SAMPLES.items():
        sample = make(image)
        sample.save(FOLDER / f"{name}.jpg", quality=82, optimize=True)
        thumbnail = ImageOps.fit(sample, THUMBNAIL_SIZE, Image.Resampling.LANCZOS, centering=(0.5, 0.12))
        thumbnail.save(FOLDER / f"{name}.thumbnail.jpg", quality=72, optimize=True)
    for url in sys.argv[1:2]:
        with Client(url) as client:
            analysis = client.analyze(FOLDER / "portrait.jpg", aligned_faces=True)
        (FOLDER / "portrait.json").write_text(json.dumps(analysis) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
