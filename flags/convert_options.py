"""Options of `sg_keras.tools.dataset convert`."""

from __future__ import annotations

import re

from sg_keras.config.choices import CROP_TRANSFORMS, ON_BAD_IMAGE, RESIZE_FILTERS
from sg_keras.config.options.kinds import Boolean, Choice, Integer, PathName, Text, refusal
from sg_keras.files.cache import expand_home
from sg_keras.flags.options import BY_KEY, REQUIRED, RUN, Option

_MAX_SIDE = 65535
_NUMBERS_OF = {"random-crops": ("N", 1), "tiles": ("SIZE,STRIDE", 2)}
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class Size:
    """Width x height in pixels, such as 768x512; one number is a square's."""

    metavar = "WxH"

    def parse(self, argument: str) -> tuple[int, int]:
        """Return (width, height)."""
        match = re.fullmatch(r"([0-9]{1,5})(?:[xX]([0-9]{1,5}))?", argument.strip())
        size = (0, 0) if match is None else (int(match.group(1)), int(match.group(2) or match.group(1)))
        if not min(size) >= 1 or max(size) > _MAX_SIDE:
            raise refusal(argument, "WIDTHxHEIGHT in pixels such as 256x256")
        return size


class TransformKind:
    """A transform's name, of some with numbers: random-crops=4, tiles=256,128."""

    metavar = "WHAT"

    def parse(self, argument: str) -> tuple[str, tuple[int, ...]]:
        """Return the name and the numbers."""
        word, has_numbers, text = argument.strip().lower().partition("=")
        name = Choice(*CROP_TRANSFORMS).parse(word)
        what, count = _NUMBERS_OF.get(name, ("", 0))
        parts = text.split(",") if has_numbers else []
        if len(parts) != count or not all(re.fullmatch(r"[0-9]{1,5}", part) and int(part) for part in parts):
            raise refusal(argument, f"{name}={what}, numbers of 1 or more" if count else f"{name} without numbers")
        return name, tuple(map(int, parts))


class Colour:
    """#rrggbb, or one of a few words."""

    metavar = "COLOR"

    def __init__(self, *words: str):
        self.words = words

    def parse(self, argument: str) -> str:
        """Return it in small letters."""
        word = argument.strip().lower()
        if word not in self.words and not _COLOUR.fullmatch(word):
            raise refusal(argument, f"#rrggbb or {' or '.join(self.words)}")
        return word


class Channels:
    """1, 3, 4 or auto."""

    metavar = "N"

    def parse(self, argument: str) -> int | str:
        """Return the number, or auto."""
        word = Choice("1", "3", "4", "auto").parse(argument)
        return word if word == "auto" else int(word)


class ImageFormat:
    """png, jpeg or jpeg:QUALITY, webp-lossless."""

    metavar = "FORMAT"

    def parse(self, argument: str) -> str:
        """Return the format, with the quality of JPEG."""
        word = argument.strip().lower()
        if word in ("png", "webp-lossless"):
            return word
        match = re.fullmatch(r"jpe?g(?::([0-9]{1,3}))?", word)
        if match is None or not 1 <= int(match.group(1) or 95) <= 100:
            raise refusal(argument, "png, jpeg:QUALITY (1 to 100) or webp-lossless")
        return f"jpeg:{match.group(1) or 95}"


class LabelSource:
    """folders, csv:FILE[:COLUMN,...], json:FILE, none or auto."""

    metavar = "LABELS"

    def parse(self, argument: str) -> str:
        """Return it, with ~ at the beginning of a file's path as that home directory."""
        kind, _, rest = argument.partition(":")
        if argument not in ("folders", "none", "auto") and not (kind in ("csv", "json") and rest.strip()):
            raise refusal(argument, "folders, csv:FILE[:COLUMN], json:FILE, none or auto")
        return f"{kind}:{expand_home(rest)}" if rest else argument


CONVERT_OPTIONS: tuple[Option, ...] = (
    Option(
        REQUIRED,
        "source",
        PathName("a folder or file of images, or its address", in_utf8=False),
        "Folder (with those below it), zip, tar, LMDB, TFRecords, .npz, .npy, parquet, MNIST's idx or CIFAR's tar; "
        "gs://... of a zip file.",
    ),
    Option(
        REQUIRED,
        "dest",
        PathName("the name of a new file or folder"),
        "What is written, and new: NAME.zip, NAME.tfrecords, NAME.lmdb, or any other name for a folder.",
    ),
    Option(
        RUN,
        "resolution",
        Size(),
        "Size of the images, such as 256x256.",
        default_text="as the images are, which must be of one size",
    ),
    Option(
        RUN,
        "transform",
        TransformKind(),
        "none stretches; center-crop cuts the largest part of that shape out of the middle; center-crop-wide and "
        "center-crop-tall do so with black bars to a square; fit takes all of it with bars; random-crops=N and "
        "tiles=SIZE,STRIDE make several images of an original.",
        default=("none", ()),
        default_text="none",
    ),
    Option(
        RUN,
        "crop-box-from",
        Choice("faces"),
        "faces: the transform gets a box around the largest face; images without a face are left out.",
        default_text="all of the image",
    ),
    Option(
        RUN,
        "align",
        Choice("ffhq"),
        "ffhq: the transform gets the largest face, rotated and cut as in FFHQ; images without a face are left out.",
        default_text="none",
    ),
    Option(RUN, "filter", Choice(*RESIZE_FILTERS), "Filter of resizing.", default="lanczos"),
    Option(
        RUN,
        "linear-light",
        Boolean(),
        "Average amounts of light rather than stored values.",
        default=False,
        switch=True,
    ),
    Option(RUN, "background", Colour("blur", "edge"), "Bars of fit.", default="#000000"),
    Option(
        RUN,
        "channels",
        Channels(),
        "1 (gray), 3 (RGB), 4 (RGBA); auto: 1 if all images are gray, 4 with --alpha=keep if any is transparent, "
        "else 3.",
        default="auto",
    ),
    Option(
        RUN,
        "alpha",
        Colour("keep", "white", "black", "drop-transparent"),
        "What becomes of transparency: keep it, lay it on a colour, or drop such images.",
        default_text="asked for where an image is transparent",
    ),
    Option(
        RUN,
        "labels",
        LabelSource(),
        "folders (those at the top are classes), csv:FILE[:COLUMN,...], json:FILE, none, or auto: carried over.",
        default="auto",
    ),
    Option(
        RUN,
        "label-separator",
        Text("the character between classes"),
        "Between the classes of one image in a cell; the labels are then vectors of zeros and ones.",
        default_text="none",
    ),
    Option(
        RUN,
        "unlabelled",
        Choice("stop", "drop"),
        "Where some images have a label and others none: stop, or drop the others.",
        default="stop",
    ),
    Option(RUN, "format", ImageFormat(), "png, jpeg:QUALITY or webp-lossless.", default="png"),
    Option(RUN, "max-images", Integer(1), "Take the first N images.", default_text="all"),
    Option(RUN, "workers", Integer(1), "Processes; they change no byte.", default_text="all cores"),
    Option(
        RUN,
        "on-bad-image",
        Choice(*ON_BAD_IMAGE),
        "Where an image cannot be read: leave it out and report it, or stop.",
        default="skip",
    ),
    Option(RUN, "seed", Integer(0), "Of random crops.", default=0),
    Option(
        RUN,
        "draft",
        Boolean(),
        "Decode JPEG files at a fraction of their size where that is enough: faster, but not the same pixels.",
        default=False,
        switch=True,
    ),
    Option(
        RUN,
        "follow-links",
        Boolean(),
        "Follow links that lead out of the folder.",
        default=False,
        switch=True,
    ),
    Option(
        RUN,
        "image-column",
        Text("a column's name"),
        "Column of a parquet file with the images.",
        default_text="image and the like",
    ),
    BY_KEY["debug"],
)
