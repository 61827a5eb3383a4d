"""Errors of files in plain words: which place, what is wrong with it, and what helps.

The operating system says `[Errno 28] No space left on device`, at times without a path; TensorFlow, h5py and
safetensors hide the same in words of their own. Here they all become `PLACE: found ..., expected ...: REMEDY`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import re
import tempfile
from collections.abc import Iterator, Sequence

from sg_keras.files.cache import CACHE_VARIABLE, cache_folder
from sg_keras.files.printable import is_utf8

PARTIAL = ".partial-"  # beginning of names under which files are written before they take their place

_ELSEWHERE = "choose another place"
_DENIED = ("that permission is denied", f"the right to read and write there: give it (chmod, chown), or {_ELSEWHERE}")
_FULL = "delete something there, or choose a folder on another disk"

#: Error number -> what was found, and what was expected with what would help.
_WORDS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("no space left on its disk", f"some: {_FULL}"),
    errno.EDQUOT: ("that the quota of its disk is used up", f"some left: {_FULL}"),
    errno.EFBIG: ("that files must not grow so large there", f"a higher limit (ulimit -f, quota), or {_ELSEWHERE}"),
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: ("a file system that can only be read", "one that can be written to: choose a folder on another one"),
    errno.ENAMETOOLONG: ("a name that is too long", "a shorter one: shorten --desc, or names of folders and files"),
    errno.EEXIST: ("that something has this name already", f"a free name: move that away, or {_ELSEWHERE}"),
    errno.ENOTEMPTY: ("a folder that is not empty", f"an empty one, or nothing: move it away, or {_ELSEWHERE}"),
    errno.EISDIR: ("a folder", f"a file: move the folder away, or {_ELSEWHERE}"),
    errno.ENOTDIR: ("a file where a folder should be", f"a folder: move the file away, or {_ELSEWHERE}"),
    errno.ENOENT: ("nothing there", "a file or folder: check the name, and that nobody removes it meanwhile"),
    errno.EIO: ("that its disk does not work", "one that does: see the system's log (dmesg), or use another disk"),
    errno.EMFILE: ("too many files open", "fewer: raise the limit (ulimit -n), or lower --workers"),
    errno.ENFILE: ("too many files open on this system", "fewer: end other programs, or try again later"),
    errno.ENOMEM: ("too little memory", "more: end other programs, or try again later"),
    errno.EBUSY: ("that it is in use", f"that it is free: end what uses it, or {_ELSEWHERE}"),
    errno.ETXTBSY: ("that it is being run", f"that it is free: end what runs it, or {_ELSEWHERE}"),
    errno.ESTALE: ("a file that its server has lost", "the server's files: mount them anew, or try again"),
    errno.ETIMEDOUT: ("that its server does not answer", f"an answer: try again later, or {_ELSEWHERE}"),
    errno.ELOOP: ("links that lead round in a circle", "a file or folder: mend the links"),
    errno.EXDEV: ("that it cannot be moved between file systems", f"one file system: {_ELSEWHERE}"),
    errno.ENODEV: ("no such device", f"one that is there: mount it, or {_ELSEWHERE}"),
    errno.EINVAL: ("that its file system refuses this name or use", f"one that takes it: {_ELSEWHERE}"),
}
_OTHERWISE = ("that it cannot be read or written", f"that it can: check the place, or {_ELSEWHERE}")
_NUMBERS = {os.strerror(number): number for number in sorted(errno.errorcode, reverse=True)}
_TEXTS = re.compile("|".join(map(re.escape, sorted(_NUMBERS, key=len, reverse=True))))
_ABSOLUTE_PATH = re.compile(r"(?:^|[\s'\"=(:])(/[^\s'\";:,)]+)")


def first_line(error: BaseException) -> str:
    """The beginning of a message that may be long; the error's type if it has none."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def explain_file_error(error: BaseException, path: str | os.PathLike[str] | None = None) -> str:
    """One line on an error of a file.

    Args:
        error: of the operating system, or one of a library that hides such a one.
        path: what the error is about, where the error itself does not say so.

    Returns:
        "PATH: found WHAT (as the system says it), expected WHAT ELSE: REMEDY". An error that was explained already
        keeps its words.
    """
    number = error_number(error)
    if number is None:
        text = " ".join(str(error).split()) or type(error).__name__
        if ": found " in text or path is None:
            return text
        return f"{path}: found {_OTHERWISE[0]} ({text}), expected {_OTHERWISE[1]}"
    found, expected = _WORDS.get(number, _OTHERWISE)
    place = _place_of(error, path)
    return f"{place + ': ' if place else ''}found {found} ({os.strerror(number)}), expected {expected}"


def error_number(error: BaseException) -> int | None:
    """The operating system's number of an error that has not been explained yet; None for all others.

    Libraries that hide it write the system's words, as TensorFlow does, or the number, as h5py and safetensors do.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    if ": found " in text or type(error).__module__.partition(".")[0] == "sg_keras":  # a line of ours
        return None
    match = re.search(r"\b(?:errno = |code: |Errno |os error )([0-9]+)", text)
    if match:
        return int(match.group(1))
    words = None if type(error) is OSError else _TEXTS.search(text)
    return _NUMBERS[words.group()] if words else None


@contextlib.contextmanager
def file_errors_explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within, an error of a file becomes one line on `path`, unless it says itself what it is about.

    Raises:
        OSError: of the kind that it was, if it was one of the operating system.
    """
    try:
        yield
    except (BrokenPipeError, ValueError):  # nothing that is on a disk
        raise
    except Exception as error:
        if error_number(error) is None:
            raise
        raise _same_kind(error)(explain_file_error(error, path)) from error


def _same_kind(error: Exception) -> type[OSError]:
    return type(error) if isinstance(error, OSError) and type(error).__module__ == "builtins" else OSError


def _place_of(error: BaseException, path: str | os.PathLike[str] | None) -> str:
    """The path as people know it: not the name under which a file is written before it takes its place."""
    name = getattr(error, "filename", None)
    if not isinstance(name, str | bytes | os.PathLike):  # there are numbers of open files, too
        match = None if isinstance(error, OSError) and error.errno is not None else _ABSOLUTE_PATH.search(str(error))
        name = match.group(1) if match and path is None else None
    if name is None:
        return "" if path is None else os.fspath(path)
    place = os.fsdecode(name)
    if not any(mark in place for mark in (PARTIAL, ".new-run-")):
        return place
    return os.fspath(path) if path is not None else place.replace(PARTIAL, "")


def error_line(error: Exception, words: Sequence[str]) -> str:
    """What a tool says of an error that ends it.

    Args:
        error: of files, or a ValueError, which names what is wrong by itself.
        words: of the command line.
    """
    if isinstance(error, UnicodeEncodeError) and not is_utf8(error.object):
        return f"{error.object}: found a name that is not UTF-8, expected one that is: rename it, or make a link to it"
    return str(error) if isinstance(error, ValueError) else name_the_option(explain_file_error(error), words)


def name_the_option(line: str, words: Sequence[str]) -> str:
    """Put the option in front of a line that begins with a path, if the path lies where an option of `words` says.

    Args:
        line: such as explain_file_error gives.
        words: of the command line.

    Returns:
        The line. Paths in the folder for copies or in that for temporary files get the name of the environment variable
        that moves these.
    """
    place = line.partition(": ")[0]
    if line.startswith("--") or not place or ("/" not in place and not pathlib.Path(place).exists()):
        return line
    named = [(option, value) for option, value in _typed(words) if _lies_in(place, value)]
    if not named:
        folders = ((CACHE_VARIABLE, _cache()), ("TMPDIR", tempfile.gettempdir()))
        named = [(variable, folder) for variable, folder in folders if folder and _lies_in(place, folder)]
    if not named:
        return line
    option, _ = max(named, key=lambda pair: len(str(pathlib.Path(pair[1]).absolute())))
    return f"{option}: {line}"


def _typed(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values as they were typed."""
    for word, following in zip(words, [*words, "--"][1:], strict=True):
        name, has_value, value = word.partition("=")
        if not name.startswith("--"):
            continue
        if has_value:
            yield name, value
        elif not following.startswith("--"):
            yield name, following


def _cache() -> str:
    try:
        return str(cache_folder())
    except (OSError, RuntimeError):  # nobody's home is known
        return ""


def _lies_in(place: str, folder: str) -> bool:
    """Whether a path is a folder or file, or lies in it. RUN_DIR@TICK means the run directory."""
    if not folder.strip() or "://" in folder:
        return False
    folder = re.sub(r"@[0-9]+$", "", folder)
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # nobody's home, links in a circle, a null character
        home = pathlib.Path(folder).expanduser()
        pairs = (pathlib.Path(place).absolute(), home.absolute()), (pathlib.Path(place).resolve(), home.resolve())
        return any(one.is_relative_to(other) for one, other in pairs)
    return False
