"""What the tools' entry points share: help, one-line errors, interrupts and the exit status."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from sg_keras.files.errors import error_line, error_number
from sg_keras.files.printable import printable
from sg_keras.flags import debug_requested, help_requested, refuse_control_characters
from sg_keras.flags.options import Option
from sg_keras.flags.tool_options import parse_tool_options, tool_help_text
from sg_keras.tools.console_streams import prepare_streams
from sg_keras.tools.interrupts import RaisedInterrupts
from sg_keras.tools.quiet_start import load_quietly

_UTF8_MODE = ["-X", "utf8"]  # of the interpreter


def run_tool(
    tool: Callable[[dict[str, Any]], int], introduction: str, options: Sequence[Option], argv: Sequence[str] | None
) -> int:
    """Run a tool with the values of its options.

    Args:
        tool: takes the values by key and returns the exit status.
        introduction: beginning of the text of --help.
        options: of the tool.
        argv: the words after the program's name; None takes them from sys.argv.

    Returns:
        Exit status, as of run_words.
    """

    def work(words: list[str]) -> int:
        values = parse_tool_options(words, options)
        load_quietly("tensorflow", "keras")
        if argv is None:
            gc.freeze()  # a million objects that stay: every search among them takes a tenth of a second
        return tool(values)

    return run_words(work, lambda: tool_help_text(introduction, options), argv)


def run_words(work: Callable[[list[str]], int], help_text: Callable[[], str], argv: Sequence[str] | None) -> int:
    """Run what a command line asks for.

    Args:
        work: takes the words after the program's name and returns the exit status.
        help_text: of --help.
        argv: these words; None takes them from sys.argv.

    Returns:
        Exit status: that of `work`; 1 after one line on stderr that says what is wrong (--debug adds the traceback);
        or 130 where it was interrupted (143 by SIGTERM).
    """
    if argv is None:
        _ensure_utf8_names()
    prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    with RaisedInterrupts() as interrupts:
        try:
            status = _status(work, help_text, words)
            sys.stdout.flush()
        except (KeyboardInterrupt, Exception) as error:
            if interrupts.received is not None or isinstance(error, KeyboardInterrupt):
                return interrupts.end()  # also where a library made another error of it
            if not isinstance(error, ValueError | OSError) and error_number(error) is None:
                raise
            if debug_requested(words):
                traceback.print_exc()
            print(f"Error: {printable(error_line(error, words))}", file=sys.stderr)
            return 1
    return status


def _status(work: Callable[[list[str]], int], help_text: Callable[[], str], words: list[str]) -> int:
    if help_requested(words):
        print(help_text())
        return 0
    refuse_control_characters(words)
    return work(words)


def _ensure_utf8_names() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding.

    TensorFlow and JSON take names for UTF-8 whatever the locale says; Python would write a file under other bytes.
    What is printed stays in the locale's encoding.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.orig_argv[1:3] == _UTF8_MODE:
        return
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.execv(sys.executable, [sys.executable, *_UTF8_MODE, *sys.orig_argv[1:]])
