"""Shards: a file written by TensorFlow (golden/make_shard.py), round trips, and damage."""

from __future__ import annotations

import runpy
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tfrecord import TFRecordWriter
from tfrecord.example_pb2 import Example

from mien.datasets.record_files import read_records
from mien.datasets.shards import Sample, count_samples, find_shards, read_shard, read_shards, shard_path, write_shard
from mien.errors import BadAnnotation, BadOption, MissingExtra

GOLDEN = Path(__file__).parents[1] / "golden"


def sample(name: str = "one.jpg", **changes: object) -> Sample:
    fields: dict[str, object] = {
        "image": (np.arange(128 * 128 * 3) % 7).astype(np.uint8).reshape(128, 128, 3),
        "points": np.full((68, 2), 0.25, np.float32),
        "wide": b"jpeg",
        "wide_points": np.full((68, 2), 40.5, np.float32),
        "visible": np.ones(68, np.float32),
        "pose": np.zeros(3, np.float32),
        "scheme": "68",
        "subset": "SET",
        "person": "Ada",
        "name": name,
        "rule": "square",
    }
    return Sample(**{**fields, **changes})  # type: ignore[arg-type]


def assert_same(got: Sample, want: Sample) -> None:
    for name in Sample.__slots__:
        value = getattr(got, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == getattr(want, name).dtype
            np.testing.assert_array_equal(value, getattr(want, name), err_msg=name)
        else:
            assert value == getattr(want, name), name


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Three faces in one file."""
    path = shard_path(tmp_path, "SET", "train", 0, 1)
    write_shard(path, [sample(f"{number}.jpg") for number in range(3)])
    return path


def starts(path: Path) -> list[int]:
    """Return the offset of each record and the end of the file."""
    places, data = [0], path.read_bytes()
    while places[-1] < len(data):
        (length,) = struct.unpack_from("<Q", data, places[-1])
        places.append(places[-1] + length + 16)
    return places


def test_a_file_written_by_tensorflow() -> None:
    first, second = read_shards(GOLDEN / "shards", "val")
    records = runpy.run_path(str(GOLDEN / "make_shard.py"))["records"]()
    assert first.image.tobytes() == records[0]["image"]
    assert first.image[0, 1].tolist() == [3, 4, 5]
    assert first.points[:2].tolist() == [[0, 1 / 256], [2 / 256, 3 / 256]]
    assert first.wide_points[1].tolist() == [65, 65.5]
    assert first.visible.tolist() == [1] * 68
    assert first.pose.tolist() == [-30.5, 10.25, 2]
    assert (first.wide, first.scheme, first.subset) == (b"\xff\xd8\xff one", "68-3d", "GOLDEN")
    assert (first.person, first.name, first.rule) == ("Ada", "ada_01.jpg", "square")
    assert np.isnan(second.points[:4]).all()
    assert np.isnan(second.wide_points[:4]).all()
    assert second.points[4].tolist() == [8 / 256, 9 / 256]
    assert np.isnan(second.visible[:4]).all()
    assert second.visible[4:].tolist() == [0] * 4 + [1] * 60
    np.testing.assert_array_equal(second.pose, [45, np.nan, np.nan])
    assert (second.person, second.scheme, second.rule) == ("Zoë", "68", "series")


def test_we_write_what_tensorflow_writes(tmp_path: Path) -> None:
    golden = GOLDEN / "shards" / "GOLDEN" / "val-00000-of-00001.tfrecord"
    ours = tmp_path / "val-00000-of-00001.tfrecord"
    write_shard(ours, list(read_shard(golden)))
    # Protobuf leaves the order of the fields open, so the messages are compared and not their bytes.
    pairs = list(zip(read_records(ours), read_records(golden), strict=True))
    assert all(Example.FromString(a) == Example.FromString(b) or _equal_but_nan(a, b) for a, b in pairs)
    assert ours.stat().st_size == golden.stat().st_size


def _equal_but_nan(a: bytes, b: bytes) -> bool:
    """Compare samples; NaN equals NaN."""
    messages = Example.FromString(a), Example.FromString(b)
    assert all(np.isnan(message.features.feature["pose"].float_list.value[1:]).all() for message in messages)
    for message in messages:
        del message.features.feature["pose"].float_list.value[1:]
    return messages[0] == messages[1]


def test_the_checksums_are_those_of_tensorflow() -> None:
    golden = GOLDEN / "shards" / "GOLDEN" / "val-00000-of-00001.tfrecord"
    crc = TFRecordWriter.masked_crc
    heads = [(struct.pack("<Q", len(record)), record) for record in read_records(golden)]
    assert b"".join(head + crc(head) + record + crc(record) for head, record in heads) == golden.read_bytes()


coordinates = st.floats(0, 1, width=32) | st.just(float("nan"))


@settings(max_examples=12, deadline=None)
@given(
    points=arrays(np.float32, (68, 2), elements=coordinates),
    visible=arrays(np.float32, 68, elements=st.sampled_from([0.0, 1.0, float("nan")])),
    pose=arrays(np.float32, 3, elements=st.floats(-180, 180, width=32) | st.just(float("nan"))),
    person=st.text(max_size=20) | st.just("a name\udcff with a stray byte"),
    wide=st.binary(max_size=50),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    points: np.ndarray,
    visible: np.ndarray,
    pose: np.ndarray,
    person: str,
    wide: bytes,
) -> None:
    points[np.isnan(points).any(axis=1)] = np.nan
    face = sample(points=points, wide_points=points * 256, visible=visible, pose=pose, person=person, wide=wide)
    path = tmp_path_factory.mktemp("shards") / "train-00000-of-00001.tfrecord"
    write_shard(path, [face])
    (got,) = read_shard(path)
    assert_same(got, face)


def test_all_subsets_and_shards_of_a_split_in_order(tmp_path: Path) -> None:
    for subset, index, count, name in (("B", 0, 1, "4"), ("A", 1, 2, "2"), ("A", 0, 2, "1")):
        write_shard(shard_path(tmp_path, subset, "train", index, count), [sample(name)])
    write_shard(shard_path(tmp_path, "A", "val", 0, 1), [sample("validates")])
    assert [face.name for face in read_shards(tmp_path, "train")] == ["1", "2", "4"]
    assert [face.name for face in read_shards(tmp_path, "val")] == ["validates"]
    assert [path.name for path in find_shards(tmp_path, "train")][:2] == [
        "train-00000-of-00002.tfrecord",
        "train-00001-of-00002.tfrecord",
    ]


def test_count(shard: Path) -> None:
    assert count_samples(shard) == 3


CUTS = {
    "at the start": (lambda s: 0, "empty; "),
    "in the first length": (lambda s: 5, "record 1, byte 0: the file is truncated; "),
    "in the first record": (lambda s: s[1] // 2, "record 1, byte 0: the file is truncated; "),
    "before the last checksum": (lambda s: s[3] - 4, "record 3, byte {}: the file is truncated; "),
    "in the last checksum": (lambda s: s[3] - 1, "record 3, byte {}: the file is truncated; "),
    "between two records": (lambda s: s[2], "2 records, but 3 were written; "),
}


@pytest.mark.parametrize("where", CUTS)
def test_a_truncated_shard(shard: Path, where: str) -> None:
    places = starts(shard)
    cut, message = CUTS[where]
    shard.write_bytes(shard.read_bytes()[: cut(places)])
    with pytest.raises(BadAnnotation) as caught:
        list(read_shards(shard.parents[1], "train"))
    assert f"{shard}: {message.format(places[2])}" in str(caught.value)
    assert "mien prepare again" in str(caught.value)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_altered_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "train-00000-of-00001.tfrecord"
    write_shard(path, [sample(), sample()])
    content = bytearray(path.read_bytes())
    ends = [0, 4, 8, 11, 12, starts(path)[1] - 4, starts(path)[1] - 1]
    place = data.draw(st.sampled_from(ends) | st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(BadAnnotation, match=r"record [12], byte \d+: the checksum .*wrong"):
        list(read_shard(path))


def test_not_a_tfrecord_file(tmp_path: Path) -> None:
    path = tmp_path / "train-00000-of-00001.tfrecord"
    path.write_bytes(b"these are no records, but more than twelve bytes")
    with pytest.raises(BadAnnotation, match="record 1, byte 0: the checksum of the length is wrong: altered, or"):
        list(read_shards(tmp_path, "train"))


def framed(record: bytes) -> bytes:
    head = struct.pack("<Q", len(record))
    return head + TFRecordWriter.masked_crc(head) + record + TFRecordWriter.masked_crc(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda fields: fields.pop("mask"), "'mask' has 0 values, not 68"),
        (lambda fields: fields["label"].float_list.value.append(1), "'label' has 137 values, not 136"),
        (lambda fields: fields.pop("shard_records"), "'shard_records' has 0 values, not 1"),
        (lambda fields: fields["image"].bytes_list.ClearField("value"), "'image' has 0 values, not 1"),
        (lambda fields: fields["image"].bytes_list.value.__setitem__(0, b"abc"), "'image' has 3 bytes, not 128 x 128"),
    ],
)
def test_a_record_of_another_layout(shard: Path, change: object, message: str) -> None:
    first, *_ = read_records(shard)
    example = Example.FromString(first)
    change(example.features.feature)  # type: ignore[operator]
    shard.write_bytes(framed(example.SerializeToString()))
    with pytest.raises(BadAnnotation, match=f"{shard.name}: record 1: {message}.*; make the shards again"):
        list(read_shard(shard))


def test_a_record_that_is_not_an_example(shard: Path) -> None:
    shard.write_bytes(framed(b"\xff" * 20))
    with pytest.raises(BadAnnotation, match=r"record 1: not a tf.train.Example \(.*give the shards of mien prepare"):
        list(read_shard(shard))


def test_missing_shards_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match="no shards of the split 'train' in it; make them"):
        list(read_shards(tmp_path, "train"))
    for index in (0, 2):
        write_shard(shard_path(tmp_path, "A", "train", index, 3), [sample()])
    with pytest.raises(BadAnnotation, match="A: 2 of the 3 shards of the split 'train'; run the same mien prepare"):
        list(read_shards(tmp_path, "train"))
    write_shard(shard_path(tmp_path, "A", "train", 0, 1), [sample()])
    with pytest.raises(BadAnnotation, match="A: shards of two runs: train of 1 and of 3; delete"):
        list(read_shards(tmp_path, "train"))


def test_a_name_that_is_not_a_shard_name(tmp_path: Path) -> None:
    write_shard(tmp_path / "train-1.tfrecord", [sample()])
    with pytest.raises(BadAnnotation, match=r"train-1.tfrecord: not the name of a shard; name it like train-00000-of"):
        list(read_shards(tmp_path, "train"))


def test_invalid_options(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="unknown split 'test'; use one of train, val"):
        list(read_shards(tmp_path, "test"))
    with pytest.raises(BadOption, match="at least one sample"):
        write_shard(tmp_path / "train-00000-of-00001.tfrecord", [])


def test_a_shard_is_written_atomically(shard: Path) -> None:
    before = shard.read_bytes()
    with pytest.raises(AttributeError):
        write_shard(shard, [sample(), None])  # type: ignore[list-item]
    assert shard.read_bytes() == before
    assert list(shard.parent.iterdir()) == [shard]


def test_without_tfrecord(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tfrecord", None)
    with pytest.raises(MissingExtra, match=r"shards needs tfrecord; install it: pip install 'mien\[data\]'"):
        list(read_shard(shard))


def test_beside_tensorflow(shard: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tfrecord.py").write_text("raise TypeError('duplicate symbol')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tfrecord")
    with pytest.raises(BadAnnotation, match=r"beside TensorFlow \(duplicate symbol\); use an environment without"):
        list(read_shard(shard))
