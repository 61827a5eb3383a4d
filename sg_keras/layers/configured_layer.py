"""Layers whose configuration is what their constructor was given: an argument is said once, in the signature."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

_KERAS_OWN = {"self", "name", "dtype", "trainable", "autocast"}  # Keras gives them, or they are no arguments of a user


class ConfiguredLayer(keras.layers.Layer):
    """Base of our layers and, beside keras.Model, of our networks: keeps the constructor's arguments for `get_config`.

    Subclasses with a constructor of their own need nothing else, as long as everything that they add is an argument
    that JSON can hold (arrays, tuples and dataclasses become lists and dictionaries).

    Example:
        >>> from sg_keras.layers import Dense
        >>> layer = Dense(8, activation="lrelu", name="fc")
        >>> Dense.from_config(layer.get_config()).get_config() == layer.get_config()
        True
    """

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> ConfiguredLayer:
        instance: ConfiguredLayer = super().__new__(cls, *args, **kwargs)
        # Beside Keras's tracking of attributes, which would wrap the dictionaries and lists.
        object.__setattr__(instance, "_arguments", _given(cls.__init__, args, kwargs))
        return instance

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **copy.deepcopy(self._arguments)}

    def has_argument(self, name: str) -> bool:
        """Whether the constructor was given, or has a default for, an argument of this name."""
        return name in self._arguments

    def change_argument(self, name: str, value: Any) -> None:
        """Have the configuration say another value from now on; what follows from it is up to the caller."""
        self._arguments[name] = value

    @classmethod
    def from_config(cls, config: Mapping[str, Any], **kwargs: Any) -> Any:
        """The layer of a configuration. Those of older files have `ops` for the argument `impl`."""
        config = dict(config)
        if "ops" in config and "ops" not in inspect.signature(cls.__init__).parameters:
            config["impl"] = config.pop("ops")
        return super().from_config(config, **kwargs)


def accepted_by(constructor: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a constructor has arguments for, by name; name and dtype of a layer excepted.

    Example:
        >>> from sg_keras.layers import MinibatchStd
        >>> accepted_by(MinibatchStd, {"group_size": 8, "conv_clamp": 256.0})
        {'group_size': 8}
    """
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(constructor).parameters.values()
    names = [p.name for p in parameters if p.kind in named and p.name not in _KERAS_OWN]
    return {name: values[name] for name in names if name in values}


#: Arguments of networks that came later, with the values that networks from before have.
_LATER = {"no_const": False, "channels": None}


def without_later_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """A network's configuration without arguments that it does not need, so that it stays what it was before them.

    What is kept under a digest of the configuration is found again, and earlier versions can read the files.

    Example:
        >>> without_later_arguments({"z_dim": 8, "no_const": False})
        {'z_dim': 8}
    """
    return {name: value for name, value in config.items() if name not in _LATER or value != _LATER[name]}


def sublayers(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """The layers that a layer keeps as attributes, in the order in which they were made."""
    if isinstance(layer, keras.Model) and not isinstance(layer, ConfiguredLayer):
        yield from layer.layers
        return
    for value in vars(layer).values():
        if isinstance(value, keras.layers.Layer):
            yield value


def _given(constructor: Callable[..., None], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name with defaults, further keywords included. What is missing, the constructor itself refuses."""
    signature = inspect.signature(constructor)
    try:
        bound = signature.bind_partial(None, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    given: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        further = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        given |= value if further else {name: value}
    return {name: _plain(value) for name, value in given.items() if name not in _KERAS_OWN}


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
