"""Options that every run needs, and those of a training step."""

from __future__ import annotations

import dataclasses

from sg_keras.config.augment_transforms import DIFFAUG_POLICIES, PIPES
from sg_keras.config.choices import AUGMENT_MODES, CFGS
from sg_keras.config.options.declaration import REQUIRED, TRAINING, OnlyWith, Resume, option
from sg_keras.config.options.kinds import Boolean, Choice, Integer, IntegerOrAuto, Names, Number, PathName
from sg_keras.config.options.schedule_kinds import Freeze, ScheduleOf

_POSITIVE = Number(positive=True)
_POSITIVE_IN_THE_END = ScheduleOf(_POSITIVE, in_schedule=Number())  # ramps may begin at 0
_UNIT = Number(0.0, 1.0)
_COUNT = Integer(1)

_STYLEGAN2 = OnlyWith("cfg", ("stylegan2",), is_refused=True)
_STYLEGAN3_R = OnlyWith("cfg", ("stylegan3-r",), is_refused=True)
_FIXED, _ADA = OnlyWith("aug", ("fixed",)), OnlyWith("aug", ("ada",))

#: What other trainers and libraries call the values of options.
_IN_DOCS = "docs/training_configs.md has its options"
_CFGS_ELSEWHERE = {
    **dict.fromkeys(("auto", "paper256", "paper512", "paper1024", "cifar"), _IN_DOCS),
    **dict.fromkeys(("config-f", "config_f", "f", "stylegan2-ada", "ada", "sg2", "stylegan"), "stylegan2"),
    **dict.fromkeys(("config-t", "t", "sg3-t", "translation"), "stylegan3-t"),
    **dict.fromkeys(("config-r", "r", "sg3-r", "rotation"), "stylegan3-r"),
}
_NO_AUGMENTATION = dict.fromkeys(("none", "no", "off", "0", "false"), "noaug")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequiredOptions:
    """Options that have to be typed. A table made in Python for `resolve` needs neither outdir nor data."""

    outdir: str = option(
        REQUIRED,
        PathName("a directory"),
        "Where run directories are made.",
        "DIR",
        default="",
        sets="run.outdir",
        resume=Resume.ANY,
    )
    cfg: str = option(
        REQUIRED,
        Choice(*CFGS, elsewhere=_CFGS_ELSEWHERE),
        "Base configuration: stylegan2, stylegan3-t (translation) or stylegan3-r (rotation).",
        "CFG",
        sets="generator.cfg",
        resume=Resume.SHAPE,
    )
    data: str = option(
        REQUIRED,
        PathName("a folder, a zip or the word digits", in_utf8=False),
        "Images: a folder, zip, LMDB, TFRecords, .npz or .npy, or the built-in data set 'digits'.",
        default="",
        sets=("dataset.path", "dataset.num_images", "dataset.fingerprint"),
        resume=Resume.DATA,
    )
    gpus: int = option(
        REQUIRED,
        Integer(0),
        "GPUs to train on, per worker; 0 trains on the CPU.",
        sets="gpus",
        resume=Resume.DEVICES,
    )
    batch: int = option(REQUIRED, _COUNT, "Images in a batch, over all GPUs together.", sets="batch")
    gamma: float | str | None = option(
        REQUIRED,
        ScheduleOf(Number()),
        "Weight of the R1 penalty. Matters most; docs/training_configs.md helps to choose, --auto_gamma chooses.",
        sets="loss.r1_gamma",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions(RequiredOptions):
    """Options of the training itself: augmentation, optimizers, losses, averages."""

    auto_gamma: bool = option(
        TRAINING,
        Boolean(),
        "In place of --gamma: the weight that the published configurations suggest for this --cfg, resolution and "
        "batch, to begin with. A run that is continued keeps its own.",
        default=False,
        switch=True,
    )
    kimg: float = option(
        TRAINING,
        _POSITIVE,
        "Length of the training, in thousands of real images.",
        "KIMG",
        default=25000.0,
        sets="run.total_kimg",
        resume=Resume.ANY,
    )
    batch_gpu: int | str | None = option(
        TRAINING,
        IntegerOrAuto(1),
        "Images that a GPU takes at once; fewer take less memory. auto starts with all and halves when it runs out.",
        spelled="batch-gpu",
        default=None,
        default_text="batch / gpus",
        sets={"batch_gpu": Resume.MICRO_BATCH, "batch_gpu_auto": Resume.ANY},
    )
    aug: str = option(
        TRAINING,
        Choice(*AUGMENT_MODES, elsewhere=_NO_AUGMENTATION),
        "Augmentation of what the discriminator sees: ada adapts its probability, fixed keeps it at --p, "
        "diffaug is DiffAugment.",
        "MODE",
        default="ada",
        sets="augment.mode",
    )
    p: float | str = option(
        TRAINING,
        ScheduleOf(_UNIT),
        "Probability of augmentation, with --aug=fixed.",
        "P|SCHEDULE",
        default=0.2,
        sets="augment.p",
        only_with=_FIXED,
    )
    augpipe: str = option(
        TRAINING,
        Choice(*PIPES),
        f"Transforms of --aug=ada and fixed: {', '.join(PIPES)}.",
        "PIPE",
        default="bgc",
        sets="augment.pipe",
        only_with=OnlyWith("aug", ("ada", "fixed")),
    )
    target: float | str = option(
        TRAINING,
        ScheduleOf(_UNIT),
        "Overfitting that --aug=ada steers towards.",
        default=0.6,
        sets="augment.target",
        only_with=_ADA,
    )
    ada_interval: int = option(
        TRAINING,
        _COUNT,
        "With --aug=ada, adjust the probability every N iterations.",
        default=4,
        sets="augment.ada_interval",
        only_with=_ADA,
    )
    ada_kimg: float | str | None = option(
        TRAINING,
        ScheduleOf(_POSITIVE),
        "Thousands of images in which --aug=ada moves the probability by 1 at most; fewer are faster.",
        "KIMG|SCHEDULE",
        default=None,
        default_text="500; 100 when starting from a network",
        sets="augment.ada_kimg",
        only_with=_ADA,
    )
    diffaug: tuple[str, ...] = option(
        TRAINING,
        Names(DIFFAUG_POLICIES),
        f"What --aug=diffaug does: some of {','.join(DIFFAUG_POLICIES)}.",
        default=DIFFAUG_POLICIES,
        sets="augment.diffaug",
        only_with=OnlyWith("aug", ("diffaug",)),
    )
    resume: str | None = option(
        TRAINING,
        PathName("latest, a run directory, RUN_DIR@TICK, a checkpoint or a network file"),
        "Continue exactly: latest, RUN_DIR, RUN_DIR@TICK or CHECKPOINT. "
        "Or start from the weights of a network: a snapshot, a .pkl or .safetensors file, or a URL of one.",
        "FROM",
        default=None,
        default_text="none",
        none_words=("noresume",),
        sets="resume",
    )
    resume_partial: bool = option(
        TRAINING,
        Boolean(),
        "When starting from a network of another resolution, capacity or label: take what fits, start the rest anew.",
        default=False,
        sets="resume_partial",
    )
    freezed: int = option(
        TRAINING,
        Integer(0),
        "Freeze this many of D's layers, from the highest resolution on.",
        default=0,
        sets="discriminator.freeze_layers",
        resume=Resume.SHAPE,  # frozen for good: they have no moments
    )
    freeze: str = option(
        TRAINING,
        Freeze(),
        "Do not train parts of networks, for good or for a time: 'd:first4; g:<=16px until 500kimg'.",
        default="",
        default_text="none",
        sets="freeze",
    )
    glr: float | str | None = option(
        TRAINING,
        _POSITIVE_IN_THE_END,
        "Learning rate of the generator: a number, or a schedule by kimg, such as '2e-3; 2e-4 from 10000' or "
        "'cosine 2e-4..5e-5 over 5000' (docs/schedules.md).",
        default=None,
        default_text="0.002 (stylegan2), 0.0025 (stylegan3-*)",
        sets="optimizer.g_lr",
    )
    dlr: float | str = option(
        TRAINING, _POSITIVE_IN_THE_END, "Learning rate of the discriminator.", default=0.002, sets="optimizer.d_lr"
    )
    beta2: float | str = option(
        TRAINING,
        ScheduleOf(Number(0.0, 0.9999999)),
        "Decay of Adam's second moments, of both networks.",
        default=0.99,
        sets="optimizer.beta2",
    )
    pl_weight: float | str | None = option(
        TRAINING,
        ScheduleOf(Number()),
        "Weight of path length regularisation (stylegan2).",
        default=None,
        default_text="2 (stylegan2)",
        sets="loss.pl_weight",
        only_with=_STYLEGAN2,
    )
    style_mixing_prob: float | None = option(
        TRAINING,
        _UNIT,
        "Probability of style mixing (stylegan2).",
        "P",
        default=None,
        default_text="0.9 (stylegan2)",
        sets="loss.style_mixing_prob",
        only_with=_STYLEGAN2,
    )
    g_reg_interval: int | None = option(
        TRAINING,
        _COUNT,
        "Regularise the generator every N iterations (stylegan2).",
        default=None,
        default_text="4 (stylegan2)",
        sets="loss.g_reg_interval",
        only_with=_STYLEGAN2,
    )
    d_reg_interval: int = option(
        TRAINING, _COUNT, "Regularise the discriminator every N iterations.", default=16, sets="loss.d_reg_interval"
    )
    blur_fade_kimg: float | None = option(
        TRAINING,
        Number(),
        "Images before D are blurred at first, less and less over so many thousand (stylegan3-r); 0: not at all.",
        "KIMG",
        default=None,
        default_text="batch * 200 / 32 (stylegan3-r)",
        sets="loss.blur_fade_kimg",
        only_with=_STYLEGAN3_R,
    )
    blur: float | str | None = option(
        TRAINING,
        ScheduleOf(Number()),
        "Width in pixels of a blur of all images before D, such as 'linear 10..0 over 200'.",
        "PIXELS|SCHEDULE",
        default=None,
        default_text="as --blur_fade_kimg says",
        sets="loss.blur",
    )
    ema_kimg: float | str | None = option(
        TRAINING,
        _POSITIVE_IN_THE_END,
        "Half-life of the averaged generator G_ema, in thousands of images.",
        "KIMG|SCHEDULE",
        default=None,
        default_text="batch * 10 / 32",
        sets="ema_kimg",
    )
    ema_rampup: float | None = option(
        TRAINING,
        Number(),
        "Keep that half-life under X times the images seen; 0: do not.",
        default=None,
        default_text="0.05; 0 when starting from a network",
        sets="ema_rampup",
    )
    seed: int = option(TRAINING, Integer(0, 2**31 - 1), "Seed of everything random.", default=0, sets="seed")
