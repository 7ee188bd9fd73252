"""A service in a thread of the test process, on a free port, with the shipped networks."""

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
from mien.server.app import PAGE, create_app
from mien.server.run import uvicorn_config
from mien.server.service import Service
from mien.server.settings import ServeSettings

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
PATIENCE = 60
"""Seconds until a test gives up; ten times what anything here takes on an idle machine."""


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
    server = uvicorn.Server(uvicorn_config(app, chosen))
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
    """Return a function that starts a service with given settings; it stops with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(run_service(**settings))


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """A service with default settings, for tests that do not change its state."""
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
    """A crop of the face, (160, 160, 3): fast to process."""
    return astronaut[40:200, 140:300]


@contextmanager
def run_process(
    *flags: str, first: str = "", env: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a ready ``mien serve`` process and its URL; its log is on ``stderr``.

    ``first``: Python code that runs before it. ``env``: replaces the environment.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code = f"{first}\nimport sys\nfrom mien.cli import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", code, "serve", "--port", str(port), *flags]
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
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
            if process.poll() is None:  # the test gave up: print the stack of each thread
                process.send_signal(signal.SIGABRT)
                print(process.communicate()[1])  # noqa: T201


@dataclass(frozen=True)
class Held:
    """Analyses blocked until ``go`` is set; ``begun`` counts those that have started."""

    begun: threading.Semaphore
    go: threading.Event


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Every analysis waits in its thread until ``go`` is set."""
    from mien.server.inference import Engine

    hold = Held(threading.Semaphore(0), threading.Event())
    analyze = Engine.analyze

    def wait(self: Engine, *args: object) -> object:
        hold.begun.release()
        assert hold.go.wait(PATIENCE)
        return analyze(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "analyze", wait)
    yield hold
    hold.go.set()
