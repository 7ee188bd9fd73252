"""The stream, over real WebSockets."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
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


def opened(running: Running, query: str = "", address: str = "127.0.0.1", **options: Any) -> ClientConnection:
    options["sock"] = socket.create_connection(("127.0.0.1", running.port), PATIENCE, (address, 0))
    return connect(f"ws://127.0.0.1:{running.port}/v1/stream{query}", open_timeout=PATIENCE, **options)


def answer(stream: ClientConnection) -> dict[str, Any]:
    text = stream.recv(PATIENCE)
    assert isinstance(text, str)
    record: dict[str, Any] = json.loads(text)
    return record


def closed(stream: ClientConnection) -> tuple[int, str]:
    """Return code and reason of the next close frame."""
    with pytest.raises(ConnectionClosed) as gone:
        stream.recv(PATIENCE)
    assert gone.value.rcvd is not None
    return gone.value.rcvd.code, gone.value.rcvd.reason


def test_a_face_keeps_its_track(running: Running, astronaut: np.ndarray) -> None:
    with opened(running, "?min_face_size=60") as stream:
        for number in range(4):
            stream.send(encode_jpeg(np.roll(astronaut, 3 * number, axis=1)))
            record = answer(stream)
            assert record.keys() == {"frame", "width", "height", "dropped", "ms", "faces"}
            assert (record["frame"], record["width"], record["height"], record["dropped"]) == (number, 512, 512, 0)
            (face,) = record["faces"]
            assert face["track"] == 0
            assert len(face["landmarks"]["points"]) == 68
            assert abs(face["keypoints"][2][0] - (226 + 3 * number)) < 6  # the nose tip moves right
            assert record["ms"] > 0


def test_frames_without_tracks_equal_images(running: Running) -> None:
    detector = mien.FaceDetector(mien.DetectorConfig(min_face_size=60), threads=1)
    faces = detector(FILE)
    with opened(running, "?min_face_size=60&landmarks=false") as stream:
        stream.send(FILE)
        assert answer(stream)["faces"] == face_records(faces)
    with opened(running, "?min_face_size=60&track=false&contour=3d") as stream:
        stream.send(FILE)
        landmarks = mien.LandmarkDetector(contour="3d", refinement_steps=1, threads=1)(mien.read_image(FILE), faces)
        assert answer(stream)["faces"] == face_records(faces, landmarks)


def test_stale_frames_are_dropped(running: Running, astronaut: np.ndarray) -> None:
    frames = 25
    large = encode_jpeg(np.tile(astronaut, (2, 2, 1)))
    with opened(running) as stream:
        for _ in range(frames):
            stream.send(large)
        records = [answer(stream)]
        while records[-1]["frame"] < frames - 1:
            records.append(answer(stream))
        numbers = [record["frame"] for record in records]
        assert numbers == sorted(set(numbers))
        assert len(records) + records[-1]["dropped"] == frames
        assert len(records) < frames


def test_a_free_worker_takes_the_newest_frame(start: Start, held: Held) -> None:
    running = start(workers=1)
    with running.http() as http, ThreadPoolExecutor(1) as threads:
        first = threads.submit(http.post, "/v1/detect", content=FILE, headers={"Content-Type": "image/jpeg"})
        assert held.begun.acquire(timeout=PATIENCE)
        with opened(running, "?track=false&landmarks=false&min_face_size=60") as stream:
            for _ in range(5):
                stream.send(FILE)
            stream.ping().wait(PATIENCE)  # all frames have arrived
            time.sleep(0.1)
            held.go.set()
            record = answer(stream)
        assert (record["frame"], record["dropped"]) == (4, 4)
        assert first.result(PATIENCE).status_code == 200


def test_a_damaged_frame_does_not_end_the_stream(running: Running) -> None:
    with opened(running, "?min_face_size=60") as stream:
        stream.send(FILE[:3000])
        record = answer(stream)
        assert (record["frame"], record["error"]["code"]) == (0, "damaged-image")
        assert record["error"]["request_id"]
        stream.send("text is ignored")
        stream.send(FILE)
        record = answer(stream)
        assert (record["frame"], len(record["faces"])) == (1, 1)


@pytest.mark.parametrize("query", ["?fps=0", "?min_face_size=5", "?contour=x", "?unknown=1"])
def test_invalid_parameters(running: Running, query: str) -> None:
    with opened(running, query) as stream:
        assert closed(stream) == (1008, "bad-option")


def test_frames_with_too_many_bytes(start: Start) -> None:
    with opened(start(max_bytes=10_000)) as stream:
        stream.send(bytes(10_001))
        assert closed(stream)[0] == 1009


def test_frames_with_too_many_pixels(start: Start) -> None:
    with opened(start(max_pixels=100_000)) as stream:
        stream.send(FILE)
        assert answer(stream)["error"]["code"] == "too-many-pixels"


def test_api_key(start: Start) -> None:
    running = start(api_key="right")
    with opened(running, additional_headers={"X-API-Key": "right"}) as stream:
        stream.send(FILE)
        assert len(answer(stream)["faces"]) == 1
    with opened(running) as stream:
        stream.send('{"key": "right"}')
        stream.send(FILE)
        assert answer(stream)["frame"] == 0
    for first in ('{"key": "wrong"}', "no JSON", "[1]", '{"key": 1}', FILE, "[" * 3000):
        with opened(running) as stream:
            stream.send(first)
            assert closed(stream) == (1008, "unauthorized")


def test_other_origins(start: Start) -> None:
    for origin, cors, allowed in (
        ("http://127.0.0.1:{port}", "", True),
        ("https://example.org", "", False),
        ("https://example.org", "https://example.org", True),
        ("https://example.org", "*", True),
    ):
        running = start(cors_origins=cors)
        with opened(running, origin=origin.format(port=running.port)) as stream:
            if allowed:
                stream.send(FILE)
                assert answer(stream)["frame"] == 0
            else:
                assert closed(stream) == (1008, "origin")


def test_a_malformed_origin(running: Running) -> None:
    with opened(running, origin="http://[::1") as stream:
        assert closed(stream) == (1008, "origin")


def test_unauthenticated_connections_of_one_client_are_limited(start: Start) -> None:
    running = start(api_key="right", streams_per_client=1)
    waiting = running.service.access.unauthenticated
    with opened(running) as first:
        while not waiting.open.total():
            time.sleep(0.01)
        with opened(running) as second:
            assert closed(second) == (1013, "busy")
        with opened(running, address="127.0.0.2") as other:
            other.send('{"key": "right"}')
            other.send(FILE)
            assert answer(other)["frame"] == 0
        first.send('{"key": "right"}')
        first.send(FILE)
        assert answer(first)["frame"] == 0
        assert waiting.open.total() == 0


def test_silent_connections_do_not_keep_out_clients_with_a_key(start: Start) -> None:
    running = start(api_key="right")
    running.service.access.unauthenticated.total = 1
    with opened(running), opened(running, additional_headers={"X-API-Key": "right"}) as stream:
        stream.send(FILE)
        assert answer(stream)["frame"] == 0


def test_one_client_cannot_take_all_streams(start: Start) -> None:
    running = start()
    with opened(running) as first, opened(running) as second:
        for stream in (first, second):
            stream.send(FILE)
            answer(stream)
        with opened(running) as third:
            assert closed(third) == (1013, "busy")
        with opened(running, address="127.0.0.2") as other:
            other.send(FILE)
            assert answer(other)["frame"] == 0


@pytest.mark.parametrize("message", [None, "text"])
def test_a_stream_must_send_its_first_frame_soon(
    start: Start, monkeypatch: pytest.MonkeyPatch, message: str | None
) -> None:
    monkeypatch.setattr("mien.server.stream._FIRST_FRAME_SECONDS", 0.3)
    with opened(start()) as stream:
        begun = time.monotonic()
        while message is not None and time.monotonic() < begun + 0.5:
            with suppress(ConnectionClosed):
                stream.send(message)
            time.sleep(0.05)
        assert closed(stream) == (1001, "idle")
        assert time.monotonic() < begun + 5


def test_a_stream_may_pause_longer_than_before_its_first_frame(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.stream._FIRST_FRAME_SECONDS", 0.2)
    with opened(start()) as stream:
        for number in range(2):
            stream.send(FILE)
            assert answer(stream)["frame"] == number
            time.sleep(0.5)


def test_large_frames_are_refused(start: Start) -> None:
    with opened(start(detect_pixels=60_000)) as stream:
        stream.send(FILE)  # 262,144 pixels, more than four times as many
        assert answer(stream)["error"]["code"] == "too-many-pixels"


def test_the_key_must_come_in_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.stream._KEY_SECONDS", 0.1)
    with opened(start(api_key="right")) as stream:
        assert closed(stream) == (1008, "unauthorized")


def test_streams_at_once(start: Start) -> None:
    running = start(streams=1)
    with opened(running) as first:
        first.send(FILE)
        answer(first)
        with opened(running) as second:
            assert closed(second) == (1013, "busy")
        first.send(FILE)
        assert answer(first)["frame"] == 1
    while running.service.access.streams.open.total():
        time.sleep(0.01)
    with opened(running) as third:
        third.send(FILE)
        assert answer(third)["frame"] == 0


def test_streams_count_towards_the_rate(start: Start) -> None:
    running = start(rate=0.01, burst=1)
    with opened(running), opened(running) as second:
        assert closed(second) == (1013, "too-many-requests")


def test_an_idle_stream_is_closed(start: Start) -> None:
    with opened(start(idle=0.1)) as stream:
        assert closed(stream) == (1001, "idle")


def test_shutdown_closes_streams() -> None:
    with ExitStack() as service, opened(service.enter_context(run_service())) as stream:
        stream.send(FILE)
        answer(stream)
        service.close()
        assert closed(stream)[0] == 1012
