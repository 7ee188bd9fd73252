"""SHA-256 of the shipped models, so that a damaged or exchanged file is noticed when it is opened.

After changing the shipped files run ``python -c "from mien.models.manifest import write_manifest; write_manifest()"``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mien.errors import ModelMismatch
from mien.io import atomic_write

WEIGHTS = Path(__file__).parents[1] / "weights"
"""The folder of the shipped models."""

_MANIFEST = "manifest.json"


def write_manifest(folder: Path = WEIGHTS) -> Path:
    """Write the SHA-256 of each .onnx file of ``folder`` into its manifest.json, and return its path."""
    digests = {path.name: _digest(path.read_bytes()) for path in sorted(folder.glob("*.onnx"))}
    with atomic_write(folder / _MANIFEST) as part:
        part.write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
    return folder / _MANIFEST


def verify(path: Path, data: bytes) -> None:
    """Check the content of a shipped model against the manifest beside it. Raises ModelMismatch."""
    cure = "install mien again"
    try:
        digests = json.loads((path.parent / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMismatch(f"{path.parent / _MANIFEST} cannot be read ({error}); {cure}") from error
    wanted = digests.get(path.name) if isinstance(digests, dict) else None
    if wanted != _digest(data):
        raise ModelMismatch(f"{path} has the SHA-256 {_digest(data)}, not {wanted} as in {_MANIFEST}; {cure}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
