"""What a run tells people: on the console and, the same lines, in log.txt."""

from __future__ import annotations

import io
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any, TextIO

import rich.console

from sg_keras.files.printable import printable

LOG_FILE = "log.txt"


class LastingStream:
    """A text stream that takes what is written when it cannot pass it on any more, instead of ending a run.

    So it is where the reader has gone (`| head`), the terminal was closed, or the disk behind `> file` is full. Also
    the thread of a live display writes here.

    Args:
        stream: to pass text on to; any other attribute is its own.
        on_loss: called once, with what is wrong.
    """

    def __init__(self, stream: TextIO, on_loss: Callable[[str], None]) -> None:
        self._stream, self._on_loss = stream, on_loss
        self._lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Pass text on, or lose it."""
        if not self._lost:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:  # ValueError: the stream was closed
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if it is still there."""
        if not self._lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        if isinstance(error, UnicodeError):
            raise error
        self._lost = True
        _redirect_to_devnull(self._stream)
        self._on_loss((error.strerror if isinstance(error, OSError) else None) or str(error))


def _redirect_to_devnull(stream: TextIO) -> None:
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):  # no file behind it
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


class RunLog:
    """Prints lines and keeps them in the run directory, those from before it existed included.

    Telling is not worth a run: where neither reader nor log.txt takes a line, the run goes on without it.

    Attributes:
        console: for live displays, which leave no trace in log.txt.
    """

    def __init__(self, console: rich.console.Console | None = None) -> None:
        options = {"highlight": False, "soft_wrap": True, "markup": False, "emoji": False}
        stream: Any = None if sys.stdout is None else LastingStream(sys.stdout, self._say_stdout_is_lost)
        self.console = console or rich.console.Console(file=stream, **options)  # type: ignore[arg-type]
        self._early = io.StringIO()
        self._path: pathlib.Path | None = None
        self._writable = True

    def open(self, run_dir: pathlib.Path) -> None:
        """From now on append to log.txt in this folder."""
        self._path = run_dir / LOG_FILE
        self._append(self._early.getvalue())

    def line(self, text: str = "") -> None:
        """Print and keep one line or several; what is not printable is shown escaped."""
        text = printable(text)
        self.keep(text)
        self._print(text)

    def keep(self, text: str) -> None:
        """Keep a line that somebody else prints."""
        text = printable(text)
        if self._path is None:
            self._early.write(text + "\n")
        else:
            self._append(text + "\n")

    def _print(self, text: str) -> None:
        try:
            self.console.print(text)
        except OSError:
            self.console.quiet = True

    def _say_stdout_is_lost(self, reason: str) -> None:
        self.keep(f"Note: stdout takes no more lines ({reason}); the run goes on, and they are all here")

    def _append(self, text: str) -> None:
        # Opened each time: a line is on the disk when it was printed, and log.txt may be moved or deleted meanwhile.
        if self._path is None or not text:
            return
        try:
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            if self._writable:
                self._writable = False
                self._print(
                    f"Note: {self._path}: found that it cannot be written ({error.strerror}); lines are missing"
                )
