"""Low-pass filters: amplitude, symmetry, bad arguments. The published taps are golden cases."""

import numpy as np
import pytest

from sg_keras.ops import design_lowpass_filter
from sg_keras.ops.filter_design import lowpass_taps

DESIGN = {"cutoff": 4.0, "width": 6.0, "sampling_rate": 32.0}


def amplitude(taps, frequency, angle=0.0):
    """Response to a plane wave of this frequency and direction."""
    axis = (np.arange(len(taps)) - (len(taps) - 1) / 2) / DESIGN["sampling_rate"]
    taps = np.outer(taps, taps) if taps.ndim == 1 else taps
    wave = np.cos(2 * np.pi * frequency * (axis * np.cos(angle) + axis[:, None] * np.sin(angle)))
    return np.sum(taps * wave)


@pytest.mark.parametrize("radial", [False, True])
def test_low_frequencies_pass_and_high_ones_stop(radial):
    taps = lowpass_taps(24, radial=radial, **DESIGN)
    assert taps.sum() == pytest.approx(1)
    assert amplitude(taps, 1) == pytest.approx(1, abs=0.02)
    assert amplitude(taps, 4) == pytest.approx(0.5, abs=0.06)
    assert abs(amplitude(taps, 8)) < 0.02


def test_radial_filters_are_alike_in_all_directions():
    taps = lowpass_taps(24, radial=True, **DESIGN)
    along_axes = lowpass_taps(24, **DESIGN)
    spread = [np.ptp([amplitude(f, 5, angle) for angle in (0, np.pi / 8, np.pi / 4)]) for f in (taps, along_axes)]
    assert spread[0] < 0.02 < spread[1]
    np.testing.assert_allclose(taps, taps.T)


@pytest.mark.parametrize("taps", [11, 12])
@pytest.mark.parametrize("radial", [False, True])
def test_forms(taps, radial):
    found = design_lowpass_filter(taps, radial=radial, **DESIGN)
    assert (found.dtype, found.shape) == (np.float32, (taps, taps) if radial else (taps,))
    np.testing.assert_allclose(found, np.flip(found), atol=1e-7)
    np.testing.assert_array_equal(found, lowpass_taps(taps, radial=radial, **DESIGN).astype(np.float32))


def test_one_tap_is_no_filter():
    assert design_lowpass_filter(1, **DESIGN) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"taps": 0}, "taps: found 0, expected at least 1"),
        ({"cutoff": 16.0}, "cutoff: found 16.0, expected a frequency between 0 and 16.0"),
        ({"cutoff": 0.0}, "cutoff: found 0.0"),
        ({"width": 0.0}, "width: found 0.0, expected a number above 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        design_lowpass_filter(**{"taps": 12, **DESIGN, **arguments})
