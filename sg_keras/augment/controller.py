"""Adaptive p: how often transforms occur, steered by how much D overfits (arXiv:2006.06676, section 3)."""

from __future__ import annotations


def next_p(p: float, mean_sign: float, target: float, batch: int, interval: int, ada_kimg: float) -> float:
    """The probability p after an adjustment: a fixed step towards where r_t = mean sign of D(real) is `target`.

    Args:
        p: probability so far, 0..1.
        mean_sign: mean over all replicas, since the last adjustment, of the sign of D's scores of reals, -1..1.
        target: of mean_sign, 0..1; above it D overfits.
        batch: images per iteration, over all replicas.
        interval: iterations since the last adjustment.
        ada_kimg: thousands of images in which p moves by 1 at most.

    Returns:
        p + sign(mean_sign - target) * batch * interval / (1000 ada_kimg), clamped to 0..1. The sign of 0 is 0. A
        mean_sign that is not a number leaves p as it is.

    Raises:
        ValueError: ada_kimg is not above 0.
    """
    if not ada_kimg > 0:
        raise ValueError(f"ada_kimg: found {ada_kimg!r}, expected a number above 0")
    direction = (mean_sign > target) - (mean_sign < target)
    return min(max(p + direction * batch * interval / (ada_kimg * 1000), 0.0), 1.0)
