"""BRISQUE: what its paper says of its features, and what scores do where images get worse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import scipy.special

from sg_keras.curation import brisque as module
from sg_keras.curation.brisque import brisque, brisque_features


@pytest.fixture(scope="module")
def luma() -> np.ndarray:
    """Noise with the power spectrum of photographs, and edges: [192,256]."""
    random = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(192)[:, None], np.fft.fftfreq(256)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(random.normal(size=[192, 256])) / frequency
    noise = np.fft.ifft2(spectrum).real
    steps = scipy.ndimage.zoom(random.uniform(-1, 1, [6, 8]), 32, order=0)
    return np.clip(128 + 25 * noise / noise.std() + 50 * steps, 0, 255)


def test_worse_images_have_higher_scores(luma: np.ndarray):
    sharp, random = brisque(luma), np.random.default_rng(1)
    blurred = [brisque(scipy.ndimage.gaussian_filter(luma, sigma)) for sigma in (1.5, 3)]
    noisy = [brisque(np.clip(luma + random.normal(0, sigma, luma.shape), 0, 255)) for sigma in (20, 60)]
    assert sharp < blurred[0] < blurred[1]
    assert sharp < noisy[0] and sharp < noisy[1]
    assert blurred[1] > 50


def test_features(luma: np.ndarray):
    features = brisque_features(luma)
    assert features.shape == (36,) and np.isfinite(features).all()
    np.testing.assert_array_equal(features[:18], brisque_features(luma)[:18])
    # Turned by a quarter, horizontal and vertical products change places, and so do nothing else's.
    turned = brisque_features(np.ascontiguousarray(luma.T))
    np.testing.assert_allclose(turned[:2], features[:2], rtol=1e-6)
    np.testing.assert_allclose(turned[2:6], features[6:10], rtol=1e-6)
    np.testing.assert_allclose(turned[10:14], features[10:14], rtol=1e-6)


@pytest.mark.parametrize("shape, left, right", [(2.0, 1.0, 1.0), (1.0, 0.5, 2.0), (0.6, 2.0, 1.0)])
def test_the_fit_finds_a_distribution_again(shape: float, left: float, right: float):
    random = np.random.default_rng(2)
    scales = {
        side: side * np.sqrt(scipy.special.gamma(1 / shape) / scipy.special.gamma(3 / shape)) for side in (left, right)
    }
    sizes = random.gamma(1 / shape, size=400_000) ** (1 / shape)
    is_left = random.uniform(size=sizes.shape) < left / (left + right)
    values = np.where(is_left, -scales[left] * sizes, scales[right] * sizes)
    found = module._fitted(values)
    np.testing.assert_allclose(found, (shape, left**2, right**2), rtol=0.03)


@pytest.mark.parametrize("pixels", [np.zeros([80, 80]), np.full([64, 64], 200.0), np.ones([63, 200])])
def test_images_of_which_nothing_can_be_said(pixels: np.ndarray):
    assert brisque(pixels) is None


def test_another_model_file_is_refused(monkeypatch: pytest.MonkeyPatch, luma: np.ndarray):
    monkeypatch.setattr(module, "MODEL_SHA256", "0" * 64)
    module._model.cache_clear()
    with pytest.raises(ValueError, match=r"brisque\.npz: found SHA-256 .*, expected 0000"):
        brisque(luma)
    monkeypatch.undo()
    module._model.cache_clear()
    assert module._model()["vectors"].shape == (770, 36)
