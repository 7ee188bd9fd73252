"""The service as a process: uvicorn with the limits and the log of the service."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket

import uvicorn
from fastapi import FastAPI

from mien.errors import MienError
from mien.server.app import create_app
from mien.server.middleware import configure_logging, log
from mien.server.security import MAX_HEADER_BYTES
from mien.server.settings import ServeSettings

_INTERRUPTED = 130
"""Exit status after Ctrl-C; after SIGTERM uvicorn lets the signal end the process."""


def uvicorn_config(app: FastAPI, settings: ServeSettings) -> uvicorn.Config:
    """Return how uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http="h11",  # httptools does not limit the size of headers
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ws_max_size=settings.max_bytes,
        ws_per_message_deflate=False,  # JPEG does not compress
        timeout_graceful_shutdown=settings.grace,
    )


class _Server(uvicorn.Server):
    """Logs its addresses; uvicorn's own line is not JSON."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
                log("listening", {"url": url})


def serve(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM, then finish running requests. Raises MienError if the port cannot be bound."""
    configure_logging(settings.log_level)
    app = create_app(settings)
    server = _Server(uvicorn_config(app, settings))
    if is_open(settings):
        log("the service is open to the network: set api_key or rate", {"host": settings.host}, logging.WARNING)
    try:
        server.run()
    except SystemExit as stop:  # uvicorn has logged the reason
        raise MienError(f"{settings.host}:{settings.port}: cannot listen there; is the port in use?") from stop
    finally:
        if app.state.service.workers.running:  # Python would wait for threads that outlast the grace period
            logging.shutdown()
            os._exit(_INTERRUPTED)


def is_open(settings: ServeSettings) -> bool:
    """Return whether other machines can use the service without key and rate limit."""
    if settings.key is not None or settings.rate:
        return False
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"
