"""The entry point, in the process and as a real command."""

import pathlib
import re
import subprocess
import sys
import types

import pytest

from sg_keras.tools.train import main

ROOT = pathlib.Path(__file__).parents[2]
WORDS = ["--cfg=stylegan2", "--data=digits", "--gpus=0", "--batch=32", "--gamma=0.01"]


def command(*words, cwd):
    return subprocess.run(
        [sys.executable, str(ROOT / "run_training.py"), *words], cwd=cwd, capture_output=True, text=True, timeout=1800
    )


@pytest.fixture
def fake_run(monkeypatch):
    """Stands in for sg_keras.training.run.run and keeps what it was given."""
    calls = []

    def run(config, resume):
        calls.append((config, resume))
        return 3

    monkeypatch.setitem(sys.modules, "sg_keras.training.run", types.SimpleNamespace(run=run))
    return calls


def test_dry_run_prints_and_writes_nothing(tmp_path):
    done = command(
        f"--outdir={tmp_path / 'runs'}", *WORDS, "--mirror", "1", "--metrics=fid50k_full", "--dry-run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "1797, 3594 with mirrored copies, 32x32, gray" in done.stdout
    assert re.search(r"^  G {15}[0-9,]+ parameters, [0-9,]+ in buffers\n  D {15}[0-9,]+ parameters$", done.stdout, re.M)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_exits_0_without_loading_tensorflow(tmp_path):
    code = "import sys, sg_keras.tools.train as t; s = t.main(['--help']); sys.exit(s or 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0 and "Required:" in done.stdout and done.stderr == ""


@pytest.mark.parametrize(
    "words, message",
    [
        (["--batch=0"], "Error: --batch: found 0, expected a whole number, 1 or more\n"),
        (["--nonsense"], "Error: --nonsense: no such option (see --help)\n"),
        (["stray"], "Error: found the stray word 'stray', expected options alone, --name=value (see --help)\n"),
        (
            [],
            "Error: --outdir, --cfg, --data, --gpus, --batch, --gamma: found nothing, expected a value; required "
            "(see --help)\n",
        ),
    ],
)
def test_errors_are_one_line(capsys, words, message):
    assert main(words) == 1
    assert capsys.readouterr().err == message


def test_debug_shows_the_traceback(capsys):
    assert main(["--batch=0", "--debug"]) == 1
    text = capsys.readouterr().err
    assert text.startswith("Traceback")
    assert text.endswith("Error: --batch: found 0, expected a whole number, 1 or more\n")


def test_data_errors_name_the_option(capsys, tmp_path):
    assert main([f"--outdir={tmp_path}", *WORDS, f"--data={tmp_path / 'nowhere.zip'}", "-n"]) == 1
    text = capsys.readouterr().err
    assert text.startswith("Error: --data: ") and "nowhere.zip" in text and text.count("\n") == 1


def test_real_run_is_handed_over(capsys, tmp_path, fake_run):
    words = [f"--outdir={tmp_path}", *WORDS, "--aug=noaug", "--cond=1", "--resume=latest"]
    assert main(words) == 3
    ((config, resume),) = fake_run
    assert (config.dataset.c_dim, config.dataset.name) == (10, "digits")
    assert (resume.kind, resume.path) == ("latest", str(tmp_path))
    assert "Note: metrics: each snapshot is scored by kd5k" in capsys.readouterr().out


def test_errors_of_the_run_are_one_line(capsys, tmp_path, monkeypatch):
    def run(config, resume):
        raise OSError(f"{config.run.outdir}: found no space, expected some")

    monkeypatch.setitem(sys.modules, "sg_keras.training.run", types.SimpleNamespace(run=run))
    assert main([f"--outdir={tmp_path}", *WORDS, "--aug=noaug"]) == 1
    assert capsys.readouterr().err == f"Error: --outdir: {tmp_path}: found no space, expected some\n"


def test_gpus_there_are_not(capsys, tmp_path, fake_run):
    assert main([f"--outdir={tmp_path}", *WORDS, "--aug=noaug", "--gpus=16"]) == 1
    assert "--gpus: found 16, expected at most " in capsys.readouterr().err
    assert not fake_run


@pytest.mark.parametrize("form", [["--outdir=~/a"], ["--outdir", "~/a"]])
def test_home_in_paths(capsys, tmp_path, monkeypatch, form):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main([*form, *WORDS, "-n"]) == 0
    assert f"run directory   {tmp_path}/a/00000-" in capsys.readouterr().out
    assert main([*WORDS, "--outdir=~", "--data=~/images.zip", "-n"]) == 1
    assert f"--data: {tmp_path}/images.zip: found nothing there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, message",
    [
        (["--outdir=runs\r"], r"--outdir: found 'runs\r', which has a carriage return in it, expected none (a script"),
        (["--outdir", "runs\r"], r"--outdir: found 'runs\r', which has a carriage return"),
        (["--data=a\tb"], r"--data: found 'a\tb', which has a tab in it"),
        (["--batch=8\n"], r"--batch: found '8\n', which has a line break in it"),
        (["--help\r"], r"command line: found '--help\r', which has a carriage return"),
        (["\r"], r"command line: found '\r', which has a carriage return"),
        (["--desc=\x1b[31m"], r"--desc: found '\x1b[31m', which has a control character in it"),
        (["--outdir=caf\udce9"], r"--outdir: found 'caf\xe9', a name that is not UTF-8, expected one that is: rename"),
        (["--resume=caf\udce9"], r"--resume: found 'caf\xe9', a name that is not UTF-8"),
        (["--desc=caf\udce9"], r"--desc: found 'caf\xe9', which is not UTF-8, expected text in UTF-8"),
        (["--data=caf\udce9"], r"--data: caf\xe9: found nothing there"),
    ],
)
def test_names_that_terminals_or_tensorflow_do_not_take(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["--outdir=runs", *WORDS, *words]) == 1
    text = capsys.readouterr().err
    assert text.startswith(f"Error: {message}") and text.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_images_under_names_that_are_not_utf8(capsys, tmp_path, flat_images):
    folder = tmp_path / "caf\udce9"
    folder.symlink_to(flat_images(16))
    assert main([f"--outdir={tmp_path}", *WORDS, f"--data={folder}", "-n"]) == 0
    assert "-caf_-gpus0" in capsys.readouterr().out
