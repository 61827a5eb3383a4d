"""warp_affine and its derivatives by their launchers, and a NumPy oracle of the same."""

from __future__ import annotations

import numpy as np

from tests.gpu.devices import TYPE_CODES
from tests.gpu.launchers import Launchers

Size = tuple[int, int]


def _matrix_type(dtype: str) -> str:
    return "float64" if dtype == "float64" else "float32"


def _sizes(input_size: Size, output_size: Size) -> dict[str, int]:
    names = ("input_height", "input_width", "output_height", "output_width")
    return dict(zip(names, (*input_size, *output_size), strict=True))


def warp(launchers: Launchers, x: np.ndarray, theta: np.ndarray, size: Size, dtype: str) -> np.ndarray:
    """W(theta) x of images [N, H, W, C], in `size` pixels."""
    return _launch(launchers, "warp_affine", x, theta, _sizes(x.shape[1:3], size), size, dtype)


def transpose(launchers: Launchers, dy: np.ndarray, theta: np.ndarray, size: Size, dtype: str) -> np.ndarray:
    """W(theta)' dy, in the `size` of W's images."""
    return _launch(launchers, "warp_affine_transpose", dy, theta, _sizes(size, dy.shape[1:3]), size, dtype)


def _launch(
    launchers: Launchers,
    name: str,
    source: np.ndarray,
    theta: np.ndarray,
    sizes: dict[str, int],
    target_size: Size,
    dtype: str,
) -> np.ndarray:
    device = launchers.device
    target = device.empty([source.shape[0], *target_size, source.shape[3]], dtype)
    launchers.call(
        name,
        type=TYPE_CODES[dtype],
        matrix_type=TYPE_CODES[_matrix_type(dtype)],
        images=source.shape[0],
        channels=source.shape[3],
        **sizes,
        theta=device.put(theta, _matrix_type(dtype)),
        source=device.put(source, dtype),
        target=target,
    )
    return device.get(target)


def matrix_gradient(launchers: Launchers, dy: np.ndarray, x: np.ndarray, theta: np.ndarray, dtype: str) -> np.ndarray:
    """The derivative of the sum of dy * W(theta) x by theta."""
    device = launchers.device
    dtheta = device.empty(theta.shape, _matrix_type(dtype))
    launchers.call(
        "warp_affine_matrix_gradient",
        type=TYPE_CODES[dtype],
        matrix_type=TYPE_CODES[_matrix_type(dtype)],
        images=x.shape[0],
        channels=x.shape[3],
        **_sizes(x.shape[1:3], dy.shape[1:3]),
        theta=device.put(theta, _matrix_type(dtype)),
        dy=device.put(dy, dtype),
        x=device.put(x, dtype),
        dtheta=dtheta,
    )
    return device.get(dtheta)


# ---------------------------------------------------------------------------------------------------- oracle


def _positions(theta: np.ndarray, input_size: Size, output_size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the result lies in the image, (y, x), each [N, h, w]."""
    height, width = output_size
    u = (2 * np.arange(width) + 1) / width - 1
    v = (2 * np.arange(height) + 1) / height - 1
    columns, rows = np.meshgrid(u, v)
    gx, gy = np.einsum("nab,bhw->anhw", theta.astype(np.float64), np.stack([columns, rows, np.ones_like(rows)]))
    return ((gy + 1) * input_size[0] - 1) / 2, ((gx + 1) * input_size[1] - 1) / 2


def weights(theta: np.ndarray, input_size: Size, output_size: Size) -> np.ndarray:
    """W as matrices [N, h, w, H, W] in float64; rows of zeros where positions are not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        y, x = _positions(theta, input_size, output_size)
        finite = np.isfinite(y) & np.isfinite(x)
        y, x = (np.where(finite, p, -9)[..., np.newaxis] for p in (y, x))
        near_y = np.maximum(0, 1 - np.abs(y - np.arange(input_size[0])))
        near_x = np.maximum(0, 1 - np.abs(x - np.arange(input_size[1])))
    return near_y[..., :, np.newaxis] * near_x[..., np.newaxis, :]


def oracle(x: np.ndarray, theta: np.ndarray, size: Size) -> np.ndarray:
    """W(theta) x in float64."""
    return np.einsum("nijyx,nyxc->nijc", weights(theta, x.shape[1:3], size), x)


def oracle_transpose(dy: np.ndarray, theta: np.ndarray, size: Size) -> np.ndarray:
    """W(theta)' dy in float64."""
    return np.einsum("nijyx,nijc->nyxc", weights(theta, size, dy.shape[1:3]), dy)


def oracle_matrix_gradient(dy: np.ndarray, x: np.ndarray, theta: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The derivative by theta, from central differences."""
    gradient = np.zeros(theta.shape)
    for index in np.ndindex(theta.shape):
        change = np.zeros(theta.shape)
        change[index] = step
        difference = oracle(x, theta + change, dy.shape[1:3]) - oracle(x, theta - change, dy.shape[1:3])
        gradient[index] = np.sum(dy * difference) / (2 * step)
    return gradient
