"""The switches of each path: query parameters, checked by pydantic; an unknown one is an error."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Contour = Literal["visible", "3d"]


class FaceSwitches(BaseModel):
    """Of ``/v1/detect``, and the first of all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_face_size: float | None = Field(
        None,
        ge=1,
        le=10_000,
        allow_inf_nan=False,
        description="Side in pixels of the smallest face looked for, at least that of the service; larger is faster.",
        examples=[40],
    )
    max_faces: int | None = Field(
        None, ge=1, le=10_000, description="Only so many faces are returned, best first.", examples=[10]
    )


class _PointSwitches(BaseModel):
    contour: Contour = Field(
        "visible", description="The jaw of a turned head: the edge that is seen, or where the jaw is."
    )
    refinement_steps: int = Field(2, ge=1, le=2, description="2 looks at each face again, upright; 1 is twice as fast.")


class _ChipSwitches(BaseModel):
    template: Literal["mxnet", "arcface"] = Field(
        "mxnet", description="Where the five points go: with space around, or as recognition networks want them."
    )
    size: int | None = Field(
        None, ge=16, le=512, description="Side in pixels; 144 for mxnet and 112 for arcface without it."
    )
    padding: float | None = Field(
        None,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="Space on each side of the mxnet template, in its own sides; 0.37 without it.",
    )


class LandmarkSwitches(FaceSwitches, _PointSwitches):
    """Of ``/v1/landmarks``."""


class AlignSwitches(FaceSwitches, _ChipSwitches):
    """Of ``/v1/align``."""

    points: Literal["5", "68"] = Field("68", description="Align by the 68 points or, faster, by the detector's five.")
    format: Literal["json", "zip"] = Field(
        "json", description="Aligned faces inside the JSON as base64, or a ZIP archive."
    )


class AnalyzeSwitches(FaceSwitches, _PointSwitches, _ChipSwitches):
    """Of ``/v1/analyze``."""

    landmarks: bool = Field(True, description="68 points of each face and how the head is turned.")
    aligned_faces: bool = Field(False, description="Add the similarity transform of each aligned face.")
    png: bool = Field(False, description="Add each aligned face as a PNG in base64; needs aligned_faces.")


class StreamSwitches(BaseModel):
    """Of ``/v1/stream``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    landmarks: bool = True
    track: bool = True
    contour: Contour = "visible"
    min_face_size: float = Field(40.0, ge=1, le=10_000, allow_inf_nan=False)
    max_faces: int | None = Field(None, ge=1, le=10_000)
    fps: float = Field(15.0, ge=1, le=240, allow_inf_nan=False)
