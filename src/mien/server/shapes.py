"""The answers as pydantic models, for the OpenAPI document; the records themselves are made by ``mien.schema``.

A test holds their fields against those of the records.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mien.server.problems import KINDS, Problem

Point = list[float]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Pose(_Shape):
    """How the head is turned, in degrees."""

    yaw: float = Field(examples=[-3.1])
    pitch: float = Field(examples=[-8.7])
    roll: float = Field(examples=[2.9])


class Landmarks(_Shape):
    """68 points in image pixels, and how likely each is close to where it belongs."""

    scheme: str = Field(examples=["68"])
    points: list[Point] = Field(description="68 of them", examples=[[[177.3, 101.9], [178.4, 113.6]]])
    scores: list[float] = Field(description="68 of them", examples=[[0.871, 0.902]])
    pose: Pose | None


class Face(_Shape):
    """One face. ``landmarks``: where asked for; ``track``: in a stream, the number of the face."""

    box: list[float] = Field(description="x0, y0, x1, y1 in image pixels", examples=[[178.5, 62.4, 268.6, 173.0]])
    score: float = Field(ge=0, le=1, examples=[0.9997])
    keypoints: list[Point] | None = Field(
        description="Left eye, right eye, nose tip, left and right mouth corner, as seen in the image",
        examples=[[[203.8, 101.2], [247.2, 103.6], [224.9, 129.1], [202.0, 140.0], [244.9, 142.8]]],
    )
    track: int = Field(default=0, description="Only in streams.")
    landmarks: Landmarks = Field(default=None, description="Only where asked for.")  # type: ignore[assignment]


class AlignedFace(_Shape):
    """A face upright; ``to_image`` (2, 3) leads from its pixels to those of the image."""

    file: str = Field(examples=["astronaut_0.png"])
    size: int = Field(examples=[144])
    to_image: list[list[float]] = Field(examples=[[[0.9, 0.0, 160.1], [0.0, 0.9, 50.2]]])
    box: list[float] = Field(examples=[[178.5, 62.4, 268.6, 173.0]])
    score: float = Field(examples=[0.9997])
    png: str = Field(
        description="base64 of the PNG file",
        examples=["<base64 of a PNG file>"],
        json_schema_extra={"contentEncoding": "base64"},
    )


class Image(_Shape):
    """An image and its faces, best first."""

    image: str = Field(description="The name that was sent", examples=["astronaut.jpg"])
    width: int = Field(description="Of the upright image, in pixels", examples=[512])
    height: int = Field(examples=[512])
    faces: list[Face]


class AlignedFaces(_Shape):
    """An image and the aligned faces of its faces, best first."""

    image: str = Field(examples=["astronaut.jpg"])
    width: int = Field(examples=[512])
    height: int = Field(examples=[512])
    aligned_faces: list[AlignedFace]


class Analysis(Image):
    """An image with all that was asked about it."""

    aligned_faces: list[AlignedFace] = Field(default=[], description="Only where asked for.")


class Card(_Shape):
    """The card of a network, and its file."""

    name: str = Field(examples=["mien-onet"])
    task: str = Field(examples=["onet"])
    input_size: int
    colour: str
    mean: float
    scale: float
    context: float
    stride: int
    cell: int
    outputs: list[str]
    licence: str
    data: str = Field(description="What it was trained on")
    source: str
    scores: dict[str, float]
    parameters: int
    sha256: str
    crop: str = "square"
    file: str = Field(examples=["onet.onnx"])
    bytes: int


class Models(_Shape):
    """The networks that are shipped."""

    models: list[Card]


class Status(_Shape):
    """How the service is."""

    status: str = Field(examples=["ok"])


class ProblemDocument(_Shape):
    """A problem (RFC 9457). ``code`` says which; ``type`` is the same as a reference."""

    type: str = Field(examples=["/problems/too-many-pixels"])
    title: str = Field(examples=["The image has too many pixels"])
    status: int = Field(examples=[413])
    detail: str = Field(examples=["9000 x 9000 is 81000000 pixels, more than 40000000; make it smaller"])
    code: str = Field(examples=["too-many-pixels"])
    request_id: str = Field(examples=["4f0c51a7d3e84b0f9c2d6a1be7f05833"])


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these statuses are answered with problem documents, of the kinds that have them."""
    schema = ProblemDocument.model_json_schema()
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        titles = {code: kind.title for code, kind in KINDS.items() if kind.status == status}
        examples = {code: {"value": _example(code)} for code in titles}
        responses[status] = {
            "description": "; ".join(f"`{code}`: {title}" for code, title in titles.items()),
            "content": {"application/problem+json": {"schema": schema, "examples": examples}},
        }
    return responses


def _example(code: str) -> dict[str, str | int]:
    return Problem(code, "What was found, and what to do about it").document()


IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "string", "format": "binary"}},
                    "required": ["image"],
                }
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {"type": "string", "contentEncoding": "base64"},
                        "name": {"type": "string"},
                    },
                    "required": ["image"],
                    "additionalProperties": False,
                },
                "example": {"image": "<base64 of an image file>", "name": "x.jpg"},
            },
        },
    }
}
"""For the OpenAPI document: the three ways to send an image."""
