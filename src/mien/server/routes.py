"""The HTTP routes and their query parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from mien.alignment import AlignSpec
from mien.errors import BadOption
from mien.heads import Contour
from mien.models import list_models, model_path, read_card
from mien.schema import AlignedFacesRecord, AnalysisRecord, ImageRecord, ModelsRecord, StatusRecord, to_json_line
from mien.server.inference import Analysis, AnalysisRequest
from mien.server.openapi import IMAGE_BODY, image_response, problem_responses
from mien.server.problems import KINDS, Problem
from mien.server.service import AnalysisResponse, Content, Service

images = APIRouter(tags=["images"], responses=problem_responses(400, 401, 408, 413, 415, 422, 429, 500, 503))
guarded = APIRouter(tags=["service"])
public = APIRouter(tags=["service"])

_NO_STORE = {"Cache-Control": "no-store"}


class DetectParams(BaseModel):
    """Query parameters of ``/v1/detect``; the other routes add to them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_face_size: float | None = Field(
        None,
        ge=1,
        le=10_000,
        allow_inf_nan=False,
        description="Smallest face to search for, side in pixels; larger is faster. By default it grows with images "
        "above 4 megapixels; the header X-Min-Face-Size has the value used.",
        examples=[40],
    )
    max_faces: int | None = Field(
        None, ge=1, le=10_000, description="Faces returned at most, best first.", examples=[10]
    )


class _LandmarkParams(BaseModel):
    contour: Contour = Field("visible", description="Jaw line of a turned head: its visible edge, or projected 3D.")
    refinement_steps: int = Field(
        2, ge=1, le=2, description="2 runs the network again on the upright crop; 1 is twice as fast."
    )


class _AlignParams(BaseModel):
    template: Literal["mxnet", "arcface"] = Field(
        "mxnet", description="Keypoint template: with a margin, or the tight one of face recognition networks."
    )
    size: int | None = Field(
        None, ge=16, le=512, description="Side of the aligned image in pixels (default: mxnet 144, arcface 112)."
    )
    padding: float | None = Field(
        None,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="Margin on each side of the mxnet template, relative to its side (default: 0.37).",
    )

    def spec(self) -> AlignSpec:
        """Return the alignment. Raises Problem."""
        try:
            return AlignSpec.of(self.template, self.size, self.padding)
        except BadOption as error:
            raise Problem("bad-option", str(error)) from error


class LandmarksParams(DetectParams, _LandmarkParams):
    """Query parameters of ``/v1/landmarks``."""


class AlignParams(DetectParams, _AlignParams):
    """Query parameters of ``/v1/align``."""

    points: Literal["5", "68"] = Field("68", description="Align by the 68 landmarks or, faster, by the 5 keypoints.")
    format: Literal["json", "zip"] = Field("json", description="PNG files in base64 in the JSON, or a ZIP archive.")


class AnalyzeParams(DetectParams, _LandmarkParams, _AlignParams):
    """Query parameters of ``/v1/analyze``."""

    landmarks: bool = Field(True, description="Add 68 landmarks and the head pose of each face.")
    aligned_faces: bool = Field(False, description="Add the similarity transform of each aligned face.")
    png: bool = Field(False, description="Add each aligned face as a PNG file in base64; needs aligned_faces.")


def _json(record: Mapping[str, object]) -> Content:
    return Content(to_json_line(record).encode("ascii"))


@images.post("/v1/detect", response_model=ImageRecord, responses=image_response("/v1/detect"), openapi_extra=IMAGE_BODY)
async def detect(request: Request, params: Annotated[DetectParams, Query()]) -> Response:
    """Detect faces: bounding box, score and five keypoints of each."""
    wanted = AnalysisRequest(params.min_face_size, params.max_faces)
    return AnalysisResponse(request, wanted, lambda analysis: _json(analysis.record()))


@images.post(
    "/v1/landmarks", response_model=ImageRecord, responses=image_response("/v1/landmarks"), openapi_extra=IMAGE_BODY
)
async def landmarks(request: Request, params: Annotated[LandmarksParams, Query()]) -> Response:
    """Detect faces, their 68 landmarks and head poses."""
    wanted = AnalysisRequest(params.min_face_size, params.max_faces, True, params.contour, params.refinement_steps)
    return AnalysisResponse(request, wanted, lambda analysis: _json(analysis.record()))


@images.post(
    "/v1/align",
    response_model=AlignedFacesRecord,
    responses=image_response("/v1/align", "application/zip"),
    openapi_extra=IMAGE_BODY,
)
async def align(request: Request, params: Annotated[AlignParams, Query()]) -> Response:
    """Detect faces and return each as an upright image of fixed size, ready for recognition."""
    wanted = AnalysisRequest(
        params.min_face_size, params.max_faces, landmarks=params.points == "68", align=params.spec()
    )

    def content(analysis: Analysis) -> Content:
        if params.format == "zip":
            return Content(analysis.archive(), "application/zip")
        return _json(analysis.aligned_record(png=True))

    return AnalysisResponse(request, wanted, content)


@images.post(
    "/v1/analyze", response_model=AnalysisRecord, responses=image_response("/v1/analyze"), openapi_extra=IMAGE_BODY
)
async def analyze(request: Request, params: Annotated[AnalyzeParams, Query()]) -> Response:
    """Detect faces and add everything requested: landmarks, head poses, aligned faces."""
    wanted = AnalysisRequest(
        params.min_face_size,
        params.max_faces,
        params.landmarks,
        params.contour,
        params.refinement_steps,
        params.spec() if params.aligned_faces else None,
    )

    def content(analysis: Analysis) -> Content:
        record = cast(AnalysisRecord, analysis.record())
        if params.aligned_faces:
            record["aligned_faces"] = analysis.aligned_records(png=params.png)
        return _json(record)

    return AnalysisResponse(request, wanted, content)


def model_cards() -> bytes:
    """Return the body of ``/v1/models``, constant while the service runs."""
    paths = {name: model_path(name) for name in list_models()}
    models = [
        read_card(name).to_dict() | {"file": path.name, "bytes": path.stat().st_size} for name, path in paths.items()
    ]
    return json.dumps({"models": models}).encode()


@guarded.head("/v1/models", include_in_schema=False)
@guarded.get("/v1/models", response_model=ModelsRecord, responses=problem_responses(400, 401, 429))
async def models(request: Request) -> Response:
    """List the networks: training data, scores, license."""
    return Response(request.app.state.model_cards, 200, _NO_STORE, "application/json")


@guarded.get("/metrics", response_class=Response, responses=problem_responses(400, 401, 429))
async def metrics(request: Request) -> Response:
    """Return metrics in the Prometheus text format."""
    service = Service.of(request)
    service.metrics.slots.set(service.workers.used)
    return Response(generate_latest(service.metrics.registry), 200, _NO_STORE, CONTENT_TYPE_LATEST)


@public.head("/healthz", include_in_schema=False)
@public.get("/healthz", response_model=StatusRecord, responses=problem_responses(400))
async def healthz() -> Response:
    """Return whether the service runs."""
    return _status("ok")


@public.head("/readyz", include_in_schema=False)
@public.get("/readyz", response_model=StatusRecord, responses=problem_responses(400, 503))
async def readyz(request: Request) -> Response:
    """Return whether the service accepts images now."""
    workers = Service.of(request).workers
    if workers.full:
        raise Problem("busy", f"{workers.used} requests are in progress", retry_after=1)
    return _status("ok")


@public.get("/problems/{code}", include_in_schema=False)
async def problem(code: str) -> Response:
    """Describe a problem type."""
    if code not in KINDS:
        raise Problem("not-found", f"{code}: not a problem type; choose from {', '.join(KINDS)}")
    kind = KINDS[code]
    body = json.dumps({"code": code, "status": kind.status, "title": kind.title})
    return Response(body, media_type="application/json")


def _status(status: str) -> Response:
    return Response(json.dumps({"status": status}), 200, _NO_STORE, "application/json")
