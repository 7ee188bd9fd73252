"""Settings of the service: from command-line options, the environment and a TOML file, in this order."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from mien.errors import BadOption
from mien.models import cores

ENV_PREFIX = "MIEN_"
"""Prefix of the environment variables."""

DOCS = "see docs/serve.md"

Words = Annotated[tuple[str, ...], NoDecode]
"""Comma-separated in options and environment variables, an array in TOML."""


def _default_workers() -> int:
    """Return one more than the cores: a thread can wait for the interpreter lock while the others compute."""
    return 1 + cores()


class ServeSettings(BaseSettings):
    """Settings of the service. Frozen; each field declares its command-line option."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; 127.0.0.1 is reachable from this machine only.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    max_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="Largest request body and stream frame in bytes.")
    max_pixels: int = Field(40_000_000, ge=1, description="Largest image in pixels, checked before decoding.")
    detect_pixels: int = Field(
        4_000_000,
        ge=1,
        description="Search larger images on a copy reduced to this many pixels, unless min_face_size is given.",
    )
    max_faces: int = Field(100, ge=1, description="Faces returned per image at most, best first.")
    min_face_size: float = Field(
        20.0, ge=1, allow_inf_nan=False, description="Smallest face that clients may ask for, side in pixels."
    )
    timeout: float = Field(30.0, gt=0, allow_inf_nan=False, description="Time limit of a request in seconds.")
    workers: int = Field(
        default_factory=_default_workers, ge=1, description="Images processed concurrently (default: cores + 1)."
    )
    threads: int | None = Field(
        None, ge=1, description="Threads per network for an image processed alone (default: one per core, at most 4)."
    )
    queue: int = Field(64, ge=0, description="Requests that may wait; further ones are answered 503.")
    streams: int = Field(4, ge=0, description="Streams open at once.")
    streams_per_client: int = Field(2, ge=1, description="Streams open at once from one client address.")
    idle: float = Field(60.0, gt=0, allow_inf_nan=False, description="Close a stream after this many idle seconds.")
    rate: float = Field(0.0, ge=0, allow_inf_nan=False, description="Requests per second and client; 0: no limit.")
    burst: int = Field(20, ge=1, description="Requests that a client may send at once if rate is set.")
    api_key: SecretStr | None = Field(None, description="API key; environment or file only, as options are public.")
    api_key_file: Path | None = Field(None, description="File with the API key in its first line.")
    cors_origins: Words = Field((), description="Origins of other web pages that may call the API, comma-separated.")
    trusted_proxies: Words = Field((), description="Proxy addresses whose X-Forwarded-For is trusted.")
    grace: int = Field(30, ge=0, description="Seconds to finish running requests on shutdown.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged.")

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word for word in (part.strip() for part in value.split(",")) if word)
        return value

    @model_validator(mode="after")
    def _one_key(self) -> ServeSettings:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("api_key and api_key_file are both set; set one of them")
        if self.api_key is not None and not self.api_key.get_secret_value():
            raise ValueError("api_key is empty; set a key or remove the setting")
        return self

    @property
    def key(self) -> str | None:
        """Return the API key, or None if the service is open. Raises BadOption."""
        if self.api_key is not None:
            return _checked("api_key", self.api_key.get_secret_value())
        if self.api_key_file is None:
            return None
        try:
            lines = self.api_key_file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadOption(f"api_key_file {self.api_key_file}: cannot be read ({error}); check the path") from error
        return _checked(f"api_key_file {self.api_key_file}", lines[0].strip() if lines else "")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by precedence: options, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _checked(name: str, key: str) -> str:
    """Return the key if an HTTP header can carry it. Raises BadOption."""
    if not key:
        raise BadOption(f"{name}: the first line is empty; write the key there")
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", key):
        raise BadOption(f"{name}: not printable ASCII, or padded with spaces; a header cannot carry this key")
    return key


def load_settings(options: Mapping[str, Any], config: Path | None = None) -> ServeSettings:
    """Return the settings of options, environment and the TOML file ``config`` (default: ``MIEN_CONFIG``, if set).

    Raises BadOption naming the setting, its value and the cure.
    """
    if config is None and os.environ.get(f"{ENV_PREFIX}CONFIG"):
        config = Path(os.environ[f"{ENV_PREFIX}CONFIG"])
    if config is not None and not config.is_file():
        raise BadOption(f"{config}: no such file; give the path of a TOML file")

    class WithFile(ServeSettings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        return WithFile(**options)
    except ValidationError as error:
        raise BadOption("; ".join(_message(problem) for problem in error.errors(include_url=False))) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOption(f"{config}: not valid TOML ({error}); {DOCS}") from error


def _message(problem: Mapping[str, Any]) -> str:
    """Return a validation error with the value found; values of keys are hidden."""
    name = ".".join(str(part) for part in problem["loc"])
    if not name:
        return str(problem["msg"]).removeprefix("Value error, ")
    value = "" if "key" in name else f"={problem['input']!r}"
    if problem["type"] == "extra_forbidden":
        return f"{name}{value}: unknown setting; {DOCS}"
    return f"{name}{value}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
