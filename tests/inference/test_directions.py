"""Directions in W, and styles moved along them."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from sg_keras.inference import (
    along_directions,
    closed_form_directions,
    moved_styles,
    principal_directions,
    sampled_styles,
    swing,
)
from tests.tiny_generator import tiny_generator


@pytest.fixture(scope="module")
def G():  # noqa: N802
    return tiny_generator(c_dim=0)


def vectors_of(directions):
    return np.stack([direction.vector for direction in directions])


def aligned(found, expected):
    """Absolute cosines, since a direction has no sign of its own."""
    return np.abs(np.sum(found * expected, axis=1))


def test_what_the_layers_read_of_w_is_found():
    """Layers that read three orthogonal directions alone, one more than the next."""
    G = tiny_generator(c_dim=0)
    random = np.random.RandomState(0)
    basis, _ = np.linalg.qr(random.randn(8, 8))
    strengths = np.array([4.0, 2.0, 1.0])
    for block in G.synthesis.blocks:
        for layer in ([block.conv0] if block.in_channels else []) + [block.conv1]:
            outputs, _ = np.linalg.qr(random.randn(layer.affine.units, layer.affine.units))
            layer.affine.weight.assign(basis[:, :3] @ (strengths[:, np.newaxis] * outputs[:3]))
        block.torgb.affine.weight.assign(100 * random.randn(*block.torgb.affine.weight.shape))  # plays no part
    directions = closed_form_directions(G, 3, layers=(1, 4))
    np.testing.assert_allclose(aligned(vectors_of(directions), basis[:, :3].T), 1, atol=1e-5)
    assert [direction.name for direction in directions] == ["closed-form-0", "closed-form-1", "closed-form-2"]
    w = sampled_styles(G)
    for direction in directions:
        assert (direction.layers, direction.method) == ((1, 4), "closed-form")
        assert direction.vector[np.abs(direction.vector).argmax()] > 0
        np.testing.assert_allclose(direction.sigma, np.std(w @ direction.vector), rtol=1e-4)


@pytest.mark.parametrize(
    "cfg, no_const, index", [("stylegan2", False, 3), ("stylegan2", True, 4), ("stylegan3-t", False, 3)]
)
def test_layers_are_taken_by_their_styles(cfg, no_const, index):
    """The directions of one layer are those of its own weights."""
    G = tiny_generator(c_dim=0, cfg=cfg, no_const=no_const)
    layer = G.synthesis.b16.conv0 if cfg == "stylegan2" else G.synthesis.alias_free_layers[2]
    direction, *_ = closed_form_directions(G, 1, layers=(index, index))
    _, _, expected = np.linalg.svd(np.asarray(layer.affine.weight).T)
    np.testing.assert_allclose(aligned(direction.vector[np.newaxis], expected[:1]), 1, atol=1e-5)
    last = G.num_ws - 1
    with pytest.raises(ValueError, match=f"layers: found {last} to {last}, which make no features"):
        closed_form_directions(G, 1, layers=(last, last))


def test_principal_components_are_those_of_another_implementation(G):
    w = sampled_styles(G, 2000)
    directions = principal_directions(G, 4, w=w)
    reference = PCA(4, svd_solver="full").fit(w.astype(np.float64))
    np.testing.assert_allclose(aligned(vectors_of(directions), reference.components_), 1, atol=1e-6)
    sigmas = np.sqrt(reference.explained_variance_ * (len(w) - 1) / len(w))
    np.testing.assert_allclose([direction.sigma for direction in directions], sigmas, rtol=1e-5)


def test_samples_of_w():
    """They are the mapping network's, one after another whatever their number, with labels by turns."""
    G = tiny_generator()
    w = sampled_styles(G, 1203, seed=5)
    np.testing.assert_array_equal(sampled_styles(G, 7, seed=5), w[:7])
    z = np.random.RandomState(5).randn(7, G.z_dim)
    labels = np.eye(3)[np.arange(7) % 3]
    expected = G.mapping.styles(z.astype(np.float32), labels.astype(np.float32)).numpy()
    np.testing.assert_allclose(w[:7], expected, rtol=1e-4, atol=1e-5)
    one_class = sampled_styles(G, 7, seed=5, labels=labels[1:2])
    np.testing.assert_allclose(one_class[1], w[1], rtol=1e-4, atol=1e-5)
    assert np.abs(one_class[0] - w[0]).max() > 1e-2
    with pytest.raises(ValueError, match=r"labels: found \[1, 2\], expected \[n, 3\]"):
        sampled_styles(G, 7, labels=np.zeros([1, 2]))


def test_styles_are_moved_in_their_layers_alone(G):
    first, second = principal_directions(G, 2, layers=(1, 2))
    ws = np.random.RandomState(0).randn(3, G.num_ws, G.w_dim).astype(np.float32)
    before = ws.copy()
    moved = moved_styles(ws, [first, second], [2, -1])
    np.testing.assert_array_equal(ws, before)
    step = 2 * first.sigma * first.vector - second.sigma * second.vector
    np.testing.assert_allclose(moved[:, 1:3] - ws[:, 1:3], np.broadcast_to(step, [3, 2, 8]), atol=1e-6)
    np.testing.assert_array_equal(moved[:, [0, 3, 4, 5]], ws[:, [0, 3, 4, 5]])
    assert moved.dtype == ws.dtype
    each = moved_styles(ws, [first, second], [[2, -1], [0, 0], [1, 1]])
    np.testing.assert_array_equal(each[0], moved[0])
    np.testing.assert_array_equal(each[1], ws[1])


def test_films_swing_along_directions_and_close(G):
    first, second = principal_directions(G, 2, layers=(0, 2))
    ws = np.random.RandomState(0).randn(8, 2, G.num_ws, G.w_dim)
    found = along_directions([first, second], swing(8, [2, -1], count=2))(np.arange(8), ws)
    np.testing.assert_allclose(found[::2], ws[::2], atol=1e-12)
    for frame, sign in ((1, 1), (3, -1), (5, 1), (7, -1)):
        np.testing.assert_allclose(found[frame], moved_styles(ws[frame], [first, second], [2 * sign, -sign]), atol=1e-9)
    parts = along_directions([first, second], swing(8, [2, -1], count=2))(np.arange(5, 8), ws[5:])
    np.testing.assert_array_equal(parts, found[5:])
    np.testing.assert_allclose(swing(8, [2, -1], count=0)(np.arange(3)), [[2, -1]] * 3)


def test_what_cannot_be(G):
    directions = principal_directions(G, 2)
    ws = np.zeros([1, G.num_ws, G.w_dim])
    for work, message in (
        (lambda: principal_directions(G, 9), "count: found 9, expected 1 to 8"),
        (lambda: principal_directions(G, 1, layers=(0, 6)), "layers: found 0 to 6, expected some of 0 to 5"),
        (lambda: moved_styles(ws, directions, [1]), r"amounts: found \[1\], expected one for each of 2 directions"),
        (
            lambda: moved_styles(ws[..., :4], directions, [1, 1]),
            "direction pca-0: found a width of 8 and layers up to 5",
        ),
        (lambda: moved_styles(ws[:, :4], directions, [1, 1]), "expected 8 and 3 at most, those of the network"),
    ):
        with pytest.raises(ValueError, match=message):
            work()
