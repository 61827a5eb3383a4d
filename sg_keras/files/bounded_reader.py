"""Reading a file of a stranger: what it may cost, and what it says when it is refused."""

from __future__ import annotations

from typing import BinaryIO

MAX_INSTRUCTIONS = 2_000_000  # files of 32x32 networks have 45,000, larger ones a few times that
_MAX_LINE_BYTES = 1 << 16


class RefusedPickleError(ValueError):
    """A pickle is damaged, or wants what no file of numbers needs. One line: what was found, what was expected."""


class Budget:
    """What reading one file may cost, streams inside of it included.

    Args:
        file_bytes: length of the file.
    """

    def __init__(self, file_bytes: int) -> None:
        self._instructions = MAX_INSTRUCTIONS
        self._bytes = 3 * file_bytes + _MAX_LINE_BYTES

    def spend(self, instructions: int) -> None:
        """Count instructions, or values that one of them makes."""
        self._instructions -= instructions
        if self._instructions < 0:
            raise RefusedPickleError(f"found more than {MAX_INSTRUCTIONS} instructions, expected fewer")

    def spend_bytes(self, count: int) -> None:
        """Count bytes that are read."""
        self._bytes -= count
        if self._bytes < 0:
            raise RefusedPickleError("found data that is read over and over, expected each part of it once")


class BoundedReader:
    """A file to read from, which never takes more memory than it has bytes left.

    Args:
        file: opened for reading bytes.
        size: its length.
        budget: that the bytes are counted on.
    """

    def __init__(self, file: BinaryIO, size: int, budget: Budget) -> None:
        self._file, self._size, self.budget = file, size, budget

    def tell(self) -> int:
        """Position in the file."""
        return self._file.tell()

    def read(self, count: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        count = min(count, max(self._size - self.tell(), 0))
        self.budget.spend_bytes(count)
        return self._file.read(count)

    def readline(self) -> bytes:
        """A line with its end; without one if it is too long."""
        line = self._file.readline(_MAX_LINE_BYTES)
        self.budget.spend_bytes(len(line))
        return line
