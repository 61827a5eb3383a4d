"""Options of `sg_keras.tools.drag`."""

from __future__ import annotations

from typing import NamedTuple

from sg_keras.config.options.kinds import Boolean, Integer, Number, PathName, refusal
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import ClassChoice, FiniteNumber, Point, Vector, options_of_tool

_EXPECTED = "points such as 10,12>20,12 or 10,12>20,12;5,5>5,9, in pixels"


class Move(NamedTuple):
    """A point of the image and where it goes, (x, y) each."""

    handle: tuple[float, float]
    target: tuple[float, float]


class Moves:
    """Points and where they go, such as 10,12>20,12;5,5>5,9."""

    metavar = "X,Y>X,Y;..."

    def parse(self, argument: str) -> tuple[Move, ...]:
        """Return the points."""
        try:
            return tuple(Move(*map(Point().parse, part.split(">"))) for part in argument.split(";") if part.strip())
        except (ValueError, TypeError):
            raise refusal(argument, _EXPECTED) from None


DRAG_OPTIONS: tuple[Option, ...] = (
    *options_of_tool("drag")[:1],  # --network
    Option(
        REQUIRED,
        "points",
        Moves(),
        "Points of the image and where they go, in pixels from the top left: from x,y>to x,y; several with ;.",
    ),
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory"),
        "Where before.png, after.png, arrows.png, dragged_w.npz and way.webp go.",
        "DIR",
    ),
    Option(RUN, "seed", Integer(0, 2**32 - 1), "Seed of the image.", default_text="asked for without --projected-w"),
    Option(
        RUN,
        "projected-w",
        PathName("a file .npz"),
        "Styles of the image, as sg-keras-project writes them; the first of several.",
        "FILE",
        default_text="none",
    ),
    Option(
        RUN,
        "mask",
        PathName("an image"),
        "Image of the network's size, white where the image may change.",
        "FILE",
        default_text="everywhere",
    ),
    Option(RUN, "num-steps", Integer(1), "Steps, at most.", default=100),
    Option(RUN, "learning-rate", Number(positive=True), "How fast the styles change.", default=2e-3),
    Option(RUN, "layers", Integer(1), "The first so many layers' styles change.", default=6),
    Option(RUN, "trunc", FiniteNumber(), "Truncation of the image of --seed: 1 is none.", "PSI", 1.0),
    Option(
        RUN,
        "class",
        ClassChoice(),
        "Class of the image of --seed, of a conditional network: its index or its name.",
        default_text="seed modulo the number of classes",
    ),
    Option(
        RUN,
        "label",
        Vector(),
        "Label of the image of --seed, where labels are vectors of numbers.",
        default_text="one of the training images'",
    ),
    Option(RUN, "save-video", Boolean(), "Write the film of the way, way.webp.", default=True),
    BY_KEY["ops"],
    BY_KEY["debug"],
)
