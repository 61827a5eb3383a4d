"""Adam against the algorithm written out in NumPy, with variables that some steps skip."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from sg_keras.training.step.adam import Adam, lazy_adam


@pytest.mark.parametrize("beta_1", [0.0, 0.5])
def test_steps_are_counted_for_each_variable(beta_1):
    random = np.random.RandomState(0)
    variables = [keras.Variable(random.randn(3), dtype="float64", name=n) for n in ("a", "b")]
    optimizer = Adam(0.1, beta_1, 0.9, 1e-3)
    optimizer.build(variables)
    expected = [v.numpy().copy() for v in variables]
    moments = [[np.zeros(3), np.zeros(3), 0] for _ in variables]
    for chosen in ([0, 1], [1], [0, 1], [0]):
        grads = [random.randn(3) for _ in chosen]
        optimizer.apply(grads, [variables[i] for i in chosen])
        for i, grad in zip(chosen, grads, strict=True):
            m, v, t = moments[i]
            m, v, t = beta_1 * m + (1 - beta_1) * grad, 0.9 * v + 0.1 * grad**2, t + 1
            moments[i] = [m, v, t]
            # The learning rate is a single-precision variable of Keras.
            expected[i] -= np.float32(0.1) * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-12)
    assert optimizer.steps.numpy().tolist() == [3, 3]


def test_lazy_regularisation_scales_rate_and_decay():
    optimizer = lazy_adam(0.002, 0.0, 0.99, 1e-8, 4, "g")
    assert float(optimizer.learning_rate) == pytest.approx(0.0016)
    assert optimizer.beta_2 == pytest.approx(0.99 ** (4 / 5))
    assert lazy_adam(0.002, 0.0, 0.99, 1e-8, None, "g").beta_2 == 0.99
