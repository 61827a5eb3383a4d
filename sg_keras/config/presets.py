"""The published configurations as small deltas, and the defaults that follow from other options.

`resolve` is the one place where an option that was not given gets its value, for `run_training.py` and for
everything else that needs "the configuration a run would have" (benchmarks, tests).
Sources: StyleGAN2 (arXiv:1912.04958), StyleGAN2-ADA (2006.06676), StyleGAN3 (2106.12423).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sg_keras.config.capacities import CAPACITIES, CONFIG_F
from sg_keras.config.freeze import format_freeze, parse_freeze
from sg_keras.config.gamma_rule import suggested_gamma
from sg_keras.config.metric_specs import default_metrics
from sg_keras.config.options.declaration import options_of, values_of
from sg_keras.config.options.run import TrainingOptions
from sg_keras.config.options.schedule_kinds import ScheduleOf
from sg_keras.config.parts import (
    AugmentConfig,
    DatasetConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimizerConfig,
    RunConfig,
)
from sg_keras.config.schedule import Schedule
from sg_keras.config.training_config import TrainingConfig, count_replicas

CONV_CLAMP = 256.0  # bound on convolution outputs in every precision, unless --fp32=1
HALF_PRECISION_RESOLUTIONS = 4  # the highest ones, where half precision is chosen
ADA_KIMG = 500.0  # images in which ADA's p can move by one
TRANSFER_ADA_KIMG = 100.0
EMA_RAMPUP = 0.05


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What --cfg decides. The defaults are StyleGAN2; the others are deltas from it.

    Fields with the name of an option are its default.
    """

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
    options = _with_gamma(_with_dependent_defaults(_with_scaled_times(options), preset), dataset)
    precision = _resolve_precision(options)
    replicas = max(count_replicas(options.gpus, options.cpu_devices, options.cluster_size), 1)
    of_all = {
        "batch_gpu": options.batch_gpu if isinstance(options.batch_gpu, int) else options.batch // replicas,
        "batch_gpu_auto": options.batch_gpu == "auto",
        "cluster_size": options.cluster_size,
        "ema_rampup": options.ema_rampup or None,
        "precision": precision,
        "resume": options.transfer,
        "resume_partial": options.resume_partial and options.transfer is not None,
        "graft": options.graft and options.transfer is not None,
    }
    return TrainingConfig(
        dataset=dataset,
        generator=_generator(options, preset, precision),
        discriminator=_discriminator(options, precision),
        optimizer=OptimizerConfig(**_copied(options, "optimizer")),
        loss=_loss(options, preset),
        augment=_augment(options),
        run=run,
        **{**_copied(options), **of_all},
    )


def resolve_run(options: TrainingOptions, num_images: int) -> RunConfig:
    """How a run with these options on so many images proceeds, and what it leaves behind."""
    options = _with_scaled_times(options)
    decided = {
        "image_snapshot_ticks": options.image_snap or options.snap,
        "metrics": default_metrics(num_images) if options.metrics is None else options.metrics,
    }
    return RunConfig(**{**_copied(options, "run"), **decided})


def _with_scaled_times(options: TrainingOptions) -> TrainingOptions:
    """The options as --schedule_scale has them."""
    factor = options.schedule_scale
    if factor == 1:
        return options
    scheduled = {declared.key for declared in options_of(type(options)) if isinstance(declared.kind, ScheduleOf)}
    values = {key: getattr(options, key) for key in scheduled}
    changed: dict[str, Any] = {
        key: Schedule.of(value).scaled(factor).plain for key, value in values.items() if isinstance(value, str)
    }
    rules = tuple(rule.scaled(factor) for rule in parse_freeze(options.freeze))
    return dataclasses.replace(
        options, **changed, kimg=options.kimg * factor, freeze=format_freeze(rules), schedule_scale=1.0
    )


def _copied(options: TrainingOptions, part: str = "") -> dict[str, Any]:
    values = {declared.key: getattr(options, declared.key) for declared in options_of(type(options))}
    return values_of(type(options), values, part)


def _with_dependent_defaults(options: TrainingOptions, preset: Preset) -> TrainingOptions:
    """The options with those that were not typed decided, where they follow from --cfg, --batch and --resume."""
    transfer = options.transfer is not None
    defaults = {
        **{field.name: getattr(preset, field.name) for field in dataclasses.fields(preset)},
        **CAPACITIES[options.capacity or "config-f"]._asdict(),
        "ema_kimg": options.batch * 10 / 32,
        "ema_rampup": 0.0 if transfer else EMA_RAMPUP,
        "ada_kimg": TRANSFER_ADA_KIMG if transfer else ADA_KIMG,
        "blur_fade_kimg": options.batch * 200 / 32,
    }
    untyped = {declared.key for declared in options_of(type(options)) if getattr(options, declared.key) is None}
    return dataclasses.replace(options, **{key: value for key, value in defaults.items() if key in untyped})


def _with_gamma(options: TrainingOptions, dataset: DatasetConfig) -> TrainingOptions:
    """The options with the gamma that --auto_gamma asks for."""
    if not options.auto_gamma:
        if options.gamma is None:
            raise ValueError("gamma: found none, expected a number or a schedule, or auto_gamma")
        return options
    if options.gamma is not None:
        raise ValueError(f"auto_gamma: found it beside gamma {options.gamma}, expected one of the two")
    return dataclasses.replace(options, gamma=suggested_gamma(options.cfg, dataset.size, options.batch).gamma)


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
    return options.precision or "float32"


def _half_precision(options: TrainingOptions, precision: str) -> dict[str, int | float | str | None]:
    """Fields that both networks have."""
    chosen = HALF_PRECISION_RESOLUTIONS if options.num_fp16_res is None else options.num_fp16_res
    return {
        "conv_clamp": None if options.fp32 else CONV_CLAMP,
        "num_fp16_res": 0 if precision == "float32" else chosen,
    }


def decide_precision(config: TrainingConfig, precision: str) -> TrainingConfig:
    """The configuration with an "auto" precision decided: "float32" has no resolution in half precision."""
    generator, discriminator = config.generator, config.discriminator
    if precision == "float32":
        generator = dataclasses.replace(generator, num_fp16_res=0)
        discriminator = dataclasses.replace(discriminator, num_fp16_res=0)
    return dataclasses.replace(config, precision=precision, generator=generator, discriminator=discriminator)


def _generator(options: TrainingOptions, preset: Preset, precision: str) -> GeneratorConfig:
    decided = {
        "channel_base": (options.cbase or CONFIG_F.cbase) * preset.generator_width,
        "channel_max": (options.cmax or CONFIG_F.cmax) * preset.generator_width,
        "fmaps": options.g_fmaps or options.fmaps or "",
        "magnitude_ema_beta": 0.999 if options.cfg == "stylegan2" else 0.5 ** (options.batch / 20000),
    }
    return GeneratorConfig(**{**_copied(options, "generator"), **_half_precision(options, precision), **decided})


def _discriminator(options: TrainingOptions, precision: str) -> DiscriminatorConfig:
    decided = {"fmaps": options.d_fmaps or options.fmaps or ""}
    return DiscriminatorConfig(
        **{**_copied(options, "discriminator"), **_half_precision(options, precision), **decided}
    )


def _loss(options: TrainingOptions, preset: Preset) -> LossConfig:
    # The blur eases the first images only; a network that is taken over is past them.
    fade_kimg = options.blur_fade_kimg or 0.0
    blur = preset.blur_init_sigma if options.transfer is None and fade_kimg > 0 else 0.0
    decided = {"blur_init_sigma": blur, "blur_fade_kimg": fade_kimg if blur else 0.0}
    return LossConfig(**{**_copied(options, "loss"), **decided})


def _augment(options: TrainingOptions) -> AugmentConfig:
    always = {"fixed": options.p, "diffaug": 1.0}  # DiffAugment changes every image; ADA starts at 0
    return AugmentConfig(**{**_copied(options, "augment"), "p": always.get(options.aug, 0.0)})
