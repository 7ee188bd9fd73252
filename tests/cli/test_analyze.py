from __future__ import annotations

import json
from pathlib import Path

from mien.cli import main
from mien.datasets.pts import read_pts
from mien.imaging import read_image


def test_everything_in_one_pass(shipped, landmark_detector, save, capsys) -> None:
    save("x.png", (80, 60))
    outputs = ["--draw", "drawn", "--aligned", "faces", "--pts", "points", "--size", "60"]
    assert main(["analyze", "x.png", "--json", *outputs, "--landmarks-model", landmark_detector]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    (face,), (aligned,) = record["faces"], record["aligned_faces"]
    assert len(face["landmarks"]["points"]) == 68
    assert aligned["file"] == str(Path("faces/x.png.0.png"))
    assert read_image(aligned["file"]).shape == (60, 60, 3)
    assert read_pts("points/x.png.0.pts").shape == (68, 2)
    assert (read_image("drawn/x.png") != read_image("x.png")).any()
    assert err.splitlines() == [
        "1 face in 1 image",
        "drawings are in drawn",
        "landmarks are in points",
        "aligned faces are in faces",
    ]


def test_the_heads_of_the_configuration(shipped, save, capsys, tmp_path) -> None:
    save("x.png", (80, 60))
    config = tmp_path / "mien.toml"
    config.write_text("heads = []\n")
    assert main(["analyze", "x.png", "--json", "--config", str(config)]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert "landmarks" not in face
