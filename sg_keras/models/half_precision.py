"""Which parts of a network compute in half precision, and the Keras policies that say so.

Weights are float32 everywhere, and only the highest resolutions compute in half precision, as in the published
trainers of StyleGAN2-ADA (arXiv:2006.06676) and StyleGAN3 (2106.12423).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from sg_keras.layers.configured_layer import ConfiguredLayer, sublayers

HALF_DTYPES = ("float16", "bfloat16")
_LOWEST_HALF_RESOLUTION = 8  # 4x4 stays in full precision
_STYLES = "affine"  # the layers that make styles of w: always in the type of their variables


@contextlib.contextmanager
def float32_variables() -> Iterator[None]:
    """Within, new layers and variables are float32, whatever floating type Keras was told to use (in keras.json).

    Example:
        >>> with float32_variables():
        ...     layer = keras.layers.Dense(1)
        >>> layer.variable_dtype
        'float32'
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def is_half_resolution(level: int, img_level: int, num_fp16_res: int) -> bool:
    """Whether the block of a level (the resolution, in squares) is one of the `num_fp16_res` highest, and not 4x4."""
    return level >= max(img_level * 2 // 2**num_fp16_res, _LOWEST_HALF_RESOLUTION)


def policy_of(half: bool, half_dtype: str, full: keras.DTypePolicy) -> keras.DTypePolicy:
    """The policy of a layer: that of its network, or float32 variables with computation in half_dtype.

    Raises:
        ValueError: half_dtype is neither "float16" nor "bfloat16".
    """
    if half_dtype not in HALF_DTYPES:
        raise ValueError(f"half_dtype: found {half_dtype!r}, expected {' or '.join(HALF_DTYPES)}")
    return keras.DTypePolicy(f"mixed_{half_dtype}") if half else full


def set_half_resolutions(network: keras.Model, num_fp16_res: int) -> None:
    """Have so many of a network's highest resolutions compute in half precision from now on, as if it were made so.

    Weights, their order and all that is made of them stay as they are, and so do clamps, which are an argument of their
    own. What was traced before goes on computing as it did.

    Args:
        network: a generator or a discriminator.
        num_fp16_res: as their constructors take it.

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64, half_dtype="bfloat16")
        >>> set_half_resolutions(D, 1)
        >>> D.b16.conv0.compute_dtype, D.b8.conv0.compute_dtype, D.get_config()["num_fp16_res"]
        ('bfloat16', 'float32', 1)
    """
    for part in (network, *sublayers(network)):
        if not (isinstance(part, ConfiguredLayer) and part.has_argument("num_fp16_res")):
            continue
        part.change_argument("num_fp16_res", num_fp16_res)
        for layer, is_half in _half_resolutions(part, num_fp16_res):
            _set_policy(layer, policy_of(is_half, part.get_config()["half_dtype"], part.dtype_policy))


def _half_resolutions(part: Any, num_fp16_res: int) -> Iterator[tuple[keras.layers.Layer, bool]]:
    """Layers of a network whose precision depends on their resolution, and whether each is to be half."""
    if hasattr(part, "plan_half_resolutions"):
        yield from part.plan_half_resolutions(num_fp16_res)
    blocks = getattr(part, "blocks", ())
    highest = max((block.level for block in blocks), default=0)
    for block in blocks:
        yield block, is_half_resolution(block.level, highest, num_fp16_res)


def _set_policy(layer: keras.layers.Layer, policy: keras.DTypePolicy) -> None:
    if layer.name == _STYLES:
        return
    layer.dtype_policy = policy
    for part in sublayers(layer):
        _set_policy(part, policy)


def computes_in_half(layer: keras.layers.Layer) -> bool:
    """Whether a layer, or any of those inside a network, computes in a smaller type than that of its variables.

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64, num_fp16_res=1)
        >>> sg_keras.models.computes_in_half(D), sg_keras.models.computes_in_half(D.b4)
        (True, False)
    """
    if layer.compute_dtype != layer.variable_dtype:
        return True
    return any(computes_in_half(part) for part in sublayers(layer))


def in_full_precision(network: keras.Model, impl: str, copied: bool = False) -> keras.Model:
    """A network that computes in float32 with these fused ops: itself, or a copy with the same weights.

    Args:
        network: a generator or a discriminator.
        impl: implementation of the fused ops.
        copied: whether it is to be a copy in any case, as of a network that may change its precision.

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64, num_fp16_res=1)
        >>> sg_keras.models.computes_in_half(sg_keras.models.in_full_precision(D, "reference"))
        False
    """
    config = network.get_config()
    wanted = {**config, "impl": impl, "num_fp16_res": 0}
    if wanted == config and not copied:
        return network
    copy = type(network).from_config(wanted)
    copy.set_weights(network.get_weights())
    return copy
