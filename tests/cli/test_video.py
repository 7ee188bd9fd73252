from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from mien.cli import main
from mien.imaging import Mipmap, VideoReader, VideoWriter
from mien.types import Faces, Image, Landmarks, Pose

from .conftest import squares  # isort: skip


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Six frames at 10 a second; a square moves to the right, the last frame is empty."""
    monkeypatch.chdir(tmp_path)
    with VideoWriter("clip.mp4", 10) as writer:
        for x in range(40, 90, 10):
            writer.write(squares((x, 60)))
        writer.write(squares())
    return "clip.mp4"


def test_every_frame_as_json_and_drawn(shipped, clip, capsys) -> None:
    assert main(["video", clip, "--json", "--draw", "drawn.mp4"]) == 0
    out, err = capsys.readouterr()
    frames = [json.loads(line) for line in out.splitlines()]
    assert [frame["frame"] for frame in frames] == list(range(6))
    assert [frame["seconds"] for frame in frames] == pytest.approx(np.arange(6) / 10)
    assert [len(frame["faces"]) for frame in frames] == [1, 1, 1, 1, 1, 0]
    first, last = (frames[i]["faces"][0]["box"][0] for i in (0, 4))
    assert last - first == pytest.approx(40, abs=10)
    assert "6 frames in" in err
    assert "frames per second" in err
    with VideoReader("drawn.mp4") as reader:
        drawn = list(reader)
        assert reader.fps == pytest.approx(10)
    assert [image.shape for image in drawn] == [(160, 200, 3)] * 6
    # The green of the box is on the frames with a face and nowhere else.
    assert [bool((np.ptp(image, axis=2) > 60).any()) for image in drawn] == [True] * 5 + [False]


def test_table_names_the_frame(shipped, clip, capsys) -> None:
    assert main(["video", clip]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "frame"
    assert [row.split()[0] for row in rows] == list("012345")


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (["gone.mp4"], 1, "no such video file"),
        (["clip.mp4", "--draw", "clip.mp4"], 2, "that is the video itself"),
        (["clip.mp4", "--draw", "out.avi"], 2, "written as .mp4"),
        (
            ["clip.mp4", "--detect-every", "3", "--no-smoothing"],
            2,
            "--detect-every, --smoothing: only with",
        ),
        (["clip.mp4", "--contour", "3d", "--refinement-steps", "2"], 2, "--contour, --refinement-steps: only with"),
        (["clip.mp4", "--landmarks-model", "mine.onnx"], 2, "--landmarks-model: only with --landmarks"),
    ],
)
def test_what_cannot_be(shipped, clip, capsys, call: list[str], status: int, said: str) -> None:
    assert main(["video", *call]) == status
    assert said in capsys.readouterr().err


class _Camera:
    """Gives two frames; then somebody presses Ctrl-C."""

    fps, frames = 10.0, None

    def __init__(self, source: object) -> None:
        assert source == 0

    def __enter__(self) -> _Camera:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self):
        image: Image = squares((80, 60))
        yield from (image, image)
        raise KeyboardInterrupt


def test_ctrl_c_ends_a_camera_and_keeps_what_was_recorded(shipped, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("mien.cli.video.VideoReader", _Camera)
    monkeypatch.chdir(tmp_path)
    assert main(["video", "0", "--draw", "out.mp4"]) == 0
    assert "2 frames in" in capsys.readouterr().err
    with VideoReader("out.mp4") as reader:
        assert len(list(reader)) == 2


def test_ctrl_c_in_a_file_leaves_no_video(shipped, clip, capsys, monkeypatch, tmp_path) -> None:
    calls = []

    def interrupt(*_: object, **__: object) -> Image:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return squares()

    monkeypatch.setattr("mien.cli.video.draw_analyses", interrupt)
    assert main(["video", clip, "--draw", "out.mp4"]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


UNIT = np.random.default_rng(0).random((68, 2))
UNIT[:2] = [[0, 0], [1, 1]]


class _LandmarkDetector:
    """Puts the points about the middle of what is white near the box, as wide as a face of ``BOX`` pixels."""

    made: ClassVar[list[object]] = []

    def __init__(self, network: str, *, contour: str, refinement_steps: int, threads: int | None, **_: object) -> None:
        self.made.append((network, contour, refinement_steps, threads))

    def __call__(self, mipmap: Mipmap, faces: Faces, **options: object) -> list[Landmarks]:
        return [self._one(mipmap.image, *box) for box in faces.boxes.round().astype(int).clip(0).tolist()]

    def _one(self, image: Image, x0: int, y0: int, x1: int, y1: int) -> Landmarks:
        y, x = np.nonzero(image[y0:y1, x0:x1, 0] > 128)
        if not len(x):
            return Landmarks(np.zeros((68, 2)), "68", np.zeros(68))
        middle = [x0 + (x.min() + x.max() + 1) / 2, y0 + (y.min() + y.max() + 1) / 2]
        pose = Pose(1.5, -2, 3)
        return Landmarks((UNIT - 0.5) * 56 + middle, "68", np.full(68, 0.9), pose)


@pytest.fixture
def landmark_detector(monkeypatch: pytest.MonkeyPatch) -> type[_LandmarkDetector]:
    monkeypatch.setattr("mien.pipeline.analyzer.LandmarkDetector", _LandmarkDetector)
    monkeypatch.setattr(_LandmarkDetector, "made", [])
    return _LandmarkDetector


def test_landmarks_follow_the_face(shipped, clip, capsys, landmark_detector) -> None:
    call = ["video", clip, "--landmarks", "--detect-every", "4", "--no-smoothing", "--json", "--draw", "drawn.mp4"]
    assert (
        main([*call, "--contour", "3d", "--refinement-steps", "2", "--landmarks-model", "mine", "--threads", "1"]) == 0
    )
    assert landmark_detector.made == [("mine", "3d", 2, 1)]
    out, err = capsys.readouterr()
    frames = [json.loads(line) for line in out.splitlines()]
    assert [[face["track"] for face in frame["faces"]] for frame in frames] == [[0]] * 5 + [[]]
    for frame in frames[:5]:
        (face,) = frame["faces"]
        points = np.array(face["landmarks"]["points"])
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        np.testing.assert_allclose(middle, [60 + 10 * frame["frame"], 80], atol=2)  # MPEG-4 blurs edges
        assert face["landmarks"]["scheme"] == "68"
        assert face["landmarks"]["pose"] == {"yaw": 1.5, "pitch": -2, "roll": 3}
        assert len(face["keypoints"]) == 5
    # On the first and fifth frame, and on the sixth, where the face is lost.
    assert "6 frames in" in err
    assert "frames per second; the detector ran on 3 frames\n" in err
    with VideoReader("drawn.mp4") as reader:
        assert [bool((np.ptp(image, axis=2) > 60).any()) for image in reader] == [True] * 5 + [False]


def test_points_are_smoothed_unless_told_otherwise(shipped, clip, capsys, landmark_detector) -> None:
    def points(*options: str) -> np.ndarray:
        assert main(["video", clip, "--landmarks", "--json", *options]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return np.array([frame["faces"][0]["landmarks"]["points"] for frame in lines[:5]])

    smooth, plain = points(), points("--no-smoothing")
    np.testing.assert_allclose(smooth[0], plain[0], atol=0.01)
    assert (smooth[1:, :, 0] < plain[1:, :, 0]).all()  # behind, and by less than a step
    assert (plain - smooth).max() < 10


def test_table_names_track_and_frame(shipped, clip, capsys, landmark_detector) -> None:
    assert main(["video", clip, "--landmarks"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["frame", "track"]
    assert head.split()[-3:] == ["yaw", "pitch", "roll"]
    assert [row.split()[:2] for row in rows] == [*([str(i), "0"] for i in range(5)), ["5", "-"]]
    assert len({len(row) for row in [head, *rows]}) == 1


def test_every_must_be_a_number_of_frames(shipped, clip, capsys, landmark_detector) -> None:
    assert main(["video", clip, "--landmarks", "--detect-every", "0"]) == 2
    assert "detect_every=0: must be at least 1" in capsys.readouterr().err
