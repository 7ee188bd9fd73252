from __future__ import annotations

import json

from mien.cli import main


def test_table(shipped, capsys) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    head, *rows = out.splitlines()
    assert head.split() == ["name", "task", "input", "parameters", "KiB"]
    assert [row.split()[0] for row in rows[:6]] == ["lnet", "onet", "pnet", "proposer", "refiner", "rnet"]
    assert "pnet: MIT\n  trained on none: made by hand\n  squares 1" in out


def test_json(shipped, capsys) -> None:
    assert main(["models", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [card["task"] for card in cards] == ["lnet", "onet", "pnet", "proposer", "refiner", "rnet"]
    assert cards[2]["bytes"] == (shipped / "pnet.onnx").stat().st_size
    assert cards[2]["scores"] == {"squares": 1.0}


def test_none(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("mien.models.manifest.WEIGHTS", tmp_path)
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no models are shipped" in err
