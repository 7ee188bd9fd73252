"""Benchmark protocols: a data set and a model or its predictions in, a result out.

Every result has ``to_dict()`` for JSON; those with curves have ``plot(path)``, those with examples a ``sheet``. Images
that cannot be read are listed in ``problems`` and skipped.
"""

from mien.evaluation.protocols.background import BackgroundResult, evaluate_background
from mien.evaluation.protocols.fddb import FddbResult, evaluate_fddb
from mien.evaluation.protocols.keypoints import KeypointResult, evaluate_keypoints
from mien.evaluation.protocols.landmarks import LandmarkResult, evaluate_landmarks
from mien.evaluation.protocols.stages import StagesResult, evaluate_stages
from mien.evaluation.protocols.stress import StressResult, evaluate_stress
from mien.evaluation.protocols.wider import WiderResult, evaluate_wider

__all__ = [
    "BackgroundResult",
    "FddbResult",
    "KeypointResult",
    "LandmarkResult",
    "StagesResult",
    "StressResult",
    "WiderResult",
    "evaluate_background",
    "evaluate_fddb",
    "evaluate_keypoints",
    "evaluate_landmarks",
    "evaluate_stages",
    "evaluate_stress",
    "evaluate_wider",
]
