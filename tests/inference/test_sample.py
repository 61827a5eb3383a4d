"""Images from seeds."""

import numpy as np
import pytest

from sg_keras.inference import (
    StyleMaker,
    StyleRenderer,
    class_label,
    cycled_classes,
    generate,
    latent,
    to_uint8,
    vector_label,
)
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


@pytest.fixture(scope="module")
def G():  # noqa: N802
    return tiny_generator()


def test_labels():
    np.testing.assert_array_equal(class_label(2, 3), [[0, 0, 1]])
    assert cycled_classes([0, 4, 11], 3) == [0, 1, 2]
    assert cycled_classes([0, 4, 11], 0) is None


@pytest.mark.parametrize(
    "c_dim, message",
    [(3, "class: found 3, expected 0 to 2"), (0, "class: found 3, expected none, since the network is not")],
)
def test_labels_that_do_not_exist(c_dim, message):
    with pytest.raises(ValueError, match=message):
        class_label(3, c_dim)


def test_labels_that_are_vectors(G):
    np.testing.assert_array_equal(vector_label((0.5, -1), 2), np.array([[0.5, -1]], np.float32))
    one_hot = np.eye(3, dtype=np.float32)[[2, 0]]
    for by_vector, by_class in zip(generate(G, [3, 11], labels=one_hot), generate(G, [3, 11], [2, 0]), strict=True):
        np.testing.assert_array_equal(by_vector, by_class)
    for labels, classes in ((one_hot[:1], None), (one_hot[:, :2], None), (one_hot, [2, 0])):
        with pytest.raises(ValueError, match=r"labels: found \[.*\], expected \[2, 3\] and no classes beside"):
            generate(G, [3, 11], classes, labels=labels)


def test_images_are_the_networks(G):
    seeds, classes = [3, 11], [2, 0]
    images = list(generate(G, seeds, classes, truncation_psi=0.5, truncation_cutoff=2))
    for seed, class_index, image in zip(seeds, classes, images, strict=True):
        z = latent(seed, 8).astype(np.float32)
        expected = G(z, class_label(class_index, 3), truncation_psi=0.5, truncation_cutoff=2, noise_mode="const")
        assert (image.dtype, image.shape) == (np.uint8, (16, 16, 1))
        assert np.abs(image.astype(int) - to_uint8(np.asarray(expected)[0])).max() <= 1


@pytest.mark.parametrize("noise_mode", ["const", "random", "none"])
def test_a_image_depends_on_its_own_seed_alone(G, noise_mode):
    alone = list(generate(G, [5], [1], noise_mode=noise_mode))
    among_others = list(generate(G, [4, 5, 5], [0, 1, 1], noise_mode=noise_mode))
    np.testing.assert_array_equal(alone[0], among_others[1])
    np.testing.assert_array_equal(alone[0], among_others[2])
    assert np.any(among_others[0] != among_others[1])


@pytest.mark.parametrize(
    "cfg, noise_mode",
    [("stylegan2", "const"), ("stylegan2", "random"), ("stylegan3-t", "const"), ("stylegan3-r", "const")],
)
def test_bytes_do_not_depend_on_how_many_are_made(cfg, noise_mode):
    """Latents and styles as wide as usual: matrix products of eight rows are not those of one, to the bit."""
    G = tiny_generator(cfg=cfg, width=512)
    seeds, labels = range(19), np.eye(3, dtype=np.float32)[np.arange(19) % 3]
    maker, renderer = StyleMaker(G), StyleRenderer(G, noise_mode=noise_mode)

    def images(some):
        ws = maker.of_seeds(some, labels[list(some)], truncation_psi=0.9)
        return [image.tobytes() for image in renderer.images(ws, noise_seeds=some)]

    expected = images(seeds)
    assert len(set(expected)) == 19
    for count in (1, 2, 3, 8):
        assert images(seeds[:count]) == expected[:count]
    assert images([18, 7]) == [expected[18], expected[7]]
    together = generate(G, seeds[:8], labels=labels[:8], truncation_psi=0.9, noise_mode=noise_mode, batch=8)
    alone = np.frombuffer(b"".join(expected[:8]), np.uint8).reshape([8, *G.image_shape])
    assert np.abs(np.stack(list(together)).astype(int) - alone).max() <= 1


def test_what_the_options_do(G):
    def image(seed=5, class_index=1, **options):
        return next(generate(G, [seed], [class_index], **options))

    plain = image()
    for options in ({"class_index": 2}, {"truncation_psi": 0.5}, {"noise_mode": "none"}, {"noise_mode": "random"}):
        assert np.any(image(**options) != plain), options
    assert np.any(image(truncation_psi=0.5, truncation_cutoff=1) != image(truncation_psi=0.5))
    np.testing.assert_array_equal(image(5, 1, truncation_psi=0.0), image(6, 2, truncation_psi=0.0))


def test_an_unconditional_colour_network():
    images = list(generate(tiny_generator(c_dim=0, channels=3), [0, 1]))
    assert [image.shape for image in images] == [(16, 16, 3)] * 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"seeds": [0]}, "class: found none, expected 0 to 2, since the network is conditional"),
        ({"seeds": [0], "classes": [3]}, "class: found 3"),
        ({"seeds": [-1], "classes": [0]}, "seeds: found -1"),
        ({"seeds": [0], "classes": [0], "noise_mode": "some"}, "noise-mode: found 'some'"),
    ],
)
def test_errors_come_before_the_first_image(G, options, message):
    with pytest.raises(ValueError, match=message):
        generate(G, **options)
