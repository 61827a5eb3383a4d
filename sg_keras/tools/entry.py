"""What the tools' entry points share: help, one-line errors and the exit status."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from sg_keras.config.file_errors import error_line, error_number
from sg_keras.flags import debug_requested, help_requested
from sg_keras.flags.options import Option
from sg_keras.flags.tool_options import parse_tool_options, tool_help_text
from sg_keras.tools.quiet_start import quiet_start


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
        Exit status: the tool's, or 1 after one line on stderr that says what is wrong (--debug adds the traceback).
    """

    def work(words: list[str]) -> int:
        values = parse_tool_options(words, options)
        with quiet_start():
            import tensorflow  # noqa: F401
        return tool(values)

    return run_words(work, lambda: tool_help_text(introduction, options), argv)


def run_words(work: Callable[[list[str]], int], help_text: Callable[[], str], argv: Sequence[str] | None) -> int:
    """Run what a command line asks for.

    Args:
        work: takes the words after the program's name and returns the exit status.
        help_text: of --help.
        argv: these words; None takes them from sys.argv.

    Returns:
        Exit status: that of `work`, or 1 after one line on stderr that says what is wrong (--debug adds the traceback).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if help_requested(words):
        print(help_text())
        return 0
    try:
        return work(words)
    except Exception as error:
        if not isinstance(error, ValueError | OSError) and error_number(error) is None:
            raise
        if debug_requested(words):
            traceback.print_exc()
        print(f"Error: {error_line(error, words)}", file=sys.stderr)
        return 1
