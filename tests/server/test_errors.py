"""Every kind of bad request gets its problem document."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import httpx
import pytest

from mien.server.problems import KINDS

from .conftest import ASTRONAUT, Running, Start

FILE = ASTRONAUT.read_bytes()
RAW = {"Content-Type": "image/jpeg"}
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem document after checking what all of them share."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code == KINDS[document["code"]].status
    assert document["title"] == KINDS[document["code"]].title
    assert document["type"] == f"/problems/{document['code']}"
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["detail"]
    return document


def png_head(width: int, height: int) -> bytes:
    """Return a PNG header that declares this size, without any pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return start + struct.pack(">I", 1000) + b"IDAT"


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


IMAGES = {
    "text": (b"not an image at all", "unsupported-image", "begins with b'not an i'"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported-image", "JPEG, PNG"),
    "truncated": (FILE[:5000], "damaged-image", "damaged or incomplete"),
    "empty": (b"", "damaged-image", "0 bytes"),
    "too many pixels": (png_head(9000, 9000), "too-many-pixels", "9000 x 9000"),
    "side too long": (png_head(40_000, 10), "too-many-pixels", "40000 x 10"),
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("way", ["raw", "form", "json"])
def test_unusable_images(http: httpx.Client, name: str, way: str) -> None:
    data, code, said = IMAGES[name]
    request: dict[str, Any] = {
        "raw": {"content": data, "headers": RAW},
        "form": {"files": {"f": ("x.jpg", data)}},
        "json": {"json": {"image": base64_of(data)}},
    }[way]
    found = problem(http.post("/v1/detect", **request))
    assert found["code"] == code
    assert said in found["detail"]


BODIES = {
    "no content type": ({"content": FILE}, "unsupported-media-type", "''"),
    "another content type": (
        {"content": FILE, "headers": {"Content-Type": "application/pdf"}},
        "unsupported-media-type",
        "pdf",
    ),
    "compressed": (
        {"content": FILE, "headers": {**RAW, "Content-Encoding": "gzip"}},
        "unsupported-media-type",
        "gzip",
    ),
    "a URL-encoded form": ({"data": {"image": "x"}}, "unsupported-media-type", "urlencoded"),
    "a form without a file": ({"files": {"image": (None, b"text")}}, "no-image", "0 files"),
    "two files": ({"files": [("a", ("a.jpg", FILE)), ("b", ("b.jpg", FILE))]}, "no-image", "2 files"),
    "a form without a boundary": (
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
        "no-image",
        "boundary",
    ),
    "a malformed form": (
        {"content": b"hello", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        "no-image",
        "invalid form",
    ),
    "an overlong boundary": (
        {"content": b"--x", "headers": {"Content-Type": f"multipart/form-data; boundary={'b' * 300}"}},
        "no-image",
        "invalid form",
    ),
    "malformed JSON": ({"content": b"{", "headers": JSON}, "no-image", "not JSON"),
    "JSON of many values": ({"json": {"image": [[]] * 200}}, "no-image", "too many values"),
    "deeply nested JSON": ({"content": b"[" * 100_000, "headers": JSON}, "no-image", "not JSON"),
    "a JSON list": ({"json": ["x"]}, "no-image", "the JSON must be"),
    "JSON without an image": ({"json": {"name": "x"}}, "no-image", "the JSON must be"),
    "JSON with another key": ({"json": {"image": "", "url": "x"}}, "no-image", "the JSON must be"),
    "not base64": ({"json": {"image": "data:image/jpeg;base64,AAAA"}}, "no-image", "not base64"),
    "not ASCII": ({"json": {"image": "bücher"}}, "no-image", "not base64"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_without_an_image(http: httpx.Client, name: str) -> None:
    request, code, said = BODIES[name]
    found = problem(http.post("/v1/detect", **request))  # type: ignore[arg-type]
    assert found["code"] == code
    assert said in found["detail"]


PARAMS = {
    "detect": [{"unknown": 1}, {"min_face_size": 0}, {"min_face_size": "nan"}, {"min_face_size": 5}, {"max_faces": 0}],
    "landmarks": [{"contour": "none"}, {"refinement_steps": 3}, {"size": 100}],
    "align": [{"size": 4}, {"size": 5000}, {"points": 6}, {"template": "arcface", "padding": 0.1}, {"format": "tar"}],
    "analyze": [{"landmarks": "perhaps"}, {"format": "zip"}],
}


@pytest.mark.parametrize(("path", "params"), [(path, one) for path, all_ in PARAMS.items() for one in all_])
def test_invalid_parameters(http: httpx.Client, path: str, params: dict[str, object]) -> None:
    answer = http.post(f"/v1/{path}", params=params, content=FILE, headers=RAW)  # type: ignore[arg-type]
    found = problem(answer)
    assert found["code"] == "bad-option"
    assert list(params)[-1] in found["detail"]


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    assert problem(http.post("/v1/detect/", content=FILE, headers=RAW))["code"] == "not-found"  # not redirected
    assert problem(http.get("/v1/nothing"))["code"] == "not-found"
    assert problem(http.post("/v1/nothing", content=FILE))["code"] == "not-found"
    wrong = http.get("/v1/detect")
    assert problem(wrong)["code"] == "method-not-allowed"
    assert wrong.headers["allow"] == "POST"


def test_problem_types_are_described(http: httpx.Client) -> None:
    for code, kind in KINDS.items():
        assert http.get(f"/problems/{code}").json() == {"code": code, "status": kind.status, "title": kind.title}
    assert problem(http.get("/problems/other"))["code"] == "not-found"


def test_an_internal_error_reveals_only_the_request_id(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mien.server.inference import Engine

    def fail(*args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Engine, "analyze", fail)
    running: Running = start()
    with running.http() as http:
        answer = http.post("/v1/detect", content=FILE, headers={**RAW, "X-Request-ID": "find-me"})
        assert problem(answer)["code"] == "internal-error"
        assert "secret" not in answer.text
    with running.http() as http:
        assert http.get("/healthz").status_code == 200
    assert "secret" in caplog.text


def test_every_code_is_documented() -> None:
    text = (ASTRONAUT.parents[1] / "docs" / "serve.md").read_text(encoding="utf-8")
    assert all(f"`{code}`" in text for code in KINDS)


def test_problem_documents_quote_no_image_data(http: httpx.Client) -> None:
    document = json.loads(http.post("/v1/detect", content=b"x" * 50, headers=RAW).text)
    assert document.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert "x" * 9 not in document["detail"]  # eight bytes identify the format
