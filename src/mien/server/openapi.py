"""The OpenAPI document: typed responses from :mod:`mien.schema`, request bodies, problem responses, examples.

``python -m mien.server.openapi`` prints it; the output depends on nothing but the package.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Any, cast

from fastapi import FastAPI
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

from mien import schema
from mien.server.problems import KINDS, Problem

for _record in vars(schema).values():
    if is_typeddict(_record):
        _record.__pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}

_EXAMPLE: dict[str, Any] = json.loads(files("mien.server").joinpath("example.json").read_text(encoding="ascii"))
"""``image``: a small image in base64; ``responses``: the responses to it, by path."""

_COMPONENTS = (schema.ProblemRecord, schema.StreamRecord, schema.StreamErrorRecord)
"""Records that no JSON response refers to: problem documents and the messages of the stream."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"image": _BINARY["schema"]}, "required": ["image"]}
            },
            "image/*": _BINARY,
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
                "example": {"image": _EXAMPLE["image"], "name": "face.jpg"},
            },
        },
    }
}
"""The three ways to send an image."""


def image_response(path: str, *other_types: str) -> dict[int | str, dict[str, Any]]:
    """Return the 200 response of a route with its example; ``other_types``: binary alternatives to JSON."""
    content: dict[str, Any] = {"application/json": {"example": _EXAMPLE["responses"][path]}}
    content |= dict.fromkeys(other_types, _BINARY)
    return {200: {"content": content}}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return responses that are problem documents, with one example per problem type of each status."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        titles = {code: kind.title for code, kind in KINDS.items() if kind.status == status}
        examples = {code: {"value": _problem_example(code)} for code in titles}
        body = {"schema": {"$ref": "#/components/schemas/ProblemRecord"}, "examples": examples}
        responses[status] = {
            "description": "; ".join(f"`{code}`: {title}" for code, title in titles.items()),
            "content": {"application/problem+json": body},
        }
    return responses


def _problem_example(code: str) -> dict[str, object]:
    document = Problem(code, "The value found, and what to do about it").document()
    return {**document, "request_id": "4f0c51a7d3e84b0f9c2d6a1be7f05833"}


def add_components(app: FastAPI) -> None:
    """Add the records of problems and of the stream to the document of ``app``."""
    default = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = default().setdefault("components", {}).setdefault("schemas", {})
            inputs = [(record.__name__, "serialization", TypeAdapter(record)) for record in _COMPONENTS]
            _, definitions = TypeAdapter.json_schemas(cast(Any, inputs), ref_template="#/components/schemas/{model}")
            schemas |= definitions["$defs"]
        return cast(dict[str, Any], app.openapi_schema)

    app.openapi = openapi  # type: ignore[method-assign]


def main() -> None:
    """Print the document of a service with default settings."""
    from mien.server.app import create_app
    from mien.server.settings import load_settings

    app = create_app(load_settings({"api_key": None, "api_key_file": None}))
    sys.stdout.write(json.dumps(app.openapi(), indent=2) + "\n")


if __name__ == "__main__":
    main()
