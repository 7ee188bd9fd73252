"""Uploads are neither written to disk nor logged."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from mien.imaging import encode_png
from mien.server.middleware import _QUOTING_LOGGERS, configure_logging, log

from .conftest import ASTRONAUT, PATIENCE, Running, run_process
from .test_errors import RAW

WRITES = set("wax+")
_opened: list[str] | None = None


def _audit(event: str, details: tuple[object, ...]) -> None:
    """Record files opened for writing while ``_opened`` is a list; audit hooks cannot be removed."""
    if event == "open" and _opened is not None and WRITES & set(str(details[1] or "")):
        _opened.append(str(details[0]))
    if event.startswith("tempfile") and _opened is not None:
        _opened.append(event)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Return the files that this process, including the service, opens for writing."""
    global _opened
    if not getattr(_audit, "there", False):
        sys.addaudithook(_audit)
        _audit.there = True  # type: ignore[attr-defined]
    _opened = []
    yield _opened
    _opened = None


def test_the_hook_records_writes(opened: list[str], tmp_path: object) -> None:
    with open(f"{tmp_path}/x", "wb"):  # noqa: PTH123
        pass
    assert opened


def test_nothing_is_written_to_disk(running: Running, opened: list[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), dtype=np.uint8)
    large = encode_png(noise)
    assert len(large) > 5_000_000  # far above the memory limit of form parsers
    with running.http() as http:
        for request in (
            {"files": {"image": ("x.png", large)}},
            {"content": large, "headers": {"Content-Type": "image/png"}},
            {"json": {"image": base64.b64encode(large).decode()}},
            {"files": {"a": ("a.png", large[:2_000_000]), "b": ("b.png", large[:2_000_000])}},
        ):
            http.post("/v1/align", params={"min_face_size": 400}, **request)  # type: ignore[arg-type]
    assert opened == []


STRANGE_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n'
    b"Content-Transfer-Encoding: secret\r\n\r\nsecret\r\n--x--\r\n"
)


def test_the_log_has_no_names_images_queries_keys_or_addresses() -> None:
    data = ASTRONAUT.read_bytes()
    with run_process("--log-level", "debug") as (process, url):
        with httpx.Client(base_url=url, timeout=PATIENCE) as http:
            form = {"image": ("secret-name.jpg", data)}
            assert (
                http.post("/v1/detect?min_face_size=61", files=form, headers={"X-API-Key": "sesame"}).status_code == 200
            )
            http.post("/v1/detect", content=b"secret image", headers=RAW)
            http.post("/v1/detect", content=STRANGE_FORM, headers={"Content-Type": "multipart/form-data; boundary=x"})
            http.get("/secret-path")
        with connect(f"{url.replace('http', 'ws')}/v1/stream?min_face_size=62") as socket:
            socket.send(data)
            socket.recv(PATIENCE)
        process.terminate()
        _, text = process.communicate(timeout=PATIENCE)
    events = [json.loads(line) for line in text.splitlines()]
    paths = [event["path"] for event in events if event["event"] == "request"]
    assert paths[-4:] == ["/v1/detect", "/v1/detect", "/v1/detect", "other"]
    assert [event["frames"] for event in events if event["event"] == "stream"] == [1]
    (own,) = [line for line in text.splitlines() if '"listening"' in line]  # the address of the service
    assert not [
        word for word in ("secret", "sesame", "min_face_size", "127.0.0.1", "JFIF") if word in text.replace(own, "")
    ]


def test_log_lines_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    before = logging.getLogger().handlers[:], logging.getLogger().level
    levels = {name: logging.getLogger(name).level for name in ("mien.server", "uvicorn", *_QUOTING_LOGGERS)}
    try:
        configure_logging("info")
        log("request", {"status": 200, "ms": 1.5})
        log("quiet", level=logging.DEBUG)
        logging.getLogger("uvicorn.error").info('127.0.0.1:1 - "WebSocket /v1/stream?x=1" [accepted]')
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        logging.captureWarnings(False)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
    first, second = [json.loads(line) for line in stderr.getvalue().splitlines()]
    assert first.keys() == {"time", "level", "logger", "event", "request_id", "status", "ms"}
    assert (first["event"], first["status"]) == ("request", 200)
    assert second["level"] == "ERROR"
    assert "ValueError: why" in second["exception"]


def test_no_telemetry_is_stored(tmp_path: Path) -> None:
    """ONNX Runtime keeps an id and a queue of events under the home folder unless telemetry is off."""
    with run_process(env={**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}) as (process, url):
        answer = httpx.post(f"{url}/v1/landmarks", content=ASTRONAUT.read_bytes(), headers=RAW, timeout=PATIENCE)
        assert answer.status_code == 200
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert not list(tmp_path.rglob("*"))
