"""Images of other sizes than the network's."""

import numpy as np
import pytest

from sg_keras.config.sizes import ImageSize
from sg_keras.inference import StyleRenderer, generate, inverse_transform, latents, styles
from sg_keras.inference.output_size import _extended, synthesis_of_size
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


def contrasting(cfg, resolution=16):
    G = tiny_generator(c_dim=0, cfg=cfg, resolution=resolution)
    last = [variable for variable in G.synthesis.variables if variable.path.endswith("weight")][-1]
    last.assign(last * (1 if cfg == "stylegan2" else 16))
    return G


def test_what_is_extended():
    values = np.arange(3)[:, np.newaxis]
    assert _extended(values, (8, 1), False)[:, 0].tolist() == [1, 2, 0, 1, 2, 0, 1, 2]
    assert _extended(values, (8, 1), True)[:, 0].tolist() == [1, 0, 0, 1, 2, 2, 1, 0]
    assert _extended(values, (1, 2), False).tolist() == [[1, 1]]


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-t", "stylegan3-r"])
@pytest.mark.parametrize("size", [ImageSize(40, 24), ImageSize(16, 33), ImageSize(8, 16)])
def test_sizes(cfg, size):
    (image,) = generate(contrasting(cfg), [3], size=size)
    assert image.shape == (size.height, size.width, 1)
    assert image.std() > 10


def test_the_own_size_is_the_network_itself():
    G = tiny_generator(c_dim=0)
    assert synthesis_of_size(G, G.size) is G.synthesis
    with pytest.raises(ValueError, match="extend: found 'edge', expected tile or mirror"):
        StyleRenderer(G, extend="edge")


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
def test_a_wider_view_of_stylegan3_has_the_image_in_its_middle(cfg):
    """Its own image, since nothing depends on where the edges are but what the margin keeps away from the image."""
    G = contrasting(cfg, resolution=32)
    ws = styles(G, latents([3], 8), np.zeros([1, 0]))
    moves = [inverse_transform((0.1, 0.0), 20)]
    own = next(StyleRenderer(G).images(ws, transforms=moves)).astype(int)
    wide = next(StyleRenderer(G, size=ImageSize(64, 80)).images(ws, transforms=moves)).astype(int)
    middle = wide[16:48, 24:56]
    assert np.abs(middle - own)[8:-8, 8:-8].max() <= 2
    assert wide[:, :20].std() > 10, "expected more of the scene, not a border"


@pytest.mark.parametrize("no_const", [False, True])
def test_stylegan2_tiles_its_constant(no_const):
    G = tiny_generator(c_dim=0, no_const=no_const)
    for variable in G.synthesis.variables:
        if variable.path.endswith("noise_strength"):
            variable.assign(0.0)
    ws = styles(G, latents([3], 8), np.zeros([1, 0]))
    size = ImageSize(16, 160)  # far from its edges, where convolutions see zeros
    tiled, mirrored = (synthesis_of_size(G, size, extend)(ws).numpy()[0] for extend in ("tile", "mirror"))
    assert tiled[:, 64:80].std() > 0.1
    np.testing.assert_allclose(tiled[:, 64:80], tiled[:, 80:96], atol=1e-5)
    assert np.abs(mirrored[:, 64:80] - tiled[:, 64:80]).max() > 0.1
    np.testing.assert_allclose(mirrored[:, 48:80], mirrored[:, 80:112], atol=1e-5)
