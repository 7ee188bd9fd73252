"""Shard plans keep each person in one split and are deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.datasets.samples import LandmarkSample, unknown
from mien.datasets.shard_plans import ShardOptions, claim_folder, plan_shards, split_of
from mien.errors import BadAnnotation, BadOption

OUT = Path("out")


def face(name: str, person: str, subset: str = "SET", x: float = 0.0) -> LandmarkSample:
    points = np.full((68, 2), x, np.float32)
    return LandmarkSample(Path(name), points, "68", subset, person, unknown(68), None, unknown(4))


def frames(people: Sequence[str], each: int = 3) -> list[LandmarkSample]:
    return [face(f"{person}_{number}.jpg", person) for person in people for number in range(each)]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=20, unique=True), st.floats(0, 0.99))
def test_no_person_is_in_two_splits(people: list[str], validation: float) -> None:
    faces = frames(people)
    plan = plan_shards(faces, OUT, ShardOptions(validation=validation, shard_size=4))
    found = {
        split: {f.person for shard in plan if shard.split == split for f in shard.faces} for split in ("train", "val")
    }
    assert not found["train"] & found["val"]
    assert sorted(map(id, (f for shard in plan for f in shard.faces))) == sorted(map(id, faces))


def test_validation_is_a_fraction_of_the_people() -> None:
    held = sum(split_of(f"person {i}", 0.2) == "val" for i in range(4000))
    assert held / 4000 == pytest.approx(0.2, abs=0.03)  # five deviations of such a draw
    assert all(split_of(f"person {i}", 0) == "train" for i in range(100))


def test_names_and_sizes() -> None:
    faces = [*frames(["Ada", "Zoë"]), face("x.jpg", "x", "B"), face("y.jpg", "y", "B"), face("z.jpg", "z", "B")]
    plan = plan_shards(faces, OUT, ShardOptions(split="val", shard_size=2))
    assert [(shard.path.relative_to(OUT).as_posix(), len(shard.faces)) for shard in plan] == [
        ("B/val-00000-of-00002.tfrecord", 2),
        ("B/val-00001-of-00002.tfrecord", 1),
        ("SET/val-00000-of-00003.tfrecord", 2),
        ("SET/val-00001-of-00003.tfrecord", 2),
        ("SET/val-00002-of-00003.tfrecord", 2),
    ]


def test_frames_of_a_person_are_shuffled_among_others() -> None:
    (shard,) = plan_shards(frames(["Ada", "Ben", "Cleo"], 20), OUT, ShardOptions(split="train"))
    changes = sum(a.person != b.person for a, b in zip(shard.faces, shard.faces[1:], strict=False))
    assert changes > 20  # 2 if they stood in their order


def test_a_folder_is_claimed_and_found_again(tmp_path: Path) -> None:
    faces, options = frames(["Ada"]), ShardOptions()
    claim_folder(tmp_path / "new", "300w", faces, options)
    content = (tmp_path / "new" / "plan.json").read_bytes()
    claim_folder(tmp_path / "new", "300w", frames(["Ada"]), options)
    assert (tmp_path / "new" / "plan.json").read_bytes() == content


@pytest.mark.parametrize(
    ("format", "faces", "options", "message"),
    [
        ("wflw", frames(["Ada"]), ShardOptions(), "format '300w', now 'wflw'"),
        ("300w", frames(["Ada"]), ShardOptions(rule="stretched"), "rule 'square', now 'stretched'"),
        ("300w", frames(["Ada"]), ShardOptions(split="val"), "split None, now 'val'"),
        ("300w", frames(["Ada"]), ShardOptions(validation=0.2, shard_size=9), "validation 0.1, now 0.2, shard_size"),
        ("300w", frames(["Ada", "Ben"]), ShardOptions(), "faces 3, now 6"),
        ("300w", frames(["Ben"]), ShardOptions(), "other images or points"),
        ("300w", [*frames(["Ada"], 2), face("Ada_2.jpg", "Ada", x=1)], ShardOptions(), "other images or points"),
    ],
)
def test_another_plan_is_rejected(
    tmp_path: Path, format: str, faces: list[LandmarkSample], options: ShardOptions, message: str
) -> None:
    claim_folder(tmp_path, "300w", frames(["Ada"]), ShardOptions())
    with pytest.raises(BadOption) as caught:
        claim_folder(tmp_path, format, faces, options)
    assert f"shards of another plan ({message}" in str(caught.value)
    assert "give another folder" in str(caught.value)


def test_a_changed_image_changes_the_plan(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.write_bytes(b"one")
    faces = [face(str(image), "Ada")]
    claim_folder(tmp_path / "out", "300w", faces, ShardOptions())
    image.write_bytes(b"longer")
    with pytest.raises(BadOption, match="other images or points"):
        claim_folder(tmp_path / "out", "300w", faces, ShardOptions())


def test_shards_of_unknown_origin_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "train-00000-of-00001.tfrecord").touch()
    with pytest.raises(BadOption, match=r"has shards but no plan.json; give an empty or new folder"):
        claim_folder(tmp_path, "300w", frames(["Ada"]), ShardOptions())
    assert not (tmp_path / "plan.json").exists()


def test_a_broken_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(BadAnnotation, match=r"plan.json: cannot be read .*; delete the folder"):
        claim_folder(tmp_path, "300w", frames(["Ada"]), ShardOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "round"}, "rule='round': must be 'square' or 'stretched'"),
        ({"validation": 1.0}, "validation=1.0: must be between 0 and 0.99"),
        ({"validation": float("nan")}, "validation=nan"),
        ({"split": "test"}, "split='test': must be 'train' or 'val'"),
        ({"shard_size": 0}, "shard_size=0: must be at least 1"),
    ],
)
def test_invalid_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        ShardOptions(**options)  # type: ignore[arg-type]
