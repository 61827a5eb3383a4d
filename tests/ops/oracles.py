"""What the ops compute, written again in NumPy for clarity alone: float64, channels last, step by step."""

import numpy as np


def upfirdn2d(x, f, up=(1, 1), down=(1, 1), padding=(0, 0, 0, 0), flip_filter=False, gain=1.0):
    """Zero insertion, padding or cropping, convolution, decimation. Factors are (x, y), f is 2-D."""
    n, height, width, channels = x.shape
    big = np.zeros([n, height * up[1], width * up[0], channels])
    big[:, :: up[1], :: up[0]] = x
    x0, x1, y0, y1 = padding
    big = np.pad(big, [(0, 0), (max(y0, 0), max(y1, 0)), (max(x0, 0), max(x1, 0)), (0, 0)])
    big = big[:, max(-y0, 0) : big.shape[1] - max(-y1, 0), max(-x0, 0) : big.shape[2] - max(-x1, 0)]
    f = np.asarray(f, np.float64) * gain
    if not flip_filter:
        f = f[::-1, ::-1]
    out_h, out_w = big.shape[1] - f.shape[0] + 1, big.shape[2] - f.shape[1] + 1
    full = np.zeros([n, out_h, out_w, channels])
    for i in range(f.shape[0]):
        for j in range(f.shape[1]):
            full += f[i, j] * big[:, i : i + out_h, j : j + out_w]
    return full[:, :: down[1], :: down[0]]


def activation(u, act, alpha):
    """The nine activations."""
    scale, selu_alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    elu = np.where(u > 0, u, np.expm1(np.minimum(u, 0)))
    values = {
        "linear": u,
        "relu": np.maximum(u, 0),
        "lrelu": np.where(u > 0, u, alpha * u),
        "tanh": np.tanh(u),
        "sigmoid": 1 / (1 + np.exp(-u)),
        "elu": elu,
        "selu": scale * np.where(u > 0, u, selu_alpha * elu),
        "softplus": np.logaddexp(u, 0),
        "swish": u / (1 + np.exp(-u)),
    }
    return values[act]


def bias_act(x, b, act, alpha, gain, clamp):
    """clamp(gain * act(x + b)) with every constant given."""
    y = gain * activation(x + b, act, alpha)
    return np.clip(y, -clamp, clamp)
