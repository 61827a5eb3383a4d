"""The parts of a run's configuration as frozen dataclasses; training_config.py puts them together.

Every field is a resolved value: presets and dependent defaults are applied before these are made.
Invalid values are refused with a ValueError that gives the option, what was found and what was expected.
"""

from __future__ import annotations

import dataclasses

from sg_keras.config.augment_transforms import DIFFAUG_POLICIES, PIPES
from sg_keras.config.channels import ChannelTable, format_channels, parse_channels
from sg_keras.config.choices import (
    AUGMENT_MODES,
    CFGS,
    DISCRIMINATOR_ARCHITECTURES,
    GENERATOR_ARCHITECTURES,
    ON_BAD_IMAGE,
    ON_NAN,
    one_of,
)
from sg_keras.config.named_errors import errors_named
from sg_keras.config.requirements import require, require_scheduled, require_steps
from sg_keras.config.schedule import Scheduled, ScheduledCount
from sg_keras.config.sizes import (
    DEFAULT_CHANNEL_BASE,
    DEFAULT_CHANNEL_MAX,
    MAPPING_LR_MULTIPLIER,
    ImageSize,
    image_size,
)
from sg_keras.config.stop_condition import parse_stop_condition

MAX_CHANNELS = 16  # of an image


def colors_text(channels: int) -> str:
    """What so many channels of an image are, in words: gray, RGB, RGBA, or their number."""
    return {1: "gray", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Which images are trained on, and in which form."""

    path: str  # folder, zip, or "digits"
    name: str = ""  # short name, part of the run directory's
    resolution: int | tuple[int, int]  # pixels a side of squares, height and width of others
    channels: int  # 1 (gray), 3 (RGB), 4 (RGBA) or another number
    c_dim: int = 0  # label width, 0 = unconditional
    label_kind: str = ""  # classes or vectors; not known in configurations from before it was kept
    label_examples: tuple[float, ...] = ()  # some label vectors of the images, one after another
    class_names: tuple[str, ...] = ()  # by class index, where the data set has them
    conversion: str = ""  # how the images were made of originals, where the data set says so
    num_images: int = 0  # without mirrored copies
    mirror: bool = False  # copies with left and right exchanged count as images of their own
    mirrory: bool = False  # copies with top and bottom exchanged do; with both there are four of each image
    workers: int = 3  # parallel readers
    on_bad_image: str = "stop"  # or skip: the next readable image takes its place
    fingerprint: str = ""  # of the content, as data_fingerprint has it; none in configurations from before it was kept

    def __post_init__(self) -> None:
        object.__setattr__(self, "resolution", image_size(self.resolution).plain)
        require(1 <= self.channels <= MAX_CHANNELS, "channels", self.channels, f"1 to {MAX_CHANNELS}")
        require(self.label_kind in ("", "classes", "vectors"), "label_kind", self.label_kind, "classes or vectors")
        require(
            not self.label_examples or (self.c_dim > 0 and len(self.label_examples) % self.c_dim == 0),
            "label_examples",
            len(self.label_examples),
            f"a multiple of the labels' width, {self.c_dim}",
        )
        require(self.on_bad_image in ON_BAD_IMAGE, "on_bad_image", self.on_bad_image, one_of(ON_BAD_IMAGE))

    @property
    def size(self) -> ImageSize:
        """Height and width of the images."""
        return image_size(self.resolution)

    @property
    def colors(self) -> str:
        """What the channels are, in words."""
        return colors_text(self.channels)

    @property
    def num_items(self) -> int:
        """Images with mirrored copies."""
        return self.num_images * (1 + self.mirror) * (1 + self.mirrory)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorConfig:
    """Shape of the generator. A block of level r has min(channel_base // r, channel_max) channels, or as fmaps says."""

    cfg: str = "stylegan2"  # stylegan2, stylegan3-t, stylegan3-r
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 8
    mapping_lrmul: float = MAPPING_LR_MULTIPLIER  # of the mapping's layers: factor on their learning rate
    channel_base: int = DEFAULT_CHANNEL_BASE
    channel_max: int = DEFAULT_CHANNEL_MAX
    architecture: str = "skip"  # skip, resnet, orig (StyleGAN2 only)
    conv_clamp: float | None = 256.0
    num_fp16_res: ScheduledCount = 0  # resolutions, from the highest, in half precision
    magnitude_ema_beta: float = 0.999  # StyleGAN3 only
    no_const: bool = False  # StyleGAN2 only: a dense layer from w in place of the learnt constant
    fmaps: str = ""  # channels by level, as parse_channels reads them; "" = by channel_base and channel_max

    def __post_init__(self) -> None:
        known = GENERATOR_ARCHITECTURES
        require(self.cfg in CFGS, "cfg", self.cfg, one_of(CFGS))
        require(self.architecture in known, "g_arch", self.architecture, one_of(known))
        require_steps(self, "num_fp16_res", "num_fp16_res")
        require(self.mapping_lrmul > 0, "mapping_lrmul", self.mapping_lrmul, "a positive number")
        require(not self.no_const or self.cfg == "stylegan2", "no_const", self.no_const, "stylegan2 beside it")
        for name in ("z_dim", "w_dim", "mapping_layers", "channel_base", "channel_max"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a positive integer")
        with errors_named("fmaps"):
            object.__setattr__(self, "fmaps", format_channels(parse_channels(self.fmaps)))

    @property
    def channels(self) -> ChannelTable:
        """The table of fmaps, None = by channel_base and channel_max."""
        return parse_channels(self.fmaps) or None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiscriminatorConfig:
    """Shape of the discriminator, and how many of its first layers stay frozen."""

    channel_base: int = DEFAULT_CHANNEL_BASE
    channel_max: int = DEFAULT_CHANNEL_MAX
    architecture: str = "resnet"  # resnet, skip, orig
    mapping_layers: int = 8  # of the label mapping
    mbstd_group_size: int | None = 4
    mbstd_num_channels: int = 1
    conv_clamp: float | None = 256.0
    num_fp16_res: ScheduledCount = 0
    freeze_layers: int = 0
    fmaps: str = ""  # channels by level, as parse_channels reads them; "" = by channel_base and channel_max

    def __post_init__(self) -> None:
        known = DISCRIMINATOR_ARCHITECTURES
        require(self.architecture in known, "d_arch", self.architecture, one_of(known))
        require_steps(self, "num_fp16_res", "num_fp16_res")
        require(self.freeze_layers >= 0, "freezed", self.freeze_layers, "0 or more")
        with errors_named("fmaps"):
            object.__setattr__(self, "fmaps", format_channels(parse_channels(self.fmaps)))

    @property
    def channels(self) -> ChannelTable:
        """The table of fmaps, None = by channel_base and channel_max."""
        return parse_channels(self.fmaps) or None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """Adam for both networks (before the correction for lazy regularisation)."""

    g_lr: Scheduled = 0.002
    d_lr: Scheduled = 0.002
    beta1: float = 0.0
    beta2: Scheduled = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require_scheduled(self, "g_lr", "glr", lambda value: value >= 0, "a positive number", positive=True)
        require_scheduled(self, "d_lr", "dlr", lambda value: value >= 0, "a positive number", positive=True)
        require_scheduled(self, "beta2", "beta2", lambda value: 0 <= value < 1, "0 or more and less than 1")
        require(self.epsilon > 0, "epsilon", self.epsilon, "a positive number")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Weights and cadence of the losses (StyleGAN2, arXiv:1912.04958; lazy regularisation in appendix B)."""

    r1_gamma: Scheduled
    pl_weight: Scheduled = 2.0
    pl_batch_shrink: int = 2
    pl_decay: float = 0.01
    style_mixing_prob: float = 0.9
    g_reg_interval: int | None = 4  # iterations; None = no separate phase (StyleGAN3)
    d_reg_interval: int = 16
    blur_init_sigma: float = 0.0  # pixels; StyleGAN3-R only
    blur_fade_kimg: float = 0.0
    blur: Scheduled | None = None  # width in pixels, in place of these two

    def __post_init__(self) -> None:
        for name, option in (("r1_gamma", "gamma"), ("pl_weight", "pl_weight"), ("blur", "blur")):
            require_scheduled(self, name, option, lambda value: value >= 0, "0 or more")
        require(0 <= self.style_mixing_prob <= 1, "style_mixing_prob", self.style_mixing_prob, "0 to 1")
        require(self.d_reg_interval >= 1, "d_reg_interval", self.d_reg_interval, "1 or more")
        require(
            self.g_reg_interval is None or self.g_reg_interval >= 1, "g_reg_interval", self.g_reg_interval, "1 or more"
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """Augmentation of what D sees: noaug, ada (p steered towards target), fixed (constant p) or diffaug."""

    mode: str = "noaug"
    p: Scheduled = 0.0  # of fixed, or start value (ada)
    pipe: str = "bgc"  # of PIPES; ada and fixed
    target: Scheduled = 0.6  # mean sign of D's scores of reals
    ada_interval: int = 4  # iterations between two adjustments of p
    ada_kimg: Scheduled = 500.0  # thousands of images in which p can move by one
    diffaug: tuple[str, ...] = DIFFAUG_POLICIES  # of DIFFAUG_POLICIES; diffaug

    def __post_init__(self) -> None:
        require(self.mode in AUGMENT_MODES, "aug", self.mode, one_of(AUGMENT_MODES))
        require_scheduled(self, "p", "p", lambda value: 0 <= value <= 1, "0 to 1")
        require(self.pipe in PIPES, "augpipe", self.pipe, f"one of {', '.join(PIPES)}")
        require_scheduled(self, "target", "target", lambda value: 0 <= value <= 1, "0 to 1")
        require(self.ada_interval >= 1, "ada_interval", self.ada_interval, "1 or more")
        require_scheduled(self, "ada_kimg", "ada_kimg", lambda value: value > 0, "a positive number")
        known = bool(self.diffaug) and set(self.diffaug) <= set(DIFFAUG_POLICIES)
        require(known, "diffaug", self.diffaug, f"one or more of {', '.join(DIFFAUG_POLICIES)}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a run proceeds and what it leaves behind: nothing here changes the result of an iteration."""

    outdir: str
    total_kimg: float = 25000.0
    tick_kimg: float = 4.0
    snapshot_ticks: int | None = 50  # network snapshot and exact checkpoint; None = only at the end
    image_snapshot_ticks: int | None = 50  # image grid; None = only at the end
    checkpoint_minutes: float = 15.0
    keep_checkpoints: int = 3
    on_nan: str = "stop"  # or rollback
    keep_every_kimg: float | None = None  # beside them one for each so many thousand images
    metrics: tuple[str, ...] = ()  # scores of snapshots
    metrics_ticks: int | None = None  # between scores; None = one with each snapshot
    metrics_share: float = 0.05  # of the run's time that scores may take; the first and the last one are always made
    features: str = "effnetlite0"  # what sees the images for scores that need no download
    inception: str | None = None  # file or address; None = a copy that is kept, or else it is fetched
    vgg16: str | None = None
    stop_when: str = ""  # a StopCondition
    desc: str = ""
    sample_grid: tuple[int, int] | None = None  # columns, rows; None = as published (7680x4320 at most)
    nobench: bool = False
    deterministic: bool = False
    debug: bool = False

    def __post_init__(self) -> None:
        for name, option in (("total_kimg", "kimg"), ("tick_kimg", "tick")):
            require(getattr(self, name) > 0, option, getattr(self, name), "a positive number")
        require(self.on_nan in ON_NAN, "on_nan", self.on_nan, one_of(ON_NAN))
        require(0 < self.metrics_share <= 1, "metrics_share", self.metrics_share, "above 0 and at most 1")
        if self.stop_when:
            metric = parse_stop_condition(self.stop_when).metric
            require(
                metric in self.metrics, "stop_when", metric, f"one of --metrics, {one_of(self.metrics or ('none',))}"
            )
        kimg = self.keep_every_kimg
        require(kimg is None or kimg > 0, "keep_every", kimg, "a positive number")
        for name, option in (
            ("snapshot_ticks", "snap"),
            ("image_snapshot_ticks", "image_snap"),
            ("keep_checkpoints", "keep"),
            ("metrics_ticks", "metrics_ticks"),
        ):
            value = getattr(self, name)
            require(value is None or value >= 1, option, value, "1 or more")
