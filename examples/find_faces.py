"""Find faces, print them, and save the picture with the faces drawn.

python examples/find_faces.py photo.jpg drawn.jpg
"""

import sys

import mien
from mien.pixels import write_picture

photo, drawn = sys.argv[1:]
picture = mien.read(photo)
faces = mien.Detector()(picture)
for face in faces:
    x0, y0, x1, y1 = face.box
    print(f"score {face.score:.2f}, {x1 - x0:.0f} x {y1 - y0:.0f} pixels at ({x0:.0f}, {y0:.0f})")
write_picture(drawn, mien.draw_faces(picture, faces))
