from .alignment import AlignedFace, AlignSpec, align_faces
from .detection import DetectorConfig, FaceDetector
from .errors import (
    BadAnnotation,
    BadImage,
    BadOption,
    BadRecipe,
    DeadlineExceeded,
    ExportMismatch,
    MienError,
    MissingExtra,
    ModelMismatch,
    ModelMissing,
    ServiceError,
    WriteFailed,
)
from .heads import LandmarkConfig, LandmarkDetector
from .imaging import read_image, write_image
from .imaging.draw import draw_faces, draw_landmarks
from .pipeline.analyzer import FaceAnalysis, FaceAnalyzer
from .pipeline.config import AnalyzerConfig, ModelPaths
from .pipeline.smoothing import SmoothingConfig
from .pipeline.tracker import TrackedFace, Tracker, TrackerConfig
from .pipeline.verbs import align, analyze, detect, landmarks
from .types import Deadline, Face, Faces, Landmarks, Pose

__version__: str

__all__ = [
    "AlignSpec",
    "AlignedFace",
    "AnalyzerConfig",
    "BadAnnotation",
    "BadImage",
    "BadOption",
    "BadRecipe",
    "Deadline",
    "DeadlineExceeded",
    "DetectorConfig",
    "ExportMismatch",
    "Face",
    "FaceAnalysis",
    "FaceAnalyzer",
    "FaceDetector",
    "Faces",
    "LandmarkConfig",
    "LandmarkDetector",
    "Landmarks",
    "MienError",
    "MissingExtra",
    "ModelMismatch",
    "ModelMissing",
    "ModelPaths",
    "Pose",
    "ServiceError",
    "SmoothingConfig",
    "TrackedFace",
    "Tracker",
    "TrackerConfig",
    "WriteFailed",
    "align",
    "align_faces",
    "analyze",
    "detect",
    "draw_faces",
    "draw_landmarks",
    "landmarks",
    "read_image",
    "write_image",
]
