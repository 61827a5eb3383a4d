"""The CUDA kernels of warp_affine, run by the emulator of blocks and threads."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gpu.devices import NUMPY_TYPES
from tests.gpu.launchers import Launchers
from tests.gpu.test_emulated_kernels import in_every_order
from tests.gpu.warp_affine import (
    matrix_gradient,
    oracle,
    oracle_matrix_gradient,
    oracle_transpose,
    transpose,
    warp,
    weights,
)

TOLERANCES = {"float64": 1e-12, "float32": 3e-6, "float16": 1e-3, "bfloat16": 8e-3}  # of the largest number


def _matrix(angle: float = 0.0, scale_x: float = 1.0, scale_y: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c * scale_x, -s * scale_y, shift[0]], [s * scale_x, c * scale_y, shift[1]]])


MATRICES = {
    "identity": _matrix(),
    "rotation": _matrix(0.7, shift=(0.1, -0.2)),
    "rotation by 90 degrees": np.array([[0.0, -1, 0], [1, 0, 0]]),
    "enlarged": _matrix(0.3, 0.2, 0.15, (0.3, 0.1)),
    "reduced": _matrix(-0.4, 3.0, 2.5),
    "shear": np.array([[1.0, 0.9, 0.05], [0.0, 1.0, -0.1]]),
    "flip": np.array([[-1.0, 0, 0], [0, 1, 0]]),
    "nearly singular": np.array([[1.0, 1.0, 0.01], [1.0, 1.0 + 1e-9, 0.02]]),
    "singular": np.array([[1.0, 0.5, 0.0], [2.0, 1.0, 0.1]]),
    "a point": np.array([[0.0, 0, 0.1], [0, 0, -0.2]]),
    "a line": np.array([[1.0, 0, 0.0], [0, 0, 0.3]]),
    "outside": _matrix(0.1, shift=(5.0, 0.0)),
    "far outside": np.array([[1e30, 0, 1e32], [0, -1e30, 3.0]]),
    "infinite": np.array([[np.inf, 0, 0], [0, 1, 0]]),
    "not a number": np.array([[1.0, 0, 0], [0, np.nan, 0]]),
}
SIZES = [((7, 9), (8, 6)), ((1, 1), (3, 2)), ((12, 5), (1, 1)), ((20, 17), (31, 40))]


def _assert_close(found: np.ndarray, expected: np.ndarray, dtype: str, scale: float = 1.0) -> None:
    assert found.shape == expected.shape
    error = np.max(np.abs(found.astype(np.float64) - expected), initial=0)
    assert error <= scale * TOLERANCES[dtype] * max(1, np.max(np.abs(expected), initial=0)), error


def _rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(NUMPY_TYPES[dtype]).astype(np.float64)


def _images(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    return _rounded(np.random.default_rng(seed).standard_normal(shape), dtype)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", MATRICES)
def test_warp_and_its_transpose(launchers: Launchers, name: str, size: tuple[tuple[int, int], tuple[int, int]]) -> None:
    input_size, output_size = size
    theta = np.stack([MATRICES[name], MATRICES["rotation"]])
    x = _images((2, *input_size, 3), "float64", 1)
    dy = _images((2, *output_size, 3), "float64", 2)
    _assert_close(warp(launchers, x, theta, output_size, "float64"), oracle(x, theta, output_size), "float64")
    dx = transpose(launchers, dy, theta, input_size, "float64")
    _assert_close(dx, oracle_transpose(dy, theta, input_size), "float64", scale=4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 16, 19])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_types_and_channels(launchers: Launchers, dtype: str, channels: int) -> None:
    theta = np.stack([MATRICES["rotation"], MATRICES["reduced"] + 1e-3]).astype(np.float32)  # clear of kinks
    x = _images((2, 9, 8, channels), dtype, 3)
    dy = _images((2, 7, 11, channels), dtype, 4)
    _assert_close(warp(launchers, x, theta, (7, 11), dtype), oracle(x, theta, (7, 11)), dtype)
    _assert_close(transpose(launchers, dy, theta, (9, 8), dtype), oracle_transpose(dy, theta, (9, 8)), dtype)
    expected = oracle_matrix_gradient(dy, x, theta.astype(np.float64))
    _assert_close(matrix_gradient(launchers, dy, x, theta, dtype), expected, "float32", scale=30)


@pytest.mark.parametrize("name", ["rotation", "shear", "enlarged", "reduced", "outside"])
def test_derivative_by_the_matrix(launchers: Launchers, name: str) -> None:
    theta = np.stack([MATRICES[name] + 1e-3, MATRICES["rotation"]])
    x, dy = _images((2, 9, 8, 3), "float64", 5), _images((2, 7, 11, 3), "float64", 6)
    found = matrix_gradient(launchers, dy, x, theta, "float64")
    np.testing.assert_allclose(found, oracle_matrix_gradient(dy, x, theta), rtol=1e-6, atol=1e-6)


def test_sums_of_many_pixels(launchers: Launchers) -> None:
    theta = MATRICES["rotation"][np.newaxis]
    x, dy = _images((1, 9, 8, 1), "float64", 7), _images((1, 70, 130, 1), "float64", 8)
    found = matrix_gradient(launchers, dy, x, theta, "float64")
    np.testing.assert_allclose(found, oracle_matrix_gradient(dy, x, theta), rtol=1e-5, atol=1e-5)


def test_random_matrices_have_exact_adjoints(launchers: Launchers) -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        theta = rng.standard_normal([3, 2, 3]) * 10.0 ** rng.uniform(-2, 1, [3, 1, 1])
        input_size, output_size = tuple(rng.integers(1, 12, 2)), tuple(rng.integers(1, 12, 2))
        x, dy = rng.standard_normal([3, *input_size, 2]), rng.standard_normal([3, *output_size, 2])
        left = np.sum(warp(launchers, x, theta, output_size, "float64") * dy, (1, 2, 3))
        right = np.sum(transpose(launchers, dy, theta, input_size, "float64") * x, (1, 2, 3))
        scale = np.sqrt(
            np.sum(x**2) * np.sum(dy**2) * max(1, weights(theta, input_size, output_size).sum((1, 2)).max())
        )
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("name", ["rotation", "singular", "enlarged"])
def test_float32_adjoints(launchers: Launchers, name: str) -> None:
    theta = MATRICES[name][np.newaxis].astype(np.float32)
    x, dy = _images((1, 30, 31, 3), "float32", 10), _images((1, 29, 37, 3), "float32", 11)
    left = np.sum(warp(launchers, x, theta, (29, 37), "float32").astype(np.float64) * dy)
    right = np.sum(transpose(launchers, dy, theta, (30, 31), "float32").astype(np.float64) * x)
    np.testing.assert_allclose(left, right, atol=1e-5 * np.linalg.norm(x) * np.linalg.norm(dy) ** 0.5)


def test_empty_batch(launchers: Launchers) -> None:
    theta = np.zeros([0, 2, 3])
    assert warp(launchers, np.zeros([0, 4, 4, 3]), theta, (2, 2), "float32").shape == (0, 2, 2, 3)
    assert transpose(launchers, np.zeros([0, 2, 2, 3]), theta, (4, 4), "float32").shape == (0, 4, 4, 3)
    found = matrix_gradient(launchers, np.zeros([0, 2, 2, 3]), np.zeros([0, 4, 4, 3]), theta, "float32")
    assert found.shape == (0, 2, 3)


def test_order_of_threads_and_blocks_does_not_matter(launchers: Launchers) -> None:
    theta = np.stack([MATRICES["rotation"], MATRICES["singular"]])
    x, dy = _images((2, 19, 18, 3), "float32", 12), _images((2, 41, 37, 3), "float32", 13)

    def run() -> dict[str, np.ndarray]:
        return {
            "y": warp(launchers, x, theta, (41, 37), "float32"),
            "dx": transpose(launchers, dy, theta, (19, 18), "float32"),
            "dtheta": matrix_gradient(launchers, dy, x, theta, "float32"),
        }

    in_every_order(launchers, run)
