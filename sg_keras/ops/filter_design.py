"""Design of the low-pass filters of StyleGAN3 (arXiv:2106.12423, section 3.1 and appendix C)."""

from __future__ import annotations

import numpy as np


def design_lowpass_filter(
    taps: int, cutoff: float, width: float, sampling_rate: float, radial: bool = False
) -> np.ndarray | None:
    """Taps of a Kaiser-windowed low-pass filter, as the resampling ops take them.

    Args:
        taps: length along each axis, at least 1.
        cutoff: frequency of half the amplitude, in the unit of the sampling rate; above 0 and below half of it.
        width: of the band in which the filter falls from 1 to 0, likewise; decides the window's shape.
        sampling_rate: of the signal that is filtered.
        radial: the same in all directions, instead of along each axis.

    Returns:
        float32 [taps] (applied along both axes) or, where radial, [taps, taps], of sum 1. One tap is None: no filter.

    Raises:
        ValueError: numbers out of range.

    Example:
        >>> taps = sg_keras.ops.design_lowpass_filter(taps=12, cutoff=4, width=8, sampling_rate=32)
        >>> taps.shape, round(float(taps.sum()), 3)
        ((12,), 1.0)
    """
    design = lowpass_taps(taps, cutoff, width, sampling_rate, radial)
    return None if design is None else design.astype(np.float32)


def lowpass_taps(
    taps: int, cutoff: float, width: float, sampling_rate: float, radial: bool = False
) -> np.ndarray | None:
    """The same before rounding, in float64."""
    if taps < 1:
        raise ValueError(f"taps: found {taps}, expected at least 1")
    if taps == 1:
        return None
    if not 0 < cutoff < sampling_rate / 2:
        raise ValueError(f"cutoff: found {cutoff}, expected a frequency between 0 and {sampling_rate / 2}")
    if width <= 0:
        raise ValueError(f"width: found {width}, expected a number above 0")
    if not radial:
        from scipy import signal  # half a second to import: StyleGAN2 does without

        return signal.firwin(taps, cutoff, width=width, fs=sampling_rate)
    return _radial_taps(taps, cutoff, width, sampling_rate)


def _radial_taps(taps: int, cutoff: float, width: float, sampling_rate: float) -> np.ndarray:
    """The ideal circular low-pass filter, J1(2 pi cutoff r) / (pi r), times a Kaiser window along each axis."""
    from scipy import signal, special

    axis = (np.arange(taps) - (taps - 1) / 2) / sampling_rate
    r = np.hypot(axis[:, np.newaxis], axis[np.newaxis])
    ideal = np.full_like(r, cutoff)  # the limit where r goes to 0
    np.divide(special.j1(2 * np.pi * cutoff * r), np.pi * r, out=ideal, where=r > 0)
    window = np.kaiser(taps, signal.kaiser_beta(signal.kaiser_atten(taps, width / (sampling_rate / 2))))
    design = ideal * np.outer(window, window)
    return design / design.sum()
