"""Places beyond this machine's own files: what is an address, and where copies of what lies there are kept."""

from __future__ import annotations

import os
import pathlib
import re

CACHE_VARIABLE = "SG_KERAS_CACHE"  # of the environment: names the folder
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_address(place: str) -> bool:
    """Whether a text is an address, scheme://..., rather than a path."""
    return _SCHEME.match(place) is not None


def cache_folder() -> pathlib.Path:
    """Where copies are kept: $SG_KERAS_CACHE, or sg_keras in the user's cache directory."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return pathlib.Path(named).expanduser()
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sg_keras"
