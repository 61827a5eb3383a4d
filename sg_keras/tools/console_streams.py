"""stdout and stderr that no letter, no closed pipe and no closed terminal turn into an error of the command."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Collection
from typing import Any

from sg_keras.tools.writing import StreamError, remedy

_NOBODY_READS = (errno.EPIPE, errno.EBADF)
_ESCAPED = "sg_keras.escaped"  # what becomes of letters that the encoding cannot show, by the codecs' name for it
_ANY = range(1, 1 << 16)


def prepare_streams() -> None:
    """Make the process's own stdout and stderr safe to write to; streams that a caller put there are left alone.

    * Letters that the encoding cannot show are written as escapes, the lines of tables as - | +.
    * Once nobody reads stdout any more (`| head`, a closed terminal), and whatever is wrong with stderr, what is
      written goes nowhere.
    * Where they were closed from the start (`>&-`), the file descriptors 0 to 2 are taken: the next file that is opened
      would get one of these numbers, and messages of C++ libraries would end up in it.
    """
    codecs.register_error(_ESCAPED, _escape)
    closed = [number for number in (0, 1, 2) if not _is_open(number)]
    for number in closed:
        _lead_nowhere(number)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _safe(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _safe(sys.stderr, 2)


def _safe(stream: io.TextIOWrapper | None, number: int) -> io.TextIOWrapper:
    forgiven: Collection[int] = _ANY if number == 2 else _NOBODY_READS
    if stream is None:  # closed when Python started
        return io.TextIOWrapper(io.BufferedWriter(_Descriptor(number, forgiven)), "utf-8", _ESCAPED)
    stream.flush()
    if number == 1 and stream.isatty():
        forgiven = (*_NOBODY_READS, errno.EIO)  # of a terminal that was closed
    raw = _Descriptor(number, forgiven)
    buffer = raw if stream.write_through else io.BufferedWriter(raw)  # as python -u has it
    return io.TextIOWrapper(
        buffer,
        stream.encoding,
        _ESCAPED,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Descriptor(io.FileIO):
    """stdout or stderr; the first error of writing, forgiven or not, is the only one."""

    def __init__(self, number: int, forgiven: Collection[int]) -> None:
        super().__init__(number, "w", closefd=False)
        self._forgiven = forgiven

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            _lead_nowhere(self.fileno())
            if error.errno not in self._forgiven:
                raise StreamError(
                    f"stdout: found that it cannot be written ({error.strerror}), expected {remedy(error.errno)}"
                ) from error
            return memoryview(data).nbytes


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, shown = error.object[error.start : error.end], codecs.lookup_error("backslashreplace")(error)[0]
    if all("\u2500" <= letter <= "\u257f" for letter in text):  # box drawing
        shown = "".join("-" if letter in "─━═" else "|" if letter in "│┃║" else "+" for letter in text)
    return shown, error.end


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _lead_nowhere(number: int) -> None:
    """What is written to a file descriptor from now on is lost."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(nowhere, number)
        os.close(nowhere)
