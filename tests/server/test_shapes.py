"""The shapes of the OpenAPI document against the records that are really sent."""

from __future__ import annotations

import json
from typing import get_type_hints

import pytest
from pydantic import BaseModel

from mien import schema
from mien.models import available
from mien.server import shapes

PAIRS = [
    (shapes.Pose, schema.PoseRecord),
    (shapes.Landmarks, schema.LandmarksRecord),
    (shapes.Face, schema.FaceRecord),
    (shapes.Image, schema.ImageRecord),
    (shapes.AlignedFace, schema.EncodedAlignedFaceRecord),
    (shapes.AlignedFaces, schema.EncodedAlignedFacesRecord),
    (shapes.Analysis, schema.AnalysisRecord),
]


@pytest.mark.parametrize(("shape", "record"), PAIRS, ids=lambda one: one.__name__)
def test_shapes_have_the_fields_of_the_records(shape: type[BaseModel], record: type) -> None:
    assert set(shape.model_fields) == set(get_type_hints(record))
    required = {name for name, field in shape.model_fields.items() if field.is_required()}
    assert required == record.__required_keys__  # type: ignore[attr-defined]


def test_the_shape_of_a_card() -> None:
    for card in available():
        shapes.Card.model_validate(json.loads(card.to_json()) | {"file": "x.onnx", "bytes": 1})
