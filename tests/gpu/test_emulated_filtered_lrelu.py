"""The CUDA kernels of filtered_lrelu, run by the emulator of blocks and threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.golden.manifest import Case, load_manifest
from tests.gpu import harness
from tests.gpu.devices import TYPE_CODES
from tests.gpu.filtered_lrelu import (
    FilteredLrelu,
    as_applied,
    filter_size,
    forward,
    golden,
    mask_bits,
    masked,
    oracle,
    rounded,
)
from tests.gpu.launchers import LaunchError, Launchers
from tests.gpu.test_emulated_kernels import in_every_order

TOLERANCES = {"float64": 1e-12, "float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}  # of the largest number


def _assert_close(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    assert found.shape == expected.shape
    error = np.max(np.abs(found.astype(np.float64) - expected), initial=0)
    assert error <= TOLERANCES[dtype] * max(1, np.max(np.abs(expected), initial=0)), error


def _filters(rng: np.random.Generator, form: str, taps: int) -> np.ndarray | None:
    if form == "none":
        return None
    return rng.uniform(-0.2, 1, [taps] if form == "separable" else [taps, taps]) / (taps if form == "matrix" else 1)


def _map(rng, up, down, forms, taps, size, **options) -> FilteredLrelu:
    fu, fd = (_filters(rng, form, count) for form, count in zip(forms, taps, strict=True))
    options = {"gain": 1.3, "slope": 0.2, "clamp": 1.0, "padding": (7, 8, 6, 9), **options}
    padding = options.pop("padding")
    return as_applied(size, fu, fd, up, down, padding, flip_filter=False, **options)


def _internals_read(geometry: FilteredLrelu) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of internal pixels that results take: only they have slopes."""
    rows, columns = (
        np.unique(np.arange(size)[:, np.newaxis] * geometry.down + np.arange(taps))
        for size, taps in zip(geometry.output_size, filter_size(geometry.down_filter), strict=True)
    )
    return rows, columns


def _check(launchers: Launchers, geometry: FilteredLrelu, shape: tuple[int, int], dtype: str, seed: int = 1) -> None:
    """Forward, gradient and second order of images of (N, C) against the oracle."""
    rng = np.random.default_rng(seed)
    n, c = shape
    x = rng.standard_normal([n, *geometry.input_size, c])
    b = rng.standard_normal([c])
    y, mask = forward(launchers, geometry, dtype, x, b)
    expected, bits = oracle(geometry, rounded(x, dtype) + rounded(b, dtype))
    _assert_close(y, expected, dtype)
    found_bits = mask_bits(launchers, mask, geometry, c)
    differing = (found_bits != bits)[np.ix_(np.arange(n), *_internals_read(geometry), np.arange(c))]
    assert np.mean(differing) <= (2e-4 if dtype != "float64" else 0)
    dy = rng.standard_normal(y.shape)
    dx, db = masked(launchers, geometry.adjoint(), dtype, dy, mask)
    expected, _ = oracle(geometry.adjoint(), rounded(dy, dtype), found_bits)
    _assert_close(dx, expected, dtype)
    _assert_close(db, expected.sum((0, 1, 2)), dtype)
    v = rng.standard_normal(x.shape)
    g2_dy, _ = masked(launchers, geometry, dtype, v, mask)
    _assert_close(g2_dy, oracle(geometry, rounded(v, dtype), found_bits)[0], dtype)


@pytest.mark.parametrize("forms", [("separable", "separable"), ("separable", "matrix"), ("matrix", "separable")])
@pytest.mark.parametrize(("up", "down"), [(2, 2), (4, 2), (2, 4)])
def test_six_taps_a_phase(launchers: Launchers, up: int, down: int, forms: tuple[str, str]) -> None:
    geometry = _map(np.random.default_rng(2), up, down, forms, (6 * up, 6 * down), (13, 11), padding=(9, 13, 8, 10))
    _check(launchers, geometry, (2, 9), "float32")


@pytest.mark.parametrize("shift", range(4))
def test_every_alignment_of_phases(launchers: Launchers, shift: int) -> None:
    padding = (9 + shift, 19, 8 - shift, 22)
    for up, down in ((4, 2), (2, 4), (2, 2)):
        geometry = _map(
            np.random.default_rng(3), up, down, ("separable",) * 2, (6 * up, 6 * down), (9, 8), padding=padding
        )
        _check(launchers, geometry, (1, 3), "float32")


@pytest.mark.parametrize(
    ("up", "down", "forms", "taps"),
    [
        (1, 1, ("none", "none"), (1, 1)),
        (1, 1, ("separable", "separable"), (5, 3)),
        (1, 2, ("separable", "matrix"), (7, 4)),
        (2, 1, ("matrix", "separable"), (5, 7)),
        (4, 4, ("separable", "matrix"), (24, 24)),
        (3, 2, ("matrix", "matrix"), (8, 5)),
        (2, 3, ("separable", "none"), (9, 1)),
        (2, 2, ("separable", "matrix"), (7, 5)),
        (2, 2, ("separable", "separable"), (17, 13)),
        (4, 1, ("none", "separable"), (1, 4)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_factors_and_filters(launchers: Launchers, up, down, forms, taps, dtype) -> None:
    geometry = _map(np.random.default_rng(4), up, down, forms, taps, (9, 12), padding=(5, 14, 13, 6))
    _check(launchers, geometry, (1, 3), dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("channels", [1, 3, 8, 16, 17, 40])
def test_half_precision_and_channels(launchers: Launchers, channels: int, dtype: str) -> None:
    geometry = _map(np.random.default_rng(5), 2, 2, ("separable", "separable"), (12, 12), (9, 7), padding=(9, 8, 9, 8))
    _check(launchers, geometry, (1, channels), dtype)


@pytest.mark.parametrize("channels", [4, 16, 20])
def test_channels_of_single_precision(launchers: Launchers, channels: int) -> None:
    geometry = _map(np.random.default_rng(6), 2, 2, ("separable", "matrix"), (12, 12), (7, 9), padding=(9, 8, 9, 8))
    _check(launchers, geometry, (1, channels), "float32")


@pytest.mark.parametrize(
    ("padding", "size"), [((-3, 4, -5, 7), (20, 19)), ((-9, -8, -2, -12), (24, 23)), ((30, 2, 0, 40), (3, 2))]
)
def test_crops_and_wide_paddings(launchers: Launchers, padding: tuple[int, ...], size: tuple[int, int]) -> None:
    geometry = _map(np.random.default_rng(7), 2, 2, ("separable", "separable"), (12, 12), size, padding=padding)
    _check(launchers, geometry, (1, 3), "float32")


@pytest.mark.parametrize("options", [{"gain": -0.7}, {"clamp": None}, {"slope": 0.0}, {"slope": 1.0, "clamp": 256.0}])
def test_activation(launchers: Launchers, options: dict[str, float | None]) -> None:
    geometry = _map(np.random.default_rng(8), 4, 2, ("separable", "separable"), (24, 12), (8, 9), **options)
    _check(launchers, geometry, (1, 3), "float32")


@pytest.mark.parametrize(
    ("up", "down", "forms", "size"),
    [
        (2, 2, ("separable", "separable"), (41, 37)),
        (4, 2, ("separable", "separable"), (21, 24)),
        (2, 4, ("separable", "separable"), (83, 80)),
        (2, 2, ("separable", "matrix"), (23, 21)),
        (4, 2, ("separable", "matrix"), (15, 14)),
    ],
)
def test_several_tiles(launchers: Launchers, up: int, down: int, forms: tuple[str, str], size: tuple[int, int]) -> None:
    geometry = _map(np.random.default_rng(9), up, down, forms, (6 * up, 6 * down), size, padding=(9, 8, 9, 8))
    _check(launchers, geometry, (2, 10), "float32")


def test_empty_batch(launchers: Launchers) -> None:
    geometry = _map(np.random.default_rng(10), 2, 2, ("separable", "separable"), (12, 12), (8, 8))
    y, _ = forward(launchers, geometry, "float32", np.zeros([0, 8, 8, 3]))
    assert y.shape == (0, *geometry.output_size, 3)
    dx, db = masked(launchers, geometry.adjoint(), "float32", y, launchers.device.bytes(0))
    assert dx.shape == (0, 8, 8, 3)
    np.testing.assert_array_equal(db, [0, 0, 0])


def test_nan_stays_nan_and_has_no_gradient(launchers: Launchers) -> None:
    geometry = _map(np.random.default_rng(11), 1, 1, ("none", "none"), (1, 1), (3, 4), padding=(0, 0, 0, 0))
    x = np.ones([1, 3, 4, 2])
    x[0, 1, 2, 1] = np.nan
    y, mask = forward(launchers, geometry, "float32", x)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    dx, _ = masked(launchers, geometry.adjoint(), "float32", np.ones_like(x), mask)
    assert dx[0, 1, 2, 1] == 0


def test_internal_pixels_that_no_result_takes_have_a_defined_mask(launchers: Launchers) -> None:
    geometry = _map(np.random.default_rng(12), 1, 3, ("none", "none"), (1, 1), (9, 9), padding=(0, 0, 0, 0), clamp=None)
    _, mask = forward(launchers, geometry, "float32", np.ones([1, 9, 9, 3]))
    assert not np.any(mask_bits(launchers, mask, geometry, 3))


def test_filters_beyond_shared_memory_are_refused(launchers: Launchers) -> None:
    geometry = _map(np.random.default_rng(13), 1, 1, ("matrix", "none"), (40, 1), (50, 50))
    with pytest.raises(LaunchError, match="invalid argument"):
        forward(launchers, geometry, "float32", np.zeros([1, 50, 50, 1]))


@pytest.mark.parametrize(
    ("up", "down", "forms"), [(2, 2, "separable"), (4, 2, "separable"), (2, 2, "matrix"), (3, 2, "matrix")]
)
def test_order_of_threads_and_blocks_does_not_matter(launchers: Launchers, up: int, down: int, forms: str) -> None:
    geometry = _map(
        np.random.default_rng(14), up, down, ("separable", forms), (6 * up, 12), (20, 19), padding=(9, 8, 9, 8)
    )
    x = np.random.default_rng(15).standard_normal([2, 20, 19, 9])

    def run() -> dict[str, np.ndarray]:
        y, mask = forward(launchers, geometry, "float32", x)
        dx, db = masked(launchers, geometry.adjoint(), "float32", y, mask)
        return {"y": y, "mask": launchers.device.get(mask), "dx": dx, "db": db}

    in_every_order(launchers, run)


@pytest.mark.parametrize("dtype", TYPE_CODES)
@pytest.mark.parametrize("case", load_manifest(harness.FIXTURES, ["filtered_lrelu"]), ids=lambda case: case.name)
def test_golden_numbers(launchers: Launchers, case: Case, dtype: str) -> None:
    judgement = harness.judge(case, golden(launchers, case, dtype), dtype)
    assert judgement.passed, judgement


def test_adjoint_is_its_own_inverse_pairing() -> None:
    geometry = _map(np.random.default_rng(16), 4, 2, ("separable", "matrix"), (24, 12), (9, 8))
    twice = geometry.adjoint().adjoint()
    for field in dataclasses.fields(geometry):
        np.testing.assert_equal(getattr(twice, field.name), getattr(geometry, field.name))
