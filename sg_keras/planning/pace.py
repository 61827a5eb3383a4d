"""How long a run takes, from what its steps take."""

from __future__ import annotations

import dataclasses

from sg_keras.config import TrainingConfig
from sg_keras.planning.measured_steps import MeasuredSteps
from sg_keras.planning.published import GpuPace


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Time of a run, without what it spends on snapshots, checkpoints and scores.

    Attributes:
        device: what it runs on, such as "this machine" or "V100".
        source: where the time comes from.
        sec_per_kimg: seconds for a thousand images.
        first_snapshot_sec: seconds to the first network snapshot.
        end_sec: seconds to the end.
        phase_share: share of each phase in the time, and of the rest of an iteration; empty where it is not known.
        price: of the whole run; None where no price is known.
    """

    device: str
    source: str
    sec_per_kimg: float
    first_snapshot_sec: float
    end_sec: float
    phase_share: dict[str, float] = dataclasses.field(default_factory=dict)
    price: float | None = None


def measured_pace(
    config: TrainingConfig, measured: MeasuredSteps, intervals: dict[str, int], price_per_hour: float | None
) -> Pace:
    """By measured steps: each phase counts as often as it is due.

    Args:
        config: of the run.
        measured: its steps.
        intervals: of the phases, by name.
        price_per_hour: of the machine.
    """
    seconds = measured.iteration_sec(intervals)
    iteration = sum(seconds.values())
    share = {name: sec / iteration for name, sec in seconds.items()}
    source = f"{measured.iterations} measured steps"
    return _pace(
        config, "this machine", source, 1000 * iteration / config.batch, measured.start_sec, price_per_hour, share
    )


def gpu_pace(config: TrainingConfig, gpu: GpuPace, price_per_hour: float | None) -> Pace:
    """By the published rows."""
    gpus = max(config.gpus, 1) * config.cluster_size
    device = f"{gpus} x {gpu.gpu_type}"
    return _pace(config, device, gpu.source, gpu.sec_per_kimg, 0.0, price_per_hour, {})


def _pace(
    config: TrainingConfig,
    device: str,
    source: str,
    sec_per_kimg: float,
    start_sec: float,
    price_per_hour: float | None,
    share: dict[str, float],
) -> Pace:
    total = config.run.total_kimg
    first = min(config.batch / 1000 + (config.run.snapshot_ticks or float("inf")) * config.run.tick_kimg, total)
    end_sec = start_sec + total * sec_per_kimg
    return Pace(
        device=device,
        source=source,
        sec_per_kimg=sec_per_kimg,
        first_snapshot_sec=start_sec + first * sec_per_kimg,
        end_sec=end_sec,
        phase_share=share,
        price=None if price_per_hour is None else price_per_hour * end_sec / 3600,
    )
