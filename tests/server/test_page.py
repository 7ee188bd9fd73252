"""The static web page."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Running, Start
from .test_errors import problem


@pytest.fixture
def page(tmp_path: Path, start: Start) -> Running:
    folder = tmp_path / "page"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>mien</title>" + "x" * 2000)
    (folder / "js" / "app.1a2b3c4d.js").write_text("console.log(1)" * 500)
    (folder / "robots.txt").write_text("User-agent: *")
    (tmp_path / "secret.txt").write_text("secret")
    return start(page=folder)


def test_the_page(page: Running) -> None:
    with page.http() as http:
        index = http.get("/")
        assert index.status_code == 200
        assert index.headers["content-type"].startswith("text/html")
        assert index.headers["content-encoding"] == "gzip"
        assert index.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in index.headers["content-security-policy"]
        script = http.get("/js/app.1a2b3c4d.js")
        assert script.headers["content-type"].startswith(("text/javascript", "application/javascript"))
        assert script.text.startswith("console.log")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-encoding"] == "gzip"
        again = http.get("/", headers={"If-None-Match": index.headers["etag"]})
        assert again.status_code == 304
        assert http.head("/").status_code == 200
        assert http.get("/robots.txt").text == "User-agent: *"


def test_the_page_hides_no_route_and_exposes_no_other_file(page: Running) -> None:
    with page.http() as http:
        for path in ("/../secret.txt", "/js/../../secret.txt", "/%2e%2e/secret.txt", "/js", "/nothing"):
            assert problem(http.get(path))["code"] == "not-found"
        assert problem(http.post("/"))["code"] == "method-not-allowed"
        assert problem(http.get("/v1/detect"))["code"] == "method-not-allowed"
        assert http.get("/healthz").status_code == 200


def test_a_missing_page_is_explained(start: Start, tmp_path: Path) -> None:
    with start(page=tmp_path / "none").http() as http:
        answer = http.get("/")
    assert answer.status_code == 200
    assert "CONTRIBUTING.md" in answer.text
