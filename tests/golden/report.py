"""Results and their printed form: `name error tolerance status`, one line a case."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from tests.golden.manifest import Case
from tests.golden.tolerance import Judgement, compare, worst

OK, FAIL, UNCOVERED = "ok", "FAIL", "uncovered"


class UncoveredError(Exception):
    """Raised by a checker where sg_keras has no code for a case yet."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How a case is run."""

    impl: str = "auto"  # auto, custom, reference
    dtype: str = "float32"  # float32, float64
    verbose: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """One line of the report, with what to say below it."""

    name: str
    status: str
    error: float | None = None
    limit: float | None = None
    details: tuple[str, ...] = ()
    remark: str = ""

    def line(self) -> str:
        """Four fields: name, error, tolerance and status; - where there is no number."""
        error, limit = ("-" if v is None else f"{v:.2e}" for v in (self.error, self.limit))
        return f"{self.name} {error} {limit} {self.status}"


def uncovered(name: str, reason: str) -> Result:
    """A case, or part of one, that has no code yet."""
    return Result(name, UNCOVERED, details=(reason,))


def failed(name: str, reason: str) -> Result:
    """A case that could not be run to its end."""
    return Result(name, FAIL, details=(reason,))


def judged(name: str, judgements: list[Judgement]) -> Result:
    """The worst of a case's judgements; every one that fails is listed below it."""
    if not judgements:
        return failed(name, "nothing to check: the case has no output")
    shown = worst(judgements)
    bad = sorted((j for j in judgements if not j.passed), key=lambda j: -j.ratio)
    listed = bad if bad else [shown]
    details = tuple(f"{j.array}: error {j.error:.3e}, tolerance {j.limit:.3e} {j.note}".rstrip() for j in listed)
    return Result(name, FAIL if bad else OK, shown.error, shown.limit, details, _about_kinks(judgements))


def _about_kinks(judgements: list[Judgement]) -> str:
    """What exceeds the limits without kinks, which is no failure, or nothing."""
    usual = [j.usual for j in judgements if j.usual is not None]
    beyond = [j for j in usual if not j.passed]
    if not beyond:
        return ""
    most = worst(beyond)
    return (
        f"kinks: {len(beyond)} of {len(usual)} arrays exceed the limits without kinks, "
        f"most of all {most.array}: error {most.error:.3e}, limit {most.limit:.3e}"
    )


def judge_outputs(case: Case, found: Mapping[str, Any], options: Options, extra: Iterable[Judgement] = ()) -> Result:
    """Compare every output array of a case with what was computed under that name, in the published layout.

    An output that the checker did not compute makes the case fail: it must not go unseen.
    """
    names = case.names("output")
    missing = [name for name in names if name not in found]
    if missing:
        return failed(case.name, f"output arrays not understood by the checker: {', '.join(missing[:8])}")
    dtype = judging_dtype(case, options)
    judgements = [compare(name, found[name], case.arrays[name], case.tolerance, dtype) for name in names]
    return judged(case.name, [*judgements, *extra])


def judging_dtype(case: Case, options: Options) -> str:
    """The precision whose limits apply: the run's, but float32 where the reference itself was evaluated in float32.

    A float64 evaluation leaves float64 arrays, or casts some of them (gradients). A case whose every output is float32
    comes from a float32 evaluation and carries its noise, which no float64 run can come closer to.
    """
    stored = {case.entry["arrays"][name]["dtype"] for name in case.names("output")}
    return "float32" if stored == {"float32"} else options.dtype


class Report:
    """Prints results as they come and counts them."""

    def __init__(self, stream: TextIO, verbose: bool = False) -> None:
        self.stream = stream
        self.verbose = verbose
        self.results: list[Result] = []

    def add(self, result: Result) -> None:
        """Print one line; below it, indented, remarks, and why a case failed (with verbose: always)."""
        self.results.append(result)
        print(result.line(), file=self.stream)
        if result.remark:
            print(f"    {result.remark}", file=self.stream)
        if result.status == FAIL or self.verbose:
            for detail in result.details[: None if self.verbose else 8]:
                print(f"    {detail}", file=self.stream)
        self.stream.flush()

    def count(self, status: str) -> int:
        return sum(result.status == status for result in self.results)

    def finish(self) -> int:
        """Print the last line. Returns the exit status."""
        passed, bad, missing = (self.count(status) for status in (OK, FAIL, UNCOVERED))
        print(f"golden: {passed} passed, {bad} failed, {missing} uncovered", file=self.stream)
        return 1 if bad else 0
