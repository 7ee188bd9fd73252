"""Every limit: accepted at it, refused beyond it."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import pytest

from mien.imaging import encode_png
from mien.server.problems import Problem
from mien.server.run import is_open
from mien.server.security import MAX_HEADER_BYTES, RateLimit, client_of
from mien.server.settings import ServeSettings

from .conftest import ASTRONAUT, PATIENCE, Held, Running, Start
from .test_errors import RAW, png_head, problem

FILE = ASTRONAUT.read_bytes()


def detect(http: httpx.Client, data: bytes = FILE, **headers: str) -> httpx.Response:
    return http.post("/v1/detect", content=data, headers={**RAW, **headers})


def test_declared_length(start: Start) -> None:
    with start(max_bytes=len(FILE)).http() as http:
        assert detect(http).status_code == 200
        assert problem(detect(http, FILE + b"\0"))["code"] == "too-many-bytes"
        assert problem(detect(http, bytes(50_000_000)))["code"] == "too-many-bytes"
        assert detect(http).status_code == 200


def test_undeclared_length_is_counted_on_arrival(start: Start) -> None:
    running = start(max_bytes=1_000_000)
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.settimeout(PATIENCE)
        head = "POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode() + b"%x\r\n" % 2_000_000 + bytes(1_000_001))  # the rest never comes
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too-many-bytes" in answer
    with running.http() as http:
        whole = http.post("/v1/detect", content=iter([FILE[:1000], FILE[1000:]]), headers=RAW)
        assert whole.status_code == 200


def test_pixels_are_checked_before_decoding(start: Start) -> None:
    with start(max_pixels=512 * 512).http() as http:
        assert detect(http).status_code == 200
        found = problem(detect(http, png_head(513, 512)))  # decoding would fail otherwise
        assert found["code"] == "too-many-pixels"
        assert "262656 pixels, more than 262144" in found["detail"]
        assert problem(detect(http, png_head(512, 512)))["code"] == "damaged-image"


def test_max_faces_of_the_service(start: Start, analysis: np.ndarray) -> None:
    four = encode_png(np.tile(analysis, (2, 2, 1)))
    with start(max_faces=3).http() as http:
        answer = http.post("/v1/landmarks?max_faces=50", content=four, headers=RAW)
        assert len(answer.json()["faces"]) == 3
        assert answer.headers["x-faces-found"] == "4"


def test_min_face_size_of_the_service(start: Start) -> None:
    with start(min_face_size=60).http() as http:
        assert "60 or more" in problem(http.post("/v1/detect?min_face_size=59", content=FILE, headers=RAW))["detail"]
        assert http.post("/v1/detect?min_face_size=60", content=FILE, headers=RAW).status_code == 200


def test_timeout_of_a_request(start: Start, held: Held) -> None:
    running: Running = start(timeout=0.2, workers=1)
    with running.http() as http:
        first = detect(http)
        assert problem(first)["code"] == "took-too-long"
        assert int(first.headers["retry-after"]) > 0
        waiting = detect(http)  # the worker is still busy
        assert problem(waiting)["code"] == "took-too-long"
        assert running.service.workers.used == 0
        held.go.set()
        assert held.begun.acquire(timeout=PATIENCE)
    assert not held.begun.acquire(timeout=0.1)


def test_concurrent_requests(start: Start, held: Held) -> None:
    running = start(workers=1, queue=2)
    with running.http() as http, ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(detect, http) for _ in range(3)]
        while running.service.workers.used < 3:
            threading.Event().wait(0.01)
        refused = detect(http)
        assert problem(refused)["code"] == "busy"
        assert refused.headers["retry-after"] == "1"
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        held.go.set()
        assert [answer.result(PATIENCE).status_code for answer in answers] == [200, 200, 200]
        assert http.get("/readyz").status_code == 200


def test_rate_limit(start: Start) -> None:
    with start(rate=0.01, burst=2).http() as http:
        assert [http.get("/v1/models").status_code for _ in range(2)] == [200, 200]
        refused = http.get("/v1/models")
        assert problem(refused)["code"] == "too-many-requests"
        assert 90 <= int(refused.headers["retry-after"]) <= 100
        assert http.get("/healthz").status_code == 200


def test_forwarded_addresses_need_a_trusted_proxy(start: Start) -> None:
    for trusted, statuses in (("", [200, 429]), ("127.0.0.1", [200, 200])):
        with start(rate=0.01, burst=1, trusted_proxies=trusted).http() as http:
            clients = [{"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}]
            assert [http.get("/v1/models", headers=client).status_code for client in clients] == statuses


def test_buckets_refill() -> None:
    now = [0.0]
    limit = RateLimit(rate=2, burst=3, what="requests", clock=lambda: now[0])

    def taken(client: str, wanted: int) -> int:
        for count in range(wanted):
            try:
                limit.take(client)
            except Problem:
                return count
        return wanted

    assert taken("a", 5) == 3
    assert taken("b", 5) == 3
    with pytest.raises(Problem) as refused:
        limit.take("a")
    assert refused.value.retry_after == 1
    now[0] = 1.0
    assert taken("a", 5) == 2
    now[0] = 1000.0
    assert taken("a", 5) == 3  # capped at the burst
    assert taken("a", 5) == 0


def test_the_least_recent_clients_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.security._MAX_CLIENTS", 2)
    limit = RateLimit(rate=0.001, burst=1, what="requests", clock=lambda: 0.0)
    for client in ("a", "b", "c"):
        limit.take(client)
    limit.take("a")  # was forgotten
    with pytest.raises(Problem):
        limit.take("c")


@pytest.mark.parametrize("path", ["/v1/models", "/metrics"])
def test_api_key(start: Start, path: str) -> None:
    with start(api_key="right").http() as http:
        refused = http.get(path)
        assert problem(refused)["code"] == "unauthorized"
        assert refused.headers["www-authenticate"] == "Bearer"
        for wrong in ({"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"Authorization": "Bearer righ"}):
            assert problem(http.get(path, headers=wrong))["code"] == "unauthorized"
        for right in ({"X-API-Key": "right"}, {"Authorization": "Bearer right"}, {"Authorization": "bearer right"}):
            assert http.get(path, headers=right).status_code == 200
        assert http.get("/healthz").status_code == 200
        assert http.get("/docs").status_code == 200


def raw(port: int, request: bytes) -> bytes:
    """Send bytes; return everything until the service closes the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(PATIENCE)
        with suppress(ConnectionError):
            client.sendall(request)
            while piece := client.recv(65536):
                received += piece
    return received


@pytest.mark.parametrize(("size", "status"), [(15 * 1024, b"200"), (17 * 1024, b"400"), (1_000_000, b"400")])
def test_header_size(running: Running, size: int, status: bytes) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: "
    assert raw(running.port, head + b"x" * size + b"\r\n\r\n").startswith(b"HTTP/1.1 " + status)


def test_the_documented_header_size_is_the_configured_one() -> None:
    text = (ASTRONAUT.parents[1] / "docs" / "serve.md").read_text(encoding="utf-8")
    assert f"{MAX_HEADER_BYTES // 1024} KiB" in text


def test_two_body_lengths_are_refused(running: Running) -> None:
    """Content-Length with Transfer-Encoding allows request smuggling behind a proxy."""
    head = "POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n"
    smuggled = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    received = raw(running.port, head.encode() + smuggled)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"bad-request" in received
    assert received.count(b"HTTP/1.1 ") == 1


def test_wrong_keys_are_limited_without_a_rate(start: Start) -> None:
    with start(api_key="right", trusted_proxies="127.0.0.1").http() as http:

        def status(key: str | None, client: str) -> int:
            key_header = {} if key is None else {"X-API-Key": key}
            return http.get("/v1/models", headers={"X-Forwarded-For": client, **key_header}).status_code

        assert [status(None, "2001:db8::1") for _ in range(20)] == [401] * 20  # no guess
        guesses = [status(str(guess), f"2001:db8::{guess}") for guess in range(12)]
        assert guesses == [401] * 10 + [429] * 2  # all addresses of a /64 are one client
        assert status("right", "2001:db8::1") == 429  # or guessing would go on
        assert status("right", "2001:db8:0:1::1") == 200


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_client_of_an_address(host: str, client: str) -> None:
    assert client_of({"client": (host, 1)}) == client


def black(side: int) -> bytes:
    return encode_png(np.zeros((side, side, 3), np.uint8))


@pytest.fixture(scope="module")
def large() -> bytes:
    """39.7 megapixels in about 100 KB."""
    return black(6300)


def test_large_images_are_searched_on_a_reduced_copy(start: Start, large: bytes) -> None:
    with start().http() as http:
        whole = detect(http, large)
        assert (whole.status_code, whole.headers["x-min-face-size"]) == (200, "63.0")
        assert detect(http).headers["x-min-face-size"] == "20.0"
        assert http.post("/v1/detect?min_face_size=90", content=large, headers=RAW).headers["x-min-face-size"] == "90.0"


def test_costly_images_do_not_shut_others_out(start: Start, large: bytes) -> None:
    running = start(timeout=3.0, workers=2, min_face_size=10)

    def costly(http: httpx.Client) -> httpx.Response:
        return http.post("/v1/detect?min_face_size=10", content=large, headers=RAW)

    with running.http() as http, ThreadPoolExecutor(3) as threads:
        refused = [threads.submit(costly, http) for _ in range(3)]
        while running.service.workers.running < 1:
            assert not any(each.done() for each in refused), "answered without work"
            threading.Event().wait(0.01)
        others = [http.post("/v1/detect?min_face_size=80", content=FILE, headers=RAW).status_code for _ in range(3)]
        assert running.service.workers.running == 1
        assert others == [200, 200, 200]
        assert {problem(each.result(PATIENCE))["code"] for each in refused} == {"took-too-long"}
        end = time.monotonic() + 3
        while running.service.workers.running:  # the deadline frees the worker
            assert time.monotonic() < end
            threading.Event().wait(0.01)


def test_wrong_keys_count_towards_the_rate(start: Start) -> None:
    with start(api_key="right", rate=0.001, burst=2).http() as http:
        tried = [http.get("/v1/models", headers={"X-API-Key": str(number)}).status_code for number in range(4)]
    assert tried == [401, 401, 429, 429]


def test_open_services_are_recognized() -> None:
    assert is_open(ServeSettings(host="0.0.0.0"))
    assert is_open(ServeSettings(host="faces.example"))
    for settings in ({}, {"host": "localhost"}, {"host": "::", "rate": 5}, {"host": "0.0.0.0", "api_key": "k"}):
        assert not is_open(ServeSettings(**settings))  # type: ignore[arg-type]


def test_other_origins_need_permission(start: Start, http: httpx.Client) -> None:
    origin = {"Origin": "https://example.org"}
    ask = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    assert "access-control-allow-origin" not in http.get("/v1/models", headers=origin).headers
    assert http.options("/v1/detect", headers=ask).status_code == 405
    with start(cors_origins="https://example.org", api_key="k").http() as named:
        asked = named.options("/v1/detect", headers=ask)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "https://example.org"
        refused = named.get("/v1/models", headers=origin)  # the page can read the reason
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://example.org")
        other = named.get("/v1/models", headers={"Origin": "https://example.net", "X-API-Key": "k"})
        assert "access-control-allow-origin" not in other.headers
