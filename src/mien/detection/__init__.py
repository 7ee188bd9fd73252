"""Face detection: an image pyramid and a cascade of networks."""

from mien.detection.config import DetectorConfig
from mien.detection.detector import FaceDetector
from mien.detection.propose import run_pnet
from mien.detection.refine import run_lnet, run_onet, run_rnet

__all__ = ["DetectorConfig", "FaceDetector", "run_lnet", "run_onet", "run_pnet", "run_rnet"]
