"""What --resume stands for: an exact continuation, or a network whose weights a new run starts from."""

from __future__ import annotations

import pathlib

from sg_keras.config import ResumeRequest
from sg_keras.files.network_source import parse_network_source


def parse_resume(value: str, outdir: str) -> ResumeRequest | str:
    """Tell the forms of --resume apart by what is on the disk. No address is opened.

    Args:
        value: as typed: latest, or whatever `parse_network_source` understands.
        outdir: where "latest" looks for runs.

    Returns:
        A ResumeRequest (exact continuation), or the path or address of networks (transfer learning).

    Raises:
        ValueError: the value is none of the forms, or what it names does not exist.
    """
    if value == "latest":
        return ResumeRequest("latest", outdir)
    source = parse_network_source(value, also="latest, ")
    if source.kind == "run_dir":
        return ResumeRequest("run_dir", source.path, source.tick)
    if source.kind == "checkpoint":
        return ResumeRequest("checkpoint", source.path)
    if source.kind == "network":
        raise ValueError(f"found {value!r}, one network alone, expected the folder of a snapshot with G, D and G_ema")
    return source.path if source.kind == "address" else str(pathlib.Path(source.path).resolve())
