"""Latents, styles, and files of styles."""

import numpy as np
import pytest

from sg_keras.inference import StyleRenderer, latent, latents, read_styles, styles, to_uint8, write_styles
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


@pytest.fixture(scope="module")
def G():  # noqa: N802
    return tiny_generator()


def test_latents_are_those_of_the_published_generators():
    np.testing.assert_array_equal(latent(7, 4), np.random.RandomState(7).randn(1, 4))
    np.testing.assert_array_equal(latents([7, 0], 5), np.concatenate([latent(7, 5), latent(0, 5)]))
    assert latents([], 3).shape == (0, 3)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range(seed):
    with pytest.raises(ValueError, match=f"seeds: found {seed}, expected 0 to 4294967295"):
        latent(seed, 4)


def test_styles_do_not_depend_on_their_neighbours(G):
    z, labels = latents(range(9), G.z_dim), np.eye(3, dtype=np.float32)[np.arange(9) % 3]
    together = styles(G, z, labels, truncation_psi=0.5, truncation_cutoff=2)
    assert (together.shape, together.dtype) == ((9, G.num_ws, G.w_dim), np.float32)
    for i in (0, 8):
        alone = styles(G, z[i : i + 1], labels[i : i + 1], truncation_psi=0.5, truncation_cutoff=2)
        np.testing.assert_array_equal(alone[0], together[i])
    expected = G.mapping(z.astype(np.float32), labels, truncation_psi=0.5, truncation_cutoff=2).numpy()
    np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-5)


def test_styles_come_back_from_their_file(tmp_path):
    w = np.random.RandomState(0).randn(2, 3, 4).astype(np.float32)
    write_styles(tmp_path / "w.npz", w)
    np.testing.assert_array_equal(read_styles(tmp_path / "w.npz", 3, 4), w)
    np.savez(tmp_path / "one.npz", w=w[0, 0])
    np.testing.assert_array_equal(read_styles(tmp_path / "one.npz", 3, 4), np.repeat(w[:1, :1], 3, axis=1))


def test_files_that_hold_no_styles(tmp_path):
    np.savez(tmp_path / "wide.npz", w=np.zeros([1, 3, 5]))
    np.savez(tmp_path / "named.npz", z=np.zeros([1, 3, 4]))
    np.savez(tmp_path / "nan.npz", w=np.full([1, 3, 4], np.nan))
    (tmp_path / "text.npz").write_text("w")
    for name, message in (
        ("wide", r"found w \[1, 3, 5\], expected \[N, 3, 4\], the styles of the network"),
        ("named", "found no array w in it"),
        ("text", "found no array w in it"),
        ("nan", "found NaN or Inf in w"),
    ):
        with pytest.raises(ValueError, match=message):
            read_styles(tmp_path / f"{name}.npz", 3, 4)


def test_a_renderer_gives_the_networks_images(G):
    ws = styles(G, latents(range(5), G.z_dim), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]])
    images = np.stack(list(StyleRenderer(G, batch=2).images(ws)))
    expected = to_uint8(G.synthesis(ws, noise_mode="const").numpy())
    assert images.shape == (5, *G.image_shape)
    assert np.abs(images.astype(int) - expected).max() <= 1
    with pytest.raises(ValueError, match="transform: found one, expected none"):
        StyleRenderer(G).images(ws, transforms=[np.eye(3)] * 5)
