"""A first look at all images: sizes, colours and transparency by their headers, before anything is converted."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from collections.abc import Callable, Collection

from sg_keras.curation.decode import Facts, UnreadableOriginalError, decode_original, read_facts
from sg_keras.curation.encode import is_transparent
from sg_keras.curation.original_source import OriginalSource

_HEAD_BYTES = 1 << 16  # holds the header of nearly every image, with its thumbnail and profile
_LOOKED_AT = 32  # images whose pixels are looked at for transparency


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """What there is.

    Attributes:
        facts: of each image, None of those that cannot be, or are not, used.
        bad: why images cannot be used, by index.
        digest: of names and headers; another one means other images.
    """

    facts: list[Facts | None]
    bad: dict[int, str]
    digest: str

    def without(self, indices: Collection[int]) -> Survey:
        """The same, of which some images are not used."""
        facts = [None if index in indices else facts for index, facts in enumerate(self.facts)]
        return dataclasses.replace(self, facts=facts)

    def channels(self, keeps_alpha: bool) -> int:
        """1 where all are gray, 4 where any may be transparent and that is kept, otherwise 3."""
        known = [facts for facts in self.facts if facts is not None]
        if keeps_alpha and any(facts.has_alpha for facts in known):
            return 4
        return 1 if all(facts.is_gray for facts in known) else 3

    def sizes(self) -> list[tuple[str, int]]:
        """ "WxH" and how many images have it, the most frequent first."""
        counts = collections.Counter(facts.size for facts in self.facts if facts is not None)
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(f"{width}x{height}", count) for (width, height), count in ordered]


def survey(source: OriginalSource, count: int, on_progress: Callable[[int], None]) -> Survey:
    """Look at the headers of the first `count` images."""
    facts: list[Facts | None] = []
    bad: dict[int, str] = {}
    digest = hashlib.sha256()
    for index in range(count):
        found, reason = _look(source, index)
        facts.append(found)
        if found is None:
            bad[index] = reason
        digest.update(f"{source.names[index]}\0{found}\0{reason}\0".encode("utf-8", "surrogateescape"))
        on_progress(index + 1)
    return Survey(facts, bad, digest.hexdigest())


def _look(source: OriginalSource, index: int) -> tuple[Facts | None, str]:
    if index in source.refused:
        return None, source.refused[index]
    try:
        try:
            return read_facts(source.head(index, _HEAD_BYTES)), ""
        except UnreadableOriginalError:
            return read_facts(source.read(index)), ""
    except OSError as error:
        return None, str(error)
    except UnreadableOriginalError as error:
        return None, str(error)


def first_transparent(source: OriginalSource, found: Survey) -> int | None:
    """The first of some images that may be transparent and is, None if none is: to know early what must be asked."""
    candidates = [index for index, facts in enumerate(found.facts) if facts is not None and facts.has_alpha]
    for index in candidates[:_LOOKED_AT]:
        try:
            if is_transparent(decode_original(source.read(index)).image):
                return index
        except (OSError, UnreadableOriginalError):
            continue
    return None
