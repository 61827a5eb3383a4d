"""Scores along a run of the digits demo: what the run has made is read, and what it has not is made."""

import pytest

from examples import digits_scores
from examples.digits_scores import Point
from sg_keras.files.json_lines import append_line

pytest.importorskip("matplotlib", reason="needs matplotlib")


def _row(snapshot, name, value):
    return {"results": {name: value}, "snapshot_pkl": snapshot, "intervals": {name: [value - 1, value + 1]}}


def test_scores_of_the_snapshot_and_network_are_read(tmp_path):
    first, second = "network-snapshot-000008", "network-snapshot-000016"
    for row in (
        _row(first, "fd1k_boxes", 3.0),
        _row(second, "fd1k_boxes", 2.0),
        _row(second, "fd1k_effnetlite0", 9.0),
    ):
        append_line(tmp_path / "metric-fd1k.jsonl", row)
    found = digits_scores.kept_scores(tmp_path / second, "boxes", ["fd1k", "kd1k"])
    assert found == {"fd1k": (2.0, 1.0, 3.0)}
    assert digits_scores.kept_scores(tmp_path / "network-snapshot-000024", "boxes", ["fd1k"]) == {}


def test_agreement_and_picture(tmp_path):
    kimg = range(1, 6)
    found = {
        "boxes": {
            "fd1k": [Point(k, 1 / k, 0.5 / k, 2 / k) for k in kimg],
            "coverage1k": [Point(k, k / 5, k / 6, k / 4) for k in kimg],
        },
        "digits": {"accuracy": [Point(k, 1 - k / 5) for k in kimg], "frechet": [Point(k, 2 / k) for k in kimg]},
    }
    ranks = digits_scores.agreement(found, 2)
    assert ranks == pytest.approx({"fd1k boxes": 1, "coverage1k boxes": 1, "accuracy digits": -1, "frechet digits": 1})
    assert len(digits_scores.report(found).splitlines()) == 6
    digits_scores.draw(found, tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_the_training_command_takes_more_snapshots(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(digits_scores.subprocess, "run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(digits_scores.demo_digits, "newest_run", lambda outdir: tmp_path)
    assert digits_scores.train(str(tmp_path), 3) == tmp_path
    (command,) = commands
    assert "--kimg=3" in command and "--features=boxes" in command
    assert [word for word in command if word.startswith(("--snap=", "--metrics="))] == [
        "--snap=4",
        "--metrics=fd1k,kd1k,mind1k,coverage1k",
    ]


def test_a_folder_without_snapshots_is_one_line(tmp_path, capsys):
    assert digits_scores.main([f"--out={tmp_path / 'a.png'}", f"--network={tmp_path}"]) == 1
    assert capsys.readouterr().err.startswith(f"Error: {tmp_path}: found no network snapshots")
