"""``mien serve``: its flags are its settings, and what it says when it cannot begin."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mien.cli import main
from mien.cli.reference import commands, options
from mien.server import ServeSettings

DOCS = Path(__file__).parents[2] / "docs"


def test_every_setting_but_the_key_has_an_option() -> None:
    named = {option.name for option in options(commands()["mien serve"])}
    assert named == {*ServeSettings.model_fields, "config"} - {"api_key"}


def test_every_setting_is_documented() -> None:
    text = (DOCS / "serve.md").read_text(encoding="utf-8")
    assert not [name for name in ServeSettings.model_fields if f"`{name}`" not in text]


def test_flags_reach_the_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[ServeSettings] = []
    monkeypatch.setattr("mien.server.serve", given.append)
    config = tmp_path / "serve.toml"
    config.write_text("queue = 5\n")
    assert main(["serve", "--port", "9", "--max-bytes", "2048", "--config", str(config), "--min-face-size", "30"]) == 0
    (settings,) = given
    assert (settings.port, settings.max_bytes, settings.queue, settings.min_face_size) == (9, 2048, 5, 30)


def test_settings_that_make_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "70000"]) == 2
    assert "port=70000" in capsys.readouterr().err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.run.configure_logging", lambda level: None)  # the log of the tests stays as it is
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    assert f"127.0.0.1:{port}: cannot listen there" in capsys.readouterr().err


def test_without_the_extra() -> None:
    code = "import sys; sys.modules['fastapi'] = None; from mien.cli import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'mien[serve]'" in done.stderr
