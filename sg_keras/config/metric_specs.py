"""The metrics of generated images: their names, which way is better, and how many images each takes."""

from __future__ import annotations

import dataclasses
import difflib
import re
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One of the metrics.

    Attributes:
        name: published name, or one of ours. Names of results begin with it, as pr50k3_full_precision does.
        family: beginning of the names of all metrics of its kind.
        higher_is_better: of two networks, the better one has the higher value.
        num_generated: generated images (of ppl2_wend pairs of them) that it takes.
        max_real: real images that it takes at most; None = all of the data set, 0 = none.
        seen_by: the network that sees the images: "inception" or "vgg16" of published ones, "features", which the user
            chooses, "" = none.
    """

    name: str
    family: str
    higher_is_better: bool
    num_generated: int = 50_000
    max_real: int | None = 0
    seen_by: Literal["inception", "vgg16", "features", ""] = "inception"

    @property
    def counts_copies(self) -> bool:
        """Whether mirrored copies count as reals where the set has them: not where a name ends in _full."""
        return not self.name.endswith("_full")


#: FID (arXiv:1706.08500), KID (arXiv:1801.01401), precision and recall (arXiv:1904.06991), perceptual path length
#: (arXiv:1812.04948), equivariance in dB (arXiv:2106.12423), inception score (arXiv:1606.03498).
METRICS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec(name="fid50k_full", family="fid", higher_is_better=False, max_real=None),
        MetricSpec(name="kid50k_full", family="kid", higher_is_better=False, max_real=1_000_000),
        MetricSpec(name="pr50k3_full", family="pr", higher_is_better=True, max_real=200_000, seen_by="vgg16"),
        MetricSpec(name="ppl2_wend", family="ppl", higher_is_better=False, seen_by="vgg16"),
        MetricSpec(name="ppl_zfull", family="ppl", higher_is_better=False, seen_by="vgg16"),
        MetricSpec(name="ppl_wfull", family="ppl", higher_is_better=False, seen_by="vgg16"),
        MetricSpec(name="ppl_zend", family="ppl", higher_is_better=False, seen_by="vgg16"),
        MetricSpec(name="ppl_wend", family="ppl", higher_is_better=False, seen_by="vgg16"),
        MetricSpec(name="eqt50k_int", family="eqt", higher_is_better=True, seen_by=""),
        MetricSpec(name="eqt50k_frac", family="eqt", higher_is_better=True, seen_by=""),
        MetricSpec(name="eqr50k", family="eqr", higher_is_better=True, seen_by=""),
        MetricSpec(name="fid50k", family="fid", higher_is_better=False, max_real=50_000),
        MetricSpec(name="kid50k", family="kid", higher_is_better=False, max_real=50_000),
        MetricSpec(name="pr50k3", family="pr", higher_is_better=True, max_real=50_000, seen_by="vgg16"),
        MetricSpec(name="is50k", family="is", higher_is_better=True),
    )
}

#: Scores that need nothing but EfficientNet-Lite0, which comes along, and whether higher is better. Any number of fakes
#: may follow, as in fd5k or kd500. Frechet distance, kernel distance, MIND (arXiv:2605.06797), precision and recall,
#: density and coverage (arXiv:2002.09797), inception score, AuthPct (arXiv:2102.08921).
OFFLINE_FAMILIES = {
    "fd": False,
    "kd": False,
    "mind": False,
    "precision": True,
    "recall": True,
    "density": True,
    "coverage": True,
    "is": True,
    "authpct": True,
}
_COUNT = "[1-9][0-9]{0,8}k?"
_OFFLINE_NAME = re.compile(f"({'|'.join(OFFLINE_FAMILIES)})({_COUNT})")


def parse_offline_metric(name: str) -> MetricSpec:
    """A score on EfficientNet-Lite0 by its name: the family, and the number of fakes.

    Raises:
        ValueError: there is no such score; one line.

    Example:
        >>> parse_offline_metric("kd5k").num_generated
        5000
    """
    match = _OFFLINE_NAME.fullmatch(name)
    if match is None or name in METRICS:
        usual = [f"{family}5k" for family in OFFLINE_FAMILIES]
        alike = difflib.get_close_matches(name, [*usual, *(f"{family}1k" for family in OFFLINE_FAMILIES)], 1)
        hint = f" (did you mean {alike[0]}?)" if alike else ""
        published = ", a published score by a network that does not come along" if name in METRICS else ""
        raise ValueError(
            f"found {name!r}{published}, expected some of {', '.join(usual)}, or with another number of fakes, such as "
            f"fd1k or kd500{hint}"
        )
    family, count = match.groups()
    return MetricSpec(
        name=name,
        family=family,
        higher_is_better=OFFLINE_FAMILIES[family],
        num_generated=_number(count),
        max_real=0 if family == "is" else None,
        seen_by="features",
    )


def parse_metric(name: str) -> MetricSpec:
    """A score by its name: a published one, with any number in the place of 50k, or one of parse_offline_metric.

    `is` with a number other than 50k is none of the published ones.

    Raises:
        ValueError: there is no such score; one line.

    Example:
        >>> parse_metric("fid1k_full").num_generated, parse_metric("is1k").seen_by
        (1000, 'features')
    """
    if name in METRICS:
        return METRICS[name]
    for spec in METRICS.values():
        match = re.fullmatch(spec.name.replace("50k", f"({_COUNT})"), name)
        if match is None or spec.family == "is":
            continue
        count = _number(match[1])
        max_real = count if spec.max_real == spec.num_generated else spec.max_real
        return dataclasses.replace(spec, name=name, num_generated=count, max_real=max_real)
    return parse_offline_metric(name)


def _number(count: str) -> int:
    """5000 of 5k."""
    return int(count.removesuffix("k")) * (1000 if count.endswith("k") else 1)


#: What runs are scored by unless they say otherwise, and how many reals it takes to mean something.
DEFAULT_METRIC = "kd5k"
FEWEST_REALS = 1000


def default_metrics(num_images: int) -> tuple[str, ...]:
    """What a run on so many images is scored by where nothing is said."""
    return (DEFAULT_METRIC,) if num_images >= FEWEST_REALS else ()


_HIGHER_FAMILIES = tuple(
    {spec.family for spec in METRICS.values() if spec.higher_is_better}
    | {family for family, higher in OFFLINE_FAMILIES.items() if higher}
)


def higher_is_better(result: str) -> bool:
    """Whether the higher one of two values is the better one.

    Args:
        result: name of a metric's result, also of one of other sample counts, such as "pr10k3_precision". Of results of
            no family in the table the lower one is.
    """
    return result.startswith(_HIGHER_FAMILIES)
