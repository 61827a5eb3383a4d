"""A plan: everything that a run needs, worked out before it begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.files.process_memory import available_bytes, resident_bytes
from sg_keras.planning.advice import Advice, advice, narrower
from sg_keras.planning.cost import PhaseCost, flops_per_image, phase_costs
from sg_keras.planning.disk import DiskUse, disk_use
from sg_keras.planning.measured_steps import MeasuredSteps
from sg_keras.planning.memory import MemoryPlan, memory_plan
from sg_keras.planning.pace import Pace, gpu_pace, measured_pace
from sg_keras.planning.published import GpuModel, NearestRow, PublishedRow, nearest_row
from sg_keras.planning.traced_step import TracedStep, trace_step
from sg_keras.weights.parameter_counts import ParameterCount, parameter_counts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run needs.

    Attributes:
        config: of the run.
        parameters: of each network.
        phases: operations an image of one run of each phase.
        intervals: iterations from one run of each phase to the next.
        flops_per_image: operations an image of an iteration, on average.
        memory: predicted.
        available: bytes that are free where the run would be, None = not known.
        measured: steps on this machine, None = none were.
        paces: how long it takes, the most reliable first.
        disk: what it leaves there.
        advice: what would make it faster.
        nearest: the published configuration that is most like it.
    """

    config: TrainingConfig
    parameters: dict[str, ParameterCount]
    phases: dict[str, PhaseCost]
    intervals: dict[str, int]
    flops_per_image: float
    memory: MemoryPlan
    available: int | None
    measured: MeasuredSteps | None
    paces: tuple[Pace, ...]
    disk: DiskUse
    advice: tuple[Advice, ...]
    nearest: NearestRow

    @property
    def largest_micro_batch(self) -> int | None:
        """Images of the largest micro-batch that fits, None = not known."""
        return None if self.available is None else self.memory.largest_micro_batch(self.available)

    @property
    def largest_batch_gpu(self) -> int | None:
        """The largest --batch-gpu of this run that fits, 0 = none does, None = not known."""
        most = self.largest_micro_batch
        if most is None:
            return None
        return max((size for size in self.config.possible_batch_gpu() if size <= most), default=0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        memory, disk = dict(self.memory.parts()), dataclasses.asdict(self.disk)
        measured = None if self.measured is None else dataclasses.asdict(self.measured)
        return {
            "parameters": {name: count.parameters for name, count in self.parameters.items()},
            "flops_per_image": {
                "iteration": self.flops_per_image,
                **{k: dataclasses.asdict(v) for k, v in self.phases.items()},
            },
            "memory": {
                "parts": memory,
                "peak_phase": self.memory.peak_phase,
                "process_bytes": self.memory.process_bytes,
                "device_bytes": self.memory.device_bytes,
                "bytes_per_image": self.memory.bytes_per_image,
                "available_bytes": self.available,
            },
            "batch_gpu": {
                "now": self.config.batch_gpu,
                "largest": self.largest_batch_gpu,
                "largest_of_any_batch": self.largest_micro_batch,
            },
            "measured": measured,
            "time": [dataclasses.asdict(pace) for pace in self.paces],
            "disk": {**disk, "total_bytes": self.disk.total_bytes},
            "faster": [dataclasses.asdict(each) for each in self.advice],
            "nearest": {
                "recipe": self.nearest.row.name,
                "title": self.nearest.row.title,
                "sec_per_kimg": self.nearest.row.sec_per_kimg,
                "gpu_gb": self.nearest.row.gpu_gb,
                "differences": [list(difference) for difference in self.nearest.differences],
            },
        }


def make_plan(
    config: TrainingConfig,
    published: Sequence[PublishedRow],
    *,
    measure: Callable[[TrainingConfig], MeasuredSteps] | None = None,
    available: int | None = None,
    price_per_hour: float | None = None,
) -> Plan:
    """Work a plan out. To be called before this process uses a device; it writes nothing.

    Args:
        config: of the run.
        published: configurations with their speed.
        measure: trains some steps, in a process of their own; None = none are.
        available: bytes of each GPU or of the machine; None = what is free here, or with GPUs not known.
        price_per_hour: of the machine.

    Raises:
        ValueError: the run cannot be trained; one line.
    """
    if available is None and not config.gpus:
        available = available_bytes()
    measured = None if measure is None else measure(config)
    process = resident_bytes()
    step = trace_step(config)
    memory = memory_plan(config, step, process, resident_bytes() - process)
    share = config.batch // config.num_replicas
    costs = phase_costs(step, share)
    flops, gpus = flops_per_image(step, costs), GpuModel(published)
    ratio = 0.0 if (other := narrower(config)) is None else _flops(other) / flops
    known: dict[str, Any] = {"flop_ratio": ratio, "available": available, "measured": measured, "gpus": gpus}
    intervals = {phase.name: phase.interval for phase in step.phases}
    paces = [] if measured is None else [measured_pace(config, measured, intervals, price_per_hour)]
    paces += [gpu_pace(config, pace, price_per_hour) for pace in gpus.paces(config, _ratio(config, flops, gpus))]
    return Plan(
        config=config,
        parameters=parameter_counts(config),
        phases=costs,
        intervals=intervals,
        flops_per_image=flops,
        memory=memory,
        available=available,
        measured=measured,
        paces=tuple(paces),
        disk=disk_use(config, step.sizes),
        advice=tuple(advice(config, step, memory, **known)),
        nearest=nearest_row(config, published),
    )


def _flops(config: TrainingConfig) -> float:
    """Operations an image, counted on one small batch."""
    small = min(config.possible_batch_gpu())
    config = dataclasses.replace(config, batch=small, batch_gpu=small, gpus=0, cpu_devices=1, cluster_size=1)
    step: TracedStep = trace_step(config)
    return flops_per_image(step, phase_costs(step, small))


def _ratio(config: TrainingConfig, flops: float, gpus: GpuModel) -> float:
    """Operations an image relative to those of the published configuration that the time is taken from."""
    reference = gpus.reference(config)
    if reference is None:
        return 1.0
    same = (config.generator, config.discriminator, config.dataset.size) == (
        reference.config.generator,
        reference.config.discriminator,
        reference.config.dataset.size,
    )
    return 1.0 if same else flops / _flops(reference.config)
