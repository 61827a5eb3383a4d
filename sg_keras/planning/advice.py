"""What would make a run faster, and by how much about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from sg_keras.config import TrainingConfig
from sg_keras.config.sizes import block_sizes
from sg_keras.planning.cost import half_share
from sg_keras.planning.measured_steps import MeasuredSteps
from sg_keras.planning.memory import MemoryPlan
from sg_keras.planning.published import GpuModel
from sg_keras.planning.traced_step import TracedStep
from sg_keras.training.precision_choice import WORTHWHILE

_HALF_RESOLUTIONS = 4  # the highest ones, which half precision is for
_LEAST_WAIT = 0.02  # share of the time: less waiting for data is not worth a word
_LEAST_FACTOR = 1.02


@dataclasses.dataclass(frozen=True, slots=True)
class Advice:
    """One change.

    Attributes:
        change: options as they would be typed.
        factor: how many times as fast the run would be, estimated.
        why: what the estimate rests on.
    """

    change: str
    factor: float
    why: str


def narrower(config: TrainingConfig) -> TrainingConfig | None:
    """The run with half as many channels at the high resolutions; None where none would be left, or all are listed."""
    base = config.discriminator.channel_base // 2
    if base < config.dataset.size.level or config.generator.channels or config.discriminator.channels:
        return None
    generator = dataclasses.replace(config.generator, channel_base=config.generator.channel_base // 2)
    discriminator = dataclasses.replace(config.discriminator, channel_base=base)
    return dataclasses.replace(config, generator=generator, discriminator=discriminator)


def advice(
    config: TrainingConfig,
    step: TracedStep,
    memory: MemoryPlan,
    *,
    flop_ratio: float,
    available: int | None,
    measured: MeasuredSteps | None,
    gpus: GpuModel,
) -> list[Advice]:
    """Changes by their estimated factors, the largest first.

    Args:
        config: of the run.
        step: its iteration, traced.
        memory: what it takes.
        flop_ratio: operations an image of the run with half its channels, relative to those as it is; 0 = not known.
        available: bytes for a larger micro-batch, None = not known.
        measured: steps on this machine, None = none were.
        gpus: time on GPUs.
    """
    found = [*_by_measurement(config, step, measured), *_by_capacity(config, flop_ratio)]
    if config.gpus:
        found += _on_gpus(config, memory, available, gpus)
    return sorted((each for each in found if each.factor >= _LEAST_FACTOR), key=lambda each: -each.factor)


def _by_measurement(config: TrainingConfig, step: TracedStep, measured: MeasuredSteps | None) -> Iterator[Advice]:
    if measured is None:
        return
    iteration = sum(measured.iteration_sec({phase.name: phase.interval for phase in step.phases}).values())
    speedup = measured.bfloat16_speedup
    if measured.precision == "float32" and speedup >= WORTHWHILE:
        sides = sorted(min(size.height, size.width) for size in block_sizes(config.dataset.size).values())
        share = half_share(step, sides[-_HALF_RESOLUTIONS:][0])
        why = f"convolutions, {share:.0%} of the operations, are {speedup:.2f} times as fast here"
        yield Advice("--precision=bfloat16", 1 / (1 - share + share / speedup), why)
    wait = measured.data_wait_sec / iteration
    if wait > _LEAST_WAIT:
        more = config.dataset.workers + 2
        yield Advice(f"--workers={more}", 1 / (1 - wait), f"{wait:.0%} of the time goes by waiting for data")


def _by_capacity(config: TrainingConfig, flop_ratio: float) -> Iterator[Advice]:
    if flop_ratio:
        why = f"{flop_ratio:.0%} of the operations; images may be worse"
        yield Advice(f"--cbase={config.discriminator.channel_base // 2}", 1 / flop_ratio, why)


def _on_gpus(config: TrainingConfig, memory: MemoryPlan, available: int | None, gpus: GpuModel) -> Iterator[Advice]:
    """Larger micro-batches where they fit, and twice as many GPUs, by the model of the published rows."""
    now = gpus.paces(config, 1.0)
    changes: list[tuple[str, TrainingConfig]] = []
    if available is not None:
        most = memory.largest_micro_batch(available)
        sizes = [size for size in config.possible_batch_gpu() if config.batch_gpu < size <= most]
        changes += [(f"--batch-gpu={size}", dataclasses.replace(config, batch_gpu=size)) for size in sizes[-1:]]
    share = config.batch // (2 * config.num_replicas)
    sizes = (
        [size for size in config.possible_batch_gpu() if size <= config.batch_gpu and share % size == 0]
        if share
        else []
    )
    if sizes and config.batch % (2 * config.num_replicas) == 0:
        twice = dataclasses.replace(config, gpus=2 * config.gpus, batch_gpu=sizes[-1])
        changes.append((f"--gpus={twice.gpus}", twice))
    for change, other in changes:
        factors = [a.sec_per_kimg / b.sec_per_kimg for a, b in zip(now, gpus.paces(other, 1.0), strict=True)]
        if factors:
            yield Advice(change, sum(factors) / len(factors), "by the published rows")
