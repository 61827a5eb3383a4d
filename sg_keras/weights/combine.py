"""Networks made of several of one shape: averages, and two networks joined at a resolution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from sg_keras.models import Generator, float32_variables
from sg_keras.models.synthesis_stylegan3 import SynthesisStyleGAN3
from sg_keras.weights.network_description import NetworkDescription, build_network, shaping_arguments
from sg_keras.weights.published_names import published_weights
from sg_keras.weights.transfer import NetworkTransfer, compare_networks

Networks = Mapping[str, keras.Model]
_HALF_OCTAVE = 0.5
_ROUNDING = 1e-6  # of octaves: cutoffs are powers with fractions


def average_networks(networks: Sequence[Networks], weights: Sequence[float] | None = None) -> dict[str, keras.Model]:
    """The average of all variables of networks: weights, w_avg, noise and running means, in float64.

    Args:
        networks: two or more, each by name, all of one shape.
        weights: of each, whose sum is not 0; None = all alike. Their size has no influence.

    Returns:
        New networks under the same names. The average of equal networks is the same to the bit.

    Raises:
        ValueError: there are more or fewer weights, or networks of other shapes; one line with what differs.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64, name="G_ema")
        >>> sg_keras.weights.average_networks([{"G_ema": G}, {"G_ema": G}])["G_ema"].image_shape
        (16, 16, 3)
    """
    shares = np.ones(len(networks)) if weights is None else np.asarray(weights, np.float64)
    if len(networks) < 2:
        raise ValueError(f"networks: found {len(networks)}, expected two at least")
    if shares.shape != (len(networks),) or not np.isfinite(shares).all() or abs(shares.sum()) < 1e-9:
        raise ValueError(
            f"weights: found {','.join(f'{share:g}' for share in shares)}, expected {len(networks)} numbers, one for "
            "each network, whose sum is not 0"
        )
    for other, number in zip(networks[1:], range(2, len(networks) + 1), strict=True):
        check_one_shape(networks[0], other, "the first", f"number {number}")

    def mean(name: str, *values: np.ndarray) -> np.ndarray:
        del name
        return sum(s * v.astype(np.float64) for s, v in zip(shares, values, strict=True)) / shares.sum()

    return {name: _combined([one[name] for one in networks], mean) for name in networks[0]}


def blend_networks(low: Networks, high: Networks, resolution: int, ramp: float = 0.0) -> dict[str, keras.Model]:
    """Two generators of one shape joined at a resolution (Pinkney and Adler, arXiv:2010.05334).

    Layers that make details coarser than `resolution` are those of `low`, which gives the mapping network, too; the
    others are those of `high`, which gives the discriminator. A layer's resolution is its block's level in StyleGAN2,
    and twice its cutoff in StyleGAN3: the side of the image that could just hold its finest details.

    Args:
        low, high: networks by name; G and G_ema are joined.
        resolution: where `high` begins, in pixels of the shorter side.
        ramp: octaves over which the share of `high` rises from 0 to 1, in equal parts before and after the joint;
            0 = none: each layer is that of the one or the other.

    Returns:
        New networks under the same names.

    Raises:
        ValueError: the generators are not of one shape, or nothing would be joined; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64, name="G_ema")
        >>> sg_keras.weights.blend_networks({"G_ema": G}, {"G_ema": G}, resolution=8)["G_ema"].name
        'G_ema'
    """
    generators = [name for name in low if name != "D"]
    check_one_shape({n: low[n] for n in generators}, {n: high[n] for n in generators}, "the low", "the high")
    resolutions = layer_resolutions(low[generators[0]])
    _check_joint(resolution, sorted(set(resolutions.values())))

    def joined(name: str, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        share = _share(name, resolutions, resolution, ramp)
        if share in (0.0, 1.0):
            return above if share else below
        return below.astype(np.float64) * (1 - share) + above.astype(np.float64) * share

    blended = {name: _combined([low[name], high[name]], joined) for name in generators}
    return {**blended, **({"D": high["D"]} if "D" in high else {})}


def layer_resolutions(G: Generator) -> dict[str, float]:
    """Resolution of each block (StyleGAN2) or layer (StyleGAN3) of the synthesis network, by name, as blends count."""
    if isinstance(G.synthesis, SynthesisStyleGAN3):
        return {planned.name: 2 * planned.design.out_cutoff for planned in G.synthesis.plan.layers}
    return {block.name: float(block.level) for block in G.synthesis.blocks}


def check_one_shape(one: Networks, other: Networks, what: str, beside: str) -> None:
    """Refuse networks that differ in more than their weights.

    Args:
        one, other: networks by name.
        what, beside: what they are called in the error.

    Raises:
        ValueError: one line with what differs.
    """
    for network in compare_networks(one, other.values(), "", "").networks:
        difference = _difference(network)
        if difference:
            argument, there, here = difference
            found = f"{argument} {there} in {what} and {here} in {beside}"
            raise ValueError(f"{network.name}: found {found}, expected networks of one shape")


def _difference(network: NetworkTransfer) -> tuple[str, object, object] | None:
    """The first thing in which a network differs from its source: name, value there, value here."""
    if network.arguments:
        return network.arguments[0]
    if network.mismatched:
        name, there, here = network.mismatched[0]
        return name, list(there), list(here)
    if network.missing:
        return network.missing[0][0], "missing", list(network.missing[0][1])
    if network.unused:
        return network.unused[0][0], list(network.unused[0][1]), "missing"
    return None


def _combined(networks: Sequence[keras.Model], rule: Callable[..., np.ndarray]) -> keras.Model:
    """A new network whose variables are rule(published name, value of each network)."""
    first = networks[0]
    values = [published_weights(network) for network in networks]
    found = {name: rule(name, *(value[name] for value in values)) for name in values[0]}
    weights = {name: array.astype(values[0][name].dtype) for name, array in found.items()}
    description = NetworkDescription(type(first).__name__, shaping_arguments(first), weights)
    with float32_variables():
        return build_network(description, first.name, first.get_config()["impl"])


def _share(name: str, resolutions: Mapping[str, float], resolution: int, ramp: float) -> float:
    """How much of the higher network a variable of this name has."""
    part, _, rest = name.partition(".")
    layer = rest.partition(".")[0]
    if part != "synthesis" or layer not in resolutions:  # the mapping network, and StyleGAN3's Fourier features
        return 0.0
    octaves = math.log2(resolutions[layer] / resolution)
    if ramp == 0:
        return float(octaves >= -_ROUNDING)
    # A block of StyleGAN2 stands for the octave above its level: the joint is half an octave below the first of `high`.
    return min(max(0.5 + (octaves + _HALF_OCTAVE) / ramp, 0.0), 1.0)


def _check_joint(resolution: int, found: Sequence[float]) -> None:
    if not found[0] < resolution <= found[-1] + _ROUNDING:
        raise ValueError(
            f"resolution: found {resolution}, expected more than {found[0]:g} and {found[-1]:g} at most, so that both "
            "networks have a part in it"
        )
