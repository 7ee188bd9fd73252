"""Detect faces, print them, and save the image with the faces drawn.

python examples/find_faces.py PHOTO DRAWN
"""

import argparse

import mien

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photo")
parser.add_argument("drawn")
args = parser.parse_args()

image = mien.read_image(args.photo)
faces = mien.detect(image)
for face in faces:
    x0, y0, x1, y1 = face.box
    print(f"score {face.score:.2f}, {face.width:.0f} x {face.height:.0f} pixels at ({x0:.0f}, {y0:.0f})")
mien.write_image(args.drawn, mien.draw_faces(image, faces))
