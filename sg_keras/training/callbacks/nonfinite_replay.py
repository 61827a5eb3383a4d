"""Names the layer in which a non-finite value first appeared, by repeating one phase of one iteration eagerly.

From the first non-finite loss or gradient on nothing changes the state any more (nonfinite.py), so the repetition
starts from what the phase started from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.step.micro_batch import Data
from sg_keras.training.step.nonfinite import replaced_gradients
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.stylegan import StyleGAN


class NonFiniteError(ValueError):
    """Training met a NaN or Inf. The message is one line."""


class _FoundError(Exception):
    """Ends the repetition at the first NaN or Inf."""


class NonFiniteGuard(TickCallback):
    """Stops training at the first tick after a loss or gradient had NaN or Inf.

    Args:
        meter: of the run.
        fetch_batch: gives the whole batch of the iteration that starts after so many real images.
    """

    def __init__(self, meter: Meter, fetch_batch: Callable[[int], Data]) -> None:
        super().__init__(meter)
        self._fetch_batch = fetch_batch

    def on_tick(self, tick: Tick) -> None:
        self.check()

    def check(self) -> None:
        """Ask the device, also before a checkpoint is written.

        Raises:
            NonFiniteError: naming phase, and layer or variable.
        """
        first = self.model.monitor.first()
        if first is None:
            return
        index, nimg = first
        phase = next(phase for phase in self.model.phases if phase.index == index)
        place = first_nonfinite_layer(self.model, phase, self._fetch_batch(nimg), nimg)
        raise NonFiniteError(
            f"training stopped: found NaN or Inf in phase {phase.name} of the iteration at kimg "
            f"{nimg / 1000:g}, {place}; expected finite numbers (a larger --gamma or lower --glr and --dlr may help)"
        )


def first_nonfinite_layer(model: StyleGAN, phase: Phase, data: Data, nimg: int) -> str:
    """Repeat a phase eagerly, micro-batch by micro-batch, and say where the first NaN or Inf appears.

    Args:
        model: in the state from which the phase started.
        phase: to be repeated.
        data: whole batch of the iteration, that of all replicas.
        nimg: real images seen before it.
    """
    model.follow_structure(model.schedules.at(nimg))  # training has gone on since
    try:
        for variable in [*model.G.variables, *model.D.variables]:
            _require_finite(variable.value, f"already in the weight {variable.path}")
        gradients = _summed_gradients(model, phase, data, nimg)
    except _FoundError as found:
        return str(found)
    if not gradients:  # all is frozen
        return "which a repetition did not show"
    norm = tf.linalg.global_norm(list(gradients.values()))
    if model.computes_in_half:
        _, norm = replaced_gradients(list(gradients.values()), norm)
    if _is_finite(norm):
        return "which a repetition did not show"
    largest = max(gradients, key=lambda path: np.abs(gradients[path]).max())
    return f"first in the norm of the gradients, the largest is that of {largest}"


def _summed_gradients(model: StyleGAN, phase: Phase, data: Data, nimg: int) -> dict[str, tf.Tensor]:
    """Gradients of a phase by variable, summed over the micro-batches of all replicas."""
    variables, state, scalars = phase.trained_variables(model), phase.read_state(model), model.scalars_at(nimg)
    total: dict[str, tf.Tensor] = {}
    for number in range(model.num_rounds * model.num_replicas):
        micro = model.micro_batch(data, scalars, phase.index, number, number)
        with _checked_outputs([model.G, model.D]) as layers:
            result, loss, gradients = phase.differentiate(model, micro, state, variables)
        if layers:
            raise _FoundError(f"first in the output of layer {layers[0]}")
        _require_finite(loss, "first in the loss itself, all layers' outputs are finite")
        for variable, gradient in zip(variables, gradients, strict=True):
            if not model.computes_in_half:  # where gradients that overflow are replaced
                _require_finite(gradient, f"first in the gradient of {variable.path}, all layers' outputs are finite")
            total[variable.path] = gradient + total.get(variable.path, 0.0)
        state = {**state, **result.state}
    return total


@contextlib.contextmanager
def _checked_outputs(networks: list[keras.Model]) -> Iterator[list[str]]:
    """Within, every layer looks at what it returns. Gives the list of those that found something, first ones first.

    An inner layer returns before the one around it. Nothing is raised: Keras would rewrite the message.
    """
    layers = [layer for network in networks for layer in _layers_of(network)]
    found: list[str] = []
    for layer in layers:
        layer.call = _checked(layer, found)
    try:
        yield found
    finally:
        for layer in layers:
            del layer.call  # the class's own again


def _layers_of(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    yield layer
    for part in vars(layer).values():
        if isinstance(part, keras.layers.Layer):
            yield from _layers_of(part)


def _checked(layer: keras.layers.Layer, found: list[str]) -> Callable[..., Any]:
    call = layer.call

    def checked(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        if not all(_is_finite(output) for output in tf.nest.flatten(outputs) if output is not None):
            found.append(layer.path)
        return outputs

    return checked


def _require_finite(tensor: Any, place: str) -> None:
    if not _is_finite(tensor):
        raise _FoundError(place)


def _is_finite(tensor: Any) -> bool:
    return bool(np.all(np.isfinite(tf.convert_to_tensor(tensor).numpy())))
