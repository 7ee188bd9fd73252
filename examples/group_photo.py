"""Cut every face out of a folder of images, aligned and of one size; a broken image does not stop the rest.

python examples/group_photo.py PHOTOS OUT
"""

import sys
from pathlib import Path

import mien

photos, out = (Path(argument) for argument in sys.argv[1:])
detector = mien.FaceDetector(min_face_size=40)
for photo in sorted(photos.iterdir()):
    try:
        image = mien.read_image(photo)
    except mien.BadImage as problem:
        print(problem, file=sys.stderr)
        continue
    faces = detector(image)
    for number, aligned in enumerate(mien.align_faces(image, faces, size=112)):
        mien.write_image(out / f"{photo.stem}.{number}.png", aligned.image)
        # aligned.to_image.apply(points) maps pixels of the aligned face to pixels of the photo
    print(f"{photo.name}: {len(faces)} faces")
