"""Heads of the pipeline: each takes crops of detected faces and returns typed outputs."""

from mien.heads.landmarks import Contour, LandmarkConfig, LandmarkDetector, LandmarkOptions

__all__ = ["Contour", "LandmarkConfig", "LandmarkDetector", "LandmarkOptions"]
