"""Options of `sg_keras.tools.style_mixing`."""

from __future__ import annotations

import re

from sg_keras.config.options.kinds import PathName, refusal
from sg_keras.flags.options import REQUIRED, Option
from sg_keras.flags.tool_options import Seeds, options_of_tool

_MOST_STYLES = 1000


class Styles:
    """Numbers and ranges of styles, such as 0-6 or 0,2,5-7."""

    metavar = "LIST"

    def parse(self, argument: str) -> tuple[int, ...]:
        """Return the numbers, each once, in ascending order."""
        found: set[int] = set()
        for part in argument.split(","):
            match = re.fullmatch(r"\s*([0-9]{1,4})(?:-([0-9]{1,4}))?\s*", part)
            first, last = (-1, -1) if match is None else (int(match.group(1)), int(match.group(2) or match.group(1)))
            if not 0 <= first <= last < _MOST_STYLES:
                raise refusal(argument, "numbers and ranges of styles such as 0-6 or 0,2,5-7")
            found.update(range(first, last + 1))
        return tuple(sorted(found))


STYLE_MIXING_OPTIONS: tuple[Option, ...] = (
    Option(REQUIRED, "rows", Seeds(), "Seeds of the rows: the images that are changed."),
    Option(REQUIRED, "cols", Seeds(), "Seeds of the columns: where the styles come from."),
    Option(
        REQUIRED,
        "styles",
        Styles(),
        "Which styles are the column's, such as 0-6: the first are the coarsest.",
    ),
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory"),
        "Where ROW-COL.png, each seed's own image SEED-SEED.png and grid.png go.",
        "DIR",
    ),
    *options_of_tool("style_mixing"),
)
