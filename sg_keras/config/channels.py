"""How many channels a network has at each resolution: by the published rule, or by a table.

All that builds networks, counts their weights or predicts what they cost reads channels here. A table gives the number
at each level, the resolution of squares (see sizes.py): 4:512,8:512,16:256 as people write it, pairs in arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

#: (level, channels) pairs in ascending order, None = by the rule.
ChannelTable: TypeAlias = Sequence[Sequence[int]] | None


class HasChannels(Protocol):
    """What says how many channels a network has: the generator's and the discriminator's configuration."""

    @property
    def channel_base(self) -> int: ...

    @property
    def channel_max(self) -> int: ...

    @property
    def channels(self) -> ChannelTable: ...


_LOWEST_LEVEL = 4
_ROUNDING = 1e-9  # of cutoffs, which are powers with fractions
_PAIR = re.compile(r"([0-9]{1,6}):([0-9]{1,9})")
_EXAMPLE = "RESOLUTION:CHANNELS for each power of two from 4 on, such as 4:512,8:512,16:512,32:256"


def block_channels(level: int, channel_base: int, channel_max: int, channels: ChannelTable = None) -> int:
    """Feature maps of the block of a level: those of the table, or min(channel_base // level, channel_max).

    Raises:
        ValueError: the table does not say.

    Example:
        >>> block_channels(128, 32768, 512), block_channels(128, 32768, 512, [[64, 96], [128, 80]])
        (256, 80)
    """
    if channels is None:
        return min(channel_base // level, channel_max)
    check_levels(channels, [level])
    return dict(_pairs(channels))[level]


def cutoff_channels(cutoff: float, channel_base: int, channel_max: int, channels: ChannelTable = None) -> int:
    """Feature maps of StyleGAN3's layer of a cutoff f, in periods across the image: those of the resolution 2 f.

    Without a table these are min(channel_base / (2 f), channel_max), rounded. Between two resolutions of a table they
    follow the geometric progression from one to the other, which is that rule wherever it halves or stays from each to
    the next; beyond its ends they are those of the end.

    Example:
        >>> table = [[32, 512], [64, 512], [128, 256]]
        >>> [cutoff_channels(f, 32768, 512, table) for f in (16, 45, 64)]
        [512, 364, 256]
        >>> cutoff_channels(45, 32768, 512)
        364
    """
    resolution = 2 * cutoff
    if channels is None:
        return round(min(channel_base / 2 / cutoff, channel_max))
    table = dict(_pairs(channels))
    below = max((level for level in table if level <= resolution * (1 + _ROUNDING)), default=min(table))
    above = min((level for level in table if level >= resolution), default=max(table))
    if below >= above:
        return table[below]
    share = math.log(resolution / below) / math.log(above / below)
    return round(table[below] * (table[above] / table[below]) ** share)


def check_levels(channels: ChannelTable, levels: Iterable[int], name: str = "channels") -> None:
    """Refuse a table that does not say how many channels some levels have; it may say more.

    Raises:
        ValueError: it is no table, or levels are missing; one line that begins with the name.
    """
    if channels is None:
        return
    levels = list(levels)
    try:
        table = dict(_pairs(channels))
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {channels!a:.80}, expected {_EXAMPLE}") from None
    missing = [level for level in levels if level not in table]
    if missing:
        found = format_channels(channels) or "nothing"
        raise ValueError(f"{name}: found {found:.200}, which says nothing of {_listed(missing)}, expected {_EXAMPLE}")


def table_levels(cfg: str, shorter: int, level: int) -> list[int]:
    """The levels that a generator of a cfg needs of a table, for images of this shorter side and level.

    StyleGAN3 needs the resolution above the image's, too, where that is no power of two.
    """
    highest = level if cfg == "stylegan2" or level == shorter else 2 * level
    return [_LOWEST_LEVEL << step for step in range((highest // _LOWEST_LEVEL).bit_length())]


def parse_channels(text: str) -> tuple[tuple[int, int], ...]:
    """The table that people write, in ascending order; an empty one of an empty text.

    Raises:
        ValueError: it is none; the message is the end of a line.

    Example:
        >>> parse_channels("8:256, 4:512")
        ((4, 512), (8, 256))
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    matches = [_PAIR.fullmatch(word) for word in words]
    table = [(int(match[1]), int(match[2])) for match in matches if match is not None]
    levels = [level for level, _ in table]
    bad = next((word for word, match in zip(words, matches, strict=True) if match is None), None)
    if bad is None:
        bad = next((f"{level}" for level in levels if level < _LOWEST_LEVEL or level & (level - 1)), None)
    if bad is None:
        bad = next((f"{level} twice" for level in levels if levels.count(level) > 1), None)
    if bad is None:
        bad = next((f"{level}:0" for level, count in table if count == 0), None)
    if bad is not None:
        raise ValueError(f"found {bad:.40}, expected {_EXAMPLE}")
    return tuple(sorted(table))


def format_channels(channels: ChannelTable) -> str:
    """The text that stands for a table, always spelled the same way; "" for none.

    Example:
        >>> format_channels([[4, 512], [8, 256]])
        '4:512,8:256'
    """
    return ",".join(f"{level}:{count}" for level, count in channels or ())


def channels_of(part: HasChannels, level: int) -> int:
    """Feature maps of the block of a level, of a network as a configuration's part describes it."""
    return block_channels(level, part.channel_base, part.channel_max, part.channels)


def rule_of(channels: ChannelTable) -> tuple[int, int] | None:
    """channel_base and channel_max whose rule gives a table, None where no rule does.

    Example:
        >>> rule_of([[32, 512], [64, 512], [128, 256]]), rule_of([[4, 64], [8, 128]])
        ((32768, 512), None)
    """
    table = dict(_pairs(channels or ()))
    if not table:
        return None
    most = max(table.values())
    base = max(level * count for level, count in table.items())
    fits = all(block_channels(level, base, most) == count for level, count in table.items())
    return (base, most) if fits else None


def _pairs(channels: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    pairs = [(level, count) for level, count in channels]
    if any(type(level) is not int or type(count) is not int or count < 1 for level, count in pairs):
        raise ValueError(f"channels: found {channels!a:.80}, expected pairs of a resolution and channels")
    return pairs


def _listed(levels: Sequence[int]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, levels[:-1])), f"{levels[-1]}"]))
