"""What is computed for each path: bytes of an image and switches in, the body of the answer out. No HTTP."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from mien.alignment import AlignedFace, AlignSpec, align_faces
from mien.errors import BadImage, BadOption
from mien.geometry.schemes import to_five
from mien.imaging import encode_png, read_image
from mien.schema import (
    AlignedFaceRecord,
    AlignedFacesRecord,
    AnalysisRecord,
    aligned_face_record,
    aligned_faces_record,
    face_records,
    image_record,
    to_json_line,
)
from mien.server.lanes import Lanes, Networks
from mien.server.problems import Problem
from mien.server.settings import ServeSettings
from mien.server.switches import AlignSwitches, AnalyzeSwitches, FaceSwitches, LandmarkSwitches
from mien.server.upload import Sent
from mien.types import Faces, Image, Landmarks


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and how many faces were found in all."""

    body: bytes
    found: int
    media_type: str = "application/json"


class Engine:
    """The networks, opened once; threads may share them."""

    def __init__(self, settings: ServeSettings) -> None:
        """Raises ModelMissing, ModelMismatch, BadOption."""
        self._settings = settings
        self._lanes = Lanes(settings.min_face_size, settings.threads)

    @property
    def steady(self) -> Networks:
        """The networks for a stream, which works next to whatever else comes."""
        return self._lanes.narrow

    def image(self, data: bytes) -> Image:
        """The image in a file. Raises Problem."""
        try:
            return read_image(data, max_pixels=self._settings.max_pixels)
        except BadImage as error:
            raise Problem.of_image(error) from error

    def most(self, wanted: int | None) -> int:
        """How many faces are returned at most."""
        limit = self._settings.max_faces
        return limit if wanted is None else min(wanted, limit)

    def detect(self, sent: Sent, switches: FaceSwitches) -> Answer:
        """The answer of ``/v1/detect``."""
        with self._lanes.take() as networks:
            image, faces, found = self._find(sent, switches, networks)
        height, width = image.shape[:2]
        return _json(image_record(sent.name, width, height, faces), found)

    def landmarks(self, sent: Sent, switches: LandmarkSwitches) -> Answer:
        """The answer of ``/v1/landmarks``."""
        with self._lanes.take() as networks:
            image, faces, found = self._find(sent, switches, networks)
            landmarks = networks.landmarker(switches.contour, switches.refinement_steps)(image, faces)
        height, width = image.shape[:2]
        return _json(image_record(sent.name, width, height, faces, landmarks), found)

    def align(self, sent: Sent, switches: AlignSwitches) -> Answer:
        """The answer of ``/v1/align``."""
        spec = _spec(switches.template, switches.size, switches.padding)
        with self._lanes.take() as networks:
            image, faces, found = self._find(sent, switches, networks)
            if switches.points == "68":
                faces = _by_landmarks(faces, networks.landmarker("visible", 2)(image, faces))
        height, width = image.shape[:2]
        cut = _Cut.of(sent.name, image, faces, spec)
        record = aligned_faces_record(sent.name, width, height, cut.records)
        if switches.format == "zip":
            return Answer(cut.archive(record), found, "application/zip")
        record["aligned_faces"] = cut.encoded()
        return _json(record, found)

    def analyze(self, sent: Sent, switches: AnalyzeSwitches) -> Answer:
        """The answer of ``/v1/analyze``."""
        spec = _spec(switches.template, switches.size, switches.padding)
        landmarks = None
        with self._lanes.take() as networks:
            image, faces, found = self._find(sent, switches, networks)
            if switches.landmarks:
                landmarks = networks.landmarker(switches.contour, switches.refinement_steps)(image, faces)
        height, width = image.shape[:2]
        record: AnalysisRecord = {
            "image": sent.name,
            "width": width,
            "height": height,
            "faces": face_records(faces, landmarks),
        }
        if switches.aligned_faces:
            by = faces if landmarks is None else _by_landmarks(faces, landmarks)
            cut = _Cut.of(sent.name, image, by, spec)
            record["aligned_faces"] = cut.encoded() if switches.png else cut.records
        return _json(record, found)

    def _find(self, sent: Sent, switches: FaceSwitches, networks: Networks) -> tuple[Image, Faces, int]:
        """The image, its faces, best first and not too many, and how many there were."""
        detector = networks.detector(switches.min_face_size)
        image = self.image(sent.data)
        faces = detector(image)
        return image, faces[: self.most(switches.max_faces)], len(faces)


def _json(record: Mapping[str, object], found: int) -> Answer:
    return Answer(to_json_line(record).encode("ascii"), found)


def _spec(template: str, size: int | None, padding: float | None) -> AlignSpec:
    try:
        return AlignSpec.of(template, size, padding)
    except BadOption as error:
        raise Problem("bad-option", str(error)) from error


def _by_landmarks(faces: Faces, landmarks: Sequence[Landmarks]) -> Faces:
    """The faces with the five points that the 68 give."""
    points = [to_five(found.points) for found in landmarks]
    return Faces(faces.boxes, faces.scores, np.reshape(points, (-1, 5, 2)))


@dataclass(frozen=True, slots=True)
class _Cut:
    """The aligned faces of an image: their records and their PNG files, in the order of the faces."""

    records: list[AlignedFaceRecord]
    files: list[bytes]

    @classmethod
    def of(cls, name: str, image: Image, faces: Faces, spec: AlignSpec) -> _Cut:
        """Aligned faces named as ``mien align`` names them."""
        stem = PurePath(name).stem or "image"
        cut: list[AlignedFace] = align_faces(image, faces, spec=spec)
        records = [
            aligned_face_record(f"{stem}_{number}.png", spec.size, aligned_face.to_image.matrix, face)
            for number, (aligned_face, face) in enumerate(zip(cut, faces, strict=True))
        ]
        return cls(records, [encode_png(aligned_face.image) for aligned_face in cut])

    def encoded(self) -> list[AlignedFaceRecord]:
        """Return the records with the files in base64."""
        return [
            {**aligned_face, "png": base64.b64encode(data).decode("ascii")}
            for aligned_face, data in zip(self.records, self.files, strict=True)
        ]

    def archive(self, record: AlignedFacesRecord) -> bytes:
        """A ZIP archive of the files and ``aligned_faces.json``, the record."""
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
            for aligned_face, data in zip(self.records, self.files, strict=True):
                archive.writestr(aligned_face["file"], data)
            archive.writestr("aligned_faces.json", to_json_line(record))
        return memory.getvalue()
