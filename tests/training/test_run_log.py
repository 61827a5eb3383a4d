"""What is printed, kept, and shown live."""

import io
import logging
import os
import pty
import sys
import types

import pytest
import rich.console
import tensorflow as tf

from sg_keras.training.callbacks.progress import LiveProgress
from sg_keras.training.run_errors import messages_logged
from sg_keras.training.run_log import RunLog


def console(terminal):
    return rich.console.Console(
        file=io.StringIO(), force_terminal=terminal, soft_wrap=True, markup=False, highlight=False, width=100
    )


def test_lines_are_printed_and_kept_those_from_before_the_run_directory_too(tmp_path):
    shown = console(terminal=False)
    log = RunLog(shown)
    log.line("first [bold] line")
    log.open(tmp_path)
    log.line("second, " + 30 * "long ")
    log.keep("third, printed by somebody else")
    log = RunLog(shown)
    log.open(tmp_path)
    log.line("fourth, of a later session")
    kept = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert kept == [
        "first [bold] line",
        "second, " + 30 * "long ",
        "third, printed by somebody else",
        "fourth, of a later session",
    ]
    assert shown.file.getvalue().splitlines() == [kept[0], kept[1], kept[3]]


def show(progress, nimgs):
    model = types.SimpleNamespace(cur_nimg=tf.Variable(0, dtype=tf.int64))
    progress.set_model(model)
    with progress:
        progress.on_train_begin()
        for nimg in nimgs:
            model.cur_nimg.assign(nimg)
            progress.on_train_batch_end(0)


def test_live_progress_on_a_terminal_alone():
    terminal, pipe = console(terminal=True), console(terminal=False)
    for target in (terminal, pipe):
        show(LiveProgress(target, total_nimg=4000, start_nimg=1000), [2000, 3000])
    assert "3.0/4 kimg" in terminal.file.getvalue()
    assert pipe.file.getvalue().strip() == ""


def test_a_terminal_that_is_closed_ends_neither_the_log_nor_the_live_display(tmp_path, monkeypatch):
    ours, theirs = pty.openpty()
    terminal = os.fdopen(theirs, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    log = RunLog()
    log.open(tmp_path)
    log.line("while somebody reads")
    assert log.console.is_terminal
    display = LiveProgress(log.console, total_nimg=4000, start_nimg=1000)
    os.close(ours)
    show(display, [2000, 3000])
    log.line("afterwards")
    print("by somebody else, unnoticed", flush=True)
    terminal.close()  # what Python does at its end
    kept = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(kept) == [
        "Note: stdout takes no more lines (Input/output error); the run goes on, and they are all here",
        "afterwards",
        "while somebody reads",
    ]


@pytest.mark.parametrize("closed", ["no reader", "file", "none"])
def test_lines_are_kept_where_nobody_reads(tmp_path, monkeypatch, closed):
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w", encoding="utf-8")
    os.close(reader)
    if closed == "file":
        stream.close()
    monkeypatch.setattr(sys, "stdout", None if closed == "none" else stream)
    log = RunLog()
    log.open(tmp_path)
    log.line("one")
    log.line("two")
    stream.close()
    kept = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in kept if not line.startswith("Note: stdout takes no more lines")] == ["one", "two"]


def test_names_that_are_not_utf8_end_no_run(tmp_path):
    log = RunLog(console(terminal=False))
    log.open(tmp_path)
    log.keep(os.fsdecode(b"latin-\xe9"))
    assert (tmp_path / "log.txt").read_text(encoding="utf-8").startswith("latin-\\")


def test_what_is_removed_is_kept_in_the_log_and_warnings_are_printed_too(tmp_path):
    shown = console(terminal=False)
    log = RunLog(shown)
    log.open(tmp_path)
    logger = logging.getLogger("sg_keras.checkpoint.manager")
    before = logger.getEffectiveLevel()
    with messages_logged(log):
        logger.info("Removed ckpt-1: superseded")
        logger.warning("moved ckpt-2")
        logging.getLogger("sg_keras.ops.library").info("not of the log")
    assert logger.getEffectiveLevel() == before
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "Removed ckpt-1: superseded\nNote: moved ckpt-2\n"
    assert shown.file.getvalue() == "Note: moved ckpt-2\n"
