"""Histograms of measures, and images that show what their values mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

_BINS = 30


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values between edges.

    Attributes:
        edges: ascending, one more than counts; the last interval has its upper edge in it.
        counts: of all values.
        log: whether intervals have equal ratios rather than equal widths.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    log: bool


def histogram(values: Mapping[int, float | None], log: bool = False) -> Histogram | None:
    """The histogram of what is not None; None where that is nothing.

    Args:
        values: by index of image.
        log: with equal ratios of edges, for values that spread over decades; those below 0.01 count as 0.01.
    """
    known = np.array([value for value in values.values() if value is not None], np.float64)
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    if log:
        low, high = max(low, 0.01), max(high, 0.011)
        edges = np.geomspace(low, max(high, low * 1.01), _BINS + 1)
    else:
        edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), edges)
    if log:
        edges[0] = min(edges[0], float(known.min()))
    return Histogram(tuple(round(float(edge), 6) for edge in edges), tuple(counts.tolist()), log)


def tenths(values: Mapping[int, float | None]) -> list[int]:
    """Indices of the images at the quantiles 0, 0.1, ... 1, each once."""
    ordered = _ordered(values)
    if not ordered:
        return []
    return list(dict.fromkeys(ordered[round(tenth * (len(ordered) - 1) / 10)] for tenth in range(11)))


def lowest(values: Mapping[int, float | None], count: int) -> list[int]:
    """Indices of the lowest values, ascending."""
    return _ordered(values)[:count]


def highest(values: Mapping[int, float | None], count: int) -> list[int]:
    """Indices of the highest values, descending."""
    return _ordered(values)[::-1][:count]


def _ordered(values: Mapping[int, float | None]) -> list[int]:
    known = [(value, index) for index, value in values.items() if value is not None]
    return [index for _, index in sorted(known)]


def histogram_lines(
    label: str, limit: float, found: Histogram, write: Callable[[float], str] = "{:.3g}".format
) -> list[str]:
    """A histogram for a terminal: ten rows at most, and where the limit lies.

    Args:
        label: what is counted.
        limit: of what is dropped.
        found: the histogram.
        write: numbers as text.
    """
    step = max(1, len(found.counts) // 10)
    rows = [(start, sum(found.counts[start : start + step])) for start in range(0, len(found.counts), step)]
    most = max(count for _, count in rows)
    lines = [f"{label}, limit {write(limit)}:"]
    for start, count in rows:
        low, high = found.edges[start], found.edges[min(start + step, len(found.counts))]
        mark = " <- limit" if low <= limit < high else ""
        lines.append(f"  {write(low):>8} to {write(high):>8}  {'#' * round(40 * count / most):40} {count}{mark}")
    return lines
