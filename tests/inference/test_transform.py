"""Where images are moved to."""

import numpy as np
import pytest

from sg_keras.inference import generate, inverse_transform
from tests.tiny_generator import tiny_generator


def test_directions():
    source = inverse_transform((0.25, 0.0)) @ [0.25, 0, 1]
    np.testing.assert_allclose(source, [0, 0, 1], atol=1e-12)  # the centre has gone to the right
    source = inverse_transform((0, 0), 90) @ [0, -0.5, 1]
    np.testing.assert_allclose(source, [0.5, 0, 1], atol=1e-12)  # the right side has gone to the top
    source = inverse_transform((0, 0.1), 90) @ [0, -0.4, 1]
    np.testing.assert_allclose(source, [0.5, 0, 1], atol=1e-12)  # first turned, then moved


def test_stylegan2_is_refused():
    with pytest.raises(ValueError, match="transform: found one, expected none, since StyleGAN2"):
        generate(tiny_generator(c_dim=0), [0], transform=np.eye(3))
