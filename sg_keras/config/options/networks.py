"""Options of the networks, and of the data set."""

from __future__ import annotations

import dataclasses

from sg_keras.config.capacities import CAPACITIES, CONFIG_F
from sg_keras.config.choices import DISCRIMINATOR_ARCHITECTURES, GENERATOR_ARCHITECTURES, ON_BAD_IMAGE
from sg_keras.config.options.declaration import DATA, MODEL, OnlyWith, Resume, option
from sg_keras.config.options.kinds import Boolean, Channels, Choice, Integer, Number
from sg_keras.config.options.step import StepOptions
from sg_keras.config.sizes import MAPPING_LR_MULTIPLIER

_COUNT = Integer(1)
_STYLEGAN2 = OnlyWith("cfg", ("stylegan2",), is_refused=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions(StepOptions):
    """Options of the networks' size and shape."""

    capacity: str | None = option(
        MODEL,
        Choice(*CAPACITIES),
        "Sizes of both networks by name, from small (one GPU of 8 GB) to xxl: --cbase, --cmax, --z-dim and --w-dim.",
        "NAME",
        default=None,
        default_text="config-f",
    )
    cbase: int | None = option(
        MODEL,
        _COUNT,
        "Capacity: a resolution r has min(cbase / r, cmax) channels.",
        default=None,
        default_text=f"{CONFIG_F.cbase}, or as --capacity says",
        sets=("generator.channel_base", "discriminator.channel_base"),
        resume=Resume.SHAPE,
    )
    cmax: int | None = option(
        MODEL,
        _COUNT,
        "Most channels of a layer.",
        default=None,
        default_text=f"{CONFIG_F.cmax}, or as --capacity says",
        sets=("generator.channel_max", "discriminator.channel_max"),
        resume=Resume.SHAPE,
    )
    fmaps: str | None = option(
        MODEL,
        Channels(),
        "Channels of both networks at each resolution, such as 4:512,8:512,16:256, in place of --cbase and --cmax.",
        default=None,
        default_text="as --cbase and --cmax say",
        sets=("generator.fmaps", "discriminator.fmaps"),
        resume=Resume.SHAPE,
    )
    g_fmaps: str | None = option(
        MODEL,
        Channels(),
        "The same of the generator alone. More capacity in it alone is reported to fail.",
        default=None,
        default_text="as --fmaps says",
        sets="generator.fmaps",
        resume=Resume.SHAPE,
    )
    d_fmaps: str | None = option(
        MODEL,
        Channels(),
        "The same of the discriminator alone.",
        default=None,
        default_text="as --fmaps says",
        sets="discriminator.fmaps",
        resume=Resume.SHAPE,
    )
    map_depth: int | None = option(
        MODEL,
        _COUNT,
        "Layers of the mapping network.",
        spelled="map-depth",
        default=None,
        default_text="8 (stylegan2), 2 (stylegan3-*)",
        sets="generator.mapping_layers",
        resume=Resume.SHAPE,
    )
    mapping_lrmul: float = option(
        MODEL,
        Number(positive=True),
        "Factor on the learning rate of the layers of G's mapping network.",
        default=MAPPING_LR_MULTIPLIER,
        sets="generator.mapping_lrmul",
        resume=Resume.SHAPE,  # weights are kept divided by it
    )
    mbstd_group: int = option(
        MODEL,
        _COUNT,
        "Images in a group of the minibatch standard deviation.",
        spelled="mbstd-group",
        default=4,
        sets="discriminator.mbstd_group_size",
    )
    z_dim: int | None = option(
        MODEL,
        _COUNT,
        "Numbers in a latent z.",
        spelled="z-dim",
        default=None,
        default_text=f"{CONFIG_F.z_dim}, or as --capacity says",
        sets="generator.z_dim",
        resume=Resume.SHAPE,
    )
    w_dim: int | None = option(
        MODEL,
        _COUNT,
        "Numbers in an intermediate latent w.",
        spelled="w-dim",
        default=None,
        default_text=f"{CONFIG_F.w_dim}, or as --capacity says",
        sets="generator.w_dim",
        resume=Resume.SHAPE,
    )
    g_arch: str = option(
        MODEL,
        Choice(*GENERATOR_ARCHITECTURES),
        "Generator architecture (stylegan2).",
        "ARCH",
        default="skip",
        sets="generator.architecture",
        resume=Resume.SHAPE,
        only_with=_STYLEGAN2,
    )
    no_const: bool = option(
        MODEL,
        Boolean(),
        "Replace the generator's learnt constant by a dense layer from w, before one more convolution (stylegan2).",
        default=False,
        switch=True,
        sets="generator.no_const",
        resume=Resume.SHAPE,
        only_with=_STYLEGAN2,
    )
    d_arch: str = option(
        MODEL,
        Choice(*DISCRIMINATOR_ARCHITECTURES),
        "Discriminator architecture.",
        "ARCH",
        default="resnet",
        sets="discriminator.architecture",
        resume=Resume.SHAPE,
    )
    graft: bool = option(
        MODEL,
        Boolean(),
        "When starting from a network of other channels or another resolution: fit it, new channels and blocks without "
        "influence at first (docs/transfer_learning.md).",
        default=False,
        switch=True,
        sets="graft",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions(NetworkOptions):
    """Options of how the data set is used."""

    cond: bool = option(
        DATA,
        Boolean(),
        "Train on the labels of the data set.",
        default=False,
        sets="dataset.c_dim",
        resume=Resume.SHAPE,
    )
    mirror: bool = option(
        DATA, Boolean(), "Double the data by left-right mirrored copies.", default=False, sets="dataset.mirror"
    )
    mirrory: bool = option(
        DATA, Boolean(), "Double the data by copies mirrored top to bottom.", default=False, sets="dataset.mirrory"
    )
    workers: int = option(
        DATA, _COUNT, "Images read in parallel.", default=3, sets="dataset.workers", resume=Resume.ANY
    )
    on_bad_image: str = option(
        DATA,
        Choice(*ON_BAD_IMAGE),
        "Where an image cannot be read: stop, or take the next one that can be, naming the bad one once.",
        default="stop",
        sets="dataset.on_bad_image",
        resume=Resume.ANY,
    )
    data_changed: str = option(
        DATA,
        Choice("refuse", "accept"),
        "Where a run to be continued was trained on other images than --data has now: refuse, or go on with these.",
        default="refuse",
    )
