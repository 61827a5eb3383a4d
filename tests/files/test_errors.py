"""Errors of files in plain words, whoever tells of them, with the option that they are about."""

import errno
import os
import pathlib

import pytest

from sg_keras.files.errors import error_line, error_number, explain_file_error, file_errors_explained


class TensorFlowError(Exception):
    """As TensorFlow's are: no OSError."""


FULL = "/disk/x: found no space left on its disk (No space left on device), expected some: "


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/disk/x"),
        OSError(errno.ENOSPC, "No space left on device", b"/disk/x"),
        OSError(errno.ENOSPC, "No space left on device", "/disk/.partial-x"),
        TensorFlowError("/disk/x; No space left on device"),
        TensorFlowError("Failed to write to '/disk/x': No space left on device [Op:SaveV2]"),
        OSError("Unable to create file (unable to open: name = '/disk/x', errno = 28, error message = 'No space')"),
        TensorFlowError("Error while serializing: I/O error: /disk/x (os error 28)"),
    ],
)
def test_the_same_words_whoever_says_it(error):
    assert explain_file_error(error).startswith(FULL)


def test_a_path_where_the_error_has_none():
    error = OSError(errno.ENOSPC, "No space left on device")  # as writing to an open file raises it
    assert explain_file_error(error, "/disk/x").startswith(FULL)
    assert explain_file_error(TensorFlowError("code: 28, kind: StorageFull"), pathlib.Path("/disk/x")).startswith(FULL)
    hidden = OSError(errno.ENOSPC, "No space", "/disk/x/.new-run-12/training_config.json")
    assert explain_file_error(hidden, "/disk/x").startswith(FULL)
    assert explain_file_error(error).startswith("found no space left on its disk")
    assert explain_file_error(OSError(errno.ENOSPC, "No space", 7), "/disk/x").startswith(FULL)  # an open file's number


def test_every_number_has_an_expectation():
    for number in errno.errorcode:
        line = explain_file_error(OSError(number, os.strerror(number)), "x")
        assert line.startswith("x: found ") and f" ({os.strerror(number)}), expected " in line and "\n" not in line


def test_what_was_explained_keeps_its_words():
    line = "x: found something (No such file or directory), expected something else"
    assert error_number(OSError(line)) is None and explain_file_error(OSError(line)) == line
    assert error_number(TensorFlowError("shapes differ")) is None
    assert "found that it cannot be read or written (odd), expected" in explain_file_error(OSError("odd"), "x")


def test_within_the_context_errors_keep_their_kind():
    with pytest.raises(FileNotFoundError, match=r"^nowhere: found nothing there") as error, file_errors_explained("x"):
        pathlib.Path("nowhere").read_bytes()
    assert error.value.errno is None
    with pytest.raises(OSError, match=r"^x: found that permission is denied"), file_errors_explained("x"):
        raise TensorFlowError("; Permission denied")
    for other in (BrokenPipeError(errno.EPIPE, "Broken pipe"), ValueError("No space left on device"), KeyError("x")):
        with pytest.raises(type(other)) as caught, file_errors_explained("x"):
            raise other
        assert caught.value is other


@pytest.mark.parametrize(
    "words, option",
    [
        (["--outdir=/disk"], "--outdir"),
        (["--outdir", "/disk/", "--data=/other"], "--outdir"),
        (["--data=/disk/x", "--outdir=/disk"], "--data"),  # the nearest
        (["--outdir=/disk", "--resume=/disk/x@12"], "--resume"),
        (["--outdir=/disk/../disk"], "--outdir"),
    ],
)
def test_the_option_is_named(words, option):
    assert error_line(OSError(errno.EACCES, "Permission denied", "/disk/x/y"), words).startswith(
        f"{option}: /disk/x/y: "
    )


def test_where_no_option_says_so(tmp_path, monkeypatch):
    def line(path):
        return error_line(
            OSError(errno.EACCES, "Permission denied", str(path)), ["--debug", "--outdir=/disk", "src", "--cfg="]
        )

    assert line("/disks/x").startswith("/disks/x: found")
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    assert line(tmp_path / "cache" / "networks").startswith(f"SG_KERAS_CACHE: {tmp_path}/cache/networks: found")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert line(tmp_path / "temporary" / "x").startswith(f"TMPDIR: {tmp_path}/temporary/x: found")
    assert error_line(ValueError("/disk/x: found\n a table"), ["--outdir=/disk"]) == "/disk/x: found\n a table"
    assert error_line(OSError("--resume: /disk/x: found"), ["--outdir=/disk"]) == "--resume: /disk/x: found"


def test_relative_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = OSError(errno.EACCES, "Permission denied", "runs/x")
    assert error_line(error, ["--outdir=runs"]).startswith("--outdir: runs/x: found")
    assert error_line(error, [f"--outdir={tmp_path}/runs"]).startswith("--outdir: runs/x: found")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert error_line(error, ["--outdir=~/runs"]).startswith("--outdir: runs/x: found")


def test_our_own_kinds_of_errors_keep_their_words():
    from sg_keras.training.distribution.workers import LostWorkerError

    lost = LostWorkerError("worker 1 (host:1) lost another of the 2 workers (Connection reset by peer)")
    assert error_number(lost) is None and explain_file_error(lost) == str(lost)
