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
from sg_keras.training.step.nonfinite import replaced_gradients
from sg_keras.training.step.phase import MicroBatch, Phase
from sg_keras.training.step.stylegan import Batch, StyleGAN


class NonFiniteError(ValueError):
    """Training met an infinite or undefined number. The message is one line."""


class _CulpritFoundError(Exception):
    """Ends the repetition at the first number that is not finite."""


class NonFiniteGuard(TickCallback):
    """Stops training at the first tick after a loss or gradient was not finite.

    Args:
        meter: of the run.
        fetch_batch: gives the whole batch of the iteration that starts after so many real images.
    """

    def __init__(self, meter: Meter, fetch_batch: Callable[[int], Batch]) -> None:
        super().__init__(meter)
        self._fetch_batch = fetch_batch

    def on_tick(self, tick: Tick) -> None:
        self.check()

    def check(self) -> None:
        """Ask the device, also before a checkpoint is written.

        Raises:
            NonFiniteError: naming phase, and layer or variable.
        """
        first = self.model.watch.first()
        if first is None:
            return
        index, nimg = first
        phase = next(phase for phase in self.model.phases if phase.index == index)
        culprit = find_culprit(self.model, phase, self._fetch_batch(nimg), nimg)
        raise NonFiniteError(
            f"training stopped: found a number that is not finite in phase {phase.name} of the iteration at kimg "
            f"{nimg / 1000:g}, {culprit}; expected finite ones (a larger --gamma or lower --glr and --dlr may help)"
        )


def find_culprit(model: StyleGAN, phase: Phase, batch: Batch, nimg: int) -> str:
    """Repeat a phase eagerly, micro-batch by micro-batch, and say what first is not finite."""
    try:
        for variable in [*model.G.variables, *model.D.variables]:
            _require_finite(variable.value, f"already in the weight {variable.path}")
        gradients = _summed_gradients(model, phase, batch, nimg)
    except _CulpritFoundError as culprit:
        return str(culprit)
    if not gradients:  # all is frozen
        return "which a repetition did not show"
    norm = tf.linalg.global_norm(list(gradients.values()))
    if model.computes_in_half:
        _, norm = replaced_gradients(list(gradients.values()), norm)
    if _is_finite(norm):
        return "which a repetition did not show"
    largest = max(gradients, key=lambda path: np.abs(gradients[path]).max())
    return f"first in the norm of the gradients, the largest is that of {largest}"


def _summed_gradients(model: StyleGAN, phase: Phase, batch: Batch, nimg: int) -> dict[str, tf.Tensor]:
    """Gradients of a phase by variable, summed over micro-batches."""
    variables, state = phase.trained_variables(model), phase.read_state(model)
    sources = [v.value for v in variables]
    total: dict[str, tf.Tensor] = {}
    for number in range(model.num_rounds * model.num_replicas):
        micro = _micro_batch(model, phase, batch, nimg, number)
        with tf.GradientTape(watch_accessed_variables=False) as tape, _checked_outputs([model.G, model.D]) as culprits:
            tape.watch(sources)
            result = phase.loss(model, micro, state)
            loss = tf.reduce_mean(result.loss) * phase.interval
        if culprits:
            raise _CulpritFoundError(f"first in the output of layer {culprits[0]}")
        _require_finite(loss, "first in the loss itself, all layers' outputs are finite")
        gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for variable, gradient in zip(variables, gradients, strict=True):
            if not model.computes_in_half:  # where gradients that overflow are replaced
                _require_finite(gradient, f"first in the gradient of {variable.path}, all layers' outputs are finite")
            total[variable.path] = gradient + total.get(variable.path, 0.0)
        state = {**state, **result.state}
    return total


def _micro_batch(model: StyleGAN, phase: Phase, batch: Batch, nimg: int, number: int) -> MicroBatch:
    """Micro-batch `number` of an iteration, from the batch of all replicas."""
    share = slice(number * model.batch_gpu, (number + 1) * model.batch_gpu)
    return MicroBatch(
        images=tf.cast(batch["image"][share], model.D.compute_dtype) / 127.5 - 1,
        labels=batch["label"][share],
        gen_labels=batch["gen_label"][share, phase.index],
        first_sample=tf.constant(nimg + number * model.batch_gpu, tf.int64),
        size=model.batch_gpu,
        phase=phase.index,
        **model.before_D(nimg)._asdict(),
    )


@contextlib.contextmanager
def _checked_outputs(networks: list[keras.Model]) -> Iterator[list[str]]:
    """Within, every layer looks at what it returns. Gives the list of those that found something, first ones first.

    An inner layer returns before the one around it. Nothing is raised: Keras would rewrite the message.
    """
    layers = [layer for network in networks for layer in _layers_of(network)]
    culprits: list[str] = []
    for layer in layers:
        layer.call = _checked(layer, culprits)
    try:
        yield culprits
    finally:
        for layer in layers:
            del layer.call  # the class's own again


def _layers_of(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    yield layer
    for part in vars(layer).values():
        if isinstance(part, keras.layers.Layer):
            yield from _layers_of(part)


def _checked(layer: keras.layers.Layer, culprits: list[str]) -> Callable[..., Any]:
    call = layer.call

    def checked(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        if not all(_is_finite(output) for output in tf.nest.flatten(outputs) if output is not None):
            culprits.append(layer.path)
        return outputs

    return checked


def _require_finite(tensor: Any, culprit: str) -> None:
    if not _is_finite(tensor):
        raise _CulpritFoundError(culprit)


def _is_finite(tensor: Any) -> bool:
    return bool(np.all(np.isfinite(tf.convert_to_tensor(tensor).numpy())))
