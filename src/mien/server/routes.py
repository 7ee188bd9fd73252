"""The paths to which images are sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from mien.schema import AlignedFacesRecord, AnalysisRecord, ImageRecord
from mien.server.openapi import IMAGE_BODY, image_response, problem_responses
from mien.server.service import Answering, Service
from mien.server.switches import AlignSwitches, AnalyzeSwitches, FaceSwitches, LandmarkSwitches

router = APIRouter(tags=["images"], responses=problem_responses(401, 408, 413, 415, 422, 429, 500, 503))


@router.post("/v1/detect", response_model=ImageRecord, responses=image_response("/v1/detect"), openapi_extra=IMAGE_BODY)
async def detect(request: Request, switches: Annotated[FaceSwitches, Query()]) -> Response:
    """Boxes, scores and five points of the faces in an image."""
    engine = Service.of(request).engine
    return Answering(request, lambda sent: engine.detect(sent, switches))


@router.post(
    "/v1/landmarks", response_model=ImageRecord, responses=image_response("/v1/landmarks"), openapi_extra=IMAGE_BODY
)
async def landmarks(request: Request, switches: Annotated[LandmarkSwitches, Query()]) -> Response:
    """68 points of each face and how the head is turned."""
    engine = Service.of(request).engine
    return Answering(request, lambda sent: engine.landmarks(sent, switches))


@router.post(
    "/v1/align",
    response_model=AlignedFacesRecord,
    responses=image_response("/v1/align", "application/zip"),
    openapi_extra=IMAGE_BODY,
)
async def align(request: Request, switches: Annotated[AlignSwitches, Query()]) -> Response:
    """Each face upright, of one size and with its points at the same places."""
    engine = Service.of(request).engine
    return Answering(request, lambda sent: engine.align(sent, switches))


@router.post(
    "/v1/analyze", response_model=AnalysisRecord, responses=image_response("/v1/analyze"), openapi_extra=IMAGE_BODY
)
async def analyze(request: Request, switches: Annotated[AnalyzeSwitches, Query()]) -> Response:
    """All that is switched on: landmarks, aligned faces."""
    engine = Service.of(request).engine
    return Answering(request, lambda sent: engine.analyze(sent, switches))
