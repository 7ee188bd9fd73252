"""Concurrent, slow and disconnecting clients; shutdown under load."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest

import mien
from mien.imaging import encode_png
from mien.schema import image_record
from mien.server.inference import WorkerPool
from mien.server.service import Content

from .conftest import ASTRONAUT, PATIENCE, Held, Running, Start, run_process
from .test_errors import RAW

FILE = ASTRONAUT.read_bytes()


def wait_for(running: Running, places: int) -> None:
    """Wait until this many slots are used."""
    end = time.monotonic() + PATIENCE
    while running.service.workers.used != places:
        assert time.monotonic() < end
        time.sleep(0.01)


def head(port: int, length: int) -> bytes:
    return (
        f"POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("kind", ["read", "run"])
def test_the_worker_pool_bounds_its_threads(kind: str) -> None:
    """Also when callers give up while their work runs."""
    running, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(PATIENCE)
        with lock:
            running -= 1

    async def main() -> None:
        pool = WorkerPool(workers=2, queue=10)
        method = getattr(pool, kind)
        given_up = [asyncio.create_task(method(work)) for _ in range(2)]
        while pool.running < 2:
            await asyncio.sleep(0.01)
        for task in given_up:
            task.cancel()
        jobs = [asyncio.create_task(method(work)) for _ in range(6)]
        await asyncio.sleep(0.1)
        assert pool.running == 2
        go.set()
        await asyncio.gather(*jobs)

    asyncio.run(main())
    assert most == 2


def test_fifty_clients_get_their_own_faces(running: Running, analysis: np.ndarray) -> None:
    """The face is at another place in each image, so swapped responses would be noticed."""
    detector = mien.FaceDetector(mien.DetectorConfig(min_face_size=60), threads=1)
    files, wanted = [], []
    for number in range(50):
        image = np.full((240, 260, 3), 128, np.uint8)
        left, top = 10 * (number % 10), 16 * (number // 10)
        image[top : top + 160, left : left + 160] = analysis
        files.append(encode_png(image))
        wanted.append(image_record(f"{number}.png", 260, 240, detector(image)))
    assert len({tuple(record["faces"][0]["box"]) for record in wanted}) == 50
    together = threading.Barrier(50)

    def ask(number: int) -> object:
        with running.http() as http:
            together.wait(PATIENCE)
            files_ = {"image": (f"{number}.png", files[number])}
            return http.post("/v1/detect", params={"min_face_size": 60}, files=files_).json()

    with ThreadPoolExecutor(50) as threads:
        assert list(threads.map(ask, range(50))) == wanted


def test_a_slow_upload_times_out_and_blocks_nobody(start: Start) -> None:
    running = start(timeout=2.0, workers=1, queue=1)
    with socket.create_connection(("127.0.0.1", running.port)) as slow, running.http() as http:
        slow.settimeout(PATIENCE)
        slow.sendall(head(running.port, len(FILE)) + FILE[:100])
        wait_for(running, 1)
        assert http.post("/v1/detect", content=FILE, headers=RAW).status_code == 200
        answer = slow.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "too-slow"' in answer
        wait_for(running, 0)


def test_a_client_may_read_slowly(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as slow:
        slow.settimeout(PATIENCE)
        slow.sendall(head(running.port, len(FILE)))
        for at in range(0, len(FILE), 10_000):
            slow.sendall(FILE[at : at + 10_000])
            time.sleep(0.005)
        answer = b""
        while b"}]}" not in answer:
            answer += slow.recv(20)
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def long_answers(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make responses so long that a connection cannot buffer them; return their length."""
    length = 30_000_000
    monkeypatch.setattr("mien.server.routes._json", lambda record: Content(b"x" * length))
    return length


def test_an_unread_response_releases_its_slot_in_time(start: Start, long_answers: int) -> None:
    running = start(timeout=2.0, workers=1, queue=1)
    with socket.create_connection(("127.0.0.1", running.port)) as idle, running.http() as http:
        idle.sendall(head(running.port, len(FILE)) + FILE)
        wait_for(running, 1)
        wait_for(running, 0)
        assert len(http.post("/v1/detect", content=FILE, headers=RAW).content) == long_answers


def test_waiting_requests_of_disconnected_clients_are_skipped(start: Start, held: Held) -> None:
    running = start(workers=1, queue=3)
    with running.http() as http, ThreadPoolExecutor(1) as threads:
        stays = threads.submit(http.post, "/v1/detect", content=FILE, headers=RAW)
        assert held.begun.acquire(timeout=PATIENCE)
        gone = []
        for _ in range(3):
            gone.append(socket.create_connection(("127.0.0.1", running.port)))
            gone[-1].sendall(head(running.port, len(FILE)) + FILE)
        wait_for(running, 4)
        for client in gone:
            client.close()
        wait_for(running, 1)
        held.go.set()
        assert stays.result(PATIENCE).status_code == 200
        assert http.get("/readyz").status_code == 200
        assert not held.begun.acquire(blocking=False)  # none of the three has started
        text = http.get("/metrics").text
    assert re.search(r'path="/v1/detect",status="499"\} 3\.0', text)


def test_aborted_uploads_release_their_slots(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", running.port)) as gone:
            gone.sendall(head(running.port, len(FILE)) + FILE[:5000])
            wait_for(running, 1)
        wait_for(running, 0)
    assert "Traceback" not in caplog.text


HOLD = """
import pathlib, time
from mien.server.inference import Engine
usual = Engine.analyze
def held(*args):
    while not pathlib.Path({flag!r}).exists():
        time.sleep(0.01)
    return usual(*args)
Engine.analyze = held
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_shutdown_does_not_wait_beyond_the_grace_period(tmp_path: Path, sent: signal.Signals) -> None:
    never = HOLD.format(flag=str(tmp_path / "never"))
    with run_process("--grace", "1", first=never) as (process, url):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(head(port, len(FILE)) + FILE)
            end = time.monotonic() + PATIENCE
            while "mien_slots_used 1.0" not in httpx.get(f"{url}/metrics").text:
                assert time.monotonic() < end
            process.send_signal(sent)
            _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode in (-signal.SIGTERM, 130)
    assert "Event loop is closed" not in log


def test_shutdown_finishes_running_requests(tmp_path: Path) -> None:
    """SIGTERM, as sent by systemd and Docker, with requests running, waiting and arriving."""
    flag = tmp_path / "go"
    with run_process("--workers", "1", first=HOLD.format(flag=str(flag))) as (process, url), ExitStack() as stack:
        port = int(url.rpartition(":")[2])
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(4)]
        for client in clients:
            client.settimeout(PATIENCE)
            client.sendall(head(port, len(FILE)) + FILE[:-1])
        end = time.monotonic() + PATIENCE
        while "mien_slots_used 4.0" not in httpx.get(f"{url}/metrics").text:
            assert time.monotonic() < end
        for client in clients[1:]:
            client.sendall(FILE[-1:])
        process.send_signal(signal.SIGTERM)
        while _takes_more(port):
            assert time.monotonic() < end
        clients[0].sendall(FILE[-1:])
        flag.touch()
        for client in clients:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -signal.SIGTERM)
    assert log.count('"status": 200') >= 4
    assert f'"url": "{url}"' in log
    assert '"event": "stop"' in log
    assert "Traceback" not in log


def _takes_more(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    time.sleep(0.02)
    return True
