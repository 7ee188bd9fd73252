"""Detection: pyramid, three networks and a fourth for the points."""

from mien.detect.cascade import Detector
from mien.detect.propose import run_pnet
from mien.detect.refine import run_lnet, run_onet, run_rnet
from mien.detect.settings import Settings

__all__ = ["Detector", "Settings", "run_lnet", "run_onet", "run_pnet", "run_rnet"]
