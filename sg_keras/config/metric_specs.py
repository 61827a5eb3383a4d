"""The metrics of generated images: their names, which way is better, and how many images each takes."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One of the published metrics.

    Attributes:
        name: published name. Names of results begin with it, as pr50k3_full_precision does.
        family: beginning of the names of all metrics of its kind.
        higher_is_better: of two networks, the better one has the higher value.
        num_generated: generated images (of ppl2_wend pairs of them) that it takes.
        max_real: real images that it takes at most; None = all of the data set, 0 = none.
    """

    name: str
    family: str
    higher_is_better: bool
    num_generated: int = 50_000
    max_real: int | None = 0


#: FID (arXiv:1706.08500), KID (arXiv:1801.01401), precision and recall (arXiv:1904.06991), perceptual path length
#: (arXiv:1812.04948), equivariance in dB (arXiv:2106.12423), inception score (arXiv:1606.03498).
METRICS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MetricSpec(name="fid50k_full", family="fid", higher_is_better=False, max_real=None),
        MetricSpec(name="kid50k_full", family="kid", higher_is_better=False, max_real=1_000_000),
        MetricSpec(name="pr50k3_full", family="pr", higher_is_better=True, max_real=200_000),
        MetricSpec(name="ppl2_wend", family="ppl", higher_is_better=False),
        MetricSpec(name="eqt50k_int", family="eqt", higher_is_better=True),
        MetricSpec(name="eqt50k_frac", family="eqt", higher_is_better=True),
        MetricSpec(name="eqr50k", family="eqr", higher_is_better=True),
        MetricSpec(name="fid50k", family="fid", higher_is_better=False, max_real=50_000),
        MetricSpec(name="kid50k", family="kid", higher_is_better=False, max_real=50_000),
        MetricSpec(name="pr50k3", family="pr", higher_is_better=True, max_real=50_000),
        MetricSpec(name="is50k", family="is", higher_is_better=True),
    )
}

_HIGHER_FAMILIES = tuple({spec.family for spec in METRICS.values() if spec.higher_is_better})


def higher_is_better(result: str) -> bool:
    """Whether the higher one of two values is the better one.

    Args:
        result: name of a metric's result, also of one of other sample counts, such as "pr10k3_precision". Of results of
            no family in the table the lower one is.
    """
    return result.startswith(_HIGHER_FAMILIES)
