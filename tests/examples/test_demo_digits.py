"""The demo around its training run."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf
from PIL import Image

from examples import demo_digits
from sg_keras.flags import parse_command_line
from tests.tools.conftest import write_tiny_snapshot

# Like a training run that has far to go: says when it is asked to stop, and ends well.
ENDLESS = """
import pathlib, signal, sys, time
def stop(number, frame):
    pathlib.Path(sys.argv[1]).write_text("state saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[1]).write_text("training")
time.sleep(60)
"""


@pytest.mark.parametrize("cfg", demo_digits.DEMOS)
def test_the_command_line_can_be_used(tmp_path, cfg):
    demo = demo_digits.DEMOS[cfg]
    command = demo_digits.training_command(str(tmp_path), demo)
    parsed = parse_command_line(command[2:])
    assert parsed.config.generator.cfg == cfg
    assert (parsed.config.dataset.path, parsed.config.dataset.c_dim, parsed.config.gpus) == ("digits", 10, 0)
    shorter = demo_digits.training_command(str(tmp_path), demo, 0.5)
    assert parse_command_line(shorter[2:]).config.run.total_kimg == 0.5
    assert len(shorter) == len(command)


def test_training_that_ends(tmp_path):
    assert demo_digits.train([sys.executable, "-c", "pass"], 30)


def test_training_that_takes_too_long_is_asked_to_stop(tmp_path):
    said = tmp_path / "said"
    assert not demo_digits.train([sys.executable, "-c", ENDLESS, str(said)], 3)
    assert said.read_text() == "state saved"


def test_training_that_fails():
    with pytest.raises(subprocess.CalledProcessError, match="status 1"):
        demo_digits.train([sys.executable, "-c", "raise SystemExit(1)"], 30)


@pytest.mark.long
@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-t"])
def test_what_is_shown_of_a_run(tmp_path, monkeypatch, capsys, cfg):
    run_dir = tmp_path / f"00000-{cfg}-digits"
    run_dir.mkdir()
    (run_dir / "training_config.json").write_text("{}")
    write_tiny_snapshot(run_dir / "network-snapshot-000001", c_dim=10, resolution=32, cfg=cfg)
    monkeypatch.setattr(demo_digits, "FRAMES_BETWEEN", 1)
    monkeypatch.setattr(demo_digits, "train", lambda command, max_sec: True)
    assert demo_digits.main([f"--cfg={cfg}", f"--outdir={tmp_path}", "--kimg=3"]) == 0
    for name in ("demo-grid.png", "demo-savedmodel.png"):
        with Image.open(run_dir / name) as grid:
            assert grid.size == (320, 320)
    measures = json.loads((run_dir / "demo-quality.json").read_text())
    assert measures["accuracy"] < 0.5
    assert (run_dir / "demo-walk.webp").exists() == (cfg != "stylegan2")
    assert tf.saved_model.contains_saved_model(run_dir / "demo-savedmodel")
    text = capsys.readouterr().out
    for part in (
        "NOT reached",
        "Below target",
        "-m tensorboard.main --logdir=",
        "sg_keras.tools.generate",
        "--kimg=6 ",
        f"--resume={run_dir}",
    ):
        assert part in text, part


def test_failures_are_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo_digits, "train", lambda command, max_sec: True)
    assert demo_digits.main([f"--outdir={tmp_path}"]) == 1
    assert "found no run directory" in capsys.readouterr().err
