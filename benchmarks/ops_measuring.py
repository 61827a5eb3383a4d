"""Measures one case of `benchmarks.ops_cases`: agreement, then times, bandwidth and memory."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping

import tensorflow as tf

from benchmarks.ops_cases import Case
from benchmarks.ops_timing import Call, compiled, median_seconds, page_faults, with_gradients
from benchmarks.other_load import OtherLoad

_TOLERANCE = 1e-4
_SCREENING_SEC = 0.5
_NEARLY_BEST = 1.3  # compositions within this factor of the fastest at a first look are measured in full
_STATUS = pathlib.Path("/proc/self/status")
_CLEAR_REFS = pathlib.Path("/proc/self/clear_refs")


def measure(case: Case, seconds: float) -> dict:
    """A row of figures.

    Raises:
        ValueError: a composition does not compute what the op computes.
    """
    arguments = [tf.random.stateless_normal(shape, seed=[0, i]) for i, shape in enumerate(case.arguments)]
    if case.backward:
        arguments.append(tf.random.stateless_normal(case.ours(*arguments).shape, seed=[1, 0]))
    wrap = with_gradients if case.backward else (lambda function: function)
    is_xla = case.kind == "XLA"
    composed = {name: compiled(wrap(f), arguments, is_xla) for name, f in case.composed.items()}
    ours = compiled(wrap(case.ours), arguments)
    for name, call in composed.items():
        _check_agreement(f"{case.name}: {name}", call, ours)
    composed = _fastest(composed)
    copies = _copies(case.copied) if case.traffic else {}
    load = OtherLoad()
    times = median_seconds({"ours": ours} | composed | copies, seconds)
    best = min(composed, key=lambda name: times[name])
    return {
        "case": case.name,
        "op": case.op,
        "kind": case.kind,
        "ours_ms": times["ours"] * 1e3,
        "composed": best,
        "composed_ms": times[best] * 1e3,
        "ratio": times[best] / times["ours"],
        "target": case.target,
        "share_of_copy": _share_of_copy(case, times, copies),
        "share_target": case.share_target,
        "copy_gb_per_s": 2 * 4 * case.copied / min(times[name] for name in copies) / 1e9 if copies else None,
        "keeps_mask": case.mask_bytes is not None,
        "peak_memory": None,
        "page_faults": page_faults(ours),
        "other_load": load.share(),
    }


def _check_agreement(name: str, call: Call, ours: Call) -> None:
    for found, expected in zip(tf.nest.flatten(call()), tf.nest.flatten(ours()), strict=True):
        # On the average: where the input of a leaky ReLU is almost 0, rounding decides on the slope.
        error = float(tf.reduce_mean(tf.abs(found - expected)) / tf.reduce_mean(tf.abs(expected)))
        if not error <= _TOLERANCE:
            raise ValueError(f"{name}: found a relative error of {error:.1e}, expected {_TOLERANCE} at most")


def _fastest(composed: Mapping[str, Call]) -> dict[str, Call]:
    """Those compositions that may be the fastest."""
    if len(composed) == 1:
        return dict(composed)
    times = median_seconds(composed, _SCREENING_SEC, min_rounds=3)
    return {name: call for name, call in composed.items() if times[name] <= _NEARLY_BEST * min(times.values())}


def _copies(elements: int) -> dict[str, Call]:
    """Ops that read a tensor and write one that they allocate; the fastest is the copy that counts."""
    x = tf.random.stateless_normal([elements], seed=[2, 0])
    functions: dict[str, Callable] = {
        "copy: DeepCopy": lambda x: tf.raw_ops.DeepCopy(x=x),
        "copy: Neg": lambda x: -x,
    }
    return {name: compiled(function, [x]) for name, function in functions.items()}


def _share_of_copy(case: Case, times: Mapping[str, float], copies: Mapping[str, Call]) -> float | None:
    if case.traffic is None:
        return None
    copy_bandwidth = 2 * 4 * case.copied / min(times[name] for name in copies)
    return case.traffic / times["ours"] / copy_bandwidth


# ---- memory ----------------------------------------------------------------------------------------------------------


def peak_memory(case: Case) -> float | None:
    """Peak of memory while the op runs, over inputs, results and mask; None where the system does not tell.

    Right only in a process that has run nothing else: TensorFlow keeps memory for later.
    """
    if case.mask_bytes is None or not _CLEAR_REFS.exists():
        return None
    function = with_gradients(case.ours) if case.backward else case.ours
    small = [tf.zeros([1, *shape[1:]] if len(shape) > 1 else shape) for shape in case.arguments]
    if case.backward:
        small.append(tf.zeros_like(case.ours(*small)))
    compiled(function, small)  # what a first call takes is not the op's
    before = _resident_bytes("VmRSS")
    arguments = [tf.zeros(shape) + 1 for shape in case.arguments]
    results = case.ours(*[tf.zeros([0, *a.shape[1:]]) if a.shape.rank > 1 else a for a in arguments]).shape
    if case.backward:
        arguments.append(tf.zeros([case.arguments[0][0], *results[1:]]) + 1)
    graph = tf.function(lambda *a: function(*a), autograph=False, jit_compile=False).get_concrete_function(*arguments)
    _CLEAR_REFS.write_text("5")  # the peak counts from here
    outputs = graph(*arguments)
    peak = _resident_bytes("VmHWM") - before
    tensors = sum(tensor.shape.num_elements() * 4 for tensor in [*arguments, *tf.nest.flatten(outputs)])
    return peak / (tensors + case.mask_bytes)


def _resident_bytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
