"""Sizes that networks, data and options agree on: the default capacity, and sides of images that networks can have."""

from __future__ import annotations

#: Feature maps at resolution r are min(base // r, max) (arXiv:1912.04958, appendix B): the published full capacity.
DEFAULT_CHANNEL_BASE = 32768
DEFAULT_CHANNEL_MAX = 512


def is_power_of_two(value: int, at_least: int = 1) -> bool:
    """Whether a whole number is a power of two, and not below another one.

    Example:
        >>> is_power_of_two(256), is_power_of_two(24), is_power_of_two(4, at_least=8)
        (True, False, False)
    """
    return value >= max(at_least, 1) and not value & (value - 1)


def require_power_of_two(value: int, name: str, at_least: int) -> None:
    """Refuse every other number.

    Raises:
        ValueError: one line with the name, what was found and what was expected.
    """
    if not is_power_of_two(value, at_least):
        raise ValueError(f"{name}: found {value}, expected a power of two of at least {at_least}")
