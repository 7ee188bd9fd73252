"""``mien serve``: the HTTP service."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.cli.argparse_commands import passthrough
from mien.cli.options import Commands, add_command
from mien.errors import needs_extra

_OPTIONS: tuple[tuple[str, type, str, str], ...] = (
    ("host", str, "ADDRESS", "address to listen on (default: 127.0.0.1, this machine only)"),
    ("port", int, "N", "port to listen on (default: 8000)"),
    ("max_bytes", int, "N", "most bytes of a request (default: 10485760)"),
    ("max_pixels", int, "N", "most pixels of an image, checked before it is decoded (default: 40000000)"),
    ("detect_pixels", int, "N", "search larger images on a copy reduced to this many pixels (default: 4000000)"),
    ("max_faces", int, "N", "most faces returned, the best (default: 100)"),
    ("min_face_size", float, "PIXELS", "side of the smallest face looked for (default: 20)"),
    ("timeout", float, "SECONDS", "time for one request (default: 30)"),
    ("workers", int, "N", "images that are worked on at once (default: one more than cores)"),
    (
        "threads",
        int,
        "N",
        "threads that a network may use for a lone image (default: one a core, at most four)",
    ),
    ("queue", int, "N", "requests that may wait; beyond them 503 (default: 64)"),
    ("streams", int, "N", "streams that may be open at once (default: 4)"),
    ("streams_per_client", int, "N", "streams that one client may have open at once (default: 2)"),
    ("idle", float, "SECONDS", "after which a stream without frames is closed (default: 60)"),
    ("rate", float, "N", "requests a second that a client may send; 0: no limit (default: 0)"),
    ("burst", int, "N", "requests that a client may send at once, where there is a rate (default: 20)"),
    ("api_key_file", Path, "FILE", "a file with the key that clients must show (default: none)"),
    ("cors_origins", str, "ORIGINS", "pages of other origins that may ask, with commas between (default: none)"),
    ("trusted_proxies", str, "ADDRESSES", "proxies whose X-Forwarded-For is believed (default: none)"),
    ("grace", int, "SECONDS", "time to finish what was begun, when it is stopped (default: 30)"),
    ("log_level", str, "LEVEL", "debug, info, warning or error (default: info)"),
)
"""The settings that have a flag: name, type, metavar and help. The key itself has none: others see command lines."""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "serve", "answer over HTTP", "mien serve --port 8000 --config serve.toml")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML, below flags and environment")
    for name, kind, metavar, text in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=text)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    with needs_extra("serving", "serve"):
        from mien.server import load_settings, serve
    given = {name: getattr(args, name) for name, *_ in _OPTIONS if getattr(args, name) is not None}
    serve(load_settings(given, args.config))
    return 0


app = passthrough(add_to)
