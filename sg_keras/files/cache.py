"""Places: the home directory, what is an address, and where copies of what lies there are kept."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import re
import tempfile
from collections.abc import Iterator

CACHE_VARIABLE = "SG_KERAS_CACHE"  # of the environment: names the folder
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_url(place: str) -> bool:
    """Whether a text is an address, scheme://..., rather than a path."""
    return _SCHEME.match(place) is not None


def expand_home(place: str) -> str:
    """A path with its leading ~ or ~user replaced by that home directory, which shells do only in some places.

    A file or folder of the working directory that is called ~name keeps its name where there is no such user.

    Raises:
        ValueError: there is no such home directory; one line.
    """
    if not place.startswith("~"):
        return place
    name, slash, rest = place[1:].partition("/")
    home = _home_of(name) if name else home_folder()
    if home is not None:
        return f"{home.rstrip('/')}{slash}{rest}" or "/"
    if name and os.path.lexists(place):
        return place
    if name:
        raise ValueError(
            f"found {place!r}, expected a user called {name}, or ./{place} for a place of that name in this folder"
        )
    raise ValueError(
        f"found {place!r}, but neither the variable HOME nor the system names a home directory, expected HOME to be "
        "set, or a path without ~"
    )


def home_folder() -> str | None:
    """The user's home directory by $HOME, else by the system's list of users; None where neither names one."""
    home = os.environ.get("HOME")
    if home:
        return home
    try:
        return pwd.getpwuid(os.getuid()).pw_dir or None
    except KeyError:  # containers run under numbers without a name
        return None


def _home_of(user: str) -> str | None:
    try:
        return pwd.getpwnam(user).pw_dir or None
    except (KeyError, ValueError):  # ValueError: of a name that is no text for the system
        return None


def cache_folder() -> pathlib.Path:
    """Where copies are kept: $SG_KERAS_CACHE, or sg_keras in the user's cache directory.

    Raises:
        ValueError: the variable is not set, and there is no home directory.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        try:
            return pathlib.Path(expand_home(named))
        except ValueError as error:
            raise ValueError(f"{CACHE_VARIABLE}: {error}") from error
    caches = os.environ.get("XDG_CACHE_HOME")
    if caches:
        return pathlib.Path(caches) / "sg_keras"
    home = home_folder()
    if home is None:
        raise ValueError(
            f"{CACHE_VARIABLE}: found nothing, and no home directory to keep copies in, expected this variable of the "
            "environment to name a folder that can be written to"
        )
    return pathlib.Path(home) / ".cache" / "sg_keras"


def prepare_cache(folder: pathlib.Path) -> None:
    """Make a folder in the cache folder, if it is not there, and make sure that files can be made in it.

    Raises:
        OSError: none can; one line that says what else to do.
    """
    with cache_errors_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def cache_errors_explained(folder: pathlib.Path) -> Iterator[None]:
    """Within, what goes wrong with files in the cache folder is one line that names the way round."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f"{folder}: found that no files can be kept there ({error.strerror or error}), expected a folder that can "
            f"be written to; the environment variable {CACHE_VARIABLE} names another"
        ) from error
