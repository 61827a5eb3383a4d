"""Options of the tools for trained networks, and how a tool's command line becomes values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from sg_keras.config.options.kinds import Choice, Integer, PathName, Text, refusal
from sg_keras.flags.arguments import normalise
from sg_keras.flags.command_line import check_required, read_values
from sg_keras.flags.help_text import grouped_options
from sg_keras.flags.options import OPTIONS, REQUIRED, RUN, Option

_MAX_SEED = 2**32 - 1
_MAX_SEEDS = 1_000_000
_MAX_FLOAT32 = 3.4028234663852886e38


class Seeds:
    """Numbers and ranges, such as 0-15 or 1,4,7-9; each once, in their order."""

    metavar = "LIST"

    def parse(self, argument: str) -> tuple[int, ...]:
        """Return the seeds."""
        seeds: dict[int, None] = {}
        for part in argument.split(","):
            match = re.fullmatch(r"\s*([0-9]+)(?:-([0-9]+))?\s*", part)
            if match is None:
                raise refusal(argument, "numbers and ranges such as 0-15 or 1,4,7-9")
            first = int(match.group(1))
            last = first if match.group(2) is None else int(match.group(2))
            if not first <= last <= _MAX_SEED:
                raise ValueError(f"found {part.strip()!r}, expected seeds from 0 to {_MAX_SEED}, in ascending order")
            if len(seeds) + last - first >= _MAX_SEEDS:
                raise refusal(argument, f"{_MAX_SEEDS} seeds at most")
            seeds.update(dict.fromkeys(range(first, last + 1)))
        return tuple(seeds)


class FiniteNumber:
    """Any number but infinity and NaN."""

    metavar = "X"

    def parse(self, argument: str) -> float:
        """Return the number."""
        try:
            value = float(argument)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise refusal(argument, "a number")
        return value


class Point:
    """Two numbers, such as 0.25,-0.1."""

    metavar = "X,Y"

    def parse(self, argument: str) -> tuple[float, float]:
        """Return (x, y)."""
        parts = argument.split(",")
        try:
            x, y = (FiniteNumber().parse(part) for part in parts)
        except ValueError:
            raise refusal(argument, "two numbers such as 0.25,-0.1") from None
        return x, y


class Vector:
    """Numbers, such as 0.1,0,1."""

    metavar = "V,V,..."

    def parse(self, argument: str) -> tuple[float, ...]:
        """Return the numbers."""
        try:
            numbers = tuple(FiniteNumber().parse(part) for part in argument.split(","))
        except ValueError:
            numbers = ()
        if not numbers or max(map(abs, numbers)) > _MAX_FLOAT32:
            raise refusal(argument, "numbers such as 0.1,0,1")
        return numbers


class ClassChoice:
    """A class by its index or its name."""

    metavar = "N"

    def parse(self, argument: str) -> int | str:
        """Return the index, or the name as it is."""
        if re.fullmatch(r"[+-]?[0-9]+", argument):
            return int(Integer(0).parse(argument))
        return str(Text("a class's index or name").parse(argument))


_TOOL_OPTIONS: tuple[Option, ...] = (
    Option(
        REQUIRED,
        "network",
        PathName("a run directory, a network snapshot, a checkpoint, a file of networks or its address"),
        "Run directory, RUN_DIR@TICK, network snapshot, checkpoint, .pkl or .safetensors file, or the address of a "
        "file (https://...), which is kept. G_ema is taken.",
        tools=("generate", "export", "video", "style_mixing", "project", "drag"),
    ),
    Option(
        REQUIRED,
        "seeds",
        Seeds(),
        "Seeds of the images: numbers and ranges, such as 0-15 or 1,4,7-9.",
        tools=("generate",),
    ),
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory"),
        "Where seed0000.png ... and grid.png go.",
        "DIR",
        tools=("generate",),
    ),
    Option(
        RUN,
        "trunc",
        FiniteNumber(),
        "Truncation: 1 is none, lower trades variety for quality.",
        "PSI",
        1.0,
        tools=("generate", "video", "style_mixing"),
    ),
    Option(
        RUN,
        "trunc-cutoff",
        Integer(0),
        "Truncate only the first N layers' styles.",
        default_text="all",
        tools=("generate", "video", "style_mixing"),
    ),
    Option(
        RUN,
        "class",
        ClassChoice(),
        "Class of every image, of a conditional network: its index, or its name where the training images had names.",
        default_text="all classes by turns, seed modulo their number",
        tools=("generate", "style_mixing"),
    ),
    Option(
        RUN,
        "label",
        Vector(),
        "Label of every image, where labels are vectors of numbers.",
        default_text="some labels of the training images by turns",
        tools=("generate", "video", "style_mixing"),
    ),
    Option(
        RUN,
        "noise-mode",
        Choice("const", "random", "none"),
        "Noise inputs: const is stored in the network, random follows from the seed. StyleGAN3 has none.",
        "MODE",
        "const",
        tools=("generate", "style_mixing"),
    ),
    Option(
        RUN,
        "translate",
        Point(),
        "Move the images to the right and down, in parts of their shorter side, such as 0.25,0 (StyleGAN3).",
        default_text="not at all",
        tools=("generate",),
    ),
    Option(
        RUN,
        "rotate",
        FiniteNumber(),
        "Rotate the images counterclockwise round their centre, before they are moved (StyleGAN3).",
        "DEGREES",
        default_text="not at all",
        tools=("generate",),
    ),
    Option(REQUIRED, "iterations", Integer(1), "Iterations of half a run, in verify_resume.", tools=("verify_resume",)),
)


def options_of_tool(tool: str) -> tuple[Option, ...]:
    """The options that are declared to be a tool's: its own, then those that it shares with the training."""
    return tuple(option for option in (*_TOOL_OPTIONS, *OPTIONS) if tool in option.tools)


DOCTOR_OPTIONS = options_of_tool("doctor")
(ITERATIONS,) = options_of_tool("verify_resume")  # beside those of the training


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
