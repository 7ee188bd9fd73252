"""How large an installation is, and how long ``import mien`` takes.

    python benchmarks/footprint.py

Makes an empty environment, installs this working copy into it and adds up the files that this brought. The time
is that of ``import mien`` inside a fresh interpreter, and that of the whole process less that of one that does
nothing; medians of many processes after one for warming up.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

ROOT = Path(__file__).resolve().parents[1]
_TIMED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
_STATEMENTS = {"import mien": "import mien", "mien.FaceDetector()": "import mien; mien.FaceDetector()"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=15)
    parser.add_argument("--extras", default="", help='for example "train"; default: none')
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python, packages = _environment(Path(folder))
        before, compiled = _megabytes(packages), _megabytes(packages, "*.pyc")
        what = f"{ROOT}[{args.extras}]" if args.extras else str(ROOT)
        subprocess.run([python, "-m", "pip", "install", "-q", what], check=True)
        result: dict[str, Any] = {
            "extras": args.extras,
            "installed_mb": round(_megabytes(packages) - before, 1),
            "of_it_compiled_python_mb": round(_megabytes(packages, "*.pyc") - compiled, 1),
        }
        result["largest_mb"] = _largest(packages)
        result["seconds"] = {name: _time(python, code, args.processes) for name, code in _STATEMENTS.items()}
    print(f"installed: {result['installed_mb']} MB, of it .pyc {result['of_it_compiled_python_mb']} MB")
    print(record.table(["package", "MB"], [[name, size] for name, size in result["largest_mb"].items()]))
    for name, row in result["seconds"].items():
        spread = f"{row['fastest']:.3f} to {row['slowest']:.3f}"
        print(f"{name}: {row['median']:.3f} s ({spread}); process {row['process']:.3f} s {row.get('error', '')}")
    record.write("footprint", result, args.out)


def _environment(folder: Path) -> tuple[str, Path]:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = next(p for p in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if p.exists())
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    run = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
    return str(python), Path(run.stdout.strip())


def _megabytes(place: Path, pattern: str = "*") -> float:
    files = [place] if place.is_file() else [path for path in place.rglob(pattern) if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


def _largest(packages: Path) -> dict[str, float]:
    sizes = {path.name: round(_megabytes(path), 1) for path in packages.iterdir()}
    return dict(sorted(sizes.items(), key=lambda item: -item[1])[:8])


def _time(python: str, statement: str, processes: int) -> dict[str, Any]:
    inside, whole, nothing = [], [], []
    for _ in range(processes + 1):
        start = time.perf_counter()
        run = subprocess.run([python, "-c", _TIMED.format(statement)], capture_output=True, text=True, check=False)
        whole.append(time.perf_counter() - start)
        if run.returncode:
            return {
                "error": run.stderr.strip().splitlines()[-1],
                "median": 0,
                "fastest": 0,
                "slowest": 0,
                "process": 0,
            }
        inside.append(float(run.stdout))
        start = time.perf_counter()
        subprocess.run([python, "-c", "import time"], check=True)
        nothing.append(time.perf_counter() - start)
    return {
        "median": round(statistics.median(inside[1:]), 4),
        "fastest": round(min(inside[1:]), 4),
        "slowest": round(max(inside[1:]), 4),
        "process": round(statistics.median(whole[1:]) - statistics.median(nothing[1:]), 4),
    }


if __name__ == "__main__":
    main()
