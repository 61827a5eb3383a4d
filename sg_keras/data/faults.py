"""Words for what is wrong with many files at once: how many, and the first three."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def name_some(names: Sequence[str], total: int) -> str:
    """One name as it is; several as "40 of 140 images (a.png, b.png, c.png, ...)"."""
    return names[0] if len(names) == 1 else f"{len(names)} of {total} images ({first_names(names)})"


def first_names(names: Sequence[str]) -> str:
    """The first three names, and dots where there are more."""
    return ", ".join([*names[:_SHOWN], *(["..."] if len(names) > _SHOWN else [])])


def join_some(texts: Sequence[str], what: str) -> str:
    """The first three texts, and how many more of `what` there are."""
    rest = len(texts) - _SHOWN
    return "; ".join([*texts[:_SHOWN], *([f"and {rest} more {what}"] if rest > 0 else [])])
