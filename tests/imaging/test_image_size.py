from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImage
from mien.imaging import read_image
from mien.imaging.io import image_size


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "tif"])
@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
def test_the_size_is_that_of_the_image_as_read(tmp_path: Path, ending: str, orientation: int | None) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    file = tmp_path / f"a.{ending}"
    Image.fromarray(np.zeros((6, 9, 3), dtype=np.uint8)).save(file, **({} if ending == "bmp" else {"exif": exif}))
    height, width = read_image(file).shape[:2]
    assert image_size(file) == image_size(file.read_bytes()) == (width, height)


def test_files_without_an_image_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(BadImage, match=r"a\.jpg: not an image"):
        image_size(tmp_path / "a.jpg")
    with pytest.raises(BadImage, match="there is no such file"):
        image_size(tmp_path / "b.jpg")


def test_the_pixel_limit(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((6, 9, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    assert image_size(data, max_pixels=54) == (9, 6)
    with pytest.raises(BadImage, match="54 pixels, more than 53"):
        image_size(data, max_pixels=53)
