"""Options of capacity that stand for one another: the later way of saying it counts, and two at once are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.config.channels import channels_of
from sg_keras.config.sizes import block_sizes
from sg_keras.flags.arguments import Argument

_TABLES, _RULES = ("fmaps", "g_fmaps", "d_fmaps"), ("capacity", "cbase", "cmax")


def without_overruled(arguments: Sequence[Argument], own: Sequence[Argument]) -> list[Argument]:
    """The arguments without those of files that the command line says in the other way.

    Args:
        arguments: of files, and then the command line's.
        own: the command line's.
    """
    typed = {argument.option.key for argument in own}
    overruled = {*(_RULES if "fmaps" in typed else ()), *(_TABLES if typed.intersection(_RULES) else ())} - typed
    return [argument for argument in arguments if argument.option.key not in overruled]


def capacity_contradictions(values: Mapping[str, Any], typed: Mapping[str, str]) -> Iterator[str]:
    """A line where channels are said by a table and by a rule that nothing would be left to say for."""
    both = values["fmaps"] is not None or None not in (values["g_fmaps"], values["d_fmaps"])
    rule = next((key for key in _RULES if key in typed and values[key] is not None), None)
    if not both or rule is None:
        return
    table = next(typed[key] for key in _TABLES if key in typed)
    more = ", with --z-dim and --w-dim for those of the capacity" if rule == "capacity" else ""
    yield f"{table}: found {typed[rule]}={values[rule]} beside it, expected one of the two{more}"


def capacity_note(typed: Mapping[str, str], config: TrainingConfig) -> str:
    """What is to be said of networks of different capacity, "" for nothing."""
    options = [typed[key] for key in ("g_fmaps", "d_fmaps") if key in typed]
    levels = block_sizes(config.dataset.size)
    G, D = ([channels_of(part, level) for level in levels] for part in (config.generator, config.discriminator))
    if not options or G == D:
        return ""
    return (
        f"{' and '.join(options)}: G and D have different channels now; in practice capacity in G alone fails: raise "
        "both together (docs/capacity.md)"
    )
