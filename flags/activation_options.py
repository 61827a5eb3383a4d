"""Options of `sg_keras.tools.activations`."""

from __future__ import annotations

from sg_keras.config.options.kinds import Boolean, Integer, Number, PathName, refusal
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import Seeds, options_of_tool


class LayerNames:
    """Names of layers, separated by commas."""

    metavar = "A,B,C"

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return the names, each once."""
        names = tuple(dict.fromkeys(name.strip() for name in argument.split(",")))
        if not all(names):
            raise refusal(argument, "names of layers such as b16.conv0,b16.conv1")
        return names


_SHARED = {option.key: option for option in options_of_tool("generate")}

ACTIVATIONS_OPTIONS: tuple[Option, ...] = (
    _SHARED["network"],
    Option(
        REQUIRED,
        "outdir",
        PathName("a directory", in_utf8=False),
        "Where LAYER.png and LAYER-spectrum.png go, and LAYER.webp with --film.",
        "DIR",
    ),
    Option(
        RUN,
        "seeds",
        Seeds(),
        "Of the image whose layers are shown (the first), and of the film's keyframes.",
        default=(0,),
        default_text="0",
    ),
    Option(
        RUN,
        "layers",
        LayerNames(),
        "Names of layers, such as b16.conv0,b16.torgb,image of StyleGAN2 or L3_36_512 of StyleGAN3.",
        default_text="all",
    ),
    Option(RUN, "channels", Seeds(), "Channels of the layers, such as 0-15.", default_text="the first 64"),
    Option(
        RUN,
        "film",
        Boolean(),
        "Make a film of each layer, too: a closed walk through the styles of the seeds, two or more.",
        default=False,
        switch=True,
    ),
    Option(RUN, "frames", Integer(1), "Frames of the film from one seed to the next.", default=30),
    Option(RUN, "fps", Number(positive=True), "Frames of the film a second.", default=30.0),
    _SHARED["trunc"],
    _SHARED["trunc_cutoff"],
    _SHARED["class"],
    _SHARED["label"],
    BY_KEY["ops"],
    BY_KEY["debug"],
)
