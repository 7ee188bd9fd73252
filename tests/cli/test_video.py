from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.pixels import VideoReader, VideoWriter
from mien.values import Picture

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
    assert [picture.shape for picture in drawn] == [(160, 200, 3)] * 6
    # The green of the box is on the frames with a face and nowhere else.
    assert [bool((np.ptp(picture, axis=2) > 60).any()) for picture in drawn] == [True] * 5 + [False]


def test_table_names_the_frame(shipped, clip, capsys) -> None:
    assert main(["video", clip]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[-1] == "frame"
    assert [row.split()[-1] for row in rows] == list("012345")


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (["gone.mp4"], 1, "no such video file"),
        (["clip.mp4", "--draw", "clip.mp4"], 2, "that is the video itself"),
        (["clip.mp4", "--draw", "out.avi"], 2, "written as .mp4"),
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
        picture: Picture = squares((80, 60))
        yield from (picture, picture)
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

    def interrupt(*_: object) -> Picture:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return squares()

    monkeypatch.setattr("mien.cli.video.draw_faces", interrupt)
    assert main(["video", clip, "--draw", "out.mp4"]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
