"""ONNX Runtime reports to Microsoft unless an environment variable forbids it; mien sets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DETECT = """
import numpy, os
import mien
mien.FaceDetector(threads=1)(numpy.zeros((64, 64, 3), numpy.uint8))
"""


def run(home: Path, code: str, *prefix: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has its own empty home and no settings for telemetry."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    environment = {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    call = [*prefix, sys.executable, "-c", code]
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_a_detection_leaves_no_file_in_the_home_folder(tmp_path):
    done = run(tmp_path / "home", DETECT)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_a_detection_starts_no_thread_for_telemetry(tmp_path):
    count = DETECT + "print(len(os.listdir('/proc/self/task')))"
    found = run(tmp_path / "one", count)
    silent = run(tmp_path / "two", count, ORT_DISABLE_TELEMETRY="1")
    assert int(found.stdout) <= int(silent.stdout)


@pytest.mark.parametrize("value", ["0", ""])
def test_the_environment_cannot_enable_telemetry(tmp_path, value):
    done = run(tmp_path / "home", DETECT, ORT_DISABLE_TELEMETRY=value)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_detection_opens_no_network_connection(tmp_path):
    log = tmp_path / "log"
    wait = DETECT + "import time; time.sleep(12)"  # telemetry opens its first socket about 10 s after the import
    done = run(tmp_path / "home", wait, "strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", str(log))
    if "ptrace" in done.stderr:
        pytest.skip("strace is not permitted here")
    assert done.returncode == 0, done.stderr
    outside = [line for line in log.read_text().splitlines() if "AF_INET" in line]
    assert outside == []
