"""Wavelet filters of the augmentations: Daubechies' least asymmetric family (Ten Lectures on Wavelets, table 6.3)."""

from __future__ import annotations

import numpy as np

from sg_keras.ops import setup_filter

SYM2 = np.array([-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025])
SYM6 = np.array(
    [
        0.015404109327027373,
        0.0034907120842174702,
        -0.11799011114819057,
        -0.048311742585633,
        0.4910559419267466,
        0.787641141030194,
        0.3379294217276218,
        -0.07263752278646252,
        -0.021060292512300564,
        0.04472490177066578,
        0.0017677118642428036,
        -0.007800708325034148,
    ]
)
NUM_BANDS = 4


def geometry_filter() -> np.ndarray:
    """Low-pass filter between an image and its enlargement by 2: float32 [12], sums to 1."""
    return setup_filter(SYM6)


def filter_bank() -> np.ndarray:
    """Band-pass filters of an octave each, low frequencies first: float64 [4, 43]; they sum to a unit impulse.

    The bands of an undecimated wavelet transform: each step halves the frequencies of the bands so far, and adds the
    high-pass filter for what is above them (arXiv:2006.06676, appendix B).
    """
    low = np.convolve(SYM2, SYM2[::-1]) / 2
    high = low * np.resize([-1, 1], low.size)  # the centre tap stays positive
    bands = np.zeros([NUM_BANDS, 1])
    bands[0, 0] = 1
    for band in range(1, NUM_BANDS):
        spread = np.zeros([NUM_BANDS, 2 * bands.shape[1] - 1])
        spread[:, ::2] = bands
        bands = np.stack([np.convolve(row, low) for row in spread])
        middle = (bands.shape[1] - high.size) // 2
        bands[band, middle : middle + high.size] += high
    return bands
