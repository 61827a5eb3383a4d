"""Points dragged to other places, and features that have places."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.inference import latents, styles
from sg_keras.inference.arrows import with_arrows
from sg_keras.inference.dragging import Dragger, DragSettings
from sg_keras.inference.feature_maps import PlacedMaps, placed_maps
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


def start_of(G):
    return styles(G, latents([1], G.z_dim), np.zeros([1, G.c_dim], np.float32))[0]


@pytest.mark.parametrize(("cfg", "held"), [("stylegan2", 0), ("stylegan3-r", 1)])
def test_the_first_layers_styles_change(cfg, held):
    G = tiny_generator(c_dim=0, cfg=cfg)
    ws = start_of(G)
    dragger = Dragger(G, DragSettings(num_steps=4, layers=2, learning_rate=0.05))
    steps = list(dragger.steps(ws, handles=[(4, 5), (10, 10)], targets=[(9, 5), (10, 4)]))
    assert [step.done for step in steps] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(steps[0].handles, [(4, 5), (10, 10)], atol=1e-4)
    assert steps[0].left == pytest.approx(6, abs=1e-3)
    np.testing.assert_array_equal(steps[0].ws, ws)
    changed = np.abs(steps[-1].ws - ws).max(axis=1) > 0
    assert changed.tolist() == [held <= layer < held + 2 for layer in range(G.num_ws)]


def test_a_mask_holds_the_rest():
    G = tiny_generator(c_dim=0)
    ws, mask = start_of(G), np.zeros([16, 16])
    mask[:, :8] = 1
    changes = []
    for given in (None, mask):
        settings = DragSettings(num_steps=10, learning_rate=0.02, mask_factor=100.0)
        *_, last = Dragger(G, settings).steps(ws, [(3, 8)], [(3, 2)], given)
        maps, before = (placed_maps(G, tf.constant(w[np.newaxis])).values.numpy() for w in (last.ws, ws))
        changes.append(np.abs(maps - before)[:, :, 4:].mean())
    assert changes[1] < 0.5 * changes[0]


def test_points_that_arrive_end_it():
    G = tiny_generator(c_dim=0)
    assert len(list(Dragger(G).steps(start_of(G), [(4, 4)], [(4, 5)]))) == 1


@pytest.mark.parametrize(
    ("handles", "targets", "mask", "message"),
    [
        ([], [], None, "points: found 0 handles"),
        ([(1, 1)], [(16, 1)], None, "points: found 16,1, expected a point from 0,0 to 15,15"),
        ([(1, 1)], [(2, 1)], np.ones([8, 8]), r"mask: found \[8, 8\], expected \[16, 16\]"),
    ],
)
def test_what_does_not_fit(handles, targets, mask, message):
    G = tiny_generator(c_dim=0)
    with pytest.raises(ValueError, match=message):
        Dragger(G).steps(start_of(G), handles, targets, mask)


def test_maps_have_the_places_of_the_image():
    """A map of half the resolution and a margin of 3 samples, whose values are where they lie."""
    rows, columns = np.meshgrid(np.arange(14.0), np.arange(12.0), indexing="ij")
    maps = PlacedMaps(tf.constant(np.stack([columns, rows], axis=-1)[np.newaxis]), 0.5, (16, 12))
    found = maps.at(tf.constant([[0.5, 0.5], [11.0, 15.0], [2.5, 4.5]], tf.float64)).numpy()
    np.testing.assert_allclose(found, [[3, 3], [8.25, 10.25], [4, 5]])
    kept = maps.kept(np.arange(16 * 12).reshape(16, 12) >= 96)
    assert kept[:7].sum() == 0 and kept[7:11, 3:9].all() and kept.sum() == 4 * 6


def test_arrows_are_drawn_where_the_points_are():
    drawn = with_arrows(np.zeros([16, 16, 1], np.uint8), [(2, 3)], [(12, 3)], enlarge=8)
    assert drawn.shape == (128, 128, 3)
    assert drawn[28, 20, 0] > 200 and drawn[28, 100, 2] > 200 and drawn[28, 60].tolist() == [255, 255, 255]
    assert with_arrows(np.zeros([8, 8, 4], np.uint8), [], []).shape == (8, 8, 3)
