"""Opening and running models: names and paths, refusals, the order of outputs and colors, threads, pickling."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from mien.errors import BadOption, ModelMismatch, ModelMissing
from mien.models import InputSpec, list_models, manifest, open_model, read_card
from mien.models.attach import attach_card
from mien.models.manifest import write_manifest

from .conftest import CARD, tiny_graph


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """A folder with the model "snet" in the place of the shipped ones."""
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    (tmp_path / "snet.onnx").write_bytes(attach_card(tiny_graph(), CARD))
    write_manifest(tmp_path)
    return tmp_path


@pytest.mark.parametrize("junk", [b"", b"\xff" * 40, b"\x0a\x7fshort", b"\x0b", b"\x80", b"GIF89a"])
def test_a_file_that_is_not_onnx_is_rejected(junk, tmp_path):
    (tmp_path / "junk.onnx").write_bytes(junk)
    with pytest.raises(ModelMismatch, match=r"junk\.onnx"):
        open_model(tmp_path / "junk.onnx", "rnet")


def test_a_truncated_file_is_rejected(tiny_file):
    data = tiny_file.read_bytes()
    for size in range(0, len(data), 7):
        tiny_file.write_bytes(data[:size])
        with pytest.raises(ModelMismatch, match=r"tiny\.onnx"):
            open_model(tiny_file, "rnet")


def test_a_file_without_a_card_is_rejected(tmp_path):
    (tmp_path / "bare.onnx").write_bytes(tiny_graph().SerializeToString())
    with pytest.raises(ModelMismatch, match=r"bare\.onnx has no model card; export it with mien train"):
        open_model(tmp_path / "bare.onnx", "rnet")


def test_a_file_with_a_damaged_card_is_rejected(tiny_file):
    tiny_file.write_bytes(tiny_file.read_bytes().replace(b'"mean": 127.5', b'"mean": "abc"'))
    with pytest.raises(ModelMismatch, match=r"tiny\.onnx cannot be used: the model card has input.mean 'abc'"):
        open_model(tiny_file, "rnet")


def test_the_task_must_match(tiny_file):
    with pytest.raises(ModelMismatch, match="channel mean is for the task 'rnet'; give a onet model"):
        open_model(tiny_file, "onet")
    with pytest.raises(ModelMismatch, match="channel mean is for the task 'rnet'; give a onet model"):
        open_model(open_model(tiny_file, "rnet"), "onet")


def test_an_opened_model_is_returned_unchanged(tiny_file):
    model = open_model(tiny_file, "rnet")
    assert open_model(model, "rnet") is model


@pytest.mark.parametrize("graph", [{"outputs": ("means",)}, {"name": "input"}])
def test_the_graph_must_match_the_card(tmp_path, graph):
    (tmp_path / "odd.onnx").write_bytes(attach_card(tiny_graph(**graph), CARD))
    with pytest.raises(ModelMismatch, match="its card promises"):
        open_model(tmp_path / "odd.onnx", "rnet")


def test_a_graph_that_onnxruntime_rejects_is_named(tmp_path):
    model = tiny_graph()
    model.opset_import[0].version = 9999
    (tmp_path / "future.onnx").write_bytes(attach_card(model, CARD))
    with pytest.raises(ModelMismatch, match=r"future.onnx cannot be opened by ONNX Runtime"):
        open_model(tmp_path / "future.onnx", "rnet")


def test_a_missing_model_error_lists_the_shipped_ones(shipped):
    with pytest.raises(ModelMissing, match=r"'qnet': no shipped model has that name; .* one of: snet"):
        open_model("qnet", "rnet")
    with pytest.raises(ModelMissing, match=r"qnet\.onnx': no such file"):
        open_model(shipped / "qnet.onnx", "rnet")
    with pytest.raises(ModelMissing, match="no shipped model has that name"):
        open_model("", "rnet")
    assert list_models() == ["snet"]
    assert open_model("snet", "rnet").card == read_card("snet") == CARD


def test_a_damaged_shipped_file_is_rejected(shipped):
    path = shipped / "snet.onnx"
    weight = np.float32([2.0]).tobytes()
    assert path.read_bytes().count(weight) == 1
    path.write_bytes(path.read_bytes().replace(weight, np.float32([2.5]).tobytes()))
    for read in (lambda: open_model("snet", "rnet"), lambda: open_model(path, "rnet"), lambda: read_card("snet")):
        with pytest.raises(ModelMismatch, match=r"snet\.onnx has the SHA-256 \w+, not \w+ .*; install mien again"):
            read()
    mine = shipped.parent / "mine.onnx"
    mine.write_bytes(path.read_bytes())
    assert open_model(mine, "rnet").card == CARD  # a user's own file is not in the manifest


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_shipped_file_missing_in_the_manifest_is_rejected(shipped, text):
    if text is None:
        (shipped / "manifest.json").unlink()
    else:
        (shipped / "manifest.json").write_text(text)
    with pytest.raises(ModelMismatch, match=r"manifest\.json.*; install mien again"):
        open_model("snet", "rnet")


def test_the_shipped_manifest_is_up_to_date(tmp_path):
    for name in list_models():
        (tmp_path / f"{name}.onnx").write_bytes((manifest.WEIGHTS / f"{name}.onnx").read_bytes())
    assert write_manifest(tmp_path).read_text() == (manifest.WEIGHTS / "manifest.json").read_text()


def test_outputs_follow_the_order_of_the_card(tiny_file, batch):
    scores, means = open_model(tiny_file, "rnet", threads=1).run(batch)
    expected = batch.mean(axis=(1, 2))
    np.testing.assert_allclose(scores, 2 * expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(means, expected[:, None], rtol=1e-6)
    assert scores.dtype == means.dtype == np.float32


def test_a_bgr_network_receives_bgr(tmp_path, batch):
    path = tmp_path / "bgr.onnx"
    path.write_bytes(attach_card(tiny_graph(), dataclasses.replace(CARD, input=InputSpec(4, 3, "BGR", 0.0, 1.0))))
    scores, _ = open_model(path, "rnet").run(batch)
    np.testing.assert_allclose(scores, 2 * batch[..., 2].mean(axis=(1, 2)), rtol=1e-6)


def test_a_strided_batch_gives_the_same(tiny_file, batch):
    tiny = open_model(tiny_file, "rnet")
    np.testing.assert_array_equal(tiny.run(batch[:, ::-1, ::2])[0], tiny.run(batch[:, ::-1, ::2].copy())[0])


def test_no_crops_give_empty_outputs(tiny_file, batch):
    scores, means = open_model(tiny_file, "rnet").run(batch[:0])
    assert (scores.shape, means.shape) == ((0,), (0, 1, 3))
    assert scores.dtype == means.dtype == np.float32


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4, 6), np.uint8)]
)
def test_wrong_batches_are_rejected(tiny_file, wrong):
    with pytest.raises(BadOption, match=r"channel mean takes uint8 \(n, h, w, 3\)"):
        open_model(tiny_file, "rnet").run(wrong)


@pytest.mark.parametrize(
    "options",
    [
        *({"threads": threads} for threads in (0, -1, True, 1.0, "a", "2", [2])),
        *({"providers": providers} for providers in ([], ["NoSuch"], "CPUExecutionProvider", 5, [{}], [None])),
    ],
)
def test_invalid_threads_and_providers_are_rejected(tiny_file, options):
    (name,) = options
    with pytest.raises(BadOption, match=f"{name}="):
        open_model(tiny_file, "rnet", **options)


def test_threads_share_a_model(tiny_file):
    tiny = open_model(tiny_file, "rnet", threads=2)
    batches = [np.random.default_rng(i).integers(0, 256, (i, 4, 4, 3), dtype=np.uint8) for i in range(1, 40)]
    alone = [tiny.run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda batch: tiny.run(batch)[0], batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_pickled_model_reopens_its_file(tiny_file, batch, again, monkeypatch):
    monkeypatch.chdir(tiny_file.parent)
    model = open_model("tiny.onnx", "rnet", threads=1, providers=["CPUExecutionProvider"])
    monkeypatch.chdir("/")
    other = again(model)
    assert other is not model
    assert other.card == model.card
    np.testing.assert_array_equal(other.run(batch)[0], model.run(batch)[0])


def test_a_pickled_shipped_model_is_found_by_name():
    """Another process may have mien installed elsewhere."""
    data = pickle.dumps(open_model("pnet", "pnet", threads=1))
    assert str(manifest.WEIGHTS).encode() not in data
    assert pickle.loads(data).card == read_card("pnet")


def test_opening_and_running_is_quiet_and_needs_no_onnx(tiny_file):
    code = f"""
import sys, numpy
from mien.models import open_model
open_model({str(tiny_file)!r}, "rnet").run(numpy.zeros((1, 4, 4, 3), numpy.uint8))
loud = [name for name in ("onnx", "torch") if name in sys.modules]
sys.exit(f"imported {{loud}}" if loud else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_shipped_models_are_valid_onnx():
    for name in list_models():
        onnx.checker.check_model(onnx.load(manifest.WEIGHTS / f"{name}.onnx"))
