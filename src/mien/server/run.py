"""The service as a process: uvicorn with our limits and our log."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket

import uvicorn
from fastapi import FastAPI

from mien.errors import MienError
from mien.server import logs
from mien.server.app import create_app
from mien.server.settings import ServeSettings

_INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended; after SIGTERM uvicorn lets the signal end the process."""


def config_of(app: FastAPI, settings: ServeSettings) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http="h11",  # httptools takes heads of any length
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ws_max_size=settings.max_bytes,
        ws_per_message_deflate=False,  # JPEG does not shrink
        timeout_graceful_shutdown=settings.grace,
    )


class _Server(uvicorn.Server):
    """Says where it is to be found: uvicorn's own line is not JSON."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
                logs.log("listening", {"url": url})


def serve(settings: ServeSettings) -> None:
    """Answer until SIGINT or SIGTERM; then finish what was begun. Raises MienError where it cannot begin."""
    logs.configure(settings.log_level)
    app = create_app(settings)
    server = _Server(config_of(app, settings))
    if open_to_all(settings):
        logs.log("anybody in reach may ask: set api_key or rate", {"host": settings.host}, logging.WARNING)
    try:
        server.run()
    except SystemExit as stop:  # uvicorn has logged why, such as a port that is taken
        raise MienError(f"{settings.host}:{settings.port} cannot be served; is the port taken?") from stop
    finally:
        if app.state.service.pool.working:  # after the time of grace; Python would wait for these threads
            logging.shutdown()
            os._exit(_INTERRUPTED)


def open_to_all(settings: ServeSettings) -> bool:
    """Whether others than this machine may ask without key and limit."""
    if settings.key is not None or settings.rate:
        return False
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"
