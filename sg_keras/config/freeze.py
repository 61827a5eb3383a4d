"""Which parts of the networks are not trained, and when: the rules of --freeze.

    rules = rule { ";" rule }                              all of them hold, each in its own time
    rule  = ("g" | "d") ":" part [ "from" kimg ] [ "until" kimg ]

Times are thousands of real images (kimg), as in schedules.
"""

from __future__ import annotations

import dataclasses
import re

_KIMG = r"[0-9]+(?:\.[0-9]+)?"
_RULE = re.compile(
    r"(?P<network>[gd]):(?P<part>\S+)"
    rf"(?:\s+from\s+(?P<start>{_KIMG})\s*(?:kimg)?)?(?:\s+until\s+(?P<end>{_KIMG})\s*(?:kimg)?)?",
    re.IGNORECASE,
)
_FIRST = re.compile(r"first([1-9][0-9]*)")
_RESOLUTION = re.compile(r"(<=|>=)?([1-9][0-9]*)px")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_EXPECTED = (
    "NETWORK:PART or NETWORK:PART until N kimg, also from N kimg, several separated by ';', such as 'd:first4; "
    "g:mapping; g:<=16px until 500kimg' (parts: all, a resolution, a published name, and for d also firstN)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class FreezeRule:
    """A part of a network that is not trained.

    Attributes:
        network: "g" or "d".
        part: "all"; "first4" (d alone: layers as freeze-D counts them); "16px", "<=16px" or ">=16px" (blocks
            by their level, in StyleGAN3 layers by the sampling rate of what they give, both along the shorter side);
            or the beginning of published names, at a dot.
        until_kimg: trained again from then on; None = never.
        from_kimg: trained before that.
    """

    network: str
    part: str
    until_kimg: float | None = None
    from_kimg: float = 0.0

    def is_active(self, cur_nimg: int) -> bool:
        """Whether the part is frozen in the iteration that starts after `cur_nimg` real images."""
        is_over = self.until_kimg is not None and cur_nimg >= self.until_kimg * 1000
        return cur_nimg >= self.from_kimg * 1000 and not is_over

    @property
    def name(self) -> str:
        """The part with its network, without times."""
        return f"{self.network}:{self.part}"

    @property
    def changes_kimg(self) -> tuple[float, ...]:
        """Where it begins, if not at once, and ends, if ever, in thousands of images."""
        return tuple(kimg for kimg in (self.from_kimg, self.until_kimg) if kimg)

    def scaled(self, factor: float) -> FreezeRule:
        """The same with its times multiplied by a factor."""
        until = None if self.until_kimg is None else self.until_kimg * factor
        return dataclasses.replace(self, until_kimg=until, from_kimg=self.from_kimg * factor)

    @property
    def first_layers(self) -> int | None:
        """How many layers, where the part is the first ones."""
        match = _FIRST.fullmatch(self.part)
        return int(match.group(1)) if match else None

    @property
    def resolutions(self) -> tuple[int, float] | None:
        """Lowest and highest resolution, where the part is a range of them."""
        match = _RESOLUTION.fullmatch(self.part)
        if match is None:
            return None
        bound, side = match.group(1), int(match.group(2))
        return (0 if bound == "<=" else side, float("inf") if bound == ">=" else side)

    def __str__(self) -> str:
        start = f" from {self.from_kimg:.10g}kimg" if self.from_kimg else ""
        until = "" if self.until_kimg is None else f" until {self.until_kimg:.10g}kimg"
        return f"{self.name}{start}{until}"


def parse_freeze(text: str) -> tuple[FreezeRule, ...]:
    """Rules as people write them.

    Args:
        text: rules separated by ";", or nothing.

    Raises:
        ValueError: one of them is none; the message says what was found and what was expected.
    """
    return tuple(_rule(part.strip()) for part in text.split(";") if part.strip())


def format_freeze(rules: tuple[FreezeRule, ...]) -> str:
    """The text that stands for the same rules, always spelled the same way."""
    return "; ".join(map(str, rules))


def frozen_text(rules: tuple[FreezeRule, ...], cur_nimg: int) -> str:
    """What is frozen after `cur_nimg` real images, for people.

    Example:
        >>> frozen_text(parse_freeze("g:<=16px until 100; g:<=8px until 200; d:first2 from 100"), 100_000)
        'g:<=8px, d:first2'
    """
    return ", ".join(rule.name for rule in rules if rule.is_active(cur_nimg)) or "nothing"


def _rule(text: str) -> FreezeRule:
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"found {text!r}, expected {_EXPECTED}")
    network, part = match["network"].lower(), match["part"]
    if not any(pattern.fullmatch(part) for pattern in (_FIRST, _RESOLUTION, _NAME)):
        raise ValueError(f"found {text!r}, expected {_EXPECTED}")
    if network == "g" and _FIRST.fullmatch(part):
        raise ValueError(f"found {text!r}, expected firstN of d alone, such as d:{part} or g:<=16px")
    start, end = float(match["start"] or 0), None if match["end"] is None else float(match["end"])
    if start and end is not None and end <= start:
        raise ValueError(f"found {text!r}, expected 'until' to be later than 'from'")
    return FreezeRule(network, part, end, start)
