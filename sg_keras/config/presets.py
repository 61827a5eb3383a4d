"""The published configurations as small deltas, and the defaults that follow from other options.

`resolve` is the one place where an option that was not given gets its value, for `run_training.py` and for
everything else that needs "the configuration a run would have" (benchmarks, tests).
Sources: StyleGAN2 (arXiv:1912.04958), StyleGAN2-ADA (2006.06676), StyleGAN3 (2106.12423).
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from sg_keras.config.augment_transforms import DIFFAUG_POLICIES
from sg_keras.config.parts import (
    AugmentConfig,
    DatasetConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from sg_keras.config.training_config import TrainingConfig, count_replicas

CONV_CLAMP = 256.0  # bound on convolution outputs in every precision, unless --fp32=1
HALF_PRECISION_RESOLUTIONS = 4  # the highest ones, where half precision is chosen
ADA_KIMG = 500.0  # images in which ADA's p can move by one
TRANSFER_ADA_KIMG = 100.0
EMA_RAMPUP = 0.05


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What --cfg decides. The defaults are StyleGAN2; the others are deltas from it."""

    map_depth: int = 8
    glr: float = 0.002
    pl_weight: float = 2.0
    style_mixing_prob: float = 0.9
    g_reg_interval: int | None = 4  # iterations; None = no path length phase
    generator_width: int = 1  # factor on the generator's channel_base and channel_max
    blur_init_sigma: float = 0.0  # pixels


_STYLEGAN3_T = Preset(map_depth=2, glr=0.0025, pl_weight=0.0, style_mixing_prob=0.0, g_reg_interval=None)

PRESETS: dict[str, Preset] = {
    "stylegan2": Preset(),
    "stylegan3-t": _STYLEGAN3_T,
    "stylegan3-r": dataclasses.replace(_STYLEGAN3_T, generator_width=2, blur_init_sigma=10.0),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """The options of a run that shape its result, as typed. None = follows from cfg, batch and the others."""

    cfg: str
    batch: int
    gamma: float
    gpus: int
    cpu_devices: int = 1
    machines: int = 1
    batch_gpu: int | str | None = None  # also "auto"
    aug: str = "ada"
    p: float = 0.2  # with aug="fixed" alone
    augpipe: str = "bgc"
    target: float = 0.6
    ada_interval: int = 4
    ada_kimg: float | None = None
    diffaug: tuple[str, ...] = DIFFAUG_POLICIES
    freezed: int = 0
    cbase: int = 32768
    cmax: int = 512
    z_dim: int = 512
    w_dim: int = 512
    map_depth: int | None = None
    g_arch: str = "skip"
    d_arch: str = "resnet"
    mbstd_group: int = 4
    glr: float | None = None
    dlr: float = 0.002
    pl_weight: float | None = None
    style_mixing_prob: float | None = None
    g_reg_interval: int | None = None
    d_reg_interval: int = 16
    blur_fade_kimg: float | None = None  # stylegan3-r alone; 0 = no blur
    ema_kimg: float | None = None
    ema_rampup: float | None = None  # 0 = no ramp-up
    seed: int = 0
    precision: str | None = None  # also "auto"
    num_fp16_res: int | None = None
    fp32: bool = False
    ops: str = "auto"
    transfer: str | None = None  # network file or URL that the weights start from
    resume_partial: bool = False  # take from it what fits
    freeze: str = ""  # rules, see parse_freeze


def resolve(options: TrainingOptions, dataset: DatasetConfig, run: RunConfig) -> TrainingConfig:
    """Apply the preset and the dependent defaults.

    Returns:
        The configuration with every value decided, except what only the machine knows: "auto" op implementations and,
        on a CPU, an "auto" precision.

    Raises:
        ValueError: a value or a combination is not possible; the message starts with the option's name.
    """
    if options.cfg not in PRESETS:
        raise ValueError(f"cfg: found {options.cfg!r}, expected one of {', '.join(PRESETS)}")
    preset = PRESETS[options.cfg]
    precision = _resolve_precision(options)
    replicas = max(count_replicas(options.gpus, options.cpu_devices, options.machines), 1)
    automatic = options.batch_gpu == "auto"
    return TrainingConfig(
        dataset=dataset,
        generator=_generator(options, preset, precision),
        discriminator=_discriminator(options, precision),
        optimizer=OptimizerConfig(g_lr=_first(options.glr, preset.glr), d_lr=options.dlr),
        loss=_loss(options, preset),
        augment=_augment(options),
        run=run,
        batch=options.batch,
        batch_gpu=options.batch_gpu if isinstance(options.batch_gpu, int) else options.batch // replicas,
        batch_gpu_auto=automatic,
        gpus=options.gpus,
        cpu_devices=options.cpu_devices,
        machines=options.machines,
        ema_kimg=_first(options.ema_kimg, options.batch * 10 / 32),
        ema_rampup=_ema_rampup(options),
        seed=options.seed,
        precision=precision,
        ops=options.ops,
        resume=options.transfer,
        resume_partial=options.resume_partial and options.transfer is not None,
        freeze=options.freeze,
    )


_Value = TypeVar("_Value")


def _first(chosen: _Value | None, default: _Value) -> _Value:
    return default if chosen is None else chosen


def _resolve_precision(options: TrainingOptions) -> str:
    if options.fp32 and options.precision not in (None, "auto", "float32"):
        raise ValueError(f"precision: found {options.precision!r} beside --fp32=1, expected one of the two")
    if options.precision == "float16" and options.gpus == 0:
        raise ValueError(
            "precision: found 'float16' with --gpus=0, expected bfloat16, float32 or auto: a convolution in float16 "
            "takes a CPU a hundred times as long as one in float32"
        )
    if options.fp32:
        return "float32"
    if options.gpus > 0:
        return "float16" if options.precision in (None, "auto") else options.precision
    return _first(options.precision, "float32")


def _half_precision_resolutions(options: TrainingOptions, precision: str) -> int:
    return 0 if precision == "float32" else _first(options.num_fp16_res, HALF_PRECISION_RESOLUTIONS)


def decide_precision(config: TrainingConfig, precision: str) -> TrainingConfig:
    """The configuration with an "auto" precision decided: "float32" has no resolution in half precision."""
    generator, discriminator = config.generator, config.discriminator
    if precision == "float32":
        generator = dataclasses.replace(generator, num_fp16_res=0)
        discriminator = dataclasses.replace(discriminator, num_fp16_res=0)
    return dataclasses.replace(config, precision=precision, generator=generator, discriminator=discriminator)


def _ema_rampup(options: TrainingOptions) -> float | None:
    default = 0.0 if options.transfer else EMA_RAMPUP
    return _first(options.ema_rampup, default) or None


def _generator(options: TrainingOptions, preset: Preset, precision: str) -> GeneratorConfig:
    stylegan3 = options.cfg != "stylegan2"
    return GeneratorConfig(
        cfg=options.cfg,
        z_dim=options.z_dim,
        w_dim=options.w_dim,
        mapping_layers=_first(options.map_depth, preset.map_depth),
        channel_base=options.cbase * preset.generator_width,
        channel_max=options.cmax * preset.generator_width,
        architecture=options.g_arch,
        conv_clamp=None if options.fp32 else CONV_CLAMP,
        num_fp16_res=_half_precision_resolutions(options, precision),
        magnitude_ema_beta=0.5 ** (options.batch / 20000) if stylegan3 else 0.999,
    )


def _discriminator(options: TrainingOptions, precision: str) -> DiscriminatorConfig:
    return DiscriminatorConfig(
        channel_base=options.cbase,
        channel_max=options.cmax,
        architecture=options.d_arch,
        mbstd_group_size=options.mbstd_group,
        conv_clamp=None if options.fp32 else CONV_CLAMP,
        num_fp16_res=_half_precision_resolutions(options, precision),
        freeze_layers=options.freezed,
    )


def _loss(options: TrainingOptions, preset: Preset) -> LossConfig:
    # The blur eases the first images only; a network that is taken over is past them.
    fade_kimg = _first(options.blur_fade_kimg, options.batch * 200 / 32)
    blur = preset.blur_init_sigma if options.transfer is None and fade_kimg > 0 else 0.0
    return LossConfig(
        r1_gamma=options.gamma,
        pl_weight=_first(options.pl_weight, preset.pl_weight),
        style_mixing_prob=_first(options.style_mixing_prob, preset.style_mixing_prob),
        g_reg_interval=_first(options.g_reg_interval, preset.g_reg_interval),
        d_reg_interval=options.d_reg_interval,
        blur_init_sigma=blur,
        blur_fade_kimg=fade_kimg if blur else 0.0,
    )


def _augment(options: TrainingOptions) -> AugmentConfig:
    always = {"fixed": options.p, "diffaug": 1.0}  # DiffAugment changes every picture; ADA starts at 0
    return AugmentConfig(
        mode=options.aug,
        p=always.get(options.aug, 0.0),
        pipe=options.augpipe,
        target=options.target,
        ada_interval=options.ada_interval,
        ada_kimg=_first(options.ada_kimg, TRANSFER_ADA_KIMG if options.transfer else ADA_KIMG),
        diffaug=options.diffaug,
    )
