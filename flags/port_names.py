"""The names that the PyTorch port has which the recipe small-gpu comes from, understood beside that recipe.

The practice report of 2020 trained with that port: `train.py [--name value ...] LMDB`. Its options are taken for ours
where they mean the same; a line says what each is here.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

from sg_keras.config.options.declaration import MISC, Option
from sg_keras.config.options.kinds import Integer, Number
from sg_keras.config.sizes import ImageSize
from sg_keras.flags.arguments import Argument

RECIPE = "small-gpu"
_COUNT = Integer(1)
_SIDE = Option(MISC, "size", _COUNT, "Side of the images, which those of --data have to have.")
_ITERATIONS = Option(MISC, "iter", _COUNT, "Iterations, of --batch images each.")
#: Its options -> ours, by key.
_OURS: dict[Option, tuple[str, ...]] = {
    _SIDE: (),
    _ITERATIONS: ("kimg",),
    Option(MISC, "n_sample", _COUNT, "Sample images."): ("sample_grid",),
    Option(MISC, "latent", _COUNT, "Numbers in z and in w."): ("z_dim", "w_dim"),
    Option(MISC, "n_mlp", _COUNT, "Layers of the mapping network."): ("map_depth",),
    Option(MISC, "lr", Number(positive=True), "Learning rate of both networks."): ("glr", "dlr"),
    Option(MISC, "r1", Number(), "Weight of the R1 penalty."): ("gamma",),
    Option(MISC, "path_regularize", Number(), "Weight of path length regularisation."): ("pl_weight",),
    Option(MISC, "mixing", Number(0.0, 1.0), "Probability of style mixing."): ("style_mixing_prob",),
    Option(MISC, "d_reg_every", _COUNT, "Regularise D every N iterations."): ("d_reg_interval",),
    Option(MISC, "g_reg_every", _COUNT, "Regularise G every N iterations."): ("g_reg_interval",),
}
PORT_OPTIONS: tuple[Option, ...] = tuple(_OURS)


@dataclasses.dataclass(frozen=True, slots=True)
class Understood:
    """A command line in our names.

    Attributes:
        arguments: in their order.
        notes: what each of the port's names is here.
        side: of the images, as typed with its option; None: not typed.
    """

    arguments: list[Argument]
    notes: tuple[str, ...] = ()
    side: Argument | None = None

    def check_size(self, size: ImageSize) -> None:
        """Refuse images of another size than was typed, if one was."""
        if self.side is not None and size != ImageSize(int(self.side.value), int(self.side.value)):
            raise ValueError(
                f"{self.side.typed}: found {self.side.value}, expected {size}, which the images of --data are (of "
                "several sizes in an LMDB the largest counts)"
            )


def is_meant(argv: Sequence[str]) -> bool:
    """Whether a command line names the recipe, beside which the port's names are understood."""
    words = [word.lower() for word in argv]
    return f"--recipe={RECIPE}" in words or ("--recipe", RECIPE) in itertools.pairwise(words)


def in_our_names(arguments: Sequence[Argument], options: Sequence[Option]) -> Understood:
    """The port's options among arguments as ours.

    Args:
        arguments: of `normalise` with PORT_OPTIONS among its options, those of files before them.
        options: ours.

    Raises:
        ValueError: a value is not of its option's kind; one line.
    """
    by_key = {option.key: option for option in options}
    batches = [one.value for one in arguments if one.option.key == "batch" and one.value.isdecimal()]
    found, notes, side = [], [], None
    for argument in arguments:
        if argument.option not in _OURS:
            found.append(argument)
            continue
        value = _checked(argument)
        if argument.option is _SIDE:
            side = argument
        if argument.option is _ITERATIONS:
            value = f"{int(value) * int(batches[-1] if batches else 1) / 1000:g}"
        elif argument.option.key == "n_sample":
            value = _grid(int(value))
        ours = [Argument(by_key[key], argument.typed, value) for key in _OURS[argument.option]]
        found += ours
        if ours:
            names = " ".join(f"--{one.option.name}={one.value}" for one in ours)
            notes.append(f"{argument.typed} {argument.value} is {names} here")
    return Understood(found, tuple(notes), side)


def _checked(argument: Argument) -> str:
    try:
        argument.option.kind.parse(argument.value)
    except ValueError as error:
        raise ValueError(f"{argument.typed}: {error}") from None
    return argument.value


def _grid(images: int) -> str:
    """So many images in a grid as square as they go."""
    rows = next(rows for rows in range(math.isqrt(images), 0, -1) if images % rows == 0)
    return f"{images // rows}x{rows}"
