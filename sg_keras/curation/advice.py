"""Which options a data set asks for, by the rules of docs/training_configs.md, each with its reason."""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import shlex
from collections.abc import Sequence

import numpy as np

from sg_keras.config.gamma_rule import suggested_gamma
from sg_keras.config.sizes import ImageSize, takes_size
from sg_keras.curation.feature_space import MirrorFinding
from sg_keras.curation.quality import Measures

_ADA_BELOW, _NOAUG_FROM = 30_000, 100_000  # images, mirrored copies counted
_HALF_CAPACITY_UP_TO = 256  # pixels a side
_SIDES = (8, 1024)
_ENOUGH = 0.9  # of the images have the pixels for the resolution
#: Images, and what is known of sets of that size.
_SIZES = (
    (100, "about 100: little variety; best from a network trained on something like it (--resume)"),
    (1_300, "about 1,300 (MetFaces): good from such a network; from scratch it learns them by heart"),
    (5_000, "about 5,000 of one subject (a class of AFHQ): good from scratch with --aug=ada"),
    (30_000, "about 30,000: discriminators no longer learn them by heart at once"),
    (70_000, "about 70,000 (FFHQ): what the published scores at 1024x1024 were reached with"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """An option, its value, and why."""

    option: str
    value: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Advice:
    """What to do with a data set.

    Attributes:
        choices: of the options, in their order on the command line.
        commands: to run, in their order: a conversion where one is needed, then the training.
        set_size: how many images people say such a set needs.
        cautions: what should be looked at before.
    """

    choices: tuple[Choice, ...]
    commands: tuple[str, ...]
    set_size: tuple[str, ...]
    cautions: tuple[str, ...]


def advise(
    path: str,
    measures: Sequence[Measures],
    mirror: MirrorFinding | None,
    class_counts: Sequence[int],
    spoiling: Sequence[tuple[int, str]],
    labels: str = "auto",
) -> Advice:
    """Advice on a set.

    Args:
        path: as people typed it.
        measures: of the images that can be read, one or more.
        mirror: None = there were too few to say.
        class_counts: images by class; empty = there are no classes.
        spoiling: how many images have what kind of flaw, in words.
        labels: where classes come from, as convert is to be told.
    """
    size, why_size = _resolution(measures)
    ready = _ready_size(measures) is not None
    data = path if ready else f"{_stem(path)}-{size.height}.zip"
    choices = [
        Choice("--resolution", str(size), why_size),
        *_of_mirroring(mirror),
    ]
    mirrored = any(choice.option == "--mirror" and choice.value == "1" for choice in choices)
    images = len(measures) * (2 if mirrored else 1)
    choices += [*_of_size(images, size), *_of_labels(class_counts)]
    words = ["python", "run_training.py", "--outdir=runs", "--cfg=stylegan2", f"--data={data}", "--gpus=1"]
    words += [f"{choice.option}={choice.value}" for choice in choices if choice.option != "--resolution"]
    commands = [shlex.join(words)]
    if not ready:
        commands.insert(0, _conversion(path, data, size, measures, labels))
    cautions = [f"images that {what}: {count}" for count, what in spoiling if count]
    if sum(count for count, _ in spoiling) > 0.01 * len(measures):
        cautions.append("1 to 2% of images that do not belong already spoil a set: reject them, then run curate")
    return Advice(tuple(choices), tuple(commands), tuple(_about_size(len(measures))), tuple(cautions))


def _resolution(measures: Sequence[Measures]) -> tuple[ImageSize, str]:
    ready = _ready_size(measures)
    if ready is not None:
        return ready, "all images have this size"
    sides = sorted(min(found.width, found.height) for found in measures)
    enough = sides[int((1 - _ENOUGH) * (len(sides) - 1))]
    side = int(np.clip(1 << (enough.bit_length() - 1), *_SIDES))
    why = f"the largest power of two for which {_ENOUGH:.0%} of the images have the pixels (up to {_SIDES[1]})"
    return ImageSize(side, side), why


def _ready_size(measures: Sequence[Measures]) -> ImageSize | None:
    """The size of all images where training takes them as they are, None where it does not."""
    kinds = {(found.width, found.height, found.channels) for found in measures}
    width, height, channels = next(iter(kinds))
    size = ImageSize(height, width)
    is_plain = channels in (1, 3, 4) and not any(found.notes for found in measures)
    return size if len(kinds) == 1 and is_plain and takes_size("stylegan2", size) else None


def _conversion(path: str, data: str, size: ImageSize, measures: Sequence[Measures], labels: str) -> str:
    alpha = ["--alpha=white"] if any(found.channels in (2, 4) for found in measures) else []
    words = [
        *("python", "-m", "sg_keras.tools.dataset", "convert", f"--source={path}", f"--dest={data}"),
        *(f"--resolution={size}", "--transform=center-crop", *alpha),
        *([] if labels == "auto" else [f"--labels={labels}"]),
    ]
    return shlex.join(words)


def _of_mirroring(mirror: MirrorFinding | None) -> list[Choice]:
    if mirror is None:
        return [Choice("--mirror", "0", "too few images to say whether mirrored copies look natural")]
    ratio = max(mirror.by_pixels, mirror.by_features or 0)
    found = f"mirrored copies lie {ratio:.2f} times as far from the nearest other image as the images themselves"
    if mirror.is_natural:
        return [Choice("--mirror", "1", f"{found}: they pass for images of the set, which it doubles")]
    return [Choice("--mirror", "0", f"{found}: left and right differ in this set")]


def _of_size(images: int, size: ImageSize) -> list[Choice]:
    if images < _ADA_BELOW:
        augment = Choice("--aug", "ada", f"{images:,} images, mirrored copies counted: under {_ADA_BELOW:,}")
    elif images >= _NOAUG_FROM:
        augment = Choice("--aug", "noaug", f"{images:,} images, mirrored copies counted: {_NOAUG_FROM:,} or more")
    else:
        augment = Choice("--aug", "ada", f"{images:,} images, mirrored copies counted: try --aug=noaug as well")
    batch = 64 if size.shorter <= 32 else 32
    gamma = suggested_gamma("stylegan2", size, batch).gamma
    cbase = 16384 if size.shorter <= _HALF_CAPACITY_UP_TO else 32768
    kimg = 5000 if images < 5_000 else 10_000 if images < _ADA_BELOW else 25_000
    lengths = {
        5000: "with few images the best network comes early: stop when the score turns",
        10_000: "images look reasonable around 5,000; so many images are worth twice that",
        25_000: "enough to converge in typical cases",
    }
    return [
        augment,
        Choice("--batch", str(batch), "as in the published configurations of this resolution"),
        Choice(
            "--gamma",
            f"{gamma:.4g}",
            f"the rule 0.0002 * {size.width} * {size.height} / {batch}; try half and twice",
        ),
        Choice("--cbase", str(cbase), f"{'half' if cbase == 16384 else 'full'} capacity, usual at {size}"),
        Choice("--kimg", str(kimg), lengths[kimg]),
    ]


def _of_labels(class_counts: Sequence[int]) -> list[Choice]:
    if len(class_counts) < 2:
        return []
    least = min(class_counts)
    note = f"; the rarest has {least:,} images, and what is made of it will vary little" if least < 100 else ""
    return [Choice("--cond", "1", f"there are {len(class_counts)} classes{note}")]


def _about_size(count: int) -> list[str]:
    nearest = min(_SIZES, key=lambda row: abs(np.log(row[0] / max(count, 1))))
    return [f"{text}{'  (nearest to this set)' if row == nearest[0] else ''}" for row, text in _SIZES]


def _stem(path: str) -> str:
    place = pathlib.Path(path)
    return (place.name if place.is_dir() else place.stem) or "images"


def label_counts(values: Sequence[object], class_names: Sequence[str]) -> dict[str, int]:
    """Images by class: by name where classes have names, and those without images too.

    Args:
        values: class indices, or vectors of zeros and ones, in which an image counts for several classes.
        class_names: by index; may be empty.

    Returns:
        Empty where labels are other vectors.
    """
    counts: collections.Counter[int] = collections.Counter()
    for value in values:
        if isinstance(value, int):
            counts[value] += 1
        elif isinstance(value, list) and all(number in (0, 1) for number in value):
            counts.update(np.flatnonzero(value).tolist())
        else:
            return {}
    last = max([*counts, len(class_names) - 1], default=-1)
    return {
        (class_names[index] if index < len(class_names) else str(index)): counts[index] for index in range(last + 1)
    }
