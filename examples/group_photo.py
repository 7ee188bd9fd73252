"""Cut every face out of a folder of pictures, upright and of one size; a broken picture does not stop the rest.

python examples/group_photo.py photos chips
"""

import sys
from pathlib import Path

import mien
from mien.pixels import write_picture

photos, out = (Path(argument) for argument in sys.argv[1:])
detector = mien.Detector(mien.Settings(min_face=40))
for photo in sorted(photos.iterdir()):
    try:
        picture = mien.read(photo)
    except mien.BadImage as problem:
        print(problem, file=sys.stderr)
        continue
    faces = detector(picture)
    for number, chip in enumerate(mien.chips(picture, faces, size=112)):
        write_picture(out / f"{photo.stem}.{number}.png", chip.pixels)
        # chip.to_picture.apply(points) leads from the chip back to the photo
    print(f"{photo.name}: {len(faces)} faces")
