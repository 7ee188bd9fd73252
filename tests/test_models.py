import dataclasses
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.errors import BadOption, ModelMismatch, ModelMissing
from mien.models import ModelCard, attach_card, available, open_model, read_card, session

CARD = ModelCard(
    name="channel mean",
    task="rnet",
    input_size=4,
    colour="RGB",
    mean=127.5,
    scale=0.0078125,
    context=1.25,
    stride=0,
    cell=0,
    outputs=("scores", "points"),
    licence="nobody's",
    data="none: ünïcode",
    source="a test",
    scores={"ap": 0.5},
    parameters=1,
)


def tiny_graph(outputs=("points", "scores"), name="images"):
    """Scores: the mean of the first channel times a weight of 2; points: (n, 1, 3), the channels' means."""
    weights = [
        numpy_helper.from_array(np.float32([2.0]), "weight"),
        numpy_helper.from_array(np.int64([0]), "zero"),
        numpy_helper.from_array(np.int64([1]), "one"),
    ]
    nodes = [
        helper.make_node("Cast", [name], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "one"], ["points"]),
        helper.make_node("Slice", ["means", "zero", "one", "one"], ["first"]),
        helper.make_node("Squeeze", ["first", "one"], ["flat"]),
        helper.make_node("Mul", ["flat", "weight"], ["scores"]),
    ]
    shapes = {"scores": ["n"], "points": ["n", 1, 3]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, shapes[out]) for out in outputs],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture
def tiny_file(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(attach_card(tiny_graph(), CARD))
    return path


@pytest.fixture
def batch():
    return np.random.default_rng(3).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)


def as_dict(card):
    return {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}


def test_a_card_survives_json():
    again = ModelCard.from_json(CARD.to_json())
    assert as_dict(again) == as_dict(CARD)
    assert isinstance(again.outputs, tuple)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "HSV"}, "colour"),
        ({"input_size": 4.5}, "input_size"),
        ({"input_size": True}, "input_size"),
        ({"stride": -1}, "stride"),
        ({"mean": "127"}, "mean"),
        ({"outputs": []}, "outputs"),
        ({"outputs": "scores"}, "outputs"),
        ({"scores": {"ap": "high"}}, "scores"),
        ({"task": None}, "task"),
        ({"colour_order": "RGB"}, "unknown entries .'colour_order'."),
    ],
)
def test_a_card_with_wrong_entries_is_refused(change, named):
    values = json.loads(CARD.to_json()) | change
    with pytest.raises(ModelMismatch, match=named):
        ModelCard.from_json(json.dumps(values))


def test_a_card_that_lacks_an_entry_is_refused():
    values = json.loads(CARD.to_json())
    del values["licence"]
    with pytest.raises(ModelMismatch, match=r"lacks .'licence'."):
        ModelCard.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_card_that_is_no_object_is_refused(text):
    with pytest.raises(ModelMismatch):
        ModelCard.from_json(text)


def test_the_card_is_metadata_that_others_can_read(tiny_file):
    model = onnx.load(tiny_file)
    onnx.checker.check_model(model)
    (entry,) = model.metadata_props
    assert entry.key == "mien.card"
    assert json.loads(entry.value)["licence"] == "nobody's"


def test_attaching_again_replaces_the_card():
    once = attach_card(tiny_graph(), CARD)
    better = dataclasses.replace(read_card(once), scores={"ap": 0.75})
    twice = attach_card(once, better)
    assert read_card(twice).scores == {"ap": 0.75}
    assert read_card(twice).sha256 != read_card(once).sha256
    assert len(onnx.load_from_string(twice).metadata_props) == 1
    assert attach_card(twice, read_card(once)) == once


def test_other_metadata_stays():
    model = onnx.load_from_string(tiny_graph())
    helper.set_model_props(model, {"author": "somebody"})
    signed = attach_card(model.SerializeToString(), CARD)
    assert {entry.key for entry in onnx.load_from_string(signed).metadata_props} == {"author", "mien.card"}
    assert read_card(signed).name == CARD.name


def test_a_card_that_could_not_be_read_is_not_attached():
    with pytest.raises(ModelMismatch, match="colour"):
        attach_card(tiny_graph(), dataclasses.replace(CARD, colour="HSV"))


@pytest.mark.parametrize("junk", [b"\xff" * 40, b"\x0a\x7fshort", b"\x0b", b"\x80"])
def test_junk_is_no_model(junk, tmp_path):
    with pytest.raises(ModelMismatch):
        attach_card(junk, CARD)
    (tmp_path / "junk.onnx").write_bytes(junk)
    with pytest.raises(ModelMismatch, match=r"junk.onnx"):
        open_model(tmp_path / "junk.onnx", "rnet")


def test_every_flipped_byte_is_noticed(tiny_file):
    """The whole file is covered: weights, structure and card."""
    good = tiny_file.read_bytes()
    assert read_card(good).sha256
    for i in range(len(good)):
        bad = bytearray(good)
        bad[i] ^= 1
        with pytest.raises(ModelMismatch):
            read_card(bytes(bad))


def test_every_cut_is_noticed(tiny_file):
    good = tiny_file.read_bytes()
    for i in range(len(good)):
        with pytest.raises(ModelMismatch):
            read_card(good[:i])


def test_a_flipped_weight_is_refused_when_opened(tiny_file):
    data = tiny_file.read_bytes()
    weight = np.float32([2.0]).tobytes()
    assert data.count(weight) == 1
    tiny_file.write_bytes(data.replace(weight, np.float32([2.5]).tobytes()))
    with pytest.raises(ModelMismatch, match=r"tiny.onnx cannot be used: .*sha256"):
        open_model(tiny_file, "rnet")


def test_a_file_without_card_is_refused(tmp_path):
    (tmp_path / "bare.onnx").write_bytes(tiny_graph())
    with pytest.raises(ModelMismatch, match="0 cards"):
        open_model(tmp_path / "bare.onnx", "rnet")


def test_the_task_must_be_the_one_asked_for(tiny_file):
    with pytest.raises(ModelMismatch, match="for the task 'rnet', not 'onet'"):
        open_model(tiny_file, "onet")


@pytest.mark.parametrize("graph", [{"outputs": ("points",)}, {"name": "input"}])
def test_the_graph_must_keep_the_promises_of_the_card(tmp_path, graph):
    (tmp_path / "odd.onnx").write_bytes(attach_card(tiny_graph(**graph), CARD))
    with pytest.raises(ModelMismatch, match="its card promises"):
        open_model(tmp_path / "odd.onnx", "rnet")


def test_a_graph_that_onnxruntime_refuses_is_named(tmp_path):
    model = onnx.load_from_string(tiny_graph())
    model.opset_import[0].version = 9999
    (tmp_path / "future.onnx").write_bytes(attach_card(model.SerializeToString(), CARD))
    with pytest.raises(ModelMismatch, match=r"future.onnx cannot be run by ONNX Runtime"):
        open_model(tmp_path / "future.onnx", "rnet")


def test_what_is_missing_is_named_with_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "WEIGHTS", tmp_path)
    (tmp_path / "snet.onnx").write_bytes(attach_card(tiny_graph(), CARD))
    with pytest.raises(ModelMissing, match=r"'qnet'.*one of: snet"):
        open_model("qnet", "rnet")
    with pytest.raises(ModelMissing, match="no such file"):
        open_model(tmp_path / "qnet.onnx", "rnet")
    assert open_model("snet", "rnet").card.name == CARD.name
    assert [card.name for card in available()] == [CARD.name]


def test_outputs_come_in_the_order_of_the_card(tiny_file, batch):
    scores, points = open_model(tiny_file, "rnet", threads=1).run(batch)
    means = batch.mean(axis=(1, 2))
    np.testing.assert_allclose(scores, 2 * means[:, 0], rtol=1e-6)
    np.testing.assert_allclose(points, means[:, None], rtol=1e-6)
    assert scores.dtype == points.dtype == np.float32


def test_a_bgr_network_is_given_bgr(tmp_path, batch):
    path = tmp_path / "bgr.onnx"
    path.write_bytes(attach_card(tiny_graph(), dataclasses.replace(CARD, colour="BGR")))
    scores, _ = open_model(path, "rnet").run(batch)
    np.testing.assert_allclose(scores, 2 * batch[..., 2].mean(axis=(1, 2)), rtol=1e-6)


def test_a_strided_batch_is_the_same_batch(tiny_file, batch):
    tiny = open_model(tiny_file, "rnet")
    np.testing.assert_array_equal(tiny.run(batch[:, ::-1, ::2])[0], tiny.run(batch[:, ::-1, ::2].copy())[0])


def test_nothing_gives_nothing(tiny_file, batch):
    scores, points = open_model(tiny_file, "rnet").run(batch[:0])
    assert (scores.shape, points.shape) == ((0,), (0, 1, 3))
    assert scores.dtype == points.dtype == np.float32


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4, 4), np.uint8)]
)
def test_wrong_batches_are_refused(tiny_file, wrong):
    with pytest.raises(BadOption, match="channel mean takes uint8"):
        open_model(tiny_file, "rnet").run(wrong)


@pytest.mark.parametrize("options", [{"threads": 0}, {"providers": ["NoSuchProvider"]}, {"providers": []}])
def test_options_without_sense_are_refused(tiny_file, options):
    with pytest.raises(BadOption, match=next(iter(options))):
        open_model(tiny_file, "rnet", **options)


def test_threads_share_a_network(tiny_file):
    tiny = open_model(tiny_file, "rnet", threads=2)
    batches = [np.random.default_rng(i).integers(0, 256, (i, 4, 4, 3), dtype=np.uint8) for i in range(1, 40)]
    alone = [tiny.run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda batch: tiny.run(batch)[0], batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


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


def test_the_shipped_networks_have_cards():
    for card in available():
        assert card.licence
        assert card.data
        open_model(card.name, card.task)
