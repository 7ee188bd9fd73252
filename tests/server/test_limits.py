"""Each limit: at it the service answers, beyond it it says so."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import pytest

from mien.imaging import encode_png
from mien.server.guard import RateLimit
from mien.server.problems import Problem
from mien.server.run import open_to_all
from mien.server.settings import ServeSettings

from .conftest import ASTRONAUT, PATIENCE, Held, Running, Start
from .test_errors import RAW, png_head, problem

FILE = ASTRONAUT.read_bytes()


def detect(http: httpx.Client, data: bytes = FILE, **headers: str) -> httpx.Response:
    return http.post("/v1/detect", content=data, headers={**RAW, **headers})


def test_bytes_declared(start: Start) -> None:
    with start(max_bytes=len(FILE)).http() as http:
        assert detect(http).status_code == 200
        assert problem(detect(http, FILE + b"\0"))["code"] == "too-many-bytes"
        assert problem(detect(http, bytes(50_000_000)))["code"] == "too-many-bytes"
        assert detect(http).status_code == 200


def test_bytes_that_nobody_declared_are_counted_as_they_arrive(start: Start) -> None:
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


def test_pixels_are_checked_before_anything_is_decoded(start: Start) -> None:
    with start(max_pixels=512 * 512).http() as http:
        assert detect(http).status_code == 200
        found = problem(detect(http, png_head(513, 512)))  # has no pixels: decoding it would be another error
        assert found["code"] == "too-many-pixels"
        assert "262656 pixels, more than 262144" in found["detail"]
        assert problem(detect(http, png_head(512, 512)))["code"] == "damaged-image"


def test_faces_returned(start: Start, analysis: np.ndarray) -> None:
    four = encode_png(np.tile(analysis, (2, 2, 1)))
    with start(max_faces=3).http() as http:
        answer = http.post("/v1/landmarks?max_faces=50", content=four, headers=RAW)
        assert len(answer.json()["faces"]) == 3
        assert answer.headers["x-faces-found"] == "4"


def test_min_face_of_the_service(start: Start) -> None:
    with start(min_face_size=60).http() as http:
        assert "60 or more" in problem(http.post("/v1/detect?min_face_size=59", content=FILE, headers=RAW))["detail"]
        assert http.post("/v1/detect?min_face_size=60", content=FILE, headers=RAW).status_code == 200


def test_time_for_one_request(start: Start, held: Held) -> None:
    running: Running = start(timeout=0.2, workers=1)
    with running.http() as http:
        first = detect(http)
        assert problem(first)["code"] == "took-too-long"
        assert int(first.headers["retry-after"]) > 0
        waiting = detect(http)  # the thread is still taken, so this one never begins
        assert problem(waiting)["code"] == "took-too-long"
        assert running.service.pool.taken == 0
        held.go.set()
        assert held.begun.acquire(timeout=PATIENCE)
    assert not held.begun.acquire(timeout=0.1)


def test_requests_at_once(start: Start, held: Held) -> None:
    running = start(workers=1, queue=2)
    with running.http() as http, ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(detect, http) for _ in range(3)]
        while running.service.pool.taken < 3:
            threading.Event().wait(0.01)
        refused = detect(http)
        assert problem(refused)["code"] == "busy"
        assert refused.headers["retry-after"] == "1"
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        held.go.set()
        assert [answer.result(PATIENCE).status_code for answer in answers] == [200, 200, 200]
        assert http.get("/readyz").status_code == 200


def test_rate_of_a_client(start: Start) -> None:
    with start(rate=0.01, burst=2).http() as http:
        assert [http.get("/v1/models").status_code for _ in range(2)] == [200, 200]
        refused = http.get("/v1/models")
        assert problem(refused)["code"] == "too-many-requests"
        assert 90 <= int(refused.headers["retry-after"]) <= 100
        assert http.get("/healthz").status_code == 200


def test_a_proxy_is_believed_only_where_it_is_trusted(start: Start) -> None:
    for trusted, statuses in (("", [200, 429]), ("127.0.0.1", [200, 200])):
        with start(rate=0.01, burst=1, trusted_proxies=trusted).http() as http:
            clients = [{"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}]
            assert [http.get("/v1/models", headers=client).status_code for client in clients] == statuses


def test_buckets_fill_again() -> None:
    now = [0.0]
    limit = RateLimit(rate=2, burst=3, clock=lambda: now[0])

    def taken(client: str, wanted: int) -> int:
        for count in range(wanted):
            try:
                limit.take(client)
            except Problem:
                return count
        return wanted

    assert taken("a", 5) == 3
    assert taken("b", 5) == 3  # each has its own
    with pytest.raises(Problem) as refused:
        limit.take("a")
    assert refused.value.retry_after == 1
    now[0] = 1.0
    assert taken("a", 5) == 2
    now[0] = 1000.0
    assert taken("a", 5) == 3  # no more than the burst is saved up
    assert taken("a", 5) == 0


def test_the_oldest_clients_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.guard._MOST_CLIENTS", 2)
    limit = RateLimit(rate=0.001, burst=1, clock=lambda: 0.0)
    for client in ("a", "b", "c"):
        limit.take(client)
    limit.take("a")  # new again
    with pytest.raises(Problem):
        limit.take("c")


@pytest.mark.parametrize("path", ["/v1/models", "/metrics"])
def test_the_key(start: Start, path: str) -> None:
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


def test_heads_are_bounded(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.settimeout(PATIENCE)
        with suppress(ConnectionError):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000_000)
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    with running.http() as http:
        assert http.get("/healthz").status_code == 200


def test_keys_are_not_tried_out_for_free(start: Start) -> None:
    with start(api_key="right", rate=0.001, burst=2).http() as http:
        tried = [http.get("/v1/models", headers={"X-API-Key": str(number)}).status_code for number in range(4)]
    assert tried == [401, 401, 429, 429]


def test_a_service_that_all_can_ask_says_so() -> None:
    assert open_to_all(ServeSettings(host="0.0.0.0"))
    assert open_to_all(ServeSettings(host="faces.example"))
    for settings in ({}, {"host": "localhost"}, {"host": "::", "rate": 5}, {"host": "0.0.0.0", "api_key": "k"}):
        assert not open_to_all(ServeSettings(**settings))  # type: ignore[arg-type]


def test_other_origins_are_refused_unless_they_are_named(start: Start, http: httpx.Client) -> None:
    origin = {"Origin": "https://example.org"}
    ask = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    assert "access-control-allow-origin" not in http.get("/v1/models", headers=origin).headers
    assert http.options("/v1/detect", headers=ask).status_code == 405
    with start(cors_origins="https://example.org", api_key="k").http() as named:
        asked = named.options("/v1/detect", headers=ask)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "https://example.org"
        refused = named.get("/v1/models", headers=origin)  # the page must be able to read why
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://example.org")
        other = named.get("/v1/models", headers={"Origin": "https://example.net", "X-API-Key": "k"})
        assert "access-control-allow-origin" not in other.headers
