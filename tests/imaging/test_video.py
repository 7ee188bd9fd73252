"""Videos survive a round trip and are written atomically."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BadImage, BadOption
from mien.imaging import VideoReader, VideoWriter

COLORS = [(220, 30, 30), (30, 220, 30), (30, 30, 220), (200, 200, 40), (90, 90, 90)]


def frame(color: tuple[int, int, int], height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    return np.full((height, width, 3), color, np.uint8)


def record(path: Path, height: int = 48, width: int = 64) -> Path:
    with VideoWriter(path, fps=12.5) as writer:
        for color in COLORS:
            writer.write(frame(color, height, width))
    return path


def test_written_frames_are_read_back(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]
    with VideoReader(path) as reader:
        assert reader.fps == pytest.approx(12.5)
        assert reader.frames == len(COLORS)
        assert reader.size == (64, 48)
        images = list(reader)
    assert len(images) == len(COLORS)
    for image, color in zip(images, COLORS, strict=True):
        assert image.shape == (48, 64, 3)
        assert image.dtype == np.uint8
        assert abs(image.astype(int) - color).mean() < 12  # a lossy codec, but red is red


def test_iteration_resumes_where_it_stopped(tmp_path: Path) -> None:
    with VideoReader(str(record(tmp_path / "clip.mp4"))) as reader:
        next(iter(reader))
        assert len(list(reader)) == len(COLORS) - 1
        assert list(reader) == []


def test_odd_sides_become_even(tmp_path: Path) -> None:
    with VideoReader(record(tmp_path / "clip.mp4", 47, 63)) as reader:
        assert reader.size == (64, 48)
        assert next(iter(reader)).shape == (48, 64, 3)


def test_a_failure_leaves_the_old_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("old")

    def fail() -> None:
        with VideoWriter(path, fps=10) as writer:
            writer.write(frame(COLORS[0]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_no_file_without_images(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", fps=10):
        pass
    assert not list(tmp_path.iterdir())


def test_images_of_another_size_are_rejected(tmp_path: Path) -> None:
    def mix() -> None:
        with VideoWriter(tmp_path / "clip.mp4", fps=10) as writer:
            writer.write(frame(COLORS[0]))
            writer.write(frame(COLORS[0], 50, 64))

    with pytest.raises(BadOption, match=r"\(48, 64, 3\), but this image is \(50, 64, 3\)"):
        mix()
    assert not list(tmp_path.iterdir())


def test_invalid_writer_arguments_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"clip\.avi: videos are written as \.mp4"):
        VideoWriter(tmp_path / "clip.avi", fps=10)
    with pytest.raises(BadOption, match=r"fps is 0"):
        VideoWriter(tmp_path / "clip.mp4", fps=0)


def test_unreadable_videos(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match=r"missing\.mp4: there is no such video"):
        VideoReader(tmp_path / "missing.mp4")
    with pytest.raises(BadImage, match="there is no such video"):
        VideoReader(tmp_path)
    with pytest.raises(BadImage, match="there is no such video"):
        VideoReader("a" * 300 + ".mp4")
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    with pytest.raises(BadImage, match=r"text\.mp4: cannot be opened as a video; .*convert"):
        VideoReader(text)
    with pytest.raises(BadImage, match=r"camera 977: cannot be opened.*connected"):
        VideoReader(977)
