"""Consoles of any encoding, and none at all. Each process here is one without TensorFlow."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PRINTING = """
import os, sys
from sg_keras.tools.entry import run_words
def work(words):
    print(words[0])
    sys.stdout.flush()
    print(os.open(os.devnull, os.O_RDONLY) > 2, file=sys.stderr)
    if words[1:]:
        raise ValueError(words[1])
    return 7
sys.exit(run_words(work, lambda: 9999 * "help ", None))
"""


def run(*words, **options):
    """A command that prints its first word and ends with status 7, or with an error that says the second."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("variables", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run([sys.executable, "-c", PRINTING, *words], env=environment, timeout=1800, **streams)


def pipe_without_reader():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("encoding, shown", [("ascii", rb"\u732b\xe9"), ("latin-1", b"\\u732b\xe9"), ("cp1252", None)])
def test_letters_that_the_console_cannot_show(encoding, shown):
    done = run("猫é", "not 猫", variables={"PYTHONIOENCODING": encoding})
    assert done.stdout.rstrip() == (shown or b"\\u732b\xe9")
    assert done.stderr == b"True\nError: not \\u732b\n" and done.returncode == 1


def test_lines_of_tables_on_a_console_without_them():
    assert run("┏━┓ → ┃", variables={"PYTHONIOENCODING": "ascii"}).stdout.rstrip() == rb"+-+ \u2192 |"


def test_bytes_of_names_that_are_not_utf8():
    done = run(b"caf\xe9", b"caf\xe9: found nothing")
    assert done.stdout.rstrip() == rb"caf\udce9" and done.stderr.endswith(b"Error: caf\\xe9: found nothing\n")


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_streams_that_were_closed_from_the_start(closed):
    done = run("word", preexec_fn=lambda: [os.close(number) for number in closed])
    assert done.returncode == 7
    assert done.stdout == (b"" if 1 in closed else b"word\n")
    assert done.stderr == (b"" if 2 in closed else b"True\n")  # a file that is opened gets none of their numbers


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words, status", [(["word"], 7), (["--help"], 0), (["word", "wrong"], 1)])
def test_nobody_reads_any_more(words, status, unbuffered):
    writing = pipe_without_reader()
    done = run(*words, stdout=writing, variables={"PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == status and b"ipe" not in done.stderr
    assert run(*words, stdout=writing, stderr=writing).returncode == status
    os.close(writing)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
@pytest.mark.parametrize("words", [["word"], ["--help"]])
def test_a_result_that_cannot_be_written(words):
    with pathlib.Path("/dev/full").open("wb") as full:
        done = run(*words, stdout=full)
        assert done.returncode == 1
        assert b"Error: stdout: found no space left on its disk (No space left on device), expected" in done.stderr
        assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr
        assert run("word", stderr=full).returncode == 7


def test_names_are_utf8_whatever_the_locale():
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("猫", variables=variables)
    assert done.stdout.rstrip() == rb"\u732b"  # one letter, not three bytes
    assert run("猫", variables={**variables, "PYTHONIOENCODING": "utf-8"}).stdout.decode("utf-8") == "猫\n"
