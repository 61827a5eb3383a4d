"""The compiled ops agree with the float64 reference for whatever Hypothesis draws: shapes, filters, paddings, types."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sg_keras.ops import (
    ACTIVATIONS,
    bias_act,
    channel_scale,
    filtered_lrelu,
    library,
    scale_bias_act,
    upfirdn2d,
    warp_affine,
)
from tests.ops.comparison import assert_agrees

pytestmark = [
    pytest.mark.rounding,
    pytest.mark.skipif(bool(library.custom_ops_problem()), reason=library.custom_ops_problem()),
]

# The same examples each time: a failure can be repeated, and tests take as long as they took.
_examples = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
_DTYPES = st.sampled_from([tf.float64, tf.float32, tf.bfloat16])
_SEEDS = st.integers(0, 2**32 - 1)
_CHANNELS = st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 32, 33, 64, 67]))
_SIDES = st.integers(1, 20)
_BATCHES = st.sampled_from([0, 1, 2, 3])
_PIECEWISE_LINEAR = [name for name, activation in ACTIVATIONS.items() if activation.curvature is None]


def _grid(random: np.random.Generator, shape: list[int], odd: bool) -> np.ndarray:
    """Multiples of 1/16, odd ones or even: exact in every type, sums of an odd one and even ones are never 0."""
    return (2 * random.integers(-14, 14, size=shape) + odd) / 16


def _clamp_in_a_gap(values: np.ndarray, wanted: bool) -> float | None:
    """A limit that some values exceed and that none comes near: derivatives jump there."""
    sizes = np.unique(np.abs(values))
    if not wanted or len(sizes) < 2:
        return None
    gaps = np.diff(sizes)
    i = int(np.argmax(gaps[len(gaps) // 2 :])) + len(gaps) // 2
    assume(gaps[i] > 0.04 * sizes[i])
    return float(sizes[i] + gaps[i] / 2)


@_examples
@given(
    st.lists(st.integers(0, 6), max_size=3), _CHANNELS, st.sampled_from(sorted(ACTIVATIONS)), _DTYPES, _SEEDS,
    st.booleans(), st.booleans(), st.sampled_from([None, 0.5, 1.0, -1.25]),
    st.sampled_from([None, 0.0, 0.1, 1.5, -0.5]),
)  # fmt: skip
def test_bias_act(leading, channels, act, dtype, seed, with_bias, with_clamp, gain, alpha):
    random = np.random.default_rng(seed)
    x = _grid(random, [*leading, channels], odd=True)
    b = _grid(random, [channels], odd=False)
    op = functools.partial(bias_act, act=act, gain=gain, alpha=alpha)
    values = op(tf.constant(x + b if with_bias else x), impl="reference").numpy()
    op = functools.partial(op, clamp=_clamp_in_a_gap(values, with_clamp))
    if with_bias:
        assert_agrees(op, [x, b], dtype)
    else:
        assert_agrees(op, [x], dtype)


@st.composite
def _resamplings(draw) -> dict:
    """Arguments of upfirdn2d that leave at least a pixel."""
    sides = [draw(_SIDES), draw(_SIDES)]
    taps = [draw(st.integers(1, 13)), draw(st.integers(1, 13))]
    up, down = ([draw(st.integers(1, 4)) for _ in range(2)] for _ in range(2))
    paddings = []
    for axis in range(2):
        before = draw(st.integers(-5, 14))
        least = max(taps[axis] - sides[axis] * up[axis] - before, -5)
        paddings += [before, least + draw(st.integers(0, 8))]
    kind = draw(st.sampled_from(["separable", "full", "one axis", "none"]))
    random = np.random.default_rng(draw(_SEEDS))
    rows, columns = (random.normal(size=[n]) for n in taps)
    filters = {"separable": np.outer(columns, rows), "full": random.normal(size=taps[::-1]), "one axis": rows}
    if kind == "one axis":  # these taps along both axes
        paddings[2:] = paddings[2], max(paddings[3], taps[0] - sides[1] * up[1] - paddings[2])
    return dict(size=sides[::-1], f=filters.get(kind), up=up, down=down, padding=paddings)


@_examples
@given(_resamplings(), _BATCHES, _CHANNELS, _DTYPES, st.booleans(), st.sampled_from([1.0, 4.0, 0.3]))
def test_upfirdn2d(arguments, batch, channels, dtype, flip_filter, gain):
    height, width = arguments.pop("size")
    x = np.random.default_rng(0).normal(size=[batch, height, width, channels])
    assume(_leaves_pixels(arguments, height, width))
    assert_agrees(functools.partial(upfirdn2d, **arguments, flip_filter=flip_filter, gain=gain), [x], dtype)


def _leaves_pixels(arguments: dict, height: int, width: int) -> bool:
    try:
        upfirdn2d(tf.zeros([1, height, width, 1]), **arguments, impl="reference")
    except ValueError:
        return False
    return True


@_examples
@given(_BATCHES, _SIDES, _SIDES, _CHANNELS, _DTYPES)
def test_channel_scale(batch, height, width, channels, dtype):
    random = np.random.default_rng(0)
    x, s = random.normal(size=[batch, height, width, channels]), random.normal(size=[batch, channels])
    assert_agrees(channel_scale, [x, s], dtype)


@_examples
@given(
    _BATCHES, _SIDES, _SIDES, _CHANNELS, _DTYPES, _SEEDS, st.sampled_from(["none", "each", "shared"]),
    st.sampled_from([*_PIECEWISE_LINEAR, "tanh"]), st.booleans(), st.sampled_from([None, 0.75]),
)  # fmt: skip
def test_scale_bias_act(batch, height, width, channels, dtype, seed, noise, act, with_clamp, gain):
    assume(act in _PIECEWISE_LINEAR or dtype != tf.bfloat16)  # others are composed, and round between the ops
    random = np.random.default_rng(seed)
    x = _grid(random, [batch, height, width, channels], odd=True)
    scale = 2.0 ** random.integers(0, 2, size=[batch, channels])
    # Multiples of 1/4 beside odd multiples of 1/16 and of 1/8: no argument of the activation is 0.
    of_noise = [1 if noise == "shared" else batch, height, width, 1]
    added = [2 * _grid(random, shape, odd=False) for shape in (of_noise, [channels])]
    inputs = [x, scale, *(added if noise != "none" else added[1:])]

    def op(x, scale, *added, **options):
        noise = added[0] if len(added) == 2 else None
        return scale_bias_act(x, scale, noise, added[-1], act, gain=gain, **options)

    values = op(*map(tf.constant, inputs), impl="reference").numpy()
    assert_agrees(functools.partial(op, clamp=_clamp_in_a_gap(values, with_clamp)), inputs, dtype)


def _filter_of(kind: str, taps: int, random: np.random.Generator) -> np.ndarray | None:
    """A filter of one of the forms that filtered_lrelu takes, with a sum near 1."""
    line = random.uniform(0.2, 1, size=[taps])
    line /= line.sum()
    return {"separable": line, "full": np.outer(line, line) * random.uniform(0.5, 1.5, size=[taps, taps])}.get(kind)


@_examples
@given(
    _BATCHES, st.integers(1, 14), st.integers(1, 14), _CHANNELS, _DTYPES, _SEEDS,
    st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]), st.integers(1, 13), st.integers(1, 13),
    st.sampled_from(["separable", "separable", "full", "none"]), st.sampled_from(["separable", "full", "none"]),
    st.tuples(*[st.integers(-4, 16)] * 4), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_filtered_lrelu(
    batch, height, width, channels, dtype, seed, up, down, taps_up, taps_down, kind_up, kind_down, padding, flip_filter,
    with_bias, with_clamp,
):  # fmt: skip
    random = np.random.default_rng(seed)
    fu, fd = _filter_of(kind_up, taps_up, random), _filter_of(kind_down, taps_down, random)
    x = _grid(random, [batch, height, width, channels], odd=True)
    inputs = [x, _grid(random, [channels], odd=False)][: 1 + with_bias]
    arguments = dict(fu=fu, fd=fd, up=up, down=down, padding=padding, flip_filter=flip_filter)

    def op(x, b=None, **options):
        return filtered_lrelu(x, b=b, **arguments, **options)

    try:
        op(tf.zeros([1, height, width, 1]), impl="reference")
    except ValueError:  # no pixel would be left
        assume(False)
    v = upfirdn2d(tf.constant(sum(inputs)), fu, up, 1, padding, flip_filter, gain=up**2, impl="reference").numpy()
    v = np.where(v > 0, v, 0.2 * v) * math.sqrt(2)
    sizes = np.sort(np.abs(v).ravel())
    clamp = float(sizes[int(0.8 * len(sizes))] * 1.0001) if with_clamp and len(sizes) else None
    # Whether a number lies beyond a kink must not hang on its last bits. Zeros between pixels, filtered by nothing, are
    # exact.
    distances = np.minimum(np.where(sizes > 0, sizes, 1), 1 if clamp is None else np.abs(sizes - clamp))
    assume(not len(sizes) or distances.min() > 2e-6)
    assert_agrees(functools.partial(op, clamp=clamp), inputs, dtype)


def _positions(theta: np.ndarray, size_of_x: list[int], size: list[int]) -> np.ndarray:
    """Where pixels of the result lie in x, in pixels, (x, y) last."""
    v, u = np.meshgrid(*[(2 * np.arange(count) + 1) / count - 1 for count in size], indexing="ij")
    coordinates = np.einsum("nij,jvu->nvui", theta, np.stack([u, v, np.ones_like(u)]))
    return (coordinates + 1) * np.array(size_of_x[::-1]) / 2 - 0.5


@_examples
@given(
    _BATCHES, st.lists(st.integers(1, 14), min_size=4, max_size=4), _CHANNELS, _DTYPES, _SEEDS,
    st.sampled_from([0.1, 0.5, 3.0]),
)  # fmt: skip
def test_warp_affine(batch, sides, channels, dtype, seed, distortion):
    random = np.random.default_rng(seed)
    x = random.normal(size=[batch, *sides[:2], channels])
    theta = np.eye(2, 3) + distortion * random.normal(size=[batch, 2, 3])
    theta = np.array(tf.cast(tf.cast(theta, dtype), tf.float64))  # as the op sees it
    # Derivatives jump where a position meets a pixel's centre.
    positions = _positions(theta, sides[:2], sides[2:])
    assume(np.abs(positions - np.rint(positions)).min(initial=1) > 5e-5)

    def op(x, theta, impl):
        theta = theta if x.dtype == tf.float64 else tf.cast(theta, tf.float32)
        return warp_affine(x, theta, sides[2:], impl=impl)

    assert_agrees(op, [x, theta], dtype)
