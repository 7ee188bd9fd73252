"""A short run of benchmarks/fuzz.py."""

import importlib.util
import sys
import warnings
from pathlib import Path

FUZZER = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_damaged_files_end_in_an_image_or_a_mien_error(tmp_path, capfd, monkeypatch):
    spec = importlib.util.spec_from_file_location("fuzz", FUZZER)
    fuzz = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz", fuzz)
    spec.loader.exec_module(fuzz)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = fuzz.fuzz(400, seed=0, folder=tmp_path)
    assert not report.failures, report.failures[0][1]
    assert report.slowest < fuzz.SLOW
    assert sum(report.outcomes.values()) == 800
    assert any(outcome == "image" for _, outcome in report.outcomes)
    assert capfd.readouterr().out == ""
