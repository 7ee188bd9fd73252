"""Options override the environment, which overrides the file; invalid values are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import BadOption
from mien.server.settings import ServeSettings, load_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*ServeSettings.model_fields, "config"]:
        monkeypatch.delenv(f"MIEN_{name.upper()}", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "serve.toml"
    path.write_text('port = 1\nqueue = 1\nrate = 1.5\ncors_origins = ["https://a.example", "https://b.example"]\n')
    return path


def test_defaults_are_conservative() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.max_bytes, settings.max_pixels) == (10 * 1024 * 1024, 40_000_000)
    assert (settings.cors_origins, settings.trusted_proxies, settings.key) == ((), (), None)


def test_options_override_environment_overrides_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_QUEUE", "2")
    monkeypatch.setenv("MIEN_PORT", "2")
    settings = load_settings({"port": 3}, file)
    assert (settings.port, settings.queue, settings.rate) == (3, 2, 1.5)
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_config_file_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CONFIG", str(file))
    assert load_settings({}).port == 1
    assert load_settings({}, None).queue == 1


def test_comma_separated_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CORS_ORIGINS", " https://a.example, https://b.example ,")
    assert load_settings({}).cors_origins == ("https://a.example", "https://b.example")
    assert load_settings({"trusted_proxies": "10.0.0.1"}).trusted_proxies == ("10.0.0.1",)


def test_the_key_from_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("from file\n")
    assert load_settings({"api_key_file": path}).key == "from file"
    path.write_text("\ufefffirst line\n# made in 2026\n", encoding="utf-8")
    assert load_settings({"api_key_file": path}).key == "first line"
    for key in ("schlüssel", " ", "right ", "a\nb"):
        with pytest.raises(BadOption, match="cannot carry this key"):
            load_settings({"api_key": key}).key  # noqa: B018
    monkeypatch.setenv("MIEN_API_KEY", "from environment")
    settings = load_settings({})
    assert settings.key == "from environment"
    assert "from environment" not in repr(settings)
    with pytest.raises(BadOption, match="both set"):
        load_settings({"api_key_file": path})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70000}, "port=70000: .*65535"),
        ({"timeout": 0}, "timeout=0: .*greater than 0"),
        ({"timeout": float("inf")}, "timeout=inf"),
        ({"log_level": "loud"}, "log_level='loud': .*'debug'"),
        ({"api_key": ""}, "api_key is empty"),
    ],
)
def test_invalid_values(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        load_settings(options)


def test_invalid_files(tmp_path: Path) -> None:
    path = tmp_path / "serve.toml"
    with pytest.raises(BadOption, match="no such file"):
        load_settings({}, path)
    path.write_text("prot = 8000\n")
    with pytest.raises(BadOption, match="prot=8000: unknown setting"):
        load_settings({}, path)
    path.write_bytes(b"host = '\xff'\n")
    with pytest.raises(BadOption, match="not valid TOML"):
        load_settings({}, path)
    path.write_text("port =\n")
    with pytest.raises(BadOption, match="not valid TOML"):
        load_settings({}, path)
    path.write_text("")
    for text in ("", "  \n"):
        (tmp_path / "key").write_text(text)
        with pytest.raises(BadOption, match="first line is empty"):
            load_settings({"api_key_file": tmp_path / "key"}, path).key  # noqa: B018
    with pytest.raises(BadOption, match="cannot be read"):
        load_settings({"api_key_file": tmp_path / "none"}).key  # noqa: B018
