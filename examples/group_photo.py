"""Cut every face out of a folder of images, aligned and of one size; a broken image does not stop the rest.

python examples/group_photo.py PHOTOS OUT
"""

import argparse
import sys
from pathlib import Path

import mien

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path)
parser.add_argument("out", type=Path)
args = parser.parse_args()

detector = mien.FaceDetector(min_face_size=40)
for photo in sorted(args.photos.iterdir()):
    try:
        image = mien.read_image(photo)
    except mien.BadImage as problem:
        print(problem, file=sys.stderr)
        continue
    faces = detector(image)
    for number, aligned in enumerate(mien.align_faces(image, faces, size=112)):
        mien.write_image(args.out / f"{photo.stem}.{number}.png", aligned.image)
        # aligned.to_image.apply(points) maps pixels of the aligned face to pixels of the photo
    print(f"{photo.name}: {len(faces)} faces")
