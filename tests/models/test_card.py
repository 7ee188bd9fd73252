"""The model card: JSON round trip, strict parsing, storage in the file."""

from __future__ import annotations

import dataclasses
import json

import onnx
import pytest
from onnx import helper

from mien.errors import ModelMismatch
from mien.models import (
    CARD_KEY,
    FivePoint,
    Grid,
    InputSpec,
    ModelCard,
    OutputSpec,
    PointPatches,
    SquareBox,
    StretchedBox,
    Window,
    list_models,
    read_card,
)
from mien.models.attach import attach_card

from .conftest import CARD, tiny_graph

FIVE = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))


@pytest.mark.parametrize(
    "crop",
    [
        SquareBox(1.25),
        StretchedBox(1.0),
        FivePoint(FIVE, 112),
        PointPatches(0.25),
        Window(4, 12),
        Grid((8, 16, 32), 10.0, 340.0),
    ],
)
def test_a_card_survives_json(crop):
    card = dataclasses.replace(CARD, crop=crop)
    assert ModelCard.from_json(card.to_json()) == card


def test_the_json_is_plain():
    values = json.loads(CARD.to_json())
    assert values["crop"] == {"kind": "square_box", "context": 1.25}
    assert values["input"] == {"size": 4, "channels": 3, "color": "RGB", "mean": 127.5, "scale": 0.0078125}
    assert values["output"] == {"names": ["scores", "means"], "labels": {"means": ["all"]}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": 3}, "input 3: it must be an object"),
        ({"task": None}, "task None: it must be text"),
        ({"parameters": 4.5}, "parameters 4.5: it must be a whole number"),
        ({"parameters": True}, "parameters True: it must be a whole number"),
        ({"parameters": -1}, "parameters -1: it must be 0 or more"),
        ({"scores": {"ap": "high"}}, "scores.ap 'high': it must be a finite number"),
        ({"scores": ["ap"]}, "scores .'ap'.: it must be an object"),
        ({"crop": {"kind": "circle"}}, "an object with a kind among square_box, "),
        ({"crop": {"kind": ["window"]}}, "an object with a kind among"),
        ({"crop": {"kind": "window", "stride": 2}}, "lacks .'cell'. in crop"),
        ({"crop": {"kind": "window", "stride": 0, "cell": 12}}, "crop.stride 0: it must be 1 or more"),
        ({"crop": {"kind": "square_box", "context": 0}}, "crop.context 0.0: it must be above 0"),
        ({"crop": {"kind": "point_patches", "fraction": -1}}, "crop.fraction -1.0: it must be above 0"),
        ({"crop": {"kind": "five_point", "size": 112, "template": [[0, 1]]}}, "crop.template .* five finite points"),
        ({"crop": {"kind": "five_point", "size": 112, "template": [[0, 1, 2]] * 5}}, "crop.template .* a list of 2"),
        ({"output": {"names": [], "labels": {}}}, "output.names .*at least one"),
        ({"output": {"names": "scores", "labels": {}}}, "output.names 'scores': it must be a list"),
        ({"output": {"names": ["scores"], "labels": {"means": ["all"]}}}, "output.labels .'means'."),
        ({"colour": "RGB"}, "unknown entries .'colour'."),
    ],
)
def test_a_card_with_wrong_entries_is_rejected(change, message):
    with pytest.raises(ModelMismatch, match=message):
        ModelCard.from_json(json.dumps(json.loads(CARD.to_json()) | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"color": "HSV"}, r"input.color 'HSV': it must be one of \('RGB', 'BGR'\)"),
        ({"size": 0}, "input.size 0: it must be 1 or more"),
        ({"channels": 4}, "input.channels 4: it must be a multiple of 3"),
        ({"mean": "127"}, "input.mean '127': it must be a finite number"),
        ({"scale": float("nan")}, "input.scale nan: it must be a finite number"),
        ({"scale": 10**400}, "input.scale 1000.*: it must be a finite number"),
    ],
)
def test_a_card_with_a_wrong_input_is_rejected(change, message):
    values = json.loads(CARD.to_json())
    with pytest.raises(ModelMismatch, match=message):
        ModelCard.from_json(json.dumps(values | {"input": values["input"] | change}))


def test_a_card_with_a_missing_entry_is_rejected():
    values = json.loads(CARD.to_json())
    del values["license"]
    with pytest.raises(ModelMismatch, match=r"lacks .'license'."):
        ModelCard.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_card_that_is_not_an_object_is_rejected(text):
    with pytest.raises(ModelMismatch, match="the model card "):
        ModelCard.from_json(text)


def test_crop_as_checks_the_kind():
    assert CARD.crop_as(SquareBox) == SquareBox(1.25)
    with pytest.raises(ModelMismatch, match=r"channel mean \(rnet\) takes crops of the kind SquareBox; give .* Window"):
        CARD.crop_as(Window)


def test_other_programs_can_read_the_card(tiny_file):
    model = onnx.load(tiny_file)
    onnx.checker.check_model(model)
    (entry,) = model.metadata_props
    assert entry.key == CARD_KEY
    assert json.loads(entry.value)["training_data"] == "none: ünïcode"


def test_attaching_again_replaces_the_card_and_keeps_other_metadata(tmp_path):
    model = tiny_graph()
    helper.set_model_props(model, {"author": "somebody"})
    once = onnx.load_from_string(attach_card(model, CARD))
    better = dataclasses.replace(CARD, scores={"ap": 0.75})
    path = tmp_path / "twice.onnx"
    path.write_bytes(attach_card(once, better))
    assert read_card(path) == better
    assert sorted(entry.key for entry in onnx.load(path).metadata_props) == ["author", CARD_KEY]
    assert attach_card(onnx.load(path), CARD) == once.SerializeToString(deterministic=True)


def test_an_unreadable_card_is_not_attached():
    wrong = dataclasses.replace(CARD, input=InputSpec(4, 3, "HSV", 0.0, 1.0))
    with pytest.raises(ModelMismatch, match=r"input\.color 'HSV'"):
        attach_card(tiny_graph(), wrong)


def test_the_shipped_models_state_their_provenance():
    assert set(list_models()) >= {"pnet", "rnet", "onet", "lnet", "senet68"}
    for name in list_models():
        card = read_card(name)
        assert card.name == name
        assert card.license
        assert card.training_data
        assert card.scores
        assert card.parameters > 0


def test_the_shipped_landmark_model_names_its_contours():
    output = read_card("senet68").output
    assert output == OutputSpec(("landmarks", "uncertainty"), {"landmarks": ("visible", "3d")})
