"""How close is close enough: the tolerance rules of the manifest."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping
from typing import Any

import numpy as np

# An array stored as float32 carries that rounding, so nothing is judged tighter than this times max|b|.
FLOAT32_FLOOR = 2e-7


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The worst element of a comparison: error and limit there. It passes where error <= limit."""

    array: str
    error: float
    limit: float
    note: str = ""
    usual: Judgement | None = None  # by the limits that are kept where no activation crosses its kink, if others

    @property
    def passed(self) -> bool:
        return self.error <= self.limit  # False for nan

    @property
    def ratio(self) -> float:
        """Error over limit, to tell which array is worst; infinite where no number can be given."""
        if not np.isfinite(self.error):
            return np.inf
        if self.error == 0:
            return 0.0
        return self.error / self.limit if self.limit > 0 else np.inf


def matches(name: str, pattern: str) -> bool:
    """True where the pattern fits the whole dotted name or its last parts (w_avg fits mapping.w_avg)."""
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, "*." + pattern)


def best_pattern(name: str, patterns: Mapping[str, Any]) -> str | None:
    """The longest, so most specific, pattern that fits the name."""
    return max((p for p in patterns if matches(name, p)), key=len, default=None)


def limits_of(tolerance: Mapping[str, Any], array: str, dtype: str) -> tuple[str, float, float]:
    """Rule, rtol and atol of one array in a run of one dtype ("float64" or "float32").

    An override replaces the case's limits. Where limits of one precision alone are given, the other is held to them.
    """
    rule = tolerance["rule"]
    override = best_pattern(array, tolerance.get("overrides") or {})
    if override is not None:
        tolerance = tolerance["overrides"][override]
        rule = tolerance.get("rule", rule)
    if rule == "equal":
        return rule, 0.0, 0.0
    order = ("f64", "f32") if dtype == "float64" else ("f32", "f64")
    limits = next((tolerance[key] for key in order if key in tolerance), None)
    if limits is None:
        raise ValueError(f"{array}: the manifest gives no limits for rule {rule!r}")
    return rule, float(limits["rtol"]), float(limits["atol"])


def without_kinks(tolerance: Mapping[str, Any], dtype: str) -> Mapping[str, Any] | None:
    """The limits that a float32 run keeps where rounding moves no activation across its kink; None: as they are.

    Such an activation moves the gradients of whole tensors, on one processor and not on another. In float64 none does.
    """
    if dtype != "float32" or "f32_without_kinks" not in tolerance:
        return None
    return {**tolerance, "f32": tolerance["f32_without_kinks"]}


def elementwise_limit(rule: str, rtol: float, atol: float, expected: np.ndarray) -> np.ndarray:
    """The greatest allowed |a - b| of each element, for expected values b stored in expected.dtype."""
    b = np.abs(expected.astype(np.float64))
    largest = float(b.max(initial=0.0))
    if rule == "op":
        limit = atol * max(1.0, largest) + rtol * b
    elif rule == "tensor":
        limit = atol * largest + rtol * b
    elif rule == "absolute":
        limit = atol + rtol * b
    elif rule == "equal":
        return np.zeros_like(b)
    else:
        raise ValueError(f"tolerance rule {rule!r} is not understood")
    if expected.dtype == np.float32:
        limit = np.maximum(limit, FLOAT32_FLOOR * largest)
    return limit


def compare(array: str, found: Any, expected: np.ndarray, tolerance: Mapping[str, Any], dtype: str) -> Judgement:
    """Judge one array by its rule. A wrong shape or a non-finite value that is not expected is an infinite error."""
    rule, rtol, atol = limits_of(tolerance, array, dtype)
    found = np.asarray(found)
    if found.shape != expected.shape:
        return Judgement(array, np.inf, 0.0, f"shape {list(found.shape)}, expected {list(expected.shape)}")
    if expected.size == 0:
        return Judgement(array, 0.0, 0.0)
    if rule == "equal" and expected.dtype.kind not in "fc":
        return Judgement(array, float(np.count_nonzero(found != expected)), 0.0)
    judgement = worst_element(array, found, expected, elementwise_limit(rule, rtol, atol, expected))
    usual = without_kinks(tolerance, dtype)
    if usual is None:
        return judgement
    limit = elementwise_limit(*limits_of(usual, array, dtype), expected)
    return dataclasses.replace(judgement, usual=worst_element(array, found, expected, limit))


def same(name: str, found: Any, expected: Any) -> Judgement:
    """Judge plain values, which have to be equal; the note says where they differ."""
    equal = found == expected
    return Judgement(name, 0.0 if equal else np.inf, 0.0, "" if equal else _difference(found, expected))


def _difference(found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [k for k in {**found, **expected} if found.get(k) != expected.get(k)]
        found, expected = ({k: values.get(k) for k in keys[:3]} for values in (found, expected))
    return f"found {found}, expected {expected}"


def worst_element(array: str, found: np.ndarray, expected: np.ndarray, limit: np.ndarray | float) -> Judgement:
    """The element with the greatest ratio of error to limit."""
    a, b = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    limit = np.broadcast_to(np.asarray(limit, np.float64), a.shape)
    same = (a == b) | (np.isnan(a) & np.isnan(b))  # equal infinities too
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(same, 0.0, np.abs(a - b))
        error = np.where(np.isnan(error), np.inf, error)
        ratio = np.where(error == 0, 0.0, error / limit)
    worst = np.unravel_index(int(np.argmax(ratio)), ratio.shape) if ratio.shape else ()
    return Judgement(array, float(error[worst]), float(limit[worst]), f"at {list(map(int, worst))}" if worst else "")


def worst(judgements: list[Judgement]) -> Judgement:
    """The judgement to report: the one with the greatest ratio."""
    return max(judgements, key=lambda judgement: judgement.ratio)
