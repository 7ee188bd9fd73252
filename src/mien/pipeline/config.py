"""Configuration of the pipeline: plain, frozen, picklable data."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.detection import DetectorConfig
from mien.errors import BadOption
from mien.heads import LandmarkConfig
from mien.options import build, option, validate

HEADS = ("landmarks",)
"""Names of the heads, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class ModelPaths:
    """Where the networks are: names of shipped networks or paths of ``.onnx`` files."""

    proposer: str = option("proposer", "proposer: shipped name or path")
    refiner: str = option("refiner", "refiner: shipped name or path")
    pnet: str = option("pnet", "P-Net: shipped name or path")
    rnet: str = option("rnet", "R-Net: shipped name or path")
    onet: str = option("onet", "O-Net: shipped name or path")
    lnet: str = option("lnet", "L-Net: shipped name or path")
    landmarks: str = option("senet68", "landmark network: shipped name or path")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class AnalyzerConfig:
    """Everything :class:`mien.FaceAnalyzer` needs to open its models and run.

    Detection always runs; ``heads`` are of :data:`HEADS`. Raises BadOption for a wrong type or a value out of bounds.
    """

    detector: DetectorConfig = DetectorConfig()
    landmarks: LandmarkConfig = LandmarkConfig()
    models: ModelPaths = ModelPaths()
    heads: tuple[str, ...] = option(HEADS, "heads to open")
    threads: int | None = option(None, "threads inside one network call (default: one per core, at most 4)", minimum=1)
    providers: tuple[str, ...] | None = option(None, "ONNX Runtime execution providers, best first (default: CPU)")

    def __post_init__(self) -> None:
        validate(self)
        unknown = [head for head in self.heads if head not in HEADS]
        if unknown:
            raise BadOption(f"heads={self.heads}: unknown head {unknown[0]!r}; choose from {', '.join(HEADS)}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "configuration") -> AnalyzerConfig:
        """Return the configuration in nested mappings; ``where`` names their source in messages.

        Raises BadOption for an unknown option, a wrong type or a value out of bounds.
        """
        return build(cls, values, where)

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> AnalyzerConfig:
        """Return the configuration in a TOML file with the tables ``detector``, ``landmarks`` and ``models``.

        Raises BadOption when the file cannot be read or parsed, and as :meth:`from_dict`.
        """
        return cls.from_dict(read_toml(path), str(path))


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a TOML file. Raises BadOption where it cannot be read or parsed."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadOption(f"{path}: cannot be read ({error}); check the path") from error
    except tomllib.TOMLDecodeError as error:
        raise BadOption(f"{path}: not valid TOML ({error})") from error
