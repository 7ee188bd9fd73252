"""Shards: TFRecord files with one face per record, named ``<folder>/<subset>/<split>-00000-of-00003.tfrecord``.

A record is a ``tf.train.Example``, which ``tf.data`` reads without mien; :func:`_features` has its fields.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.datasets.parsing import annotation_error
from mien.datasets.record_files import read_records, tfrecord_library
from mien.errors import BadAnnotation, BadOption
from mien.io import atomic_write
from mien.types import Floats, Image

SPLITS = ("train", "val")

IMAGE_SIZE = 128
"""Side of ``Sample.image`` in pixels."""

_POINTS = 68
_UNKNOWN = -1.0
"""Unknown visibility in the file."""

_NAME = re.compile(r"(\w+)-(\d{5})-of-(\d{5})\.tfrecord")
_AGAIN = "delete the file and run the same mien prepare again"

_LENGTHS: Mapping[str, int] = {"label": 136, "mask": 68, "visible": 68, "wide_label": 136, "pose": 3}
_WORDS = ("scheme", "subset", "person", "name", "rule")
_BYTES = ("image", "wide", *_WORDS)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A face in a shard. Points are NaN where unknown.

    Attributes:
        image: (128, 128, 3), the crop.
        points: (68, 2) in fractions of the crop: (0, 0) is its first corner, (1, 1) its last.
        wide: JPEG of the context image: about twice the face, at most 256 pixels a side, for augmentation.
        wide_points: (68, 2) in pixels of the context image.
        visible: (68,), 1 visible, 0 occluded, NaN unknown.
        pose: (3,), yaw, pitch, roll in degrees, NaN where unknown.
        scheme: "68" or "68-3d".
        person: Identity; each person is in one split only.
        rule: Name of the crop, see ``datasets.crop_rules``.
    """

    image: Image
    points: Floats
    wide: bytes
    wide_points: Floats
    visible: Floats
    pose: Floats
    scheme: str
    subset: str
    person: str
    name: str
    rule: str = "square"


def shard_path(folder: Path, subset: str, split: str, index: int, count: int) -> Path:
    """Return the path of shard ``index`` of ``count``."""
    return folder / subset / f"{split}-{index:05}-of-{count:05}.tfrecord"


def to_bytes(name: str) -> bytes:
    """Encode a name; bytes of a file name that are not UTF-8 are preserved."""
    return name.encode("utf-8", "surrogateescape")


def write_shard(path: Path, samples: Sequence[Sample]) -> None:
    """Write the samples as one TFRecord file, atomically.

    Raises BadOption without samples, MissingExtra when tfrecord is not installed.
    """
    if not samples:
        raise BadOption(f"{path}: a shard needs at least one sample")
    library = tfrecord_library(path)
    with atomic_write(path) as partial:
        writer = library.TFRecordWriter(str(partial))
        try:
            for sample in samples:
                writer.write(_features(sample, len(samples)))
        finally:
            writer.close()


def read_shards(folder: Path | str, split: str) -> Iterator[Sample]:
    """Yield the samples of a split from all shards below ``folder``.

    Raises BadAnnotation naming file, record and cure: no or missing shards, a truncated or altered shard, a record of
    another layout. BadOption for an unknown split.
    """
    for path in find_shards(folder, split):
        yield from read_shard(path)


def find_shards(folder: Path | str, split: str) -> list[Path]:
    """Return the shards of a split below ``folder``, sorted. Raises BadAnnotation for none or missing ones."""
    if split not in SPLITS:
        raise BadOption(f"unknown split {split!r}; use one of {', '.join(SPLITS)}")
    paths = sorted(Path(folder).rglob(f"{split}-*.tfrecord"))
    if not paths:
        raise annotation_error(
            folder,
            f"no shards of the split {split!r} in it",
            "make them with mien prepare landmarks, or ask for the other split",
        )
    sets: dict[Path, list[tuple[int, int]]] = defaultdict(list)
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise annotation_error(
                path, "not the name of a shard", f"name it like {split}-00000-of-00003.tfrecord or move it"
            )
        sets[path.parent].append((int(match[2]), int(match[3])))
    for parent, numbers in sets.items():
        _require_whole_set(parent, split, numbers)
    return paths


def _require_whole_set(parent: Path, split: str, numbers: list[tuple[int, int]]) -> None:
    counts = {count for _, count in numbers}
    if len(counts) > 1:
        found = f"shards of two runs: {split} of {' and of '.join(str(count) for count in sorted(counts))}"
        raise annotation_error(parent, found, "delete those of the older run")
    if len(numbers) != counts.pop():
        found = f"{len(numbers)} of the {numbers[0][1]} shards of the split {split!r}"
        raise annotation_error(parent, found, "run the same mien prepare again; it makes those that are missing")


def read_shard(path: Path) -> Iterator[Sample]:
    """Yield the samples of one file. Raises BadAnnotation as :func:`read_shards` does."""
    parse = tfrecord_library(path).example_pb2.Example.FromString
    number = wanted = 0
    for number, record in enumerate(read_records(path), start=1):
        place = f"{path}: record {number}"
        fields = _fields(place, record, parse)
        wanted = int(fields["shard_records"][0])
        yield _sample(place, fields)
    if not number:
        raise annotation_error(path, "empty", _AGAIN)
    if number != wanted:
        raise annotation_error(path, f"{number} records, but {wanted} were written", _AGAIN)


def count_samples(path: Path) -> int:
    """Return the number of records of a shard after verifying all checksums. Raises BadAnnotation as the reader."""
    return sum(1 for _ in read_shard(path))


def _features(sample: Sample, count: int) -> dict[str, tuple[Any, str]]:
    """Return the fields of a record.

    Unknown points are 0 with ``mask`` 0; unknown visibility is -1; unknown angles are NaN. ``shard_records`` is the
    number of records in the file: truncation between records is not detected otherwise.
    """
    known = np.asarray(np.isfinite(np.hstack([sample.points, sample.wide_points])).all(axis=1))
    points = np.where(known[:, None], sample.points, 0)
    wide_points = np.where(known[:, None], sample.wide_points, 0)
    visible = np.where(np.isfinite(sample.visible), sample.visible, _UNKNOWN)
    return {
        "image": (sample.image.tobytes(), "byte"),
        "label": (points.ravel(), "float"),
        "mask": (known.astype(np.float32), "float"),
        "visible": (visible, "float"),
        "wide": (sample.wide, "byte"),
        "wide_label": (wide_points.ravel(), "float"),
        "pose": (sample.pose, "float"),
        **{name: (to_bytes(getattr(sample, name)), "byte") for name in _WORDS},
        "shard_records": (count, "int"),
    }


def _fields(place: str, record: bytes, parse: Any) -> dict[str, Any]:
    """Return each field as bytes or an array, after checking type and length."""
    from google.protobuf.message import DecodeError

    try:
        features = parse(record).features.feature
    except DecodeError as error:
        raise annotation_error(place, f"not a tf.train.Example ({error})", "give the shards of mien prepare") from error
    fields: dict[str, Any] = {name: features[name].bytes_list.value for name in _BYTES}
    fields |= {name: np.array(features[name].float_list.value, dtype=np.float32) for name in _LENGTHS}
    fields["shard_records"] = features["shard_records"].int64_list.value
    lengths = {**dict.fromkeys((*_BYTES, "shard_records"), 1), **_LENGTHS}
    for name, length in lengths.items():
        if len(fields[name]) != length:
            raise _other_layout(place, f"{name!r} has {len(fields[name])} values, not {length}")
    return fields


def _other_layout(place: str, found: str) -> BadAnnotation:
    return annotation_error(place, found, "make the shards again with this version's mien prepare, in another folder")


def _sample(place: str, fields: Mapping[str, Any]) -> Sample:
    pixels = fields["image"][0]
    if len(pixels) != IMAGE_SIZE**2 * 3:
        raise _other_layout(place, f"'image' has {len(pixels)} bytes, not {IMAGE_SIZE} x {IMAGE_SIZE} x 3")
    known = fields["mask"][:, None] > 0
    visible = fields["visible"]
    words = {name: fields[name][0].decode("utf-8", "surrogateescape") for name in _WORDS}
    return Sample(
        image=np.frombuffer(pixels, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE, 3),
        points=np.where(known, fields["label"].reshape(_POINTS, 2), np.float32(math.nan)),
        wide=fields["wide"][0],
        wide_points=np.where(known, fields["wide_label"].reshape(_POINTS, 2), np.float32(math.nan)),
        visible=np.where(visible == _UNKNOWN, np.float32(math.nan), visible),
        pose=fields["pose"],
        **words,
    )
