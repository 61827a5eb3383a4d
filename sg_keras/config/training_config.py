"""The configuration of one training run as frozen dataclasses, with a JSON round trip.

Every field is a resolved value: presets and dependent defaults are applied before these are made.
Invalid values are refused with a ValueError that gives the field, what was found and what was expected.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from sg_keras.config.augment_transforms import DIFFAUG_POLICIES, PIPES
from sg_keras.config.freeze import format_freeze, parse_freeze


def count_replicas(gpus: int, cpu_devices: int, machines: int) -> int:
    """Devices that share a batch: those of one machine, on so many machines."""
    return (gpus if gpus > 0 else cpu_devices) * machines


def _require(condition: bool, name: str, found: Any, expected: str) -> None:
    if not condition:
        raise ValueError(f"{name}: found {found!r}, expected {expected}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Which pictures are trained on, and in which form."""

    path: str  # folder, zip, or "digits"
    name: str = ""  # short name, part of the run directory's
    resolution: int  # pixels a side
    channels: int  # 1 (gray) or 3 (RGB)
    c_dim: int = 0  # label width, 0 = unconditional
    num_images: int = 0  # without mirrored copies
    mirror: bool = False  # copies with left and right exchanged count as images of their own
    mirrory: bool = False  # copies with top and bottom exchanged do; with both there are four of each image
    workers: int = 3  # parallel readers
    on_bad_image: str = "stop"  # or skip: the next readable picture takes its place

    def __post_init__(self) -> None:
        _require(self.resolution > 0, "resolution", self.resolution, "a positive number of pixels")
        _require(self.channels in (1, 3), "channels", self.channels, "1 (gray) or 3 (RGB)")
        _require(self.on_bad_image in ("stop", "skip"), "on_bad_image", self.on_bad_image, "stop or skip")

    @property
    def num_items(self) -> int:
        """Images with mirrored copies."""
        return self.num_images * (1 + self.mirror) * (1 + self.mirrory)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorConfig:
    """Shape of the generator. channel_base and channel_max: channels at resolution r are min(base // r, max)."""

    cfg: str = "stylegan2"  # stylegan2, stylegan3-t, stylegan3-r
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 8
    channel_base: int = 32768
    channel_max: int = 512
    architecture: str = "skip"  # skip, resnet, orig (StyleGAN2 only)
    conv_clamp: float | None = 256.0
    num_fp16_res: int = 0  # resolutions, from the highest, in half precision
    magnitude_ema_beta: float = 0.999  # StyleGAN3 only

    def __post_init__(self) -> None:
        _require(
            self.cfg in ("stylegan2", "stylegan3-t", "stylegan3-r"),
            "cfg",
            self.cfg,
            "stylegan2, stylegan3-t or stylegan3-r",
        )
        _require(self.architecture in ("skip", "resnet", "orig"), "g_arch", self.architecture, "skip, resnet or orig")
        _require(self.num_fp16_res >= 0, "num_fp16_res", self.num_fp16_res, "0 or more")
        for name in ("z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "a positive integer")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiscriminatorConfig:
    """Shape of the discriminator, and how many of its first layers stay frozen."""

    channel_base: int = 32768
    channel_max: int = 512
    architecture: str = "resnet"  # resnet, skip, orig
    mapping_layers: int = 8  # of the label mapping
    mbstd_group_size: int | None = 4
    mbstd_num_channels: int = 1
    conv_clamp: float | None = 256.0
    num_fp16_res: int = 0
    freeze_layers: int = 0

    def __post_init__(self) -> None:
        _require(self.architecture in ("resnet", "skip", "orig"), "d_arch", self.architecture, "resnet, skip or orig")
        _require(self.freeze_layers >= 0, "freezed", self.freeze_layers, "0 or more")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """Adam for both networks (before the correction for lazy regularisation)."""

    g_lr: float = 0.002
    d_lr: float = 0.002
    beta1: float = 0.0
    beta2: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("g_lr", "d_lr", "epsilon"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "a positive number")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Weights and cadence of the losses (StyleGAN2, arXiv:1912.04958; lazy regularisation in appendix B)."""

    r1_gamma: float
    pl_weight: float = 2.0
    pl_batch_shrink: int = 2
    pl_decay: float = 0.01
    style_mixing_prob: float = 0.9
    g_reg_interval: int | None = 4  # iterations; None = no separate phase (StyleGAN3)
    d_reg_interval: int = 16
    blur_init_sigma: float = 0.0  # pixels; StyleGAN3-R only
    blur_fade_kimg: float = 0.0

    def __post_init__(self) -> None:
        _require(self.r1_gamma >= 0, "gamma", self.r1_gamma, "0 or more")
        _require(0 <= self.style_mixing_prob <= 1, "style_mixing_prob", self.style_mixing_prob, "0 to 1")
        _require(self.pl_weight >= 0, "pl_weight", self.pl_weight, "0 or more")
        _require(self.d_reg_interval >= 1, "d_reg_interval", self.d_reg_interval, "1 or more")
        _require(
            self.g_reg_interval is None or self.g_reg_interval >= 1, "g_reg_interval", self.g_reg_interval, "1 or more"
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """Augmentation of what D sees: noaug, ada (p steered towards target), fixed (constant p) or diffaug."""

    mode: str = "noaug"
    p: float = 0.0  # constant (fixed) or start value (ada)
    pipe: str = "bgc"  # of PIPES; ada and fixed
    target: float = 0.6  # mean sign of D's scores of reals
    ada_interval: int = 4  # iterations between two adjustments of p
    ada_kimg: float = 500.0  # thousands of images in which p can move by one
    diffaug: tuple[str, ...] = DIFFAUG_POLICIES  # of DIFFAUG_POLICIES; diffaug

    def __post_init__(self) -> None:
        modes = ("noaug", "ada", "fixed", "diffaug")
        _require(self.mode in modes, "aug", self.mode, "noaug, ada, fixed or diffaug")
        _require(0 <= self.p <= 1, "p", self.p, "0 to 1")
        _require(self.pipe in PIPES, "augpipe", self.pipe, f"one of {', '.join(PIPES)}")
        _require(0 <= self.target <= 1, "target", self.target, "0 to 1")
        _require(self.ada_interval >= 1, "ada_interval", self.ada_interval, "1 or more")
        _require(self.ada_kimg > 0, "ada_kimg", self.ada_kimg, "a positive number")
        known = bool(self.diffaug) and set(self.diffaug) <= set(DIFFAUG_POLICIES)
        _require(known, "diffaug", self.diffaug, f"one or more of {', '.join(DIFFAUG_POLICIES)}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a run proceeds and what it leaves behind: nothing here changes the result of an iteration."""

    outdir: str
    total_kimg: float = 25000.0
    tick_kimg: float = 4.0
    snapshot_ticks: int | None = 50  # network snapshot and exact checkpoint; None = only at the end
    image_snapshot_ticks: int | None = 50  # picture grid; None = only at the end
    checkpoint_minutes: float = 15.0
    keep_checkpoints: int = 3
    on_nan: str = "stop"  # or rollback
    keep_every_kimg: float | None = None  # beside them one for each so many thousand images
    metrics: tuple[str, ...] = ()
    desc: str = ""
    sample_grid: tuple[int, int] | None = None  # columns, rows; None = as published (7680x4320 at most)
    nobench: bool = False
    deterministic: bool = False
    debug: bool = False

    def __post_init__(self) -> None:
        for name, option in (("total_kimg", "kimg"), ("tick_kimg", "tick")):
            _require(getattr(self, name) > 0, option, getattr(self, name), "a positive number")
        _require(self.on_nan in ("stop", "rollback"), "on_nan", self.on_nan, "stop or rollback")
        kimg = self.keep_every_kimg
        _require(kimg is None or kimg > 0, "keep_every", kimg, "a positive number")
        for name, option in (
            ("snapshot_ticks", "snap"),
            ("image_snapshot_ticks", "image_snap"),
            ("keep_checkpoints", "keep"),
        ):
            value = getattr(self, name)
            _require(value is None or value >= 1, option, value, "1 or more")


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
    machines: int = 1  # that share a batch, each with so many devices
    batch_gpu_auto: bool = False  # batch_gpu may be halved where memory is short
    ema_kimg: float = 10.0  # half-life of G_ema
    ema_rampup: float | None = 0.05
    seed: int = 0
    precision: str = "float32"  # float32, float16, bfloat16; auto until the machine was measured
    ops: str = "auto"  # auto, custom, reference
    resume: str | None = None  # transfer learning source; exact continuation is not part of the configuration
    resume_partial: bool = False  # take from it what fits, instead of refusing what does not
    freeze: str = ""  # rules of what is not trained, as parse_freeze reads them

    def __post_init__(self) -> None:
        _require(self.gpus >= 0, "gpus", self.gpus, "0 or more")
        _require(self.cpu_devices >= 1, "cpu_devices", self.cpu_devices, "1 or more")
        _require(self.machines >= 1, "workers_hosts", self.machines, "1 machine or more")
        _require(
            self.machines == 1 or self.run.on_nan == "stop", "on_nan", self.run.on_nan, "stop, on several machines"
        )
        self._check_batch()
        _require(
            self.discriminator.channel_base >= self.dataset.resolution,
            "cbase",
            self.discriminator.channel_base,
            f"{self.dataset.resolution} or more, for one channel at {self.dataset.resolution}x"
            f"{self.dataset.resolution}",
        )
        _require(self.ema_kimg > 0, "ema_kimg", self.ema_kimg, "a positive number")
        _require(self.ops in ("auto", "custom", "reference"), "ops", self.ops, "auto, custom or reference")
        _require(
            self.precision in ("float32", "float16", "bfloat16", "auto"),
            "precision",
            self.precision,
            "float32, float16, bfloat16 or auto",
        )
        try:
            object.__setattr__(self, "freeze", format_freeze(parse_freeze(self.freeze)))
        except ValueError as error:
            raise ValueError(f"freeze: {error}") from error

    def _check_batch(self) -> None:
        replicas = self.num_replicas
        source = f"--gpus={self.gpus}" if self.gpus else f"--cpu_devices={self.cpu_devices}"
        if self.machines > 1:
            source += f" on {self.machines} machines"
        _require(self.batch >= 1, "batch", self.batch, "1 or more")
        near = max(self.batch // replicas, 1) * replicas
        _require(
            self.batch % replicas == 0,
            "batch",
            self.batch,
            f"a multiple of {source}, such as {near} or {near + replicas}",
        )
        share = self.batch // replicas
        fitting = ", ".join(map(str, self.possible_batch_gpu())) or "there is none"
        _require(
            self.batch_gpu >= 1 and share % self.batch_gpu == 0,
            "batch-gpu",
            self.batch_gpu,
            f"a divisor of --batch={self.batch} / {source}, that is of {share}: {fitting}",
        )
        group = self.discriminator.mbstd_group_size
        _require(
            group is None or self.batch_gpu % group == 0,
            "batch-gpu",
            self.batch_gpu,
            f"a multiple of the minibatch standard deviation group, --mbstd-group={group}, and a divisor of {share}: "
            f"{fitting}",
        )
        _require(
            self.batch_gpu >= self._least_batch_gpu,
            "batch-gpu",
            self.batch_gpu,
            f"at least {self._least_batch_gpu}, which path length regularisation needs, or --pl_weight=0",
        )

    @property
    def num_replicas(self) -> int:
        """Devices that share a batch, over all machines."""
        return count_replicas(self.gpus, self.cpu_devices, self.machines)

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
        path_length = self.loss.g_reg_interval is not None and self.loss.pl_weight > 0
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
        """Build from nested dictionaries, as to_json writes them."""
        values = dict(values)
        for name, part in _PARTS.items():
            values[name] = _build(part, name, values.get(name))
        return _build(cls, "training_config", values)


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
    _require(isinstance(values, dict), name, values, "an object")
    unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
    _require(not unknown, name, sorted(unknown), "known fields only")
    required = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}
    _require(required <= set(values), name, sorted(values), f"also {', '.join(sorted(required - set(values)))}")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
