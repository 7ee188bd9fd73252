"""``mien video``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.images import FaceTable, draw_analyses, faces_of
from mien.cli.inputs import writing
from mien.cli.parameters import Json, ShowProgress, analyzer_options, config_options, is_given
from mien.cli.terminal import echo, name_of, note, plural, progress
from mien.errors import BadOption
from mien.imaging import VideoReader, VideoWriter
from mien.pipeline.analyzer import FaceAnalysis, FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.pipeline.tracker import Tracker, TrackerConfig
from mien.schema import frame_record, to_json_line
from mien.types import Image, Landmarks

app = typer.Typer(add_completion=False)

_TRACKER_OPTIONS = ("detect_every", "min_score", "min_iou", "patience")
_ONLY_TRACKING = (*_TRACKER_OPTIONS, "smoothing", "contour", "refinement_steps", "landmarks_model")
"""Parameters that have no effect without ``--landmarks``."""

_FRAME_DIGITS = 6


@app.command()
@config_options("tracking", TrackerConfig, *_TRACKER_OPTIONS, panel="Tracking")
@analyzer_options(landmarks={"refinement_steps": 1})  # a tracked face is cropped by its own landmarks already
def video(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FILE|CAMERA", help="A video file, or the number of a camera, from 0.")
    ],
    config: AnalyzerConfig,
    tracking: dict[str, Any],
    json: Json = False,
    draw: Annotated[
        Path | None, typer.Option(metavar="FILE.mp4", help="Write the video with its faces drawn.", show_default=False)
    ] = None,
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="Track each face by its 68 landmarks; the detector runs now and then.")
    ] = False,
    smoothing: Annotated[bool, typer.Option(help="Smooth the landmarks over time.", rich_help_panel="Tracking")] = True,
    progress: ShowProgress = None,
) -> int:
    """Detect or track the faces of every frame; Ctrl-C ends a camera. Return the exit status."""
    camera = source.isdecimal() and not Path(source).exists()
    if draw is not None and not camera and draw.resolve() == Path(source).resolve():
        raise BadOption(f"--draw {draw}: that is the video itself; give another name")
    _check_options(ctx, landmarks)
    analyzer = FaceAnalyzer(replace(config, heads=("landmarks",) if landmarks else ()))
    with VideoReader(int(source) if camera else source) as reader:
        tracker = None
        if landmarks:
            options = tracking if smoothing else {**tracking, "smoothing": None}
            tracker = Tracker(analyzer, reader.fps, TrackerConfig(**options))
        run = _Run(source, reader.fps, json, draw, _tracked(tracker) if tracker else _detected(analyzer), tracker)
        run.process(reader, reader.frames, progress, endless=camera)
    return 0


def _check_options(ctx: typer.Context, landmarks: bool) -> None:
    """Refuse options without effect. Raises BadOption."""
    given = [name for name in _ONLY_TRACKING if is_given(ctx, name)]
    if given and not landmarks:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise BadOption(f"{flags}: only with --landmarks; add it")


_Frame = tuple[Sequence[FaceAnalysis], Sequence[int] | None]
"""The faces of a frame and, where they are tracked, their track ids."""


def _detected(analyzer: FaceAnalyzer) -> Callable[[Image], _Frame]:
    return lambda image: (analyzer(image), None)


def _tracked(tracker: Tracker) -> Callable[[Image], _Frame]:
    def find(image: Image) -> _Frame:
        faces = tracker(image)
        return [face.analysis for face in faces], [face.track for face in faces]

    return find


@dataclass(frozen=True, slots=True)
class _Run:
    """Process and print the frames of one video."""

    source: str
    fps: float
    json: bool
    draw: Path | None
    find: Callable[[Image], _Frame]
    tracker: Tracker | None

    def process(self, frames: Iterable[Image], total: int | None, shown: bool | None, *, endless: bool) -> None:
        """Process all frames. Ctrl-C ends what is ``endless``, and keeps what was recorded until then."""
        start = time.perf_counter()
        count = 0
        tracked = self.tracker is not None
        table = FaceTable(pose=tracked, track=tracked, name_width=_FRAME_DIGITS)
        if not self.json:
            table.print_header("frame")
        writer = nullcontext() if self.draw is None else VideoWriter(self.draw, self.fps)
        with (
            writing(self.draw or Path(self.source)),
            writer as video,
            progress(frames, total, "frames", shown) as shown_frames,
        ):
            try:
                for count, image in enumerate(shown_frames, start=1):
                    analyses, tracks = self.find(image)
                    if video is not None:
                        video.write(draw_analyses(image, analyses, tracks))
                    if self.json:
                        self._print_json(count - 1, image, analyses, tracks)
                    else:
                        table.print_rows(str(count - 1), analyses, tracks or ())
            except KeyboardInterrupt:
                if not endless:
                    raise
        self._print_summary(count, time.perf_counter() - start)

    def _print_json(
        self, frame: int, image: Image, analyses: Sequence[FaceAnalysis], tracks: Sequence[int] | None
    ) -> None:
        height, width = image.shape[:2]
        landmarks: list[Landmarks] | None = None
        if tracks is not None:
            landmarks = [analysis.landmarks for analysis in analyses if analysis.landmarks is not None]
        name, seconds = name_of(self.source), frame / self.fps
        echo(to_json_line(frame_record(name, frame, seconds, width, height, faces_of(analyses), landmarks, tracks)))

    def _print_summary(self, count: int, seconds: float) -> None:
        detected = "" if self.tracker is None else f"; the detector ran on {plural(self.tracker.detections, 'frame')}"
        note(f"{plural(count, 'frame')} in {seconds:.1f} s: {count / seconds:.1f} frames per second{detected}")
        if self.draw is not None and count:
            note(f"the video is {name_of(self.draw)}")
