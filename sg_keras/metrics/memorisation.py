"""Whether a generator repeats what it was shown: AuthPct (arXiv:2102.08921) and each fake's nearest reals."""

from __future__ import annotations

import dataclasses

import numpy as np

from sg_keras.metrics.checked import check_features
from sg_keras.metrics.neighbours import k_nearest


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticity:
    """What holds for single fakes.

    Attributes:
        authentic: bool [fakes]: its nearest real is farther from it than from that real's own nearest real.
        distances: float32 [fakes], to the nearest real.
        nearest: [fakes,k], indices of the nearest reals, the nearest first.
    """

    authentic: np.ndarray
    distances: np.ndarray
    nearest: np.ndarray

    @property
    def percent(self) -> float:
        """AuthPct: around 50 where fakes lie from reals as those from each other, more farther off, 0 for copies."""
        return 100 * float(self.authentic.mean())


def authenticity(real: np.ndarray, fake: np.ndarray, *, k: int = 4) -> Authenticity:
    """Compare each fake's nearest real with that real's own neighbour.

    Args:
        real, fake: float32 [N,D] and [M,D].
        k: nearest reals to name, fewer where there are fewer.

    Raises:
        ValueError: fewer than two reals, NaN or Inf, or other numbers of columns.

    Example:
        >>> reals = np.array([[0.0], [1.0], [4.0]])
        >>> sg_keras.metrics.authenticity(reals, np.array([[0.1], [9.0]])).percent
        50.0
    """
    check_features(real, fake)
    check_features(real, real, least=2)
    to_real, nearest = k_nearest(fake, real, min(k, len(real)))
    among_reals = k_nearest(real, real, 1, same=True)[0][:, 0]
    return Authenticity(to_real[:, 0] > among_reals[nearest[:, 0]], to_real[:, 0], nearest)
