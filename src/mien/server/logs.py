"""The log: one JSON object a line, with the request id; never what was uploaded."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; empty outside of one."""

_TALKERS = ("python_multipart", "PIL", "py.warnings")
"""They quote what was uploaded."""

_log = logging.getLogger("mien.server")


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, logger, event, request id, and the fields that the caller gave."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str) -> None:
    """Everything to stderr as JSON. uvicorn says only what goes wrong: its other lines hold addresses and queries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _log.setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def log(event: str, fields: Mapping[str, str | float | None] | None = None, level: int = logging.INFO) -> None:
    """A line about the service; ``fields`` must not hold anything of an image."""
    _log.log(level, event, extra={"fields": fields or {}})
