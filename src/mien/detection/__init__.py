"""Face detection: proposals over the whole image, refined crop by crop."""

from mien.detection.config import DetectorConfig, Method
from mien.detection.detector import FaceDetector
from mien.detection.methods import Mtcnn, TwoStage
from mien.detection.proposer import run_proposer
from mien.detection.pyramid import run_pnet
from mien.detection.refine import run_lnet, run_onet, run_refiner, run_rnet

__all__ = [
    "DetectorConfig",
    "FaceDetector",
    "Method",
    "Mtcnn",
    "TwoStage",
    "run_lnet",
    "run_onet",
    "run_pnet",
    "run_proposer",
    "run_refiner",
    "run_rnet",
]
