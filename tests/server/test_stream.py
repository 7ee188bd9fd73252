"""Frames in, faces out, over a real WebSocket."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import mien
from mien.imaging import encode_jpeg
from mien.schema import face_records

from .conftest import ASTRONAUT, PATIENCE, Held, Running, Start, run_service

FILE = ASTRONAUT.read_bytes()


def opened(running: Running, query: str = "", **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{running.port}/v1/stream{query}", open_timeout=PATIENCE, **options)


def answer(socket: ClientConnection) -> dict[str, Any]:
    text = socket.recv(PATIENCE)
    assert isinstance(text, str)
    record: dict[str, Any] = json.loads(text)
    return record


def closed(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close frame that comes next."""
    with pytest.raises(ConnectionClosed) as gone:
        socket.recv(PATIENCE)
    assert gone.value.rcvd is not None
    return gone.value.rcvd.code, gone.value.rcvd.reason


def test_a_face_keeps_its_number(running: Running, astronaut: np.ndarray) -> None:
    with opened(running, "?min_face_size=60") as socket:
        for number in range(4):
            socket.send(encode_jpeg(np.roll(astronaut, 3 * number, axis=1)))
            record = answer(socket)
            assert record.keys() == {"frame", "width", "height", "dropped", "ms", "faces"}
            assert (record["frame"], record["width"], record["height"], record["dropped"]) == (number, 512, 512, 0)
            (face,) = record["faces"]
            assert face["track"] == 0
            assert len(face["landmarks"]["points"]) == 68
            assert abs(face["keypoints"][2][0] - (226 + 3 * number)) < 6  # the tip of the nose goes to the right
            assert record["ms"] > 0


def test_without_tracks_and_landmarks_a_frame_is_a_image(running: Running) -> None:
    detector = mien.FaceDetector(mien.DetectorConfig(min_face_size=60), threads=1)
    faces = detector(FILE)
    with opened(running, "?min_face_size=60&landmarks=false") as socket:
        socket.send(FILE)
        assert answer(socket)["faces"] == face_records(faces)
    with opened(running, "?min_face_size=60&track=false&contour=3d") as socket:
        socket.send(FILE)
        landmarks = mien.LandmarkDetector(contour="3d", refinement_steps=1, threads=1)(mien.read_image(FILE), faces)
        assert answer(socket)["faces"] == face_records(faces, landmarks)


def test_old_frames_are_dropped(running: Running, astronaut: np.ndarray) -> None:
    frames = 25
    large = encode_jpeg(np.tile(astronaut, (2, 2, 1)))
    with opened(running) as socket:
        for _ in range(frames):
            socket.send(large)
        records = [answer(socket)]
        while records[-1]["frame"] < frames - 1:
            records.append(answer(socket))
        numbers = [record["frame"] for record in records]
        assert numbers == sorted(set(numbers))
        assert len(records) + records[-1]["dropped"] == frames
        assert len(records) < frames


def test_the_newest_frame_is_looked_at_when_a_thread_is_free(start: Start, held: Held) -> None:
    running = start(workers=1)
    with running.http() as http, ThreadPoolExecutor(1) as threads:
        first = threads.submit(http.post, "/v1/detect", content=FILE, headers={"Content-Type": "image/jpeg"})
        assert held.begun.acquire(timeout=PATIENCE)
        with opened(running, "?track=false&landmarks=false&min_face_size=60") as socket:
            for _ in range(5):
                socket.send(FILE)
            socket.ping().wait(PATIENCE)  # all before it have arrived
            time.sleep(0.1)
            held.go.set()
            record = answer(socket)
        assert (record["frame"], record["dropped"]) == (4, 4)
        assert first.result(PATIENCE).status_code == 200


def test_a_broken_frame_does_not_end_the_stream(running: Running) -> None:
    with opened(running, "?min_face_size=60") as socket:
        socket.send(FILE[:3000])
        record = answer(socket)
        assert (record["frame"], record["error"]["code"]) == (0, "damaged-image")
        assert record["error"]["request_id"]
        socket.send("text is passed over")
        socket.send(FILE)
        record = answer(socket)
        assert (record["frame"], len(record["faces"])) == (1, 1)


@pytest.mark.parametrize("query", ["?fps=0", "?min_face_size=5", "?contour=x", "?unknown=1"])
def test_switches_that_make_no_sense(running: Running, query: str) -> None:
    with opened(running, query) as socket:
        assert closed(socket) == (1008, "bad-option")


def test_frames_that_are_too_long(start: Start) -> None:
    with opened(start(max_bytes=10_000)) as socket:
        socket.send(bytes(10_001))
        assert closed(socket)[0] == 1009


def test_frames_with_too_many_pixels(start: Start) -> None:
    with opened(start(max_pixels=100_000)) as socket:
        socket.send(FILE)
        assert answer(socket)["error"]["code"] == "too-many-pixels"


def test_the_key(start: Start) -> None:
    running = start(api_key="right")
    with opened(running, additional_headers={"X-API-Key": "right"}) as socket:
        socket.send(FILE)
        assert len(answer(socket)["faces"]) == 1
    with opened(running) as socket:
        socket.send('{"key": "right"}')
        socket.send(FILE)
        assert answer(socket)["frame"] == 0
    for first in ('{"key": "wrong"}', "no JSON", "[1]", '{"key": 1}', FILE, "[" * 3000):
        with opened(running) as socket:
            socket.send(first)
            assert closed(socket) == (1008, "unauthorized")


def test_pages_of_others(start: Start) -> None:
    for origin, cors, right in (
        ("http://127.0.0.1:{port}", "", True),
        ("https://example.org", "", False),
        ("https://example.org", "https://example.org", True),
        ("https://example.org", "*", True),
    ):
        running = start(cors_origins=cors)
        with opened(running, origin=origin.format(port=running.port)) as socket:
            if right:
                socket.send(FILE)
                assert answer(socket)["frame"] == 0
            else:
                assert closed(socket) == (1008, "origin")


def test_an_origin_that_is_none(running: Running) -> None:
    with opened(running, origin="http://[::1") as socket:
        assert closed(socket) == (1008, "origin")


def test_few_may_wait_without_a_key(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.stream._STRANGERS", 1)
    running = start(api_key="right")
    with opened(running) as first:
        while not running.service.strangers:
            time.sleep(0.01)
        with opened(running) as second:
            assert closed(second) == (1013, "busy")
        first.send('{"key": "right"}')
        first.send(FILE)
        assert answer(first)["frame"] == 0
        assert running.service.strangers == 0


def test_who_shows_no_key_in_time_is_sent_away(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.stream._KEY_SECONDS", 0.1)
    with opened(start(api_key="right")) as socket:
        assert closed(socket) == (1008, "unauthorized")


def test_streams_at_once(start: Start) -> None:
    running = start(streams=1)
    with opened(running) as first:
        first.send(FILE)
        answer(first)
        with opened(running) as second:
            assert closed(second) == (1013, "busy")
        first.send(FILE)
        assert answer(first)["frame"] == 1
    while running.service.streams:
        time.sleep(0.01)
    with opened(running) as third:
        third.send(FILE)
        assert answer(third)["frame"] == 0


def test_the_rate_counts_streams(start: Start) -> None:
    running = start(rate=0.01, burst=1)
    with opened(running), opened(running) as second:
        assert closed(second) == (1013, "too-many-requests")


def test_a_stream_without_frames_ends(start: Start) -> None:
    with opened(start(idle=0.1)) as socket:
        assert closed(socket) == (1001, "idle")


def test_the_end_of_the_service_ends_streams() -> None:
    with ExitStack() as service, opened(service.enter_context(run_service())) as socket:
        socket.send(FILE)
        answer(socket)
        service.close()
        assert closed(socket)[0] == 1012
