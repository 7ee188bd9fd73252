"""Cut every face out of a folder of images, upright and of one size; a broken image does not stop the rest.

python examples/group_photo.py photos aligned faces
"""

import sys
from pathlib import Path

import mien
from mien.imaging import write_image

photos, out = (Path(argument) for argument in sys.argv[1:])
detector = mien.FaceDetector(mien.DetectorConfig(min_face_size=40))
for photo in sorted(photos.iterdir()):
    try:
        image = mien.read_image(photo)
    except mien.BadImage as problem:
        print(problem, file=sys.stderr)
        continue
    faces = detector(image)
    for number, aligned_face in enumerate(mien.align_faces(image, faces, size=112)):
        write_image(out / f"{photo.stem}.{number}.png", aligned_face.pixels)
        # aligned face.to_image.apply(points) leads from the aligned face back to the photo
    print(f"{photo.name}: {len(faces)} faces")
