"""What a run tells people: on the console and, the same lines, in log.txt."""

from __future__ import annotations

import io
import os
import pathlib
import sys

import rich.console

from sg_keras.config.printable import printable

LOG_FILE = "log.txt"


class QuietableConsole(rich.console.Console):
    """A console that falls silent when nobody reads it any more (`| head`), instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Called by rich when the reader has gone."""
        self.fall_silent()

    def fall_silent(self) -> None:
        """Show nothing from now on."""
        self.quiet = True
        if self.file is sys.stdout:
            forsake_stdout()


def forsake_stdout() -> None:
    """Send what is still printed, and what Python flushes at its end, to nowhere."""
    try:
        number = sys.stdout.fileno()
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
        self.console = console or QuietableConsole(**options)  # type: ignore[arg-type]
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
        except OSError:  # also a terminal that was closed, and a full disk behind `> file`
            if isinstance(self.console, QuietableConsole):
                self.console.fall_silent()
            else:
                self.console.quiet = True

    def _append(self, text: str) -> None:
        # Opened each time: a line is on the disk when it was printed, and log.txt may be moved or deleted meanwhile.
        if self._path is None or not text:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            if self._writable:
                self._writable = False
                self._print(
                    f"Note: {self._path}: found that it cannot be written ({error.strerror}); lines are missing"
                )
