"""Everything about the service that can be chosen: by flags, then the environment, then a TOML file."""

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

ENVIRONMENT = "MIEN_"
"""What the names in the environment begin with."""

Words = Annotated[tuple[str, ...], NoDecode]
"""In flags and in the environment words with commas between them, in TOML an array."""


def _workers() -> int:
    """One more than the cores of this process: it works while another waits for the interpreter's lock."""
    return 1 + cores()


class ServeSettings(BaseSettings):
    """The settings of the service. Frozen; docs/serve.md says what each means."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT, frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    max_bytes: int = Field(10 * 1024 * 1024, ge=1024)
    max_pixels: int = Field(40_000_000, ge=1)
    max_faces: int = Field(100, ge=1)
    timeout: float = Field(30.0, gt=0, allow_inf_nan=False)
    workers: int = Field(default_factory=_workers, ge=1)
    threads: int | None = Field(None, ge=1)
    queue: int = Field(64, ge=0)
    streams: int = Field(4, ge=0)
    idle: float = Field(60.0, gt=0, allow_inf_nan=False)
    rate: float = Field(0.0, ge=0, allow_inf_nan=False)
    burst: int = Field(20, ge=1)
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    cors_origins: Words = ()
    trusted_proxies: Words = ()
    grace: int = Field(30, ge=0)
    min_face_size: float = Field(20.0, ge=1, allow_inf_nan=False)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word for word in (part.strip() for part in value.split(",")) if word)
        return value

    @model_validator(mode="after")
    def _one_key(self) -> ServeSettings:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("api_key and api_key_file are both given; give one of them")
        if self.api_key is not None and not self.api_key.get_secret_value():
            raise ValueError("api_key is empty; give a key, or leave it out")
        return self

    @property
    def key(self) -> str | None:
        """The key that clients must show; None where anybody may ask. Raises BadOption."""
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
        """Flags, the environment, the file; the first that says something rules."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _checked(name: str, key: str) -> str:
    """The key, if the head of a request can hold it."""
    if not key:
        raise BadOption(f"{name}: there is no key in its first line; write one there")
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", key):
        raise BadOption(f"{name}: the head of a request cannot hold this key; take ASCII, with no space at its ends")
    return key


def load_settings(flags: Mapping[str, Any], config: Path | None = None) -> ServeSettings:
    """The settings of flags, environment and the TOML file ``config`` (default: that of ``MIEN_CONFIG``, if set).

    Raises BadOption naming what does not fit.
    """
    if config is None and os.environ.get(f"{ENVIRONMENT}CONFIG"):
        config = Path(os.environ[f"{ENVIRONMENT}CONFIG"])
    if config is not None and not config.is_file():
        raise BadOption(f"{config}: there is no such file; give the path of a TOML file")

    class WithFile(ServeSettings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        return WithFile(**flags)
    except ValidationError as error:
        raise BadOption("; ".join(_sentence(problem) for problem in error.errors(include_url=False))) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOption(f"{config}: not TOML ({error}); see docs/serve.md") from error


def _sentence(problem: Mapping[str, Any]) -> str:
    """What is wrong, with the value found; a key is not shown."""
    name = ".".join(str(part) for part in problem["loc"])
    if not name:
        return str(problem["msg"]).removeprefix("Value error, ")
    value = "" if "key" in name else f"={problem['input']!r}"
    if problem["type"] == "extra_forbidden":
        return f"{name}{value}: there is no such setting; see docs/serve.md"
    return f"{name}{value}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
