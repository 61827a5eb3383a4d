"""Options of how a run proceeds and what it leaves behind, and the whole table of a run's options."""

from __future__ import annotations

import dataclasses

from sg_keras.config.choices import IMPLEMENTATIONS, ON_NAN, PRECISIONS
from sg_keras.config.options.declaration import MISC, RUN, Resume, option
from sg_keras.config.options.kinds import Boolean, Choice, Grid, Hosts, Integer, Number, PathName, Text
from sg_keras.config.options.plan import PlanOptions
from sg_keras.config.options.schedule_kinds import StepsOf

_POSITIVE = Number(positive=True)
_COUNT = Integer(1)

#: What other trainers and libraries call the values of options.
_PRECISIONS_ELSEWHERE = {
    **dict.fromkeys(("fp32", "full", "32", "float"), "float32"),
    **dict.fromkeys(("fp16", "half", "16", "mixed", "mixed_float16"), "float16"),
    **dict.fromkeys(("bf16", "mixed_bfloat16"), "bfloat16"),
}
_OPS_ELSEWHERE = {"cuda": "custom", "ref": "reference", "tensorflow": "reference"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(PlanOptions):
    """Options of progress, snapshots, checkpoints and of going on."""

    desc: str = option(
        RUN,
        Text("text", part_of_file_name=True),
        "Text at the end of the run directory's name.",
        default="",
        default_text="none",
        sets="run.desc",
        resume=Resume.ANY,
    )
    tick: float = option(
        RUN,
        _POSITIVE,
        "Report progress every KIMG thousand images.",
        "KIMG",
        default=4.0,
        sets="run.tick_kimg",
        resume=Resume.ANY,
    )
    snap: int = option(
        RUN,
        _COUNT,
        "Save networks and an exact checkpoint every so many ticks.",
        "TICKS",
        default=50,
        sets="run.snapshot_ticks",
        resume=Resume.ANY,
    )
    image_snap: int | None = option(
        RUN,
        _COUNT,
        "Save a grid of images every so many ticks.",
        "TICKS",
        default=None,
        default_text="the same as --snap",
        sets="run.image_snapshot_ticks",
        resume=Resume.ANY,
    )
    sample_grid: tuple[int, int] | None = option(
        RUN,
        Grid(),
        "Columns and rows of that grid, such as 10x10.",
        spelled="sample-grid",
        default=None,
        default_text="as many as fill 7680x4320 pixels",
        sets="run.sample_grid",
        resume=Resume.ANY,
    )
    checkpoint_minutes: float = option(
        RUN,
        Number(),
        "Save an exact checkpoint by the clock too; 0: do not.",
        "MIN",
        default=15.0,
        sets="run.checkpoint_minutes",
        resume=Resume.ANY,
    )
    keep: int = option(
        RUN,
        _COUNT,
        "Newest exact checkpoints to keep, two at least; those of the best snapshots stay, too.",
        default=3,
        sets="run.keep_checkpoints",
        resume=Resume.ANY,
    )
    keep_every: float | None = option(
        RUN,
        _POSITIVE,
        "Beside them keep one exact checkpoint every KIMG thousand images, for good.",
        "KIMG",
        default=None,
        default_text="none",
        sets="run.keep_every_kimg",
        resume=Resume.ANY,
    )
    fork: bool = option(
        RUN,
        Boolean(),
        "With --resume of a run or checkpoint: a new run from its exact state, with options changed.",
        default=False,
        switch=True,
    )
    restart: bool = option(
        RUN,
        Boolean(),
        "With --resume of a run whose checkpoints are lost: kimg 0 again in its directory; what is there is set aside.",
        default=False,
        switch=True,
    )
    on_nan: str = option(
        RUN,
        Choice(*ON_NAN),
        "Where a number is not finite: stop, or go on from the last checkpoint with other noise, 3 times at most.",
        default="stop",
        sets="run.on_nan",
        resume=Resume.ANY,
    )
    dry_run: bool = option(
        RUN,
        Boolean(),
        "Print the resolved configuration, write nothing, exit.",
        spelled="dry-run",
        default=False,
        switch=True,
        short="n",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions(RunOptions):
    """All options of a run as typed. None = follows from cfg, batch and the others.

    Attributes:
        transfer: network file or address that the weights start from: what --resume may come to.
        cluster_size: workers that share the run: what --workers_hosts or TF_CONFIG come to.
    """

    recipe: str | None = option(
        MISC,
        Text("a recipe's name"),
        "Options of a recipe by its name, for instance those of a published configuration; what is typed counts more. "
        "list shows all.",
        "NAME",
        default=None,
        default_text="none",
    )
    flagfile: str | None = option(
        MISC,
        PathName("a file of options"),
        "Options of a file, one per line, without quotes; what is typed counts more.",
        "FILE",
        default=None,
        default_text="none",
    )
    schedule: str | None = option(
        MISC,
        PathName("a JSON file"),
        'Schedules of a JSON file, such as {"glr": "2e-3; 2e-4 from 10000", "gamma": 5}; what is typed counts more.',
        "FILE",
        default=None,
        default_text="none",
    )
    schedule_scale: float = option(
        MISC,
        _POSITIVE,
        "Multiply all times of schedules, and --kimg, by a factor: a recipe in short, to try it.",
        "FACTOR",
        default=1.0,
    )
    plot_schedule: str | None = option(
        MISC,
        PathName("a PNG file"),
        "With --dry-run, draw the schedules into a file.",
        "FILE",
        default=None,
        default_text="not at all",
    )
    precision: str | None = option(
        MISC,
        Choice("auto", *PRECISIONS, elsewhere=_PRECISIONS_ELSEWHERE),
        "Precision of the highest resolutions; auto takes bfloat16 where a CPU measures it to be faster.",
        "TYPE",
        default=None,
        default_text="float16 on GPUs, float32 on a CPU",
        sets="precision",
    )
    num_fp16_res: int | str | None = option(
        MISC,
        StepsOf(Integer(0)),
        "How many of the highest resolutions compute in half precision: a number, or steps by kimg, such as "
        "'0; 4 from 5000'.",
        default=None,
        default_text="4, with --precision=float32 none",
        sets=("generator.num_fp16_res", "discriminator.num_fp16_res"),
    )
    fp32: bool = option(
        MISC,
        Boolean(),
        "Full precision, and without clamping of the convolutions.",
        default=False,
        sets=("generator.conv_clamp", "discriminator.conv_clamp"),
    )
    ops: str = option(
        MISC,
        Choice(*IMPLEMENTATIONS, elsewhere=_OPS_ELSEWHERE),
        "Implementation of our operations: compiled (custom), plain TensorFlow (reference) or what there is (auto).",
        "IMPL",
        default="auto",
        sets="ops",
        tools=("generate", "style_mixing"),
    )
    deterministic: bool = option(
        MISC,
        Boolean(),
        "On GPUs, only operations that repeat to the bit.",
        default=False,
        switch=True,
        sets="run.deterministic",
    )
    nobench: bool = option(
        MISC,
        Boolean(),
        "Do not let cuDNN try out its algorithms: understood, but without effect.",
        default=False,
        sets="run.nobench",
        resume=Resume.ANY,
        no_effect="TensorFlow chooses cuDNN's algorithms itself",
    )
    cpu_devices: int = option(
        MISC,
        _COUNT,
        "With --gpus=0, share the batch between N logical CPU devices.",
        default=1,
        sets="cpu_devices",
        resume=Resume.DEVICES,
    )
    workers_hosts: tuple[str, ...] | None = option(
        MISC,
        Hosts(),
        "Workers that share the batch: name:port of all, the same on each. Without it TF_CONFIG is asked.",
        default=None,
        default_text="none",
        sets="cluster_size",
        resume=Resume.DEVICES,
    )
    worker_index: int = option(
        MISC, Integer(0), "Which of these workers this one is; 0, the chief, writes the run directory.", default=0
    )
    debug: bool = option(
        MISC,
        Boolean(),
        "Show the traceback of an error.",
        default=False,
        switch=True,
        sets="run.debug",
        resume=Resume.ANY,
        tools=("generate", "export", "doctor", "style_mixing"),
    )

    transfer: str | None = None
    cluster_size: int = 1
