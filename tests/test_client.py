"""The client against a real service, and against responses of other servers."""

from __future__ import annotations

import base64
import inspect
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

import mien
from mien.client import Client
from mien.errors import BadImage, BadOption, ServiceError
from mien.imaging import read_image
from mien.schema import image_record
from mien.server import ServeSettings, create_app
from mien.server.run import uvicorn_config

ASTRONAUT = Path(__file__).parents[1] / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    settings = ServeSettings(api_key="k")  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn_config(create_app(settings), settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            thread.join(0.01)
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", key="k") as opened:
            yield opened
        server.should_exit = True
        thread.join(60)


def test_every_call(client: Client) -> None:
    faces = mien.FaceDetector(threads=1)(ASTRONAUT)
    landmarks = mien.LandmarkDetector(threads=1)(read_image(ASTRONAUT), faces)
    whole = image_record("astronaut.jpg", 512, 512, faces, landmarks)
    assert client.detect(ASTRONAUT) == image_record("astronaut.jpg", 512, 512, faces)
    assert client.detect(ASTRONAUT.read_bytes())["image"] == "image"
    assert client.landmarks(str(ASTRONAUT)) == whole
    (aligned_face,) = client.align(ASTRONAUT, template="arcface", size=96, points=5)["aligned_faces"]
    assert read_image(base64.b64decode(aligned_face["png"])).shape == (96, 96, 3)
    everything = client.analyze(ASTRONAUT, aligned_faces=True, png=True, min_face_size=30, max_faces=1)
    assert (len(everything["faces"]), len(everything["aligned_faces"])) == (1, 1)
    assert "png" in everything["aligned_faces"][0]
    assert "landmarks" not in client.analyze(ASTRONAUT, landmarks=False)["faces"][0]
    assert {card["file"] for card in client.models()} >= {"pnet.onnx", "rnet.onnx", "onet.onnx"}
    assert client.ready()


def test_refused_images(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"not an image that mien reads.*\(request [0-9a-f]{32}\)") as refused:
        client.detect(b"nothing")
    assert (refused.value.status, refused.value.code) == (415, "unsupported-image")
    with pytest.raises(BadImage, match="cannot be opened"):
        client.detect(tmp_path / "none.jpg")


def answering(response: httpx.Response) -> Client:
    return Client("http://service", transport=httpx.MockTransport(lambda request: response))


def test_retry_after() -> None:
    document = {"title": "t", "detail": "d", "code": "busy", "request_id": "r"}
    head = {"Retry-After": "7", "Content-Type": "application/problem+json"}
    with answering(httpx.Response(503, headers=head, json=document)) as client:
        assert not client.ready()
        with pytest.raises(ServiceError, match=r"t: d \(request r\)") as refused:
            client.models()
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "busy", 7)


def test_errors_of_proxies() -> None:
    with answering(httpx.Response(502, text="<h1>Bad Gateway</h1>")) as client:
        with pytest.raises(ServiceError, match="HTTP 502") as refused:
            client.models()
        assert (refused.value.code, refused.value.retry_after) == ("unknown", None)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<h1>Please log in</h1>"),
        httpx.Response(503, headers={"Content-Type": "application/problem+json"}),
        httpx.Response(503, json={"status": 503}),
        httpx.Response(503, json=[1]),
        httpx.Response(503, json={"title": "t", "detail": "d", "code": "busy"}),
    ],
)
def test_responses_of_other_servers(answer: httpx.Response) -> None:
    with answering(answer) as client, pytest.raises(ServiceError) as refused:
        client.models()
    assert (refused.value.status, refused.value.code) == (answer.status_code, "unknown")


def test_problem_documents_may_declare_a_charset() -> None:
    document = {"title": "t", "detail": "d", "code": "busy", "request_id": "r"}
    head = {"Content-Type": "application/problem+json; charset=utf-8"}
    with answering(httpx.Response(503, headers=head, json=document)) as client:
        with pytest.raises(ServiceError, match="t: d") as refused:
            client.models()
        assert refused.value.code == "busy"


def test_invalid_keys_and_paths() -> None:
    with pytest.raises(BadOption, match="key"):
        Client(key="schlüssel")
    with Client() as client, pytest.raises(BadImage, match="cannot be opened"):
        client.detect("a\0b.jpg")


def test_no_service() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client:
        assert not client.ready()
        with pytest.raises(ServiceError, match="is the service running") as refused:
            client.models()
    assert (refused.value.status, refused.value.code) == (0, "unreachable")


def test_the_client_is_typed() -> None:
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            assert method.__annotations__["return"], name
