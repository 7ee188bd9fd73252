"""Print the head pose and how far each mouth is open, and save the image with the landmarks drawn.

python examples/landmarks.py PHOTO DRAWN
"""

import argparse

import numpy as np

import mien

UPPER_LIP, LOWER_LIP, LEFT_CORNER, RIGHT_CORNER = 62, 66, 60, 64  # inner lip contour, numbered as in 300W

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photo")
parser.add_argument("drawn")
args = parser.parse_args()

image = mien.read_image(args.photo)
landmarks = mien.landmarks(image)
for face in landmarks:
    gap = np.linalg.norm(face.points[UPPER_LIP] - face.points[LOWER_LIP])
    width = np.linalg.norm(face.points[LEFT_CORNER] - face.points[RIGHT_CORNER])
    print(f"{face.pose}; mouth open {gap / width:.0%}")
mien.write_image(args.drawn, mien.draw_landmarks(image, landmarks))
