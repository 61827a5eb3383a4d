"""What is printed, kept, and shown live."""

import io
import types

import rich.console
import tensorflow as tf

from sg_keras.training.progress import LiveProgress
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
