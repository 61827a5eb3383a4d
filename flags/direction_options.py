"""Options of `sg_keras.tools.directions`, and those by which other tools move styles along directions."""

from __future__ import annotations

import re

from sg_keras.config.options.kinds import Choice, Integer, Number, PathName, refusal
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import FiniteNumber, Seeds, options_of_tool


class LayerRange:
    """The first and last of some layers' styles, such as 0-3, or a single one."""

    metavar = "FIRST-LAST"

    def parse(self, argument: str) -> tuple[int, int]:
        """Return both."""
        match = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", argument.strip())
        first, last = (match.group(1), match.group(2) or match.group(1)) if match else ("1", "0")
        if int(first) > int(last):
            raise refusal(argument, "the first and the last layer such as 0-3, or a single one")
        return int(first), int(last)


class DirectionNames:
    """Names of directions by their number, such as 3:smile,5:age."""

    metavar = "N:NAME,..."

    def parse(self, argument: str) -> dict[int, str]:
        """Return the names."""
        pairs = [part.strip().partition(":") for part in argument.split(",")]
        if not all(re.fullmatch("[0-9]{1,9}", number) and name for number, _, name in pairs):
            raise refusal(argument, "numbers and names such as 3:smile,5:age")
        return {int(number): name for number, _, name in pairs}


class DirectionAmounts:
    """Amounts by the names of directions, such as smile:2.0,age:-1."""

    metavar = "NAME:X,..."

    def parse(self, argument: str) -> tuple[tuple[str, float], ...]:
        """Return name and amount of each."""
        pairs = [part.strip().rpartition(":") for part in argument.split(",")]
        try:
            amounts = tuple((name, FiniteNumber().parse(amount)) for name, _, amount in pairs)
        except ValueError:
            amounts = ()
        if not amounts or not all(name for name, _ in amounts):
            raise refusal(argument, "names and amounts such as smile:2.0,age:-1")
        return amounts


#: Of tools that move styles along directions.
DIRECTION = Option(
    RUN,
    "direction",
    DirectionAmounts(),
    "Move the styles along directions of --directions, by name or number, so many standard deviations of w, such as "
    "smile:2.0,age:-1.",
    default_text="none",
)
DIRECTIONS = Option(
    RUN,
    "directions",
    PathName("directions.json", in_utf8=False),
    "What sg_keras.tools.directions wrote: directions.json or its folder.",
    "FILE",
    default_text="none",
)
#: Of films, beside these.
SWINGS = Option(
    RUN,
    "swings",
    Integer(0),
    "How often the film goes along --direction to the amounts, back, and as far to the other side; 0: it stays there.",
    default=1,
)
#: Of tools that truncate.
CENTRES = Option(
    RUN,
    "centres",
    Integer(1, 1000),
    "Truncate each style to the nearest of so many centres of w instead of to its mean: for sets of several kinds of "
    "images.",
    "K",
    default_text="the mean alone",
)

_SHARED = {option.key: option for option in options_of_tool("generate")}

DIRECTIONS_OPTIONS: tuple[Option, ...] = (
    _SHARED["network"],
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory", in_utf8=False),
        "Where directions.json, directions.npz and a sheet for each seed go.",
        "DIR",
    ),
    Option(
        RUN,
        "method",
        Choice("closed-form", "pca"),
        "closed-form: what changes the features of --layers most (factorisation of their weights); pca: along which w "
        "varies most.",
        "METHOD",
        "closed-form",
    ),
    Option(
        RUN,
        "layers",
        LayerRange(),
        "Layers whose styles are looked at and moved: low ones change pose and shape, high ones colours.",
        default_text="all",
    ),
    Option(RUN, "count", Integer(1, 1000), "How many directions, a row of the sheets each.", default=10),
    Option(
        RUN,
        "name",
        DirectionNames(),
        "Name directions by their number, such as 3:smile,5:age; names that were given before stay.",
        default_text="none",
    ),
    Option(RUN, "amount", Number(positive=True), "How far the sheets go, in standard deviations of w.", default=3.0),
    Option(RUN, "seeds", Seeds(), "Images that the sheets begin from: a sheet each.", default=(0,), default_text="0"),
    Option(RUN, "seed", Integer(0, 2**32 - 1), "Of the latents by which the spread of w is measured.", default=0),
    _SHARED["trunc"],
    _SHARED["trunc_cutoff"],
    _SHARED["class"],
    _SHARED["label"],
    BY_KEY["ops"],
    BY_KEY["debug"],
)
