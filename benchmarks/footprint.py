"""Size of an installation, and time of ``import mien``.

    python benchmarks/footprint.py

Installs this working copy into an empty environment and adds up its files, with and without pip. Times are those of the
statement inside a fresh interpreter, and of the whole process minus an empty one; medians of several processes after a
warm-up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

ROOT = Path(__file__).resolve().parents[1]
STATEMENTS = {"import mien": "import mien", "mien.FaceDetector()": "import mien; mien.FaceDetector()"}
_TIMED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
_CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=15)
    parser.add_argument("--extras", default="", help='for example "train"')
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python, packages = _create_environment(Path(folder))
        target = f"{ROOT}[{args.extras}]" if args.extras else str(ROOT)
        subprocess.run([python, "-m", "pip", "install", "-q", target], check=True, env=_CLEAN)
        sizes = {path.name: _megabytes(path) for path in packages.iterdir()}
        result: dict[str, Any] = {
            "extras": args.extras,
            "installed_mb": round(sum(sizes.values()), 1),
            "pip_mb": round(sizes["pip"], 1),
            "compiled_python_mb": round(_megabytes(packages, "*.pyc"), 1),
            "largest_mb": {name: round(sizes[name], 1) for name in sorted(sizes, key=lambda name: -sizes[name])[:8]},
        }
        result["seconds"] = {name: _time(python, code, args.processes) for name, code in STATEMENTS.items()}
    print(
        f"installed: {result['installed_mb']} MB, of which pip {result['pip_mb']} MB "
        f"and compiled Python {result['compiled_python_mb']} MB"
    )
    print(record.table(["package", "MB"], [[name, size] for name, size in result["largest_mb"].items()]))
    for name, row in result["seconds"].items():
        spread = f"{row['fastest']:.3f} to {row['slowest']:.3f}"
        print(f"{name}: {row['median']:.3f} s ({spread}); process {row['process']:.3f} s")
    record.write("footprint", result, args.out)


def _create_environment(folder: Path) -> tuple[str, Path]:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = next(p for p in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if p.exists())
    return str(python), Path(_output(str(python), "import sysconfig; print(sysconfig.get_paths()['purelib'])"))


def _output(python: str, code: str) -> str:
    run = subprocess.run([python, "-c", code], check=True, env=_CLEAN, stdout=subprocess.PIPE, text=True)
    return run.stdout.strip()


def _megabytes(path: Path, pattern: str = "*") -> float:
    files = [path] if path.is_file() else [each for each in path.rglob(pattern) if each.is_file()]
    return sum(each.stat().st_size for each in files) / 1e6


def _time(python: str, statement: str, processes: int) -> dict[str, float]:
    inside, whole, empty = [], [], []
    for _ in range(processes + 1):
        start = time.perf_counter()
        inside.append(float(_output(python, _TIMED.format(statement))))
        middle = time.perf_counter()
        _output(python, "import time")
        whole.append(middle - start)
        empty.append(time.perf_counter() - middle)
    return {
        "median": round(statistics.median(inside[1:]), 4),
        "fastest": round(min(inside[1:]), 4),
        "slowest": round(max(inside[1:]), 4),
        "process": round(statistics.median(whole[1:]) - statistics.median(empty[1:]), 4),
    }


if __name__ == "__main__":
    main()
