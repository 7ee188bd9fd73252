"""A service in a thread of the test, on a port of its own, with the shipped networks."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI

from mien.imaging import read_image
from mien.server.app import create_app
from mien.server.page import PAGE
from mien.server.run import config_of
from mien.server.service import Service
from mien.server.settings import ServeSettings

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
PATIENCE = 60
"""Seconds after which a test gives up; nothing here takes a tenth of it on a quiet machine."""


@dataclass(frozen=True)
class Running:
    app: FastAPI
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def http(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, **options)  # type: ignore[arg-type]


@contextmanager
def run_service(page: Path = PAGE, **settings: object) -> Iterator[Running]:
    chosen = ServeSettings(**settings)  # type: ignore[arg-type]
    app = create_app(chosen, page)
    server = uvicorn.Server(config_of(app, chosen))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
                assert thread.is_alive()
            yield Running(app, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
    assert not thread.is_alive()


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a service with these settings; it ends with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(run_service(**settings))


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """A service with the default settings, for tests that leave nothing behind in it."""
    with run_service() as service:
        yield service


@pytest.fixture
def http(running: Running) -> Iterator[httpx.Client]:
    with running.http() as client:
        yield client


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return read_image(ASTRONAUT)


@pytest.fixture(scope="session")
def analysis(astronaut: np.ndarray) -> np.ndarray:
    """The face alone with a little round it, (160, 160, 3): quick to look at."""
    return astronaut[40:200, 140:300]


@contextmanager
def run_process(*flags: str, first: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``mien serve`` as a process of its own and its URL, once it is ready; its log is on ``stderr``.

    ``first``: Python that runs in it before.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code = f"{first}\nimport sys\nfrom mien.cli import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", code, "serve", "--port", str(port), *flags]
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            while True:
                try:
                    assert httpx.get(f"{url}/readyz").status_code == 200
                    break
                except httpx.ConnectError:
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield process, url
        finally:
            if process.poll() is None:  # a test gave up: say what each thread was doing
                process.send_signal(signal.SIGABRT)
                print(process.communicate()[1])  # noqa: T201


@dataclass(frozen=True)
class Held:
    """Work that stands still until it is let go; ``begun`` counts what has begun."""

    begun: threading.Semaphore
    go: threading.Event


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Every ``/v1/detect`` waits in its thread until ``go`` is set."""
    from mien.server.engine import Engine

    hold = Held(threading.Semaphore(0), threading.Event())
    detect = Engine.detect

    def wait(self: Engine, *args: object) -> object:
        hold.begun.release()
        assert hold.go.wait(PATIENCE)
        return detect(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "detect", wait)
    yield hold
    hold.go.set()
