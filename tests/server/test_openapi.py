"""The OpenAPI document against the service: its examples, and requests that schemathesis generates."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from .conftest import ASTRONAUT, PATIENCE, Running, Start
from .make_example import QUERIES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

PATHS = ["/v1/detect", "/v1/landmarks", "/v1/align", "/v1/analyze", "/v1/models", "/healthz", "/readyz", "/metrics"]


@pytest.fixture(scope="module")
def schema(running: Running) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{running.url}/openapi.json")


def test_every_path_is_in_the_document(schema: schemathesis.BaseSchema) -> None:
    assert sorted(schema.raw_schema["paths"]) == sorted(PATHS)


def test_examples_of_problems_are_of_their_status(schema: schemathesis.BaseSchema) -> None:
    responses = schema.raw_schema["paths"]["/v1/detect"]["post"]["responses"]
    told = {
        status: [example["value"]["status"] for example in body["examples"].values()]
        for status, response in responses.items()
        for body in [response["content"].get("application/problem+json")]
        if body
    }
    assert told["413"] == [413, 413]
    assert all(statuses and set(statuses) == {int(status)} for status, statuses in told.items())


def test_the_document_asks_for_a_key_only_where_there_is_one(schema: schemathesis.BaseSchema, start: Start) -> None:
    assert "securitySchemes" not in schema.raw_schema["components"]
    with start(api_key="sesame").http() as http:
        document = http.get("/openapi.json").json()
    locked = {
        path for path, item in document["paths"].items() for operation in item.values() if "security" in operation
    }
    assert locked == {path for path in PATHS if path.startswith(("/v1", "/metrics"))}
    assert list(document["components"]["securitySchemes"].values()) == [
        {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    ]


@pytest.mark.parametrize("path", PATHS)
def test_generated_requests(schema: schemathesis.BaseSchema, path: str) -> None:
    operation = schema[path]["post" if "post" in schema.raw_schema["paths"][path] else "get"]

    @given(case=operation.as_strategy())
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE)

    holds()


@pytest.mark.parametrize("path", PATHS[:4])
def test_responses_to_a_real_image_match_the_document(schema: schemathesis.BaseSchema, path: str) -> None:
    """A generated body is hardly ever an image."""
    query = {"landmarks": "true", "aligned_faces": "true", "png": "true"} if path == "/v1/analyze" else {}
    case = schema[path]["post"].Case(query=query, media_type="image/*", body=ASTRONAUT.read_bytes())
    response = case.call(headers={"Content-Type": "image/jpeg"}, timeout=PATIENCE)
    assert response.status_code == 200
    case.validate_response(response, checks=CHECKS[:-1])


@pytest.mark.parametrize("path", QUERIES)
def test_the_example_works_when_pasted(schema: schemathesis.BaseSchema, http: httpx.Client, path: str) -> None:
    operation = schema.raw_schema["paths"][path]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    response = http.post(path, params=QUERIES[path], json=body)
    assert response.status_code == 200
    found, expected = response.json(), operation["responses"]["200"]["content"]["application/json"]["example"]
    (face,) = found.get("faces") or found["aligned_faces"]
    (told,) = expected.get("faces") or expected["aligned_faces"]
    assert found.keys() == expected.keys()
    assert face.keys() == told.keys()
    assert face["box"] == pytest.approx(told["box"], abs=0.5)  # other CPUs round otherwise


def test_analyze_carries_no_png_unless_asked(http: httpx.Client) -> None:
    upload = {"content": ASTRONAUT.read_bytes(), "headers": {"Content-Type": "image/jpeg"}}
    (face,) = http.post("/v1/analyze?aligned_faces=true", **upload).json()["aligned_faces"]  # type: ignore[arg-type]
    assert face.keys() == {"file", "size", "to_image", "box", "score"}


def test_the_printed_document_is_that_of_the_service(running: Running, http: httpx.Client) -> None:
    command = [sys.executable, "-W", "error", "-m", "mien.server.openapi"]
    printed = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "MIEN_API_KEY": "k"}
    )
    assert printed.stderr == ""
    assert json.loads(printed.stdout) == http.get("/openapi.json").json()
    schemas = json.loads(printed.stdout)["components"]["schemas"]
    assert {"AnalysisRecord", "StreamRecord", "StreamErrorRecord", "ProblemRecord"} <= schemas.keys()
    assert schemas["FaceRecord"]["properties"]["box"]["description"]
    assert schemas["FaceRecord"]["required"] == ["box", "score", "keypoints"]
