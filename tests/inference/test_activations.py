"""What layers make, shown."""

import numpy as np
import pytest

from sg_keras.inference import (
    ActivationReader,
    channel_images,
    channel_scales,
    channel_sheet,
    channel_spectra,
    closed_walk,
)
from tests.tiny_generator import tiny_generator


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-r"])
def test_layers_as_they_are_on_the_way_to_the_image(cfg):
    G = tiny_generator(c_dim=0, cfg=cfg, channels=3)
    ws = np.random.RandomState(0).randn(2, G.num_ws, G.w_dim).astype(np.float32)
    reader = ActivationReader(G)
    maps = reader.maps(ws)
    assert list(maps) == reader.layers and reader.layers[-1] == "image"
    image = G.synthesis(ws, noise_mode="const").numpy()
    np.testing.assert_allclose(maps["image"], image, rtol=1e-4, atol=1e-5)
    last = reader.layers[-2]
    scale = 1 if cfg == "stylegan2" else G.synthesis.output_scale
    np.testing.assert_allclose(maps[last] * scale, image, rtol=1e-4, atol=1e-5)
    chosen = ActivationReader(G, [last, reader.layers[1]])
    assert chosen.layers == [reader.layers[1], last], "expected the network's order"
    np.testing.assert_allclose(chosen.maps(ws)[last], maps[last], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=f"layers: found 'x{last}', expected a layer of the network .*{last}"):
        ActivationReader(G, [f"x{last}"])


def test_channels_as_images():
    maps = np.zeros([1, 10, 20, 3])
    maps[0, :5, :, 0], maps[0, 5:, :, 0] = -2, 1
    maps[0, :, :, 1] = 1e6
    scales = channel_scales(maps)
    np.testing.assert_allclose(scales, [2, 1e6, 1])
    images = channel_images(maps[0], scales)
    assert images.shape == (3, 10, 20, 1) and images.dtype == np.uint8
    assert (images[0, 0, 0, 0], images[0, 9, 0, 0]) == (0, 191)
    assert (images[1] == 255).all() and (images[2] == 128).all()
    sheet = channel_sheet(images)
    assert sheet.shape == (2 * 72, 2 * 142, 1)  # enlarged sevenfold, with gaps
    np.testing.assert_array_equal(sheet[:70, :140], images[0].repeat(7, axis=0).repeat(7, axis=1))
    assert (sheet[70] == 255).all() and (sheet[72:, 142:] == 255).all(), "expected white gaps and leftover places"


def test_a_wave_is_a_pair_of_points_in_its_spectrum():
    side, periods = 64, 9
    x = np.arange(side)
    waves = np.stack([np.cos(2 * np.pi * periods * x / side) + 5 + 0 * x[:, np.newaxis], np.ones([side, side])], axis=2)
    spectrum, flat = channel_spectra(waves)
    row, column = np.unravel_index(np.argsort(spectrum[..., 0], axis=None)[-2:], [side, side])
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == {(32, 32 - periods), (32, 32 + periods)}
    assert spectrum[32, 32] < 60, "expected neither the mean nor the edges"
    assert (flat == 0).all()


def test_a_walk_passes_its_styles_and_closes():
    ws = np.random.RandomState(0).randn(3, 2, 4).astype(np.float32)
    walk = closed_walk(ws, 10)
    assert walk.shape == (30, 2, 4) and walk.dtype == ws.dtype
    np.testing.assert_allclose(walk[::10], ws, atol=1e-6)
    steps = np.linalg.norm(np.diff(np.concatenate([walk, walk[:1]]), axis=0), axis=(1, 2))
    assert steps.max() < 3 * steps.mean()
