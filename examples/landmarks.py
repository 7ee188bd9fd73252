"""Say how each head is turned and how wide its mouth is open, and save the image with the 68 points drawn.

python examples/landmarks.py photo.jpg drawn.jpg
"""

import sys

import numpy as np

import mien
from mien.imaging import write_image

UPPER_LIP, LOWER_LIP, LEFT_CORNER, RIGHT_CORNER = 62, 66, 60, 64  # of the inner line of the lips, in 300W's order

photo, drawn = sys.argv[1:]
image = mien.read_image(photo)
analyses = mien.FaceAnalyzer()(image)
for analysis in analyses:
    pose, points = analysis.landmarks.pose, analysis.landmarks.points
    gap = np.linalg.norm(points[UPPER_LIP] - points[LOWER_LIP])
    width = np.linalg.norm(points[LEFT_CORNER] - points[RIGHT_CORNER])
    print(f"yaw {pose.yaw:.0f}, pitch {pose.pitch:.0f}, roll {pose.roll:.0f} degrees; mouth open {gap / width:.0%}")
write_image(drawn, mien.draw_landmarks(image, [analysis.landmarks for analysis in analyses]))
