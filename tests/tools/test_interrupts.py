"""Ctrl-C, from the first import of a command to its work."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from sg_keras.tools.entry import run_words
from sg_keras.tools.interrupts import leave_at_once, started_as_command

ROOT = pathlib.Path(__file__).parents[2]
INTERRUPT_OURSELVES = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)  # Python calls handlers between two instructions


@pytest.fixture(autouse=True)
def usual_handler():
    """Whoever runs the tests in the background has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "sg_keras.tools.generate", "--network=x", "--seeds=0", "--outdir=out"],
        ["-m", "sg_keras.tools.doctor"],
        [str(ROOT / "run_training.py"), "--help"],
    ],
)
@pytest.mark.parametrize("library", ["absl", "tensorflow"])
def test_an_interrupt_while_libraries_are_loaded(tmp_path, words, library):
    if library == "tensorflow" and "--help" in words:
        words = [words[0], "--cfg=stylegan2", "--data=digits", "--gpus=0", "--batch=8", "--gamma=1", "--outdir=out"]
    (tmp_path / library).mkdir()
    code = INTERRUPT_OURSELVES + "raise ImportError('initialization failed')\n"
    (tmp_path / library / "__init__.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=1800,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted\n")
    assert not (tmp_path / "out").exists()


def test_an_interrupt_of_the_work(capsys):
    handler = signal.getsignal(signal.SIGINT)
    cleaned = []

    def work(words):
        try:
            interrupt()
        finally:
            cleaned.append(words)

    assert run_words(work, str, ["a"]) == 130
    assert cleaned == [["a"]]
    assert capsys.readouterr() == ("", "Interrupted\n")
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_interrupt_that_a_library_makes_another_error_of(capsys):
    def work(words):
        try:
            interrupt()
        except KeyboardInterrupt as error:
            raise SystemError("initialization failed") from error

    assert run_words(work, str, []) == 130
    assert capsys.readouterr().err == "Interrupted\n"


def test_an_ignored_interrupt_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_at_once()
    assert run_words(lambda words: os.kill(os.getpid(), signal.SIGINT) or 0, str, []) == 0
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("name, line", [("SIGINT", b"Interrupted\n"), ("SIGTERM", b"Terminated\n")])
def test_a_signal_to_a_command_removes_what_is_half_written(tmp_path, name, line):
    code = (
        "import os, pathlib, signal, sys, time\nsys.argv = ['sg-keras-test']\n"
        "from sg_keras.tools.entry import run_words\nfrom sg_keras.files.atomic import atomic_file\n"
        "def work(words):\n    with atomic_file(pathlib.Path('result')) as beside:\n        beside.touch()\n"
        f"        os.kill(os.getpid(), signal.{name})\n        time.sleep(5)\n"
        "run_words(work, str, None)\n"
    )
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=1800,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stderr) == (128 + signal.Signals[name], line)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "program, expected",
    [("-m", True), ("/usr/bin/sg-keras-train", True), ("run_training.py", True), ("notebook.py", False), ("", False)],
)
def test_only_our_commands_are_ended_at_once(monkeypatch, program, expected):
    monkeypatch.setattr(sys, "argv", [program])
    assert started_as_command() is expected
