"""What is wrong with sizes of batches, in terms of the options that were typed, with values near by that work."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sg_keras.config import TrainingOptions
from sg_keras.config.training_config import count_replicas
from sg_keras.flags.options import BY_KEY

Works = Callable[[TrainingOptions], bool]

#: Which option is named first: the rarely typed ones, since whoever typed them meant them.
_BLAMED = ("batch_gpu", "mbstd_group", "batch")
_FEWER = ("gpus", "cpu_devices")  # there may not be more of them
_WAYS = (*_BLAMED, *_FEWER, "pl_weight")
_STEPS = 8  # multiples to try in each direction


def batch_message(options: TrainingOptions, typed: Mapping[str, str], works: Works) -> str:
    """One line on sizes that do not go together.

    Args:
        options: of the run.
        typed: spelling of the options that were typed, by key; no other is named as the one that is wrong.
        works: whether a run accepts such sizes; every value that the line names was tried.

    Returns:
        The option, the value found, all that is wrong with it and what would work.
    """
    ways = {key: _working_values(options, key, works) for key in _WAYS}
    candidates = [key for key in _BLAMED if key in typed]
    blamed = next((key for key in candidates if ways[key]), candidates[-1])
    expected = [_alternatives(ways[blamed]) or _both_sizes(options, works)]
    others = [key for key in _WAYS if key != blamed and ways[key]]
    others = [key for key in others if key != "batch_gpu" or key in typed]
    if others:
        expected.append(", ".join(f"--{BY_KEY[key].name}={_alternatives(ways[key])}" for key in others))
    facts = " and ".join(_facts(options, typed))
    found = getattr(options, blamed)
    return f"{typed[blamed]}: found {found}, where {facts}, expected {', or else '.join(filter(None, expected))}"


def _facts(options: TrainingOptions, typed: Mapping[str, str]) -> Iterable[str]:
    """Everything that does not go together."""
    replicas, group = _replicas(options), options.mbstd_group
    share, is_even = options.batch // replicas, options.batch % replicas == 0
    if not is_even:
        yield f"{options.batch} images cannot be shared evenly by {_devices(options)}"
    if isinstance(options.batch_gpu, int):
        size = options.batch_gpu
        if is_even and share % size != 0:
            yield f"micro-batches of {size} do not divide the {share} images of --batch={options.batch} per device"
    elif is_even:
        size = share
    else:
        return
    if size % group != 0:
        default = "" if "mbstd_group" in typed else ", the default"
        yield f"micro-batches of {size} cannot be split into groups of {group} (--mbstd-group={group}{default})"
    if size == 1 and size % group == 0 and is_even:
        yield "micro-batches of 1 image are too small for path length regularisation, which needs 2"


def _working_values(options: TrainingOptions, key: str, works: Works) -> list[Any]:
    """Values of one option, the nearest to the one that it has, with which a run accepts the others as they are."""

    def fits(value: Any) -> bool:
        return works(dataclasses.replace(options, **{key: value}))

    found = getattr(options, key)
    if key == "pl_weight":
        return [0] if fits(0.0) else []
    if key in _FEWER:
        return [value for value in range(found - 1, 0, -1) if fits(value)][:1]
    share = options.batch // _replicas(options)
    if key == "batch":
        return _nearest([value for value in _batches_near(options) if fits(value)], found)
    if key == "batch_gpu":
        size = found if isinstance(found, int) else share
        return _nearest([value for value in _divisors(share) if fits(value)], size, most=4)
    size = options.batch_gpu if isinstance(options.batch_gpu, int) else share
    groups = [value for value in _divisors(size) if fits(value)]
    return _nearest([value for value in groups if value > 1], found) or groups  # of 1 there is no deviation


def _batches_near(options: TrainingOptions) -> list[int]:
    micro_batch = options.batch_gpu if isinstance(options.batch_gpu, int) else 1
    step = _replicas(options) * math.lcm(micro_batch, options.mbstd_group)
    below = options.batch // step
    return [k * step for k in range(max(below - _STEPS, 1), below + _STEPS)]


def _both_sizes(options: TrainingOptions, works: Works) -> str:
    """Where no single value helps: sizes of batch and micro-batch, the nearest that go together."""
    for factor in range(1, _STEPS):
        size = options.mbstd_group * factor
        both = dataclasses.replace(options, batch_gpu=size)
        values = _nearest([value for value in _batches_near(both) if works(dataclasses.replace(both, batch=value))], 0)
        if values:
            near = min(_batches_near(both), key=lambda value: abs(value - options.batch))
            return f"--batch={near} with --batch-gpu={size}"
    return ""


def _nearest(values: list[int], to: int, most: int = 2) -> list[int]:
    """The nearest of them, ascending, from below and above where there are such."""
    below, above = [v for v in values if v <= to], [v for v in values if v > to]
    half = most // 2
    taken_below = max(half, most - len(above))
    return [*sorted(below)[-taken_below:], *sorted(above)[: most - min(len(below), taken_below)]]


def _divisors(number: int) -> list[int]:
    small = [value for value in range(1, math.isqrt(max(number, 0)) + 1) if number % value == 0]
    return sorted({*small, *(number // value for value in small)})


def _replicas(options: TrainingOptions) -> int:
    return max(count_replicas(options.gpus, options.cpu_devices, options.cluster_size), 1)


def _devices(options: TrainingOptions) -> str:
    devices = f"--gpus={options.gpus}" if options.gpus else f"--cpu_devices={options.cpu_devices}"
    return devices + (f" on {options.cluster_size} workers" if options.cluster_size > 1 else "")


def _alternatives(values: list[Any]) -> str:
    words = [str(value) for value in values]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
