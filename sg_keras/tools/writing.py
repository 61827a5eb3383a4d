"""What is said where the files of a result cannot be written."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
from collections.abc import Iterator

_SPACE = "enough space there: free some, or name another folder"
_PERMISSION = "a folder that can be written to"
_EXPECTED = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EROFS: _PERMISSION,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENOTDIR: "a place below folders alone",
    errno.EEXIST: "a folder, or nothing yet",
    errno.EISDIR: "no folder of that name",
    errno.ENOENT: "a place where files can be made",
    errno.ENAMETOOLONG: "a shorter name",
    errno.ELOOP: "a place that its links lead to",
    errno.EIO: "a disk that works",
}


class StreamError(OSError):
    """stdout cannot be written, one line."""


@contextlib.contextmanager
def writing(name: str, place: str | os.PathLike[str]) -> Iterator[None]:
    """Within, what the system has against writing is an OSError of one line; all else passes.

    Args:
        name: of the option that says where, for the message.
        place: its value.
    """
    try:
        yield
    except StreamError:
        raise
    except Exception as error:  # TensorFlow, HDF5 and safetensors have their own kinds for errors of the system
        code = _system_error(error)
        if code is None:
            raise
        raise OSError(
            f"{name}: found that {pathlib.Path(place)} cannot be written ({os.strerror(code)}), expected {remedy(code)}"
        ) from error


def remedy(code: int | None) -> str:
    """What would work where the system has refused to write, by the number of its error."""
    return _EXPECTED.get(code or 0, _PERMISSION)


def _system_error(error: Exception) -> int | None:
    """Number of the system's error behind an error, None where there is none."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    return next((code for code in _EXPECTED if os.strerror(code) in text), None)
