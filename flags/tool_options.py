"""Options of the tools for trained networks, and how a tool's command line becomes values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from sg_keras.flags.arguments import normalise
from sg_keras.flags.command_line import check_required, read_values
from sg_keras.flags.help_text import grouped_options
from sg_keras.flags.options import MISC, OPS, REQUIRED, RUN, Option
from sg_keras.flags.parsers import Boolean, Choice, Integer, PathName

_MAX_SEED = 2**32 - 1
_MAX_SEEDS = 1_000_000
_MAX_FLOAT32 = 3.4028234663852886e38


class Seeds(absl_flags.ArgumentParser[tuple[int, ...]]):
    """Numbers and ranges, such as 0-15 or 1,4,7-9; each once, in their order."""

    def parse(self, argument: Any) -> tuple[int, ...]:
        """Return the seeds."""
        seeds: dict[int, None] = {}
        for part in str(argument).split(","):
            match = re.fullmatch(r"\s*([0-9]+)(?:-([0-9]+))?\s*", part)
            if match is None:
                raise ValueError(f"found {argument!r}, expected numbers and ranges such as 0-15 or 1,4,7-9")
            first = int(match.group(1))
            last = first if match.group(2) is None else int(match.group(2))
            if not first <= last <= _MAX_SEED:
                raise ValueError(f"found {part.strip()!r}, expected seeds from 0 to {_MAX_SEED}, in ascending order")
            if len(seeds) + last - first >= _MAX_SEEDS:
                raise ValueError(f"found {argument!r}, expected {_MAX_SEEDS} seeds at most")
            seeds.update(dict.fromkeys(range(first, last + 1)))
        return tuple(seeds)


class FiniteNumber(absl_flags.ArgumentParser[float]):
    """Any number but infinity and NaN."""

    def parse(self, argument: Any) -> float:
        """Return the number."""
        try:
            value = float(argument)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"found {argument!r}, expected a number")
        return value


class Point(absl_flags.ArgumentParser[tuple[float, float]]):
    """Two numbers, such as 0.25,-0.1."""

    def parse(self, argument: Any) -> tuple[float, float]:
        """Return (x, y)."""
        parts = str(argument).split(",")
        try:
            x, y = (FiniteNumber().parse(part) for part in parts)
        except ValueError:
            raise ValueError(f"found {argument!r}, expected two numbers such as 0.25,-0.1") from None
        return x, y


class Vector(absl_flags.ArgumentParser[tuple[float, ...]]):
    """Numbers, such as 0.1,0,1."""

    def parse(self, argument: Any) -> tuple[float, ...]:
        """Return the numbers."""
        try:
            numbers = tuple(FiniteNumber().parse(part) for part in str(argument).split(","))
        except ValueError:
            numbers = ()
        if not numbers or max(map(abs, numbers)) > _MAX_FLOAT32:
            raise ValueError(f"found {argument!r}, expected numbers such as 0.1,0,1")
        return numbers


_NETWORK = Option(
    REQUIRED,
    "network",
    "PATH",
    PathName("a run directory, a network snapshot, a checkpoint, a file of networks or its address"),
    "Run directory, RUN_DIR@TICK, network snapshot, checkpoint, .pkl or .safetensors file, or the address of a file "
    "(https://...), which is kept. G_ema is taken.",
)
_DEBUG = Option(MISC, "debug", "", Boolean(), "Show the traceback of an error.", False, switch=True)

GENERATE_OPTIONS: tuple[Option, ...] = (
    _NETWORK,
    Option(REQUIRED, "seeds", "LIST", Seeds(), "Seeds of the pictures: numbers and ranges, such as 0-15 or 1,4,7-9."),
    Option(REQUIRED, "outdir", "DIR", PathName("a directory"), "Where seed0000.png ... and grid.png go."),
    Option(RUN, "trunc", "PSI", FiniteNumber(), "Truncation: 1 is none, lower trades variety for quality.", 1.0),
    Option(RUN, "trunc-cutoff", "N", Integer(0), "Truncate only the first N layers' styles.", default_text="all"),
    Option(
        RUN,
        "class",
        "N",
        Integer(0),
        "Class of every picture, of a conditional network.",
        default_text="all classes by turns, seed modulo their number",
    ),
    Option(
        RUN,
        "label",
        "V,V,...",
        Vector(),
        "Label of every picture, where labels are vectors of numbers.",
        default_text="some labels of the training images by turns",
    ),
    Option(
        RUN,
        "noise-mode",
        "MODE",
        Choice("const", "random", "none"),
        "Noise inputs: const is stored in the network, random follows from the seed. StyleGAN3 has none.",
        "const",
    ),
    Option(
        RUN,
        "translate",
        "X,Y",
        Point(),
        "Move the pictures to the right and down, in parts of their side, such as 0.25,0 (StyleGAN3).",
        default_text="not at all",
    ),
    Option(
        RUN,
        "rotate",
        "DEGREES",
        FiniteNumber(),
        "Turn the pictures counterclockwise round their centre, before they are moved (StyleGAN3).",
        default_text="not at all",
    ),
    OPS,
    _DEBUG,
)

EXPORT_OPTIONS: tuple[Option, ...] = (
    _NETWORK,
    Option(
        REQUIRED,
        "outdir",
        "DIR",
        PathName("a directory"),
        "The SavedModel's folder: new, empty, or an older export that is replaced.",
    ),
    Option(RUN, "format", "FORMAT", Choice("savedmodel"), "What is written.", "savedmodel"),
    _DEBUG,
)

ITERATIONS = Option(REQUIRED, "iterations", "N", Integer(1), "Iterations of half a run, in verify_resume.")

DOCTOR_OPTIONS: tuple[Option, ...] = (_DEBUG,)


def parse_tool_options(argv: Sequence[str], options: Sequence[Option]) -> dict[str, Any]:
    """Values by key of a tool's command line, without the program's name.

    Raises:
        ValueError: something cannot be used; one line with the option, what was found and what was expected.
    """
    values, typed = read_values(normalise(argv, options), options)
    check_required(typed, options)
    return values


def tool_help_text(introduction: str, options: Sequence[Option]) -> str:
    """What --help prints: the introduction, then the options by group."""
    return "\n".join([introduction.strip() + "\n", *grouped_options(options)]).rstrip()
