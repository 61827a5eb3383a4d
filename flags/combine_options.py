"""Options of `sg_keras.tools.blend` and `sg_keras.tools.average`."""

from __future__ import annotations

from sg_keras.config.options.kinds import Integer, Number, PathName
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import Vector

_NETWORKS = PathName("a run directory, a network snapshot, a checkpoint, a file of networks or its address")
_OUTPUT = Option(
    REQUIRED,
    "output",
    PathName("a new file or folder"),
    "What is written: NAME.safetensors, NAME.pkl, or a folder's name for a network snapshot; it must be new.",
    "NAME",
)

BLEND_OPTIONS: tuple[Option, ...] = (
    Option(
        REQUIRED,
        "low",
        _NETWORKS,
        "Networks that give the mapping and what is coarse, as --network of generate has them.",
        "NET",
    ),
    Option(REQUIRED, "high", _NETWORKS, "Networks of the same shape that give what is fine, and D.", "NET"),
    Option(
        REQUIRED,
        "resolution",
        Integer(1),
        "Where --high begins: StyleGAN2's blocks from this resolution on, StyleGAN3's layers from a cutoff of half of "
        "it on.",
    ),
    Option(
        RUN,
        "ramp",
        Number(),
        "Octaves over which the networks pass into each other, half of them on either side; 0 = a sharp joint.",
        "OCTAVES",
        0.0,
    ),
    _OUTPUT,
    BY_KEY["debug"],
)

AVERAGE_OPTIONS: tuple[Option, ...] = (
    Option(
        REQUIRED,
        "network",
        _NETWORKS,
        "Networks of one shape, as --network of generate has them. To be given two times or more.",
        "NET",
    ),
    Option(
        RUN,
        "weights",
        Vector(),
        "How much each network counts, in their order, such as 1,2.",
        default_text="all alike",
    ),
    _OUTPUT,
    BY_KEY["debug"],
)
