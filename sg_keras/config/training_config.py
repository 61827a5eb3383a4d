"""The configuration of one training run: its parts and what concerns all of them, with a JSON round trip."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from sg_keras.config.channels import check_levels, table_levels
from sg_keras.config.choices import IMPLEMENTATIONS, PRECISIONS, one_of
from sg_keras.config.freeze import format_freeze, parse_freeze
from sg_keras.config.named_errors import errors_named
from sg_keras.config.parts import (
    AugmentConfig,
    DatasetConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
    require,
    require_scheduled,
)
from sg_keras.config.schedule import Schedule, Scheduled
from sg_keras.config.sizes import ImageSize, no_const_size


def count_replicas(gpus: int, cpu_devices: int, cluster_size: int) -> int:
    """Devices that share a batch: those of one worker, times the workers."""
    return (gpus if gpus > 0 else cpu_devices) * cluster_size


class BatchSizeError(ValueError):
    """Sizes of batch, micro-batches, groups and devices do not go together."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything that defines a run. `batch` is the total over all replicas, `batch_gpu` one micro-batch."""

    dataset: DatasetConfig
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    optimizer: OptimizerConfig
    loss: LossConfig
    augment: AugmentConfig
    run: RunConfig
    batch: int
    batch_gpu: int
    gpus: int = 1  # 0 = CPU
    cpu_devices: int = 1  # logical CPU devices when gpus is 0
    cluster_size: int = 1  # workers that share a batch, each with so many devices
    batch_gpu_auto: bool = False  # batch_gpu may be halved where memory is short
    ema_kimg: Scheduled = 10.0  # half-life of G_ema
    ema_rampup: float | None = 0.05
    seed: int = 0
    precision: str = "float32"  # float32, float16, bfloat16; auto until it was measured which is faster
    ops: str = "auto"  # auto, custom, reference
    resume: str | None = None  # transfer learning source; exact continuation is not part of the configuration
    resume_partial: bool = False  # take from it what fits, instead of refusing what does not
    graft: bool = False  # fit it to other channels and sizes
    freeze: str = ""  # rules of what is not trained, as parse_freeze reads them

    def __post_init__(self) -> None:
        require(self.gpus >= 0, "gpus", self.gpus, "0 or more")
        require(self.cpu_devices >= 1, "cpu_devices", self.cpu_devices, "1 or more")
        require(self.cluster_size >= 1, "workers_hosts", self.cluster_size, "1 worker or more")
        require(
            self.cluster_size == 1 or self.run.on_nan == "stop", "on_nan", self.run.on_nan, "stop, with several workers"
        )
        self._check_batch()
        size = self.dataset.size
        self._check_channels(size)
        require_scheduled(self, "ema_kimg", "ema_kimg", lambda value: value >= 0, "a positive number", positive=True)
        require(self.ops in IMPLEMENTATIONS, "ops", self.ops, one_of(IMPLEMENTATIONS))
        precisions = (*PRECISIONS, "auto")
        require(self.precision in precisions, "precision", self.precision, one_of(precisions))
        counts = (self.generator.num_fp16_res, self.discriminator.num_fp16_res)
        scheduled = any(isinstance(count, str) for count in counts)
        require(not scheduled or len(set(counts)) == 1, "num_fp16_res", counts, "one schedule for both networks")
        with errors_named("freeze"):
            object.__setattr__(self, "freeze", format_freeze(parse_freeze(self.freeze)))

    def _check_channels(self, size: ImageSize) -> None:
        G, D = self.generator, self.discriminator
        if not D.fmaps:
            expected = f"{size.level} or more, for one channel at {size}"
            require(D.channel_base >= size.level, "cbase", D.channel_base, expected)
        levels = table_levels(G.cfg, size.shorter, size.level)
        check_levels(G.channels, levels, "fmaps" if G.fmaps == D.fmaps else "g_fmaps")
        check_levels(D.channels, table_levels("stylegan2", size.shorter, size.level), "d_fmaps")
        if G.no_const:
            no_const_size(size)

    def _check_batch(self) -> None:
        """Refuse sizes that do not go together, whichever of them is meant."""
        replicas, group = self.num_replicas, self.discriminator.mbstd_group_size
        source = f"--gpus={self.gpus}" if self.gpus else f"--cpu_devices={self.cpu_devices}"
        if self.cluster_size > 1:
            source += f" on {self.cluster_size} workers"
        require(self.batch >= 1, "batch", self.batch, "1 or more")
        if self.batch % replicas != 0:
            raise BatchSizeError(f"batch: found {self.batch}, expected a multiple of {source}")
        share, path = self.batch // replicas, self._least_batch_gpu
        fitting = ", ".join(map(str, self.possible_batch_gpu()))
        of_share = f"of --batch={self.batch} / {source}, that is of {share}" + (f": {fitting}" if fitting else "")
        if self.batch_gpu < 1 or share % self.batch_gpu != 0:
            raise BatchSizeError(f"batch-gpu: found {self.batch_gpu}, expected a divisor {of_share}")
        if group is not None and self.batch_gpu % group != 0:
            raise BatchSizeError(
                f"batch-gpu: found {self.batch_gpu}, expected a multiple of the minibatch standard deviation group, "
                f"--mbstd-group={group}, and a divisor {of_share}"
            )
        if self.batch_gpu < path:
            raise BatchSizeError(
                f"batch-gpu: found {self.batch_gpu}, expected at least {path}, which path length regularisation needs, "
                "or --pl_weight=0"
            )

    @property
    def num_replicas(self) -> int:
        """Devices that share a batch, over all workers."""
        return count_replicas(self.gpus, self.cpu_devices, self.cluster_size)

    @property
    def num_rounds(self) -> int:
        """Micro-batches each replica works through in one iteration."""
        return self.batch // (self.num_replicas * self.batch_gpu)

    def possible_batch_gpu(self) -> list[int]:
        """Every size of micro-batch that this batch and these networks can be trained with, smallest first."""
        share, group = self.batch // self.num_replicas, self.discriminator.mbstd_group_size or 1
        return [size for size in range(self._least_batch_gpu, share + 1) if share % size == 0 and size % group == 0]

    @property
    def _least_batch_gpu(self) -> int:
        path_length = self.loss.g_reg_interval is not None and max(Schedule.of(self.loss.pl_weight).values) > 0
        return self.loss.pl_batch_shrink if path_length else 1

    def to_json(self) -> str:
        """JSON text with one object a part, for training_config.json."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> TrainingConfig:
        """Inverse of to_json. Unknown fields are a ValueError that names them."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Build from nested dictionaries, as to_json writes them and earlier versions wrote them."""
        values = {_RENAMED.get(name, name): value for name, value in values.items()}
        for name, part in _PARTS.items():
            values[name] = _build(part, name, values.get(name))
        return _build(cls, "training_config", values)


_RENAMED = {"machines": "cluster_size"}  # what fields of earlier versions are called now

_PARTS = {
    "dataset": DatasetConfig,
    "generator": GeneratorConfig,
    "discriminator": DiscriminatorConfig,
    "optimizer": OptimizerConfig,
    "loss": LossConfig,
    "augment": AugmentConfig,
    "run": RunConfig,
}


def _build(cls: type, name: str, values: Any) -> Any:
    """Make a dataclass from a JSON object, whose arrays are tuples in ours."""
    require(isinstance(values, dict), name, values, "an object")
    unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
    require(not unknown, name, sorted(unknown), "known fields only")
    required = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}
    require(required <= set(values), name, sorted(values), f"also {', '.join(sorted(required - set(values)))}")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
