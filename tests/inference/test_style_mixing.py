"""Style mixing."""

import numpy as np
import pytest

from sg_keras.inference import generate, latents, mix, mix_styles, styles, to_uint8
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


def test_styles_that_are_taken():
    w, other = np.zeros([4, 2]), np.ones([4, 2])
    assert mix_styles(w, other, [1, 3])[:, 0].tolist() == [0, 1, 0, 1]
    assert not w.any()
    with pytest.raises(ValueError, match="styles: found 4, expected 0 to 3, the styles of the network"):
        mix_styles(w, other, [0, 4])


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-t"])
def test_a_table(cfg):
    G = tiny_generator(cfg=cfg)
    classes = [0, 1, 2, 0, 1]
    how = {"truncation_psi": 0.8, "noise_mode": "random"}
    images = np.stack(list(mix(G, [5, 6], [1, 2, 3], [0, 1], classes, **how)))
    own = np.stack(list(generate(G, [5, 6, 1, 2, 3], classes, **how)))
    table = images[3:].reshape(2, 4, *G.image_shape)
    np.testing.assert_array_equal(images[:3], own[2:])
    np.testing.assert_array_equal(table[:, 0], own[:2])
    ws = styles(G, latents([6, 2], 8), np.eye(3)[[1, 0]], truncation_psi=0.8)
    mixed = G.synthesis(mix_styles(*ws, [0, 1])[np.newaxis], noise_mode="random", noise_seed=np.array([0, 6]))
    assert np.abs(table[1, 2].astype(int) - to_uint8(mixed.numpy()[0])).max() <= 1
    with pytest.raises(ValueError, match=f"styles: found 99, expected 0 to {G.num_ws - 1}"):
        mix(G, [5], [1], [99], [0, 1])
