"""The table of options: name, group, parser, default and help of each.

The published trainer's options have its names and defaults (--metrics excepted); the others are ours.
A hyphen and an underscore in a name mean the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from sg_keras.config.augment_transforms import DIFFAUG_POLICIES, PIPES
from sg_keras.flags.parsers import (
    Boolean,
    Choice,
    Freeze,
    Grid,
    Hosts,
    Integer,
    IntegerOrAuto,
    Metrics,
    Names,
    Number,
    PathName,
    Text,
)

REQUIRED, TRAINING, MODEL, DATA, RUN, MISC = "Required", "Training", "Model", "Data", "Run", "Misc"
GROUPS = (REQUIRED, TRAINING, MODEL, DATA, RUN, MISC)


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option. `default_text` says in words what a default of None follows from."""

    group: str
    name: str
    metavar: str
    parser: absl_flags.ArgumentParser
    help: str
    default: Any = None
    default_text: str = ""
    switch: bool = False  # may stand without a value
    short: str = ""
    none_words: tuple[str, ...] = ()  # that say none, beside that word, where none is the default

    def is_none(self, value: str) -> bool:
        """Whether a value says that there is none: a word for it, or nothing, as an empty variable of a script."""
        return self.shown_default == "none" and value.strip().lower() in ("", "none", *self.none_words)

    @property
    def key(self) -> str:
        """The name as an identifier."""
        return self.name.replace("-", "_")

    @property
    def shown_default(self) -> str:
        """The default as people read it."""
        if self.default_text:
            return self.default_text
        if isinstance(self.default, tuple):
            return ",".join(self.default)
        if isinstance(self.default, bool):
            return str(int(self.default))
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


_POSITIVE = Number(positive=True)
_UNIT = Number(0.0, 1.0)
_COUNT = Integer(1)

#: What other trainers and libraries call the values of options.
_IN_DOCS = "docs/training_configs.md has its options"
_CFGS_ELSEWHERE = {
    **dict.fromkeys(("auto", "paper256", "paper512", "paper1024", "cifar"), _IN_DOCS),
    **dict.fromkeys(("config-f", "config_f", "f", "stylegan2-ada", "ada", "sg2", "stylegan"), "stylegan2"),
    **dict.fromkeys(("config-t", "t", "sg3-t", "translation"), "stylegan3-t"),
    **dict.fromkeys(("config-r", "r", "sg3-r", "rotation"), "stylegan3-r"),
}
_NO_AUGMENTATION = dict.fromkeys(("none", "no", "off", "0", "false"), "noaug")
_PRECISIONS_ELSEWHERE = {
    **dict.fromkeys(("fp32", "full", "32", "float"), "float32"),
    **dict.fromkeys(("fp16", "half", "16", "mixed", "mixed_float16"), "float16"),
    **dict.fromkeys(("bf16", "mixed_bfloat16"), "bfloat16"),
}

#: Shared with the tools' options.
OPS = Option(
    MISC,
    "ops",
    "IMPL",
    Choice("auto", "custom", "reference", elsewhere={"cuda": "custom", "ref": "reference", "tensorflow": "reference"}),
    "Implementation of our operations: compiled (custom), plain TensorFlow (reference) or what there is (auto).",
    "auto",
)

OPTIONS: tuple[Option, ...] = (
    Option(REQUIRED, "outdir", "DIR", PathName("a directory"), "Where run directories are made."),
    Option(
        REQUIRED,
        "cfg",
        "CFG",
        Choice("stylegan2", "stylegan3-t", "stylegan3-r", elsewhere=_CFGS_ELSEWHERE),
        "Base configuration: stylegan2, stylegan3-t (translation) or stylegan3-r (rotation).",
    ),
    Option(
        REQUIRED,
        "data",
        "PATH",
        PathName("a folder, a zip or the word digits", in_utf8=False),
        "Pictures: a folder, a zip, or the built-in data set 'digits'.",
    ),
    Option(REQUIRED, "gpus", "N", Integer(0), "GPUs to train on, of each machine; 0 trains on the CPU."),
    Option(REQUIRED, "batch", "N", _COUNT, "Pictures in a batch, over all GPUs together."),
    Option(
        REQUIRED,
        "gamma",
        "X",
        Number(),
        "Weight of the R1 penalty. Matters most; docs/training_configs.md helps to choose.",
    ),
    Option(TRAINING, "kimg", "KIMG", _POSITIVE, "Length of the training, in thousands of real pictures.", 25000.0),
    Option(
        TRAINING,
        "batch-gpu",
        "N",
        IntegerOrAuto(1),
        "Pictures that a GPU takes at once; fewer take less memory. auto starts with all and halves when it runs out.",
        default_text="batch / gpus",
    ),
    Option(
        TRAINING,
        "aug",
        "MODE",
        Choice("noaug", "ada", "fixed", "diffaug", elsewhere=_NO_AUGMENTATION),
        "Augmentation of what the discriminator sees: ada adapts its probability, fixed keeps it at --p, "
        "diffaug is DiffAugment.",
        "ada",
    ),
    Option(TRAINING, "p", "P", _UNIT, "Probability of augmentation, with --aug=fixed.", 0.2),
    Option(
        TRAINING,
        "augpipe",
        "PIPE",
        Choice(*PIPES),
        f"Transforms of --aug=ada and fixed: {', '.join(PIPES)}.",
        "bgc",
    ),
    Option(TRAINING, "target", "X", _UNIT, "Overfitting that --aug=ada steers towards.", 0.6),
    Option(TRAINING, "ada_interval", "N", _COUNT, "With --aug=ada, adjust the probability every N iterations.", 4),
    Option(
        TRAINING,
        "ada_kimg",
        "KIMG",
        _POSITIVE,
        "Thousands of pictures in which --aug=ada moves the probability by 1 at most; fewer are faster.",
        default_text="500; 100 when starting from a network",
    ),
    Option(
        TRAINING,
        "diffaug",
        "A,B,C",
        Names(DIFFAUG_POLICIES),
        f"What --aug=diffaug does: some of {','.join(DIFFAUG_POLICIES)}.",
        DIFFAUG_POLICIES,
    ),
    Option(
        TRAINING,
        "resume",
        "FROM",
        PathName("latest, a run directory, RUN_DIR@TICK, a checkpoint or a network file"),
        "Continue exactly: latest, RUN_DIR, RUN_DIR@TICK or CHECKPOINT. "
        "Or start from the weights of a network: a snapshot, a .pkl or .safetensors file, or a URL of one.",
        default_text="none",
        none_words=("noresume",),
    ),
    Option(
        TRAINING,
        "resume_partial",
        "BOOL",
        Boolean(),
        "When starting from a network of another resolution, capacity or label: take what fits, start the rest anew.",
        False,
    ),
    Option(TRAINING, "freezed", "N", Integer(0), "Freeze this many of D's layers, from the highest resolution on.", 0),
    Option(
        TRAINING,
        "freeze",
        "RULES",
        Freeze(),
        "Do not train parts of networks, for good or until a kimg: 'd:first4; g:mapping; g:<=16px until 500kimg'.",
        "",
        default_text="none",
    ),
    Option(
        TRAINING,
        "glr",
        "X",
        _POSITIVE,
        "Learning rate of the generator.",
        default_text="0.002 (stylegan2), 0.0025 (stylegan3-*)",
    ),
    Option(TRAINING, "dlr", "X", _POSITIVE, "Learning rate of the discriminator.", 0.002),
    Option(
        TRAINING,
        "pl_weight",
        "X",
        Number(),
        "Weight of path length regularisation (stylegan2).",
        default_text="2 (stylegan2)",
    ),
    Option(
        TRAINING,
        "style_mixing_prob",
        "P",
        _UNIT,
        "Probability of style mixing (stylegan2).",
        default_text="0.9 (stylegan2)",
    ),
    Option(
        TRAINING,
        "g_reg_interval",
        "N",
        _COUNT,
        "Regularise the generator every N iterations (stylegan2).",
        default_text="4 (stylegan2)",
    ),
    Option(TRAINING, "d_reg_interval", "N", _COUNT, "Regularise the discriminator every N iterations.", 16),
    Option(
        TRAINING,
        "blur_fade_kimg",
        "KIMG",
        Number(),
        "Pictures before D are blurred at first, less and less over so many thousand (stylegan3-r); 0: not at all.",
        default_text="batch * 200 / 32 (stylegan3-r)",
    ),
    Option(
        TRAINING,
        "ema_kimg",
        "KIMG",
        _POSITIVE,
        "Half-life of the averaged generator G_ema, in thousands of pictures.",
        default_text="batch * 10 / 32",
    ),
    Option(
        TRAINING,
        "ema_rampup",
        "X",
        Number(),
        "Keep that half-life under X times the pictures seen; 0: do not.",
        default_text="0.05; 0 when starting from a network",
    ),
    Option(TRAINING, "seed", "N", Integer(0, 2**31 - 1), "Seed of everything random.", 0),
    Option(MODEL, "cbase", "N", _COUNT, "Capacity: a resolution r has min(cbase / r, cmax) channels.", 32768),
    Option(MODEL, "cmax", "N", _COUNT, "Most channels of a layer.", 512),
    Option(
        MODEL, "map-depth", "N", _COUNT, "Layers of the mapping network.", default_text="8 (stylegan2), 2 (stylegan3-*)"
    ),
    Option(MODEL, "mbstd-group", "N", _COUNT, "Pictures in a group of the minibatch standard deviation.", 4),
    Option(MODEL, "z-dim", "N", _COUNT, "Numbers in a latent z.", 512),
    Option(MODEL, "w-dim", "N", _COUNT, "Numbers in an intermediate latent w.", 512),
    Option(MODEL, "g_arch", "ARCH", Choice("skip", "resnet", "orig"), "Generator architecture (stylegan2).", "skip"),
    Option(MODEL, "d_arch", "ARCH", Choice("resnet", "skip", "orig"), "Discriminator architecture.", "resnet"),
    Option(DATA, "cond", "BOOL", Boolean(), "Train on the labels of the data set.", False),
    Option(DATA, "mirror", "BOOL", Boolean(), "Double the data by left-right mirrored copies.", False),
    Option(DATA, "mirrory", "BOOL", Boolean(), "Double the data by copies mirrored top to bottom.", False),
    Option(DATA, "workers", "N", _COUNT, "Pictures read in parallel.", 3),
    Option(
        DATA,
        "on_bad_image",
        "WHAT",
        Choice("stop", "skip"),
        "Where a picture cannot be read: stop, or take the next one that can be, naming the bad one once.",
        "stop",
    ),
    Option(
        DATA,
        "data_changed",
        "WHAT",
        Choice("refuse", "accept"),
        "Where a run to be continued was trained on other images than --data has now: refuse, or go on with these.",
        "refuse",
    ),
    Option(
        RUN,
        "desc",
        "TEXT",
        Text("text", part_of_file_name=True),
        "Text at the end of the run directory's name.",
        default_text="none",
    ),
    Option(RUN, "metrics", "A,B,C", Metrics(), "Metrics at each snapshot, or none.", "none"),
    Option(RUN, "tick", "KIMG", _POSITIVE, "Report progress every KIMG thousand pictures.", 4.0),
    Option(RUN, "snap", "TICKS", _COUNT, "Save networks and an exact checkpoint every so many ticks.", 50),
    Option(
        RUN,
        "image_snap",
        "TICKS",
        _COUNT,
        "Save a grid of pictures every so many ticks.",
        default_text="the same as --snap",
    ),
    Option(
        RUN,
        "sample-grid",
        "CxR",
        Grid(),
        "Columns and rows of that grid, such as 10x10.",
        default_text="as many as fill 7680x4320 pixels",
    ),
    Option(RUN, "checkpoint_minutes", "MIN", Number(), "Save an exact checkpoint by the clock too; 0: do not.", 15.0),
    Option(
        RUN,
        "keep",
        "N",
        _COUNT,
        "Newest exact checkpoints to keep, two at least; those of the best snapshots stay, too.",
        3,
    ),
    Option(
        RUN,
        "keep_every",
        "KIMG",
        _POSITIVE,
        "Beside them keep one exact checkpoint every KIMG thousand pictures, for good.",
        default_text="none",
    ),
    Option(
        RUN,
        "fork",
        "",
        Boolean(),
        "With --resume of a run or checkpoint: a new run from its exact state, with options changed.",
        False,
        switch=True,
    ),
    Option(
        RUN,
        "restart",
        "",
        Boolean(),
        "With --resume of a run whose checkpoints are lost: kimg 0 again in its directory; what is there is set aside.",
        False,
        switch=True,
    ),
    Option(
        RUN,
        "on_nan",
        "WHAT",
        Choice("stop", "rollback"),
        "Where a number is not finite: stop, or go on from the last checkpoint with other noise, 3 times at most.",
        "stop",
    ),
    Option(
        RUN,
        "dry-run",
        "",
        Boolean(),
        "Print the resolved configuration, write nothing, exit.",
        False,
        switch=True,
        short="n",
    ),
    Option(
        MISC,
        "precision",
        "TYPE",
        Choice("auto", "float32", "float16", "bfloat16", elsewhere=_PRECISIONS_ELSEWHERE),
        "Precision of the highest resolutions; auto takes bfloat16 where a CPU measures it to be faster.",
        default_text="float16 on GPUs, float32 on a CPU",
    ),
    Option(
        MISC,
        "num_fp16_res",
        "N",
        Integer(0),
        "How many of the highest resolutions compute in half precision.",
        default_text="4, with --precision=float32 none",
    ),
    Option(MISC, "fp32", "BOOL", Boolean(), "Full precision, and without clamping of the convolutions.", False),
    OPS,
    Option(
        MISC, "deterministic", "", Boolean(), "On GPUs, only operations that repeat to the bit.", False, switch=True
    ),
    Option(MISC, "nobench", "BOOL", Boolean(), "Do not let cuDNN try out its algorithms.", False),
    Option(MISC, "cpu_devices", "N", _COUNT, "With --gpus=0, share the batch between N logical CPU devices.", 1),
    Option(
        MISC,
        "workers_hosts",
        "HOSTS",
        Hosts(),
        "Share the batch between machines: name:port of all, the same on each. Without it TF_CONFIG is asked.",
        default_text="none",
    ),
    Option(
        MISC, "worker_index", "N", Integer(0), "Which of these machines this one is; 0 writes the run directory.", 0
    ),
    Option(MISC, "debug", "", Boolean(), "Show the traceback of an error.", False, switch=True),
)

BY_KEY: dict[str, Option] = {option.key: option for option in OPTIONS}


def define_flags(flag_values: absl_flags.FlagValues, options: Sequence[Option] = OPTIONS) -> None:
    """Register options as absl flags."""
    for option in options:
        flag = absl_flags.Flag(option.parser, None, option.key, option.default, option.help, option.short or None)
        absl_flags.DEFINE_flag(flag, flag_values=flag_values)
