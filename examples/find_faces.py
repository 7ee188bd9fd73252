"""Find faces, print them, and save the image with the faces drawn.

python examples/find_faces.py photo.jpg drawn.jpg
"""

import sys

import mien
from mien.imaging import write_image

photo, drawn = sys.argv[1:]
image = mien.read_image(photo)
faces = mien.FaceDetector()(image)
for face in faces:
    x0, y0, x1, y1 = face.box
    print(f"score {face.score:.2f}, {x1 - x0:.0f} x {y1 - y0:.0f} pixels at ({x0:.0f}, {y0:.0f})")
write_image(drawn, mien.draw_faces(image, faces))
