"""The paths that say something about the service itself."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mien.models import list_models, model_path, read_card
from mien.schema import ModelsRecord, StatusRecord
from mien.server.openapi import problem_responses
from mien.server.problems import KINDS, Problem
from mien.server.service import Service

guarded = APIRouter(tags=["service"])
router = APIRouter(tags=["service"])

_NO_STORE = {"Cache-Control": "no-store"}


def cards() -> bytes:
    """The body of ``/v1/models``, the same as long as the service runs."""
    return json.dumps({"models": [_card(name) for name in list_models()]}).encode()


def _card(name: str) -> dict[str, Any]:
    path = model_path(name)
    return read_card(name).to_dict() | {"file": path.name, "bytes": path.stat().st_size}


@guarded.head("/v1/models", include_in_schema=False)
@guarded.get("/v1/models", response_model=ModelsRecord, responses=problem_responses(401, 429))
async def models(request: Request) -> Response:
    """The cards of the networks: what they were trained on, scores, licence."""
    return Response(request.app.state.cards, 200, _NO_STORE, "application/json")


@router.head("/healthz", include_in_schema=False)  # as those who watch services ask
@router.get("/healthz", response_model=StatusRecord)
async def healthz() -> Response:
    """Whether the service runs."""
    return _status("ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=StatusRecord, responses=problem_responses(503))
async def readyz(request: Request) -> Response:
    """Whether the service would take an image now."""
    pool = Service.of(request).pool
    if pool.full:
        raise Problem("busy", f"{pool.taken} requests are being answered", retry_after=1)
    return _status("ok")


@guarded.get("/metrics", response_class=Response, responses=problem_responses(401, 429))
async def metrics(request: Request) -> Response:
    """What Prometheus wants to know."""
    service = Service.of(request)
    service.metrics.places.set(service.pool.taken)
    return Response(generate_latest(service.metrics.registry), 200, _NO_STORE, CONTENT_TYPE_LATEST)


@router.get("/problems/{code}", include_in_schema=False)
async def problem(code: str) -> Response:
    """What the ``type`` of a problem document leads to."""
    if code not in KINDS:
        raise Problem("not-found", f"{code}: one of {', '.join(KINDS)}")
    kind = KINDS[code]
    return Response(
        json.dumps({"code": code, "status": kind.status, "title": kind.title}), 200, media_type="application/json"
    )


def _status(word: str) -> Response:
    return Response(json.dumps({"status": word}), 200, _NO_STORE, "application/json")
