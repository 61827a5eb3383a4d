"""Which entry of a label file belongs to which image, however its writer spelled the file names."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class MatchedLabels:
    """Labels of all images, in their order.

    Attributes:
        values: as the file has them.
        note: what had to be overlooked in the file names, for people; "" if nothing.
    """

    values: list[Any]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class _Reading:
    """A way to understand file names: keys that are equal where an entry and an image belong together."""

    of_entry: Callable[[str], str]
    of_image: Callable[[str], str]
    note: str = ""


def match_labels(table: Mapping[str, Any], names: list[str], folder: str, own_name: str) -> MatchedLabels | list[str]:
    """Find the label of every image.

    As it stands an entry's name is the image's path relative to the label file. The first of these readings that gives
    every image a label counts: separators of Windows and composed or decomposed letters overlooked; then paths relative
    to the top of the data set, to the folder that holds all images, or beginning with the data set's own name; percent
    signs as in URLs; capital and small letters overlooked.

    Args:
        table: label by file name; None is no label.
        names: images, relative to the top of the data set.
        folder: where the label file lies, "" at the top.
        own_name: of the data set's folder or zip file.

    Returns:
        The labels, or the names of the images that have none under the best reading.
    """
    best: list[str] = names
    for reading in _readings(names, folder, own_name, any("%" in name for name in table)):
        found = _look_up(table, names, reading)
        if isinstance(found, MatchedLabels):
            return found
        if len(found) < len(best):
            best = found
    return best


def common_folder(names: list[str]) -> str:
    """The deepest folder that holds all of the sorted names, "" for the top."""
    first, last = names[0].split("/")[:-1], names[-1].split("/")[:-1]
    return "/".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def plain_name(name: str) -> str:
    """A path without what different programs write differently: slashes of either kind, "./", composed letters."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if "\\" in name or "./" in name or "//" in name or name.startswith("/"):
        name = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    return name


def _look_up(table: Mapping[str, Any], names: list[str], reading: _Reading) -> MatchedLabels | list[str]:
    """The labels, or the names of the images without one."""
    by_key: dict[str, Any] = {}
    unclear = set()  # keys that several entries with different labels share
    for name, label in table.items():
        key = reading.of_entry(name)
        first = by_key.setdefault(key, label)
        if first is not label and first != label:  # NaN is not equal to itself
            unclear.add(key)
    keys = [reading.of_image(name) for name in names]
    twins = {key for key, count in collections.Counter(keys).items() if count > 1}
    without = [
        name for name, key in zip(names, keys, strict=True) if by_key.get(key) is None or key in unclear or key in twins
    ]
    return without or MatchedLabels([by_key[key] for key in keys], reading.note)


def _readings(names: list[str], folder: str, own_name: str, any_percent: bool) -> Iterator[_Reading]:
    yield _Reading(lambda name: name, lambda name: _below(folder, name))
    percents = ((False, ""), (True, "percent signs")) if any_percent else ((False, ""),)
    for fold, letters in ((False, ""), (True, "the case of letters")):
        for unquote, percent in percents:
            for of_entry, of_image, folders in _folder_readings(names, folder, own_name):
                overlooked = " and ".join(filter(None, (folders, percent, letters)))
                yield _Reading(
                    _spelled(of_entry, fold, unquote),
                    _spelled(of_image, fold),
                    overlooked and f"labels were found for all images with {overlooked} of file names overlooked",
                )


def _folder_readings(
    names: list[str], folder: str, own_name: str
) -> Iterator[tuple[Callable[[str], str], Callable[[str], str], str]]:
    """How to read the folders in names, and what of them is overlooked."""
    yield plain_name, lambda name: _below(folder, plain_name(name)), ""
    common = plain_name(common_folder(names))
    if folder:
        yield plain_name, plain_name, ""
    if common and common != folder:
        yield plain_name, lambda name: _below(common, plain_name(name)), f"the folder {common} of all images"
    for own in dict.fromkeys(filter(None, (own_name, common.rpartition("/")[2]))):
        for base in dict.fromkeys((folder, common)):
            yield (
                lambda name, own=own: _after(own, plain_name(name)),  # type: ignore[misc]
                lambda name, base=base: _below(base, plain_name(name)),  # type: ignore[misc]
                f"folders up to {own}",
            )


def _spelled(read: Callable[[str], str], fold: bool, unquote: bool = False) -> Callable[[str], str]:
    def key(name: str) -> str:
        name = read(urllib.parse.unquote(name) if unquote else name)
        return name.casefold() if fold else name

    return key


def _below(folder: str, name: str) -> str:
    return name[len(folder) + 1 :] if folder and name.startswith(folder + "/") else name


def _after(folder: str, name: str) -> str:
    """The path after the last part that is `folder`; whole where there is none."""
    parts = name.split("/")
    above = [number for number, part in enumerate(parts[:-1]) if part.casefold() == folder.casefold()]
    return "/".join(parts[above[-1] + 1 :]) if above else name
