"""Options of `sg_keras.tools.video`."""

from __future__ import annotations

import re
from typing import Any

from sg_keras.config.options.kinds import Boolean, Choice, Grid, Integer, Number, PathName, refusal
from sg_keras.flags.direction_options import DIRECTION, DIRECTIONS, SWINGS
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option
from sg_keras.flags.tool_options import ClassChoice, FiniteNumber, Seeds, options_of_tool

_SOURCES = ("bass", "mid", "high", "loud", "onset")
_PARTS = ("coarse", "middle", "fine", "all")
_WHOLE = ("trunc", "noise")  # what a sound drives beside layers and directions
_SHARED = {option.key: option for option in options_of_tool("video")}


class SeedRow(Seeds):
    """As Seeds, but a seed may come again."""

    def parse(self, argument: str) -> tuple[int, ...]:
        """Return the seeds."""
        return tuple(seed for part in argument.split(",") for seed in Seeds.parse(self, part))


class ClassRow:
    """Classes by index or name and ranges of indices, such as 3 or 0-9 or cat,dog."""

    metavar = "LIST"

    def parse(self, argument: str) -> tuple[int | str, ...]:
        """Return them in their order."""
        classes: list[int | str] = []
        for part in argument.split(","):
            ends = re.fullmatch(r"\s*([0-9]{1,7})-([0-9]{1,7})\s*", part)
            if ends is None:
                classes.append(ClassChoice().parse(part.strip()))
                continue
            first, last = int(ends.group(1)), int(ends.group(2))
            if first > last:
                raise refusal(part, "the smaller index first")
            classes += range(first, last + 1)
        return tuple(classes)


class PathNames:
    """Files, separated by commas."""

    metavar = "FILE,..."

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return the paths."""
        return tuple(PathName("files of styles").parse(part) for part in argument.split(","))


class Layers:
    """Numbers and ranges of layers, such as 0-3,6, or coarse, middle, fine (thirds of them) or all."""

    metavar = "LAYERS"

    def parse(self, argument: str) -> tuple[int, ...] | str:
        """Return the numbers, or the word."""
        word = argument.strip().lower()
        return word if word in _PARTS else Seeds().parse(argument)


def is_direction(target: tuple[int, ...] | str) -> bool:
    """Whether what a sound drives is the name of a direction."""
    return isinstance(target, str) and target not in (*_PARTS, *_WHOLE)


class AudioDrives:
    """What of a sound drives what, such as bass=coarse*0.5;onset=trunc;high=noise;loud=smile*2."""

    metavar = "DRIVES"

    def parse(self, argument: str) -> tuple[tuple[str, Any, float], ...]:
        """Return (source, layers, trunc, noise or a direction's name, amount) each."""
        return tuple(self._drive(part) for part in argument.split(";") if part.strip())

    def _drive(self, part: str) -> tuple[str, Any, float]:
        source, _, rest = (word.strip() for word in part.partition("="))
        target, star, amount = (word.strip() for word in rest.partition("*"))
        if source.lower() not in _SOURCES or not target:
            raise refusal(part, f"SOURCE=TARGET*AMOUNT with a source of {', '.join(_SOURCES)}")
        driven: tuple[int, ...] | str = target.lower()
        if driven not in (*_PARTS, *_WHOLE):
            driven = Layers().parse(target) if target[0].isdigit() else target
        kind = FiniteNumber() if is_direction(driven) else Number(positive=True)
        return source.lower(), driven, kind.parse(amount) if star else 1.0


class Numbers:
    """One or several numbers, of one of some counts."""

    def __init__(self, metavar: str, *counts: int):
        self.metavar, self._counts = metavar, counts

    def parse(self, argument: str) -> tuple[float, ...]:
        """Return the numbers."""
        parts = argument.split(",")
        try:
            numbers = tuple(FiniteNumber().parse(part) for part in parts)
        except ValueError:
            numbers = ()
        if len(numbers) not in self._counts:
            raise refusal(argument, f"{' or '.join(map(str, self._counts))} numbers, separated by commas")
        return numbers


VIDEO_OPTIONS: tuple[Option, ...] = (
    _SHARED["network"],
    Option(
        REQUIRED,
        "output",
        PathName("the name of a file or folder"),
        "film.mp4, film.webp, film.gif, or a name without suffix for a folder of PNG files. One that is there is "
        "replaced; one that was interrupted is continued.",
    ),
    Option(RUN, "seeds", SeedRow(), "Seeds of the keyframes, such as 0-15 or 1,4,7-9.", default_text="none"),
    Option(
        RUN,
        "projected-w",
        PathNames(),
        "Files of styles (.npz with the key w, as projections have them): each style is a keyframe.",
        default_text="none",
    ),
    Option(
        RUN,
        "timeline",
        PathName("a JSON file"),
        "Keyframes as a JSON list of objects: seed or w; class, truncation, transform, seconds, easing.",
        "FILE.json",
        default_text="none",
    ),
    Option(RUN, "grid", Grid(), "Images side by side, columns x rows.", "WxH", (1, 1), default_text="1x1"),
    Option(
        RUN, "num-keyframes", Integer(1), "Keyframes; seeds come again where they run out.", default_text="by the seeds"
    ),
    Option(RUN, "w-frames", Integer(1), "Frames from keyframe to keyframe.", default_text="120"),
    Option(
        RUN,
        "seconds",
        Number(positive=True),
        "Length of the film in place of --w-frames.",
        default_text="by --w-frames",
    ),
    Option(RUN, "fps", Number(positive=True), "Frames per second.", default_text="60, in a GIF 50"),
    Option(
        RUN, "shuffle-seed", Integer(0, 2**32 - 1), "Shuffle the keyframes' seeds by this.", default_text="not shuffled"
    ),
    Option(
        RUN,
        "interpolation",
        Choice("cubic", "linear", "slerp", "circle", "noise-loop"),
        "cubic and linear in W, slerp in Z; circle: round in Z by two seeds; noise-loop: random and closed in Z.",
        default="cubic",
    ),
    Option(
        RUN,
        "easing",
        Choice("linear", "smooth", "smoother", "sine", "in", "out", "hold"),
        "How it moves from keyframe to keyframe: linear, smooth, smoother, sine, in, out or hold (it jumps).",
        default="linear",
    ),
    Option(RUN, "loop", Boolean(), "The last keyframe leads back to the first.", default=True, switch=True),
    Option(RUN, "harmonics", Integer(1, 64), "Of noise-loop: more move faster.", default=2),
    Option(
        RUN,
        "class",
        ClassRow(),
        "Classes of the keyframes by turns, by index or name, such as 3 or 0-9: one goes over into the next.",
        default_text="seed modulo their number",
    ),
    _SHARED["label"],
    _SHARED["trunc"],
    _SHARED["trunc_cutoff"],
    Option(RUN, "trunc-pulse", Number(0, 1), "Truncation goes down by this part and back.", default_text="0"),
    Option(RUN, "pulses", Integer(1), "How often it does so in the film.", default=1),
    Option(
        RUN,
        "noise-mode",
        Choice("const", "none", "random", "drift", "loop"),
        "const is stored in the network, random new in every frame; drift changes smoothly, loop closes. StyleGAN3 has "
        "none.",
        "MODE",
        "const",
    ),
    Option(RUN, "noise-seconds", Number(positive=True), "Of drift and loop: to the next noise image.", default=2.0),
    Option(
        RUN,
        "translate",
        Numbers("X,Y[,X2,Y2]", 2, 4),
        "Move the images right and down, in parts of their shorter side; evenly to a second point (StyleGAN3).",
        default_text="not at all",
    ),
    Option(
        RUN,
        "rotate",
        Numbers("DEGREES[,TO]", 1, 2),
        "Rotate the images counterclockwise; 0,360 turns them round once in the film (StyleGAN3).",
        default_text="not at all",
    ),
    Option(RUN, "mix-seed", Integer(0, 2**32 - 1), "Style mixing with this seed's styles.", default_text="none"),
    Option(
        RUN,
        "mix-styles",
        Layers(),
        "Layers that have the styles of --mix-seed: numbers, or coarse, middle, fine.",
        default="fine",
    ),
    Option(
        RUN,
        "audio",
        PathName("a WAV file"),
        "A sound that drives the film, and goes into an MP4. The film is as long, unless told otherwise.",
        "FILE.wav",
        default_text="none",
    ),
    Option(
        RUN,
        "audio-drives",
        AudioDrives(),
        f"What of {', '.join(_SOURCES)} drives what: layers (towards what the film shows half its length later), "
        "trunc, noise, or a direction of --directions (so many standard deviations); *AMOUNT.",
        default=(("bass", "coarse", 1.0), ("high", "fine", 1.0)),
        default_text="bass=coarse;high=fine",
    ),
    *(DIRECTION, DIRECTIONS, SWINGS),
    Option(RUN, "codec", Choice("h264", "h265", "av1"), "Of MP4: h264, h265 or av1.", default="h264"),
    Option(RUN, "crf", Integer(0, 51), "Quality of MP4: a smaller number is a better one.", default=12),
    Option(RUN, "enlarge", Integer(1, 64), "Each pixel becomes a square of so many a side.", default=1),
    BY_KEY["ops"],
    BY_KEY["debug"],
)
