"""Odd names, unwritable results, closed pipes and other things that happen to a command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.cli import main, terminal
from mien.cli.app import COMMANDS

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX file names and permissions")


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_mien_alone_lists_the_commands(capsys) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(info.name in out for info in COMMANDS)


def test_python_dash_m(tmp_path) -> None:
    done = subprocess.run([sys.executable, "-m", "mien", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mien ")


@POSIX
def test_control_characters_in_names_do_not_reach_the_terminal(shipped, save, capsys, tmp_path) -> None:
    name = "red\x1b[31m\u202egpj.png"
    save("x.png", (80, 60)).rename(tmp_path / name)
    (tmp_path / "bad\n\x1b]0;title\x07.png").write_bytes(b"no image")
    assert main(["detect", "."]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert r"red\x1b[31m\u202egpj.png" in out
    assert r"bad\n\x1b]0;title\x07.png" in err
    assert len(err.splitlines()) == 2
    assert main(["detect", name, "--json"]) == 0
    assert lines(capsys.readouterr().out)[0]["image"] == name


@POSIX
def test_json_of_a_name_that_is_not_utf8_is_valid_unicode(shipped, save, capsys, tmp_path) -> None:
    strange = os.fsdecode(b"strange-\xff.png")
    try:
        save("x.png", (80, 60)).rename(tmp_path / strange)
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")
    assert main(["align", strange, "--out", "faces", "--points", "5", "--json"]) == 0
    (record,) = lines(capsys.readouterr().out)
    assert record["image"] == r"strange-\xff.png"
    assert record["aligned_faces"][0]["file"].encode("utf-8")  # no lone surrogate


@POSIX
def test_a_name_that_is_too_long(shipped, save, capsys) -> None:
    save("x.png", (80, 60))
    assert main(["detect", "x" * 300 + ".png", "x.png", "--json"]) == 1
    bad, good = lines(capsys.readouterr().out)
    assert bad["error"]["kind"] == "BadImage"
    assert len(good["faces"]) == 1
    long = "y" * 250 + ".png"
    Path("x.png").rename(long)
    assert main(["align", long, "--out", "faces", "--points", "5"]) == 1
    assert "rename the image" in capsys.readouterr().err


def test_results_that_cannot_be_written_are_reported_and_the_rest_goes_on(shipped, save, capsys) -> None:
    save("a/x.png", (80, 60))
    save("b/x.png", (80, 60))
    Path("drawn").mkdir()
    Path("drawn/a").write_text("a file in the way of the folder")
    assert main(["detect", "a", "b", "--draw", "drawn", "--json"]) == 1
    out, err = capsys.readouterr()
    failed, done = lines(out)
    assert failed["error"]["kind"] == "WriteFailed"
    assert len(done["faces"]) == 1
    first, *summary = err.splitlines()
    assert first.startswith(f"mien: {Path('drawn/a/x.png')}: cannot be written (")
    assert "a file is in the way of a folder" in first
    assert summary == ["1 face in 1 image; 1 image failed", "drawings are in drawn"]
    assert Path("drawn/b/x.png").is_file()


def test_a_folder_that_cannot_be_listed(shipped, save, capsys, monkeypatch) -> None:
    save("a/x.png", (80, 60))
    save("locked/x.png", (80, 60))
    scandir = os.scandir

    def refuse(path: str):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    assert main(["detect", "locked", "a", "--json"]) == 1
    out, err = capsys.readouterr()
    assert [len(record["faces"]) for record in lines(out)] == [1]
    assert "mien: locked: cannot be listed (Permission denied); check its permissions" in err


def test_a_full_disk(shipped, save, capsys, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mien.cli.images.write_image", full)
    save("x.png", (80, 60))
    assert main(["detect", "x.png", "--draw", "drawn"]) == 1
    assert "cannot be written (No space left on device); free some space" in capsys.readouterr().err


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_stdout_is_an_error(networks) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "mien", "models"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("mien: ")
    assert len(done.stderr.splitlines()) == 1


@POSIX
def test_a_stdout_that_is_closed(networks) -> None:
    command = f"{sys.executable} -m mien models >&-"
    done = subprocess.run(["/bin/sh", "-c", command], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


class _Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_standard_input(shipped, save, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", _Stdin(save("x.png", (80, 60)).read_bytes()))
    assert main(["detect", "-", "--json", "--draw", "drawn"]) == 0
    (record,) = lines(capsys.readouterr().out)
    assert (record["image"], len(record["faces"])) == ("-", 1)
    assert Path("drawn/stdin.png").is_file()
    monkeypatch.setattr("sys.stdin", _Stdin(b""))
    assert main(["detect", "-"]) == 1
    assert "mien: standard input: empty (0 bytes)" in capsys.readouterr().err


def test_progress_in_a_log_file_is_an_occasional_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr(terminal, "REPORT_SECONDS", 0.0)
    with terminal.progress(range(100), 100, "images") as shown:
        assert list(shown) == list(range(100))
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("1/100 images, ")
    monkeypatch.setattr(terminal, "REPORT_SECONDS", 3600.0)
    with terminal.progress(range(100), 100, "images") as shown:
        list(shown)
    assert capsys.readouterr().err == ""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_bar_leaves_nothing_behind(monkeypatch) -> None:
    stream = _Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("sys.stdout", stream)

    def work() -> None:
        with terminal.progress(range(100), 100, "images") as shown:
            for number in shown:
                terminal.echo(f"row {number}")
                if number == 3:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert "row 3" in stream.getvalue()
    assert terminal._live is None
    assert stream.getvalue().endswith("\x1b[2K")  # the line of the bar is erased


def test_config_file_and_flags(shipped, save, capsys, tmp_path) -> None:
    save("x.png", (80, 60))
    config = tmp_path / "mien.toml"
    config.write_text("[detector]\nmin_face_size = 100\n")
    assert main(["detect", "x.png", "--json", "--config", str(config)]) == 0
    assert lines(capsys.readouterr().out)[0]["faces"] == []
    assert main(["detect", "x.png", "--json", "--config", str(config), "--min-face-size", "20"]) == 0
    assert len(lines(capsys.readouterr().out)[0]["faces"]) == 1
    config.write_text("[detector]\nmin_face = 100\n")
    assert main(["detect", "x.png", "--config", str(config)]) == 2
    assert "did you mean 'min_face_size'?" in capsys.readouterr().err
    assert main(["detect", "x.png", "--config", "gone.toml"]) == 2


def test_max_faces(shipped, save, capsys) -> None:
    save("two.png", (20, 20), (120, 80))
    assert main(["detect", "two.png", "--json", "--max-faces", "1"]) == 0
    assert len(lines(capsys.readouterr().out)[0]["faces"]) == 1
    assert main(["detect", "two.png", "--max-faces", "0"]) == 2


def test_completion_offers_commands_and_options() -> None:
    def complete(words: str) -> str:
        environment = os.environ | {"_MIEN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "1"}
        words_before = len(words.split()) - (not words.endswith(" "))
        environment["COMP_CWORD"] = str(words_before)
        call = [sys.executable, "-m", "mien"]
        return subprocess.run(call, env=environment, capture_output=True, text=True, check=True).stdout

    assert "landmarks" in complete("mien la")
    assert "--min-face-size" in complete("mien detect --min")
