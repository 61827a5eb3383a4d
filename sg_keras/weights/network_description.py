"""A network as data: the constructor arguments that shape it, and its weights under their published names.

What files of any format hold, between reading and building.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.files.errors import first_line
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.models import Discriminator, Generator
from sg_keras.ops import ACTIVATIONS, setup_filter
from sg_keras.weights.published_names import load_published_weights, published_weights
from sg_keras.weights.published_shapes import discriminator_shapes, generator_shapes

#: Ends of the names of buffers that follow from the constructor's arguments. They are no variables of ours.
FILTERS = (".resample_filter", ".up_filter", ".down_filter", "synthesis.input.transform")
_KINDS = {"Generator": Generator, "Discriminator": Discriminator}
_SHAPES = {"Generator": generator_shapes, "Discriminator": discriminator_shapes}
_NOT_SHAPING = ("name", "kwargs", "dtype", "trainable", "impl", "num_fp16_res", "half_dtype")  # how a network is run
_INTEGERS = {
    *("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "channel_base", "channel_max", "num_layers"),
    *("embed_features", "layer_features", "cmap_dim", "mbstd_group_size", "mbstd_num_channels", "freeze_layers"),
    *("num_critical", "margin_size", "conv_kernel", "filter_size", "lrelu_upsampling"),
}
_GROUPS = {"mapping_kwargs", "synthesis_kwargs"}
_MAX_LIST = 64
_OPTIONAL = {"embed_features", "layer_features", "cmap_dim", "mbstd_group_size"}  # may be None


@dataclasses.dataclass(frozen=True, eq=False)
class NetworkDescription:
    """A network that is not built.

    Attributes:
        kind: "Generator" or "Discriminator".
        config: constructor arguments that shape it, as JSON values; arguments that are missing have their defaults.
        weights: raw values of all variables by published name, in the published layout.
        filters: buffers of the file that follow from the arguments, to be compared.
    """

    kind: str
    config: dict[str, Any]
    weights: Mapping[str, np.ndarray]
    filters: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def describe(network: keras.Model) -> NetworkDescription:
    """The description of a network of ours."""
    return NetworkDescription(type(network).__name__, shaping_arguments(network), published_weights(network))


def shaping_arguments(network: keras.Model) -> dict[str, Any]:
    """Constructor arguments of a network of ours that shape it, as JSON values."""
    return _shaping(network.get_config())


def _shaping(config: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in config.items() if name not in _NOT_SHAPING}
    plain: dict[str, Any] = json.loads(json.dumps(found))  # Keras has dictionaries and lists of its own
    return plain


def weight_shapes(kind: str, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of all variables by published name and in the published layout, without building the network.

    Args:
        kind: "Generator" or "Discriminator".
        arguments: of its constructor; those that do not shape it are ignored, missing ones have their defaults.

    Raises:
        ValueError: the arguments give no network; one line.
    """
    return dict(_SHAPES[kind](_full_config(_KINDS[kind], _shaping(arguments))))


def description_from_json(name: str, found: Any, weights: Mapping[str, np.ndarray]) -> NetworkDescription:
    """A description of {"kind", "config"}, as files of ours hold it.

    Args:
        name: of the network, for errors.
        found: the values.
        weights: of the network.

    Raises:
        ValueError: the values describe no network.
    """
    kind, config = (found.get("kind"), found.get("config")) if isinstance(found, dict) else (None, None)
    if not isinstance(kind, str) or kind not in _KINDS or not isinstance(config, dict):
        raise ValueError(f"{name}: found no kind and config, expected the description of a network")
    expected = "Discriminator" if name == "D" else "Generator"
    if kind != expected:
        raise ValueError(f"{name}: found a {kind}, expected a {expected}")
    return NetworkDescription(kind, config, weights)


def build_network(description: NetworkDescription, name: str, ops: str) -> keras.Model:
    """The network of a description, in the precision of Keras's present policy.

    Shapes are compared before anything is built, so that the network takes no more memory than its weights.

    Args:
        description: of it.
        name: "G", "D" or "G_ema".
        ops: implementation of the fused ops: "auto", "custom" or "reference".

    Raises:
        ValueError: arguments and weights do not fit each other. One line that begins with the name.
    """
    try:
        kind = _KINDS[description.kind]
        _check_shapes(_SHAPES[description.kind](_full_config(kind, description.config)), description.weights)
        network = kind(**description.config, impl=ops, name=name)
        _check_filters(network, description.filters)
        load_published_weights(network, description.weights)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        reason = first_line(error)
        raise ValueError(reason if reason.startswith(f"{name}: ") else f"{name}: {reason}") from error
    return network


def build_networks(
    descriptions: Mapping[str, NetworkDescription], ops: str, names: Iterable[str] = NETWORK_NAMES
) -> dict[str, keras.Model]:
    """Networks of a file: see build_network."""
    return {name: build_network(descriptions[name], name, ops) for name in names}


def _full_config(kind: type[keras.Model], config: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument that shapes a network, with defaults, and of the right type where a wrong one would be costly."""
    parameters = inspect.signature(kind.__init__).parameters
    defaults = {name: p.default for name, p in parameters.items() if name not in ("self", *_NOT_SHAPING)}
    unknown = sorted(str(name)[:40] for name in config if name not in defaults)
    if unknown:
        raise ValueError(f"found the argument {unknown[0]!r}, expected one of {', '.join(defaults)}")
    full = {**defaults, **config}
    for group in _GROUPS & full.keys():
        if not isinstance(full[group], dict | None):
            raise ValueError(f"{group}: found a {type(full[group]).__name__}, expected an object")
        full[group] = dict(full[group] or {})
        _check_values(full[group])
    depth = 8 if full.get("cfg", "stylegan2") == "stylegan2" else 2
    full["mapping_kwargs"].setdefault("num_layers", depth)
    _check_values(full)
    return full


def _check_values(config: Mapping[str, Any]) -> None:
    for name, value in config.items():
        if name not in _GROUPS and not _is_simple(value, depth=2):
            raise ValueError(
                f"{str(name)[:40]}: found a {type(value).__name__}, expected a number, a word or a short list"
            )
        optional = value is None and name in _OPTIONAL
        is_rectangle = name == "img_resolution" and isinstance(value, list) and len(value) == 2
        numbers = value if is_rectangle else [value]
        if name in _INTEGERS and not optional and any(type(n) is not int or not 0 <= n < 2**31 for n in numbers):
            raise ValueError(f"{name}: found {value!a:.40}, expected a whole number of 0 or more")
    activation = config.get("activation", "linear")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: found {activation!a:.40}, expected one of {', '.join(ACTIVATIONS)}")


def _is_simple(value: Any, depth: int) -> bool:
    """Whether a value is text, a number, or a short list of such, so that nothing can be endless in it."""
    if isinstance(value, list | tuple):
        return depth > 0 and len(value) <= _MAX_LIST and all(_is_simple(item, depth - 1) for item in value)
    return value is None or isinstance(value, str | int | float)


def _check_shapes(shapes: Any, weights: Mapping[str, np.ndarray]) -> None:
    expected = set()
    for name, shape in shapes:
        if name not in weights:
            raise ValueError(f"found no {name}, expected it with shape {list(shape)}")
        if weights[name].shape != shape:
            raise ValueError(f"found {name} with shape {list(weights[name].shape)}, expected {list(shape)}")
        if weights[name].dtype.kind != "f":
            raise ValueError(f"found {name} of type {weights[name].dtype}, expected floating point numbers")
        expected.add(name)
    unused = sorted(set(weights) - expected)
    if unused:
        raise ValueError(f"found {unused[0]!r}, expected weights of StyleGAN2 and StyleGAN3 alone")


def _check_filters(network: keras.Model, filters: Mapping[str, np.ndarray]) -> None:
    """Compare filters of a file with those that the arguments give: another filter is another network."""
    for name, found in filters.items():
        expected = _filter(network, name)
        if expected is None:
            continue
        if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
            raise ValueError(f"found other values of {name} than its arguments give, expected the same")


def _filter(network: keras.Model, name: str) -> np.ndarray | None:
    """The values of a buffer by published name; None where they act on nothing."""
    *path, leaf = name.split(".")
    if leaf == "transform":
        return np.eye(3)
    if leaf == "resample_filter":  # layers that do not resample have one, too
        resamples = path[-1] not in ("fromrgb", "conv")
        return setup_filter(network.get_config()["resample_filter"]) if resamples else None
    return getattr(getattr(network.synthesis, path[-1]).design, leaf)()
