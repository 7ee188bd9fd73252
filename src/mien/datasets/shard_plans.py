"""Which face goes into which shard: split by person, the same every time, so that a run that was cut off can go on.

The plan stands in ``plan.json`` beside the shards. A shard that is there under the same plan is not made again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.crop_rules import RULES
from mien.datasets.parsing import annotation_error
from mien.datasets.samples import LandmarkSample
from mien.datasets.shards import SPLITS, shard_path, to_bytes
from mien.errors import BadOption
from mien.io import atomic_write

SHARD_SIZE = 1000
"""Faces a shard, about 70 kB each."""

_LAYOUT = 1
"""Goes up when the fields of a record or the cutting of the crops change."""

_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """One shard to be: where it goes, and the faces in it."""

    path: Path
    subset: str
    split: str
    faces: tuple[LandmarkSample, ...]


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """What decides the content of the shards besides the data.

    ``rule``: see ``data.crop_rules``. ``validation``: share of the people who validate. ``split``: all faces go
    into this one. ``shard_size``: the most faces a shard. Raises BadOption for values that make no sense.
    """

    rule: str = "square"
    validation: float = 0.1
    split: str | None = None
    shard_size: int = SHARD_SIZE

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise BadOption(f"unknown rule {self.rule!r}; one of {', '.join(RULES)}")
        if not 0 <= self.validation < 1:
            raise BadOption(f"validation is {self.validation:g}; it is a share of the people, from 0 to below 1")
        if self.split not in (None, *SPLITS):
            raise BadOption(f"unknown split {self.split!r}; one of {', '.join(SPLITS)}")
        if self.shard_size < 1:
            raise BadOption(f"shard size is {self.shard_size}; a shard has at least 1 face")


def plan_shards(faces: Iterable[LandmarkSample], out: Path, options: ShardOptions) -> list[PlannedShard]:
    """The shards of all faces, below ``out``. In a split, faces are mixed by their names, which frames of one video
    need where a reader shuffles little."""
    sets: dict[tuple[str, str], list[LandmarkSample]] = defaultdict(list)
    for face in faces:
        sets[face.subset, options.split or split_of(face.person, options.validation)].append(face)
    plan = []
    for (subset, split), chosen in sorted(sets.items()):
        chosen.sort(key=lambda face: zlib.crc32(to_bytes(face.path.name)))
        parts = [chosen[i : i + options.shard_size] for i in range(0, len(chosen), options.shard_size)]
        for index, part in enumerate(parts):
            plan.append(PlannedShard(shard_path(out, subset, split, index, len(parts)), subset, split, tuple(part)))
    return plan


def split_of(person: str, validation: float) -> str:
    """The split of a person and so of every image of them: ``val`` for about this share of the people."""
    return "val" if zlib.crc32(to_bytes(person)) / 2**32 < validation else "train"


def claim_folder(out: Path, format: str, faces: Sequence[LandmarkSample], options: ShardOptions) -> None:
    """Write the plan of a run into its folder, or find there that it is the same.

    Raises BadOption when the folder has shards of another plan, or of none, or cannot be written to.
    """
    plan = _plan(format, faces, options)
    file = out / _PLAN
    if not file.exists():
        if any(out.rglob("*.tfrecord")):
            raise BadOption(f"--out {out}: has shards but no {_PLAN}; give an empty or new folder")
        try:
            with atomic_write(file) as partial:
                partial.write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            cure = "give another folder, or change its permissions"
            raise BadOption(f"--out {out}: cannot be written to ({error.strerror}); {cure}") from error
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise annotation_error(file, f"cannot be read ({error})", "delete the folder, or give another") from error
    _require_same(out, plan, found if isinstance(found, dict) else {})


def _require_same(out: Path, plan: Mapping[str, object], found: Mapping[str, object]) -> None:
    others = [name for name in plan if found.get(name) != plan[name]]
    if others:
        what = ", ".join(f"{name} {found.get(name)!r}, now {plan[name]!r}" for name in others if name != "data")
        what = what or "other images or points"
        raise BadOption(f"--out {out}: has shards of another plan ({what}); give another folder, or delete that one")


def _plan(format: str, faces: Sequence[LandmarkSample], options: ShardOptions) -> dict[str, object]:
    return {
        "layout": _LAYOUT,
        "format": format,
        "rule": options.rule,
        "validation": options.validation,
        "split": options.split,
        "shard_size": options.shard_size,
        "faces": len(faces),
        "data": _digest(faces),
    }


def _digest(faces: Iterable[LandmarkSample]) -> str:
    """SHA-256 of all that goes into the shards but the pixels, of which the size of the file must do."""
    digest = hashlib.sha256()
    for face in faces:
        for part in _parts(face):
            digest.update(part + b"\0")
    return digest.hexdigest()


def _parts(face: LandmarkSample) -> Iterator[bytes]:
    size = face.path.stat().st_size if face.path.is_file() else 0
    pose = None if face.pose is None else (face.pose.yaw, face.pose.pitch, face.pose.roll)
    words = (face.path.name, face.scheme, face.subset, face.person, str(size), str(pose))
    yield from (to_bytes(word) for word in words)
    yield from (np.asarray(array, dtype=np.float32).tobytes() for array in (face.points, face.visible))
