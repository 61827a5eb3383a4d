"""What an exact continuation starts from. It is a wish of one command, no part of the run's configuration."""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Continue a run to the same bits.

    Attributes:
        kind: "latest" (the newest run in `path` that the command can go on with), "run_dir" or "checkpoint".
        path: the output directory, the run directory or the checkpoint's prefix (without ".index").
        tick: with kind "run_dir", the tick whose checkpoint is taken; None = the newest.
        fork: whether a new run starts from there, whose options may differ, instead of the same one going on.
        restart: whether training may begin anew in a run directory without a checkpoint that can be used, what is
            there being set aside.
        batch_gpu_typed: whether a size of micro-batches was asked for; otherwise the run's is kept where it fits.
        auto_gamma: whether no gamma was asked for: the run's is kept.
        data_changed: whether the run may go on with other images than it was trained on.
    """

    kind: Literal["latest", "run_dir", "checkpoint"]
    path: str
    tick: int | None = None
    fork: bool = False
    batch_gpu_typed: bool = False
    auto_gamma: bool = False
    data_changed: bool = False
    restart: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("latest", "run_dir", "checkpoint"):
            raise ValueError(f"resume: found kind {self.kind!r}, expected latest, run_dir or checkpoint")
        if self.tick is not None and self.kind != "run_dir":
            raise ValueError(f"resume: found tick {self.tick} with {self.kind}, expected it with a run directory alone")
        if self.restart and (self.fork or self.tick is not None or self.kind == "checkpoint"):
            raise ValueError("restart: found it with a fork or a checkpoint, expected latest or a run directory alone")
