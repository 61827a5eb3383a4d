"""Errors that begin with what they are about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def errors_named(name: str) -> Iterator[None]:
    """Within, a ValueError begins with a name, such as an option's or a score's.

    Example:
        >>> with errors_named("glr"):
        ...     raise ValueError("found 0, expected a positive number")
        Traceback (most recent call last):
        ValueError: glr: found 0, expected a positive number
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
