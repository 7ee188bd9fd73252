from __future__ import annotations

import json

from mien.cli import main


def test_report(capsys) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["models"].values()) == {"ok"}
    assert report["packages"]["numpy"]
    assert report["telemetry"] is False
    assert "CPUExecutionProvider" in report["providers"]
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "telemetry" in out
    assert "extra serve" in out


def test_a_damaged_network_is_named(networks, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("mien.models.manifest.WEIGHTS", tmp_path)
    (tmp_path / "pnet.onnx").write_bytes(b"damaged")
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["models"]["pnet"] != "ok"
