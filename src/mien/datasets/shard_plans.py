"""Assignment of faces to shards: split by person and deterministic, so that an interrupted run can continue.

The plan is stored in ``plan.json`` beside the shards. Existing shards of the same plan are kept.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mien.datasets.parsing import annotation_error
from mien.datasets.samples import LandmarkSample
from mien.datasets.shards import shard_path, to_bytes
from mien.errors import BadOption
from mien.io import atomic_write
from mien.options import option, validate

_LAYOUT = 1
"""Increased when the fields of a record or the crops change."""

_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """Options that determine the content of the shards. Raises BadOption for a value outside its bounds."""

    rule: Literal["square", "stretched"] = option(
        "square", "crop: the square face box with context, or the box of the points stretched to a square"
    )
    validation: float = option(0.1, "fraction of the people whose faces are held out", minimum=0, maximum=0.99)
    split: Literal["train", "val"] | None = option(None, "put all faces into this split")
    shard_size: int = option(1000, "faces per shard, about 70 kB each", minimum=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """A shard to be written: its path, and the faces in it."""

    path: Path
    subset: str
    split: str
    faces: tuple[LandmarkSample, ...]


def plan_shards(faces: Iterable[LandmarkSample], out: Path, options: ShardOptions) -> list[PlannedShard]:
    """Return the shards of all faces, below ``out``.

    Within a split, faces are shuffled by a hash of their names, so that frames of one video are apart.
    """
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
    """Return the split of a person, and so of all their images: ``val`` for about this fraction of the people."""
    return "val" if zlib.crc32(to_bytes(person)) / 2**32 < validation else "train"


def claim_folder(out: Path, format: str, faces: Sequence[LandmarkSample], options: ShardOptions) -> None:
    """Write the plan of a run into its folder, or check that the plan there is the same.

    Raises BadOption when the folder has shards of another plan or without a plan, or cannot be written to.
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
    data = {"faces": len(faces), "data": _digest(faces)}
    return {"layout": _LAYOUT, "format": format, **asdict(options), **data}


def _digest(faces: Iterable[LandmarkSample]) -> str:
    """Return the SHA-256 of the content of the shards; file sizes represent the pixels."""
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
