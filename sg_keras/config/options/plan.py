"""Options of a plan: what a run needs, told before it begins."""

from __future__ import annotations

import dataclasses

from sg_keras.config.options.declaration import RUN, option
from sg_keras.config.options.kinds import Boolean, Number, PathName
from sg_keras.config.options.scores import ScoreOptions

_POSITIVE = Number(positive=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(ScoreOptions):
    """Options of --plan, and those that mean something beside it alone."""

    plan: bool = option(
        RUN,
        Boolean(),
        "Train 20 steps or more, say what the run needs of memory, time, disk and money, write nothing, exit.",
        default=False,
        switch=True,
    )
    no_measure: bool = option(
        RUN,
        Boolean(),
        "With --plan: train no step; times are those of GPUs, by the published configurations.",
        default=False,
        switch=True,
    )
    json: bool = option(RUN, Boolean(), "With --plan: print one JSON object.", default=False, switch=True)
    price_per_hour: float | None = option(
        RUN,
        _POSITIVE,
        "With --plan: what an hour of the whole machine costs, to say what the run costs.",
        "MONEY",
        default=None,
        default_text="not known",
    )
    memory_gb: float | None = option(
        RUN,
        _POSITIVE,
        "With --plan: memory of each GPU, or of the machine, that the largest --batch-gpu is to fit into.",
        "GB",
        default=None,
        default_text="what is free here; with GPUs not known",
    )
    plan_png: str | None = option(
        RUN,
        PathName("a PNG file"),
        "With --plan: draw memory and time by their parts into a file.",
        "FILE",
        default=None,
        default_text="not at all",
    )
