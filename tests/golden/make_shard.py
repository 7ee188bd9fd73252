"""Writes shards/GOLDEN/val-00000-of-00001.tfrecord with TensorFlow; what lies there was made with 2.21.0.

    python tests/golden/make_shard.py

TensorFlow is no dependency of ours, and cannot be loaded beside the package ``tfrecord``: use another environment.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "shards" / "GOLDEN" / "val-00000-of-00001.tfrecord"


def records() -> list[dict[str, bytes | np.ndarray | int]]:
    """Two faces: all known; and points 0 to 3 unknown, points 4 to 7 covered, a yaw and nothing else of the pose."""
    pixels = np.arange(128 * 128 * 3)
    points = np.arange(136, dtype=np.float32) / 256
    first = {
        "image": (pixels % 251).astype(np.uint8).tobytes(),
        "label": points,
        "mask": np.ones(68, np.float32),
        "visible": np.ones(68, np.float32),
        "wide": b"\xff\xd8\xff one",
        "wide_label": points * 128 + 64,
        "pose": np.array([-30.5, 10.25, 2.0], np.float32),
        "scheme": b"68-3d",
        "subset": b"GOLDEN",
        "person": b"Ada",
        "name": b"ada_01.jpg",
        "rule": b"square",
        "shard_records": 2,
    }
    known = np.arange(68) > 3
    second = {
        **first,
        "image": (pixels % 13).astype(np.uint8).tobytes(),
        "label": points * known.repeat(2),
        "mask": known.astype(np.float32),
        "visible": np.where(~known, -1, np.arange(68) > 7).astype(np.float32),
        "wide": b"\xff\xd8\xff two",
        "wide_label": (points * 128 + 64) * known.repeat(2),
        "pose": np.array([45, np.nan, np.nan], np.float32),
        "scheme": b"68",
        "person": "Zoë".encode(),
        "name": b"zoe_07.jpg",
        "rule": b"series",
    }
    return [first, second]


def main() -> None:
    import tensorflow as tf

    def feature(value: bytes | np.ndarray | int) -> tf.train.Feature:
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))

    FILE.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(FILE)) as writer:
        for record in records():
            features = tf.train.Features(feature={name: feature(value) for name, value in record.items()})
            writer.write(tf.train.Example(features=features).SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
