"""Constructor arguments and attributes of the modules of a file, as values of the types that they have to be of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sg_keras.weights.official.plain_values import plain_array

_MISSING = object()
_MAX_VALUES = 32


class Settings:
    """What modules say about themselves; the first that says something decides.

    Args:
        states: of the modules. A constructor argument ("_init_kwargs") goes before an attribute.
    """

    def __init__(self, states: Sequence[Mapping[str, Any]]) -> None:
        self._places: list[Mapping[str, Any]] = []
        for state in states:
            arguments = state.get("_init_kwargs")
            self._places += [arguments] if isinstance(arguments, Mapping) else []
            self._places.append(state)

    def _find(self, name: str, default: Any) -> Any:
        found = next((place[name] for place in self._places if name in place), default)
        if found is _MISSING:
            raise ValueError(f"found no {name} in it, expected a network that says its {name}")
        array = None if type(found) in (int, float) else plain_array(found)
        if array is None:
            return found
        if array.size > _MAX_VALUES:
            raise ValueError(f"{name}: found {array.size} numbers, expected {_MAX_VALUES} at most")
        return array.tolist()

    def integer(self, name: str, default: Any = _MISSING) -> int:
        """A whole number, not negative.

        Raises:
            ValueError: it is something else, or missing without a default.
        """
        value = self._find(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(_finite(name, value)):
            raise ValueError(f"{name}: found a {type(value).__name__}, expected a whole number")
        if not 0 <= value < 2**31:
            raise ValueError(f"{name}: found {value:g}, expected 0 or more")
        return int(value)

    def number(self, name: str, default: Any = _MISSING) -> Any:
        """A number as it is, or None where None is said or the default.

        Raises:
            ValueError: it is something else, or missing without a default.
        """
        value = self._find(name, default)
        return None if value is None else _finite(name, value)

    def text(self, name: str, default: str) -> str:
        """A word.

        Raises:
            ValueError: it is something else.
        """
        value = self._find(name, default)
        if not isinstance(value, str) or len(value) > 40:
            raise ValueError(f"{name}: found a {type(value).__name__}, expected a word")
        return value

    def boolean(self, name: str, default: bool) -> bool:
        """Yes or no.

        Raises:
            ValueError: it is something else.
        """
        value = self._find(name, default)
        if not isinstance(value, bool):
            raise ValueError(f"{name}: found a {type(value).__name__}, expected True or False")
        return value

    def numbers(self, name: str, default: Sequence[float]) -> list[float]:
        """A short list of numbers.

        Raises:
            ValueError: it is something else.
        """
        value = self._find(name, default)
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MAX_VALUES:
            raise ValueError(f"{name}: found a {type(value).__name__}, expected a list of numbers")
        return [_finite(name, number) for number in value]


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(
            f"{name}: found {'an infinite number' if isinstance(value, float) else type(value).__name__}, "
            "expected a number"
        )
    return value
