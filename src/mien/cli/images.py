"""Analyze images one by one: what ``detect``, ``landmarks``, ``align`` and ``analyze`` have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from mien.alignment import AlignSpec
from mien.cli.inputs import OutputFolder, find_images, read_input, writing
from mien.cli.terminal import Failures, Segment, echo, name_of, note, pad, plural, progress, wants_progress
from mien.datasets.pts import write_pts
from mien.errors import BadImage, BadOption, WriteFailed
from mien.imaging import write_image
from mien.imaging.draw import draw_faces, draw_landmarks
from mien.pipeline.analyzer import FaceAnalysis, FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import (
    AlignedFaceRecord,
    aligned_face_record,
    aligned_faces_record,
    error_record,
    image_record,
    to_json_line,
)
from mien.types import Faces, Image

_NAMES_MEASURED = 1000
"""The name column is as wide as the longest of this many first names."""

_BOX_COLUMNS = ("score", "x0", "y0", "x1", "y1")
_POSE_COLUMNS = ("yaw", "pitch", "roll")
_WIDTHS = {"score": 6, "yaw": 6, "pitch": 6, "roll": 6}
_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Outputs:
    """Folders for files, by option; None writes no files."""

    draw: Path | None = None
    pts: Path | None = None
    aligned: Path | None = None

    @property
    def folders(self) -> list[Path]:
        """The folders that are written to."""
        return [folder for folder in (self.draw, self.pts, self.aligned) if folder is not None]


@dataclass(frozen=True, slots=True)
class ImageJob:
    """What a command does with every image.

    Attributes:
        config: Configuration of the analyzer; its heads decide what is computed.
        outputs: Files to write.
        json: Print JSON lines instead of a table.
        spec: How faces are aligned, where ``outputs.aligned`` is set.
        max_faces: Number of faces kept, the best; None for all.
        only_aligned: Print the aligned faces and nothing else.
    """

    config: AnalyzerConfig
    outputs: Outputs
    json: bool
    spec: AlignSpec | None = None
    max_faces: int | None = None
    only_aligned: bool = False

    def run(self, sources: list[str], shown: bool | None) -> int:
        """Analyze the images of files, folders and patterns; return the exit status.

        Raises:
            BadOption: There is no image.
        """
        run = _Run(self, sources)
        failures = Failures()
        total = None
        if wants_progress(shown):
            total = sum(1 for _ in find_images(sources, self.outputs.folders, lambda error: None))
        images = find_images(sources, self.outputs.folders, failures.add)
        first = list(islice(images, _NAMES_MEASURED))
        if not first:
            raise BadOption(f"no images found in {', '.join(sources)}; give files, or folders with images")
        run.print_header(first)
        with progress(chain(first, images), total, "images", shown) as paths:
            for path in paths:
                try:
                    run.process(path)
                except (BadImage, BadOption, WriteFailed) as error:
                    run.failed += 1
                    failures.add(error)
                    if self.json:
                        echo(to_json_line(error_record(name_of(path), error)))
        run.print_summary()
        return failures.status


class _Run:
    """One run of a job."""

    def __init__(self, job: ImageJob, sources: Sequence[str]) -> None:
        def folder(path: Path | None, option: str) -> OutputFolder | None:
            return None if path is None else OutputFolder(path, sources, option)

        outputs = job.outputs
        self._job = job
        self._draw = folder(outputs.draw, "--draw")
        self._pts = folder(outputs.pts, "--pts")
        self._aligned = folder(outputs.aligned, "--out" if job.only_aligned else "--aligned")
        self._analyzer = FaceAnalyzer(job.config)
        self._table = FaceTable(pose="landmarks" in job.config.heads)
        self._faces = self._images = 0
        self.failed = 0

    def print_header(self, paths: Sequence[Path]) -> None:
        self._table = replace(self._table, name_width=max(len(name_of(path)) for path in paths))
        if not (self._job.json or self._job.only_aligned):
            self._table.print_header("image")

    def process(self, path: Path) -> None:
        """Analyze one image. Files are written first, so that those that stdout names exist."""
        image = read_input(path)
        spec = self._job.spec if self._aligned else None
        analyses = self._analyzer(image, max_faces=self._job.max_faces, align=spec)
        self._write_drawing(path, image, analyses)
        self._write_points(path, analyses)
        aligned = self._write_aligned(path, analyses)
        self._images += 1
        self._faces += len(analyses)
        if self._job.json:
            echo(to_json_line(self._record(name_of(path), image, analyses, aligned)))
        elif self._job.only_aligned:
            for record in aligned:
                echo(record["file"])
        else:
            self._table.print_rows(name_of(path), analyses)

    def _write_drawing(self, path: Path, image: Image, analyses: Sequence[FaceAnalysis]) -> None:
        if self._draw is not None:
            place = self._draw.drawing(path)
            with writing(place):
                write_image(place, draw_analyses(image, analyses))

    def _write_points(self, path: Path, analyses: Sequence[FaceAnalysis]) -> None:
        for index, analysis in enumerate(analyses):
            if self._pts is not None and analysis.landmarks is not None:
                place = self._pts.face(path, index, ".pts")
                with writing(place):
                    write_pts(place, analysis.landmarks.points)

    def _write_aligned(self, path: Path, analyses: Sequence[FaceAnalysis]) -> list[AlignedFaceRecord]:
        records = []
        for index, analysis in enumerate(analyses):
            if self._aligned is not None and analysis.aligned is not None:
                place = self._aligned.face(path, index, ".png")
                with writing(place):
                    write_image(place, analysis.aligned.image)
                size, matrix = len(analysis.aligned.image), analysis.aligned.to_image.matrix
                records.append(aligned_face_record(name_of(place), size, matrix, analysis.face))
        return records

    def _record(
        self, name: str, image: Image, analyses: Sequence[FaceAnalysis], aligned: list[AlignedFaceRecord]
    ) -> dict[str, object]:
        height, width = image.shape[:2]
        if self._job.only_aligned:
            return {**aligned_faces_record(name, width, height, aligned)}
        landmarks = [analysis.landmarks for analysis in analyses if analysis.landmarks is not None]
        with_landmarks = landmarks if "landmarks" in self._job.config.heads else None
        record = image_record(name, width, height, faces_of(analyses), with_landmarks)
        return {**record, **({"aligned_faces": aligned} if self._aligned is not None else {})}

    def print_summary(self) -> None:
        failed = f"; {plural(self.failed, 'image')} failed" if self.failed else ""
        note(f"{plural(self._faces, 'face')} in {plural(self._images, 'image')}{failed}")
        outputs = self._job.outputs
        written = (("drawings", outputs.draw), ("landmarks", outputs.pts), ("aligned faces", outputs.aligned))
        for what, folder in written:
            if folder is not None and self._images:
                note(f"{what} are in {name_of(folder)}")


def faces_of(analyses: Sequence[FaceAnalysis]) -> Faces:
    """Return the faces of analyses in one value."""
    return Faces.from_list([analysis.face for analysis in analyses])


def draw_analyses(image: Image, analyses: Sequence[FaceAnalysis], tracks: Sequence[int] | None = None) -> Image:
    """Return the image with the boxes and, where known, the landmarks of the faces drawn."""
    landmarks = [analysis.landmarks for analysis in analyses if analysis.landmarks is not None]
    faces = faces_of(analyses)
    if len(landmarks) < len(faces) or not landmarks:
        return draw_faces(image, faces, tracks=tracks)
    return draw_landmarks(image, landmarks, faces, scores=tracks is None, tracks=tracks)


@dataclass(frozen=True, slots=True)
class FaceTable:
    """A table with a row per face, printed row by row: name, score and box, head pose, and track in a video.

    Attributes:
        pose: Whether the head pose has columns.
        track: Whether the track id has a column.
        name_width: Width of the first column in characters.
    """

    pose: bool = False
    track: bool = False
    name_width: int = 0

    @property
    def _columns(self) -> list[str]:
        return [*(["track"] if self.track else []), *_BOX_COLUMNS, *(_POSE_COLUMNS if self.pose else ())]

    def print_header(self, name: str) -> None:
        """Print the names of the columns; ``name`` is that of the first."""
        self._print(name, self._columns, "bold", "bold")

    def print_rows(self, name: str, analyses: Sequence[FaceAnalysis], tracks: Sequence[int] = ()) -> None:
        """Print a row per face, or one of dashes for no faces."""
        for index, analysis in enumerate(analyses):
            cells = [str(tracks[index])] if self.track else []
            self._print(name, [*cells, *self._cells(analysis)], "cyan", "")
        if not analyses:
            self._print(name, ["-"] * len(self._columns), "cyan", "dim")

    def _cells(self, analysis: FaceAnalysis) -> Iterator[str]:
        yield f"{analysis.face.score:.3f}"
        yield from (f"{side:.1f}" for side in analysis.face.box.tolist())
        if self.pose:
            pose = None if analysis.landmarks is None else analysis.landmarks.pose
            angles = (None, None, None) if pose is None else (pose.yaw, pose.pitch, pose.roll)
            yield from ("-" if angle is None else f"{angle:.1f}" for angle in angles)

    def _print(self, name: str, cells: Sequence[str], name_style: str, style: str) -> None:
        padded = (
            pad(cell, _WIDTHS.get(column, _WIDTH), right=True)
            for cell, column in zip(cells, self._columns, strict=True)
        )
        first: Segment = (pad(name, max(self.name_width, len("image"))), name_style)
        echo(first, ("  " + " ".join(padded), style))
