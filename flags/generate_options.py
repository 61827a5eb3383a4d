"""Options of `sg_keras.tools.generate`."""

from __future__ import annotations

import dataclasses
from typing import Any

from sg_keras.config.choices import EXTENSIONS, IMAGE_FORMATS
from sg_keras.config.options.kinds import Boolean, Choice, Integer, PathName, refusal
from sg_keras.flags.convert_options import Size
from sg_keras.flags.direction_options import CENTRES, DIRECTION, DIRECTIONS
from sg_keras.flags.options import RUN, Option
from sg_keras.flags.tool_options import FiniteNumber, options_of_tool


class Truncations:
    """Numbers, such as 0.5,0.7,1; each once, in their order."""

    metavar = "PSI,PSI,..."

    def parse(self, argument: str) -> tuple[float, ...]:
        """Return the numbers."""
        try:
            return tuple(dict.fromkeys(FiniteNumber().parse(part) for part in argument.split(",")))
        except ValueError:
            raise refusal(argument, "numbers such as 0.5,0.7,1") from None


_FURTHER: tuple[Option, ...] = (
    Option(
        RUN,
        "truncs",
        Truncations(),
        "Several truncations in place of --trunc: a row of the grid each, and files seed0000-0.7.png.",
        default_text="--trunc alone",
    ),
    Option(
        RUN,
        "projected-w",
        PathName("a file .npz"),
        "Styles in place of seeds: the array w of a file that projection or --save_w wrote. Images are w0000.png ...",
        "FILE.npz",
        default_text="none",
    ),
    Option(
        RUN,
        "save_w",
        Boolean(),
        "Write the styles of each image beside it, seed0000.npz (key w), for --projected-w.",
        default=False,
        switch=True,
    ),
    Option(
        RUN,
        "size",
        Size(),
        "Size of the images in place of the network's: more or less of the scene at the same scale, no enlargement.",
        default_text="the network's",
    ),
    Option(
        RUN,
        "extend",
        Choice(*EXTENSIONS),
        "How StyleGAN2's constant input is continued for --size. StyleGAN3's is defined everywhere.",
        default="tile",
    ),
    Option(
        RUN,
        "format",
        Choice(*IMAGE_FORMATS),
        "Of the images: webp without loss, jpeg with quality 95. grid.png and sheet.png stay PNG.",
        default="png",
    ),
    Option(
        RUN,
        "sheet",
        Boolean(),
        "Write sheet.png as well: a contact sheet with seed, class and truncation below each image.",
        default=False,
        switch=True,
    ),
    Option(
        RUN,
        "batch",
        Integer(1),
        "Images in each call of the network: more are faster, but then rounding, and so the last bit of some pixels, "
        "depends on which images are made together. 1: each is to the byte what it is alone.",
        default=1,
    ),
)
_CHANGED: dict[str, dict[str, Any]] = {
    "seeds": {"group": RUN, "default_text": "none, where --projected-w is given"},
    "class": {
        "help": "Class of every image, of a conditional network: its index, or its name where the training images had "
        "names; or all: a row of the grid for each, and files seed0000-class3.png."
    },
}

GENERATE_OPTIONS: tuple[Option, ...] = (
    *(dataclasses.replace(option, **_CHANGED.get(option.key, {})) for option in options_of_tool("generate")),
    *_FURTHER,
    *(DIRECTION, DIRECTIONS, CENTRES),
)
