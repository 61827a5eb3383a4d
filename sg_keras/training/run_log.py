"""What a run tells people: on the console and, the same lines, in log.txt."""

from __future__ import annotations

import io
import pathlib

import rich.console

LOG_FILE = "log.txt"


class RunLog:
    """Prints lines and keeps them in the run directory, those from before it existed included.

    Attributes:
        console: for live displays, which leave no trace in log.txt.
    """

    def __init__(self, console: rich.console.Console | None = None) -> None:
        self.console = console or rich.console.Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
        self._early = io.StringIO()
        self._path: pathlib.Path | None = None

    def open(self, run_dir: pathlib.Path) -> None:
        """From now on append to log.txt in this folder."""
        self._path = run_dir / LOG_FILE
        self._append(self._early.getvalue())

    def line(self, text: str = "") -> None:
        """Print and keep one line or several."""
        self.console.print(text)
        self.keep(text)

    def keep(self, text: str) -> None:
        """Keep a line that somebody else prints."""
        if self._path is None:
            self._early.write(text + "\n")
        else:
            self._append(text + "\n")

    def _append(self, text: str) -> None:
        # Opened each time: a line is on the disk when it was printed, and log.txt may be moved or deleted meanwhile.
        if self._path is not None and text:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
