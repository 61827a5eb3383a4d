"""What every score asks of the features it is given."""

from __future__ import annotations

import numpy as np


def check_features(real: np.ndarray, fake: np.ndarray, least: int = 1) -> None:
    """Refuse features that would make a score of nothing.

    Args:
        real, fake: [N,D] and [M,D].
        least: rows that each must have.

    Raises:
        ValueError: one line.
    """
    for name, features in (("real", real), ("fake", fake)):
        if features.ndim != 2:
            raise ValueError(f"{name} features: found the shape {list(features.shape)}, expected [N,D]")
        if len(features) < least:
            raise ValueError(f"{name} features: found {len(features)} rows, expected {least} at least")
        if not np.isfinite(features).all():
            raise ValueError(f"{name} features: found NaN or Inf, expected finite numbers")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"fake features: found {fake.shape[1]} columns, expected those of the reals, {real.shape[1]}")
