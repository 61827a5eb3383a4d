"""Runs on images that are no squares, or have transparency: trained, killed and continued, looked at and exported."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import sg_keras
from sg_keras.config import TrainingConfig, parse_freeze
from sg_keras.export.saved_model import export_saved_model
from sg_keras.inference import viewable
from sg_keras.models import Discriminator, Generator
from sg_keras.tools import generate
from sg_keras.training.step.freezing import Freezing
from sg_keras.weights.snapshot import newest_snapshot
from tests.training.test_exact_resume import final_fingerprint, wait_for_tick
from tests.training.tiny_run import command, finish_here, only_run, start, write_images

ADA = ("--aug=ada", "--ada_kimg=0.1", "--augpipe=bgcfnc", "--cbase=64")


def test_rules_of_freezing_go_by_levels():
    """Of 40x24 the blocks 10x6, 20x12 and 40x24 are called b4, b8 and b16."""
    shared = {"img_resolution": (24, 40), "channel_base": 64, "channel_max": 4}
    G, D = Generator(z_dim=4, w_dim=4, **shared), Discriminator(**shared)
    freezing = Freezing(parse_freeze("g:<=8px; d:16px"), G, D)
    frozen = {v.path.split("/")[-3] for v in G.trainable_variables if freezing.is_frozen(v) and "/b" in v.path}
    assert {"b4", "b8"} <= frozen and "b16" not in frozen
    assert {v.path.split("/")[1] for v in D.trainable_variables if freezing.is_frozen(v)} == {"b16"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("cfg", "shape"),
    [("stylegan2", (64, 96, 3)), ("stylegan3-t", (32, 48, 4)), ("stylegan3-r", (64, 96, 3))],
    ids=["stylegan2-96x64", "stylegan3-t-48x32 RGBA", "stylegan3-r-96x64"],
)
def test_killed_and_continued_to_the_same_bits(cfg, shape, tmp_path):
    images = write_images(tmp_path / "images", shape)
    words = (f"--cfg={cfg}", *ADA, "--kimg=0.08", "--tick=0.016", "--snap=1", "--image_snap=100")
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    finish_here(command(images, undisturbed, *words))
    process = start(command(images, killed, *words))
    wait_for_tick(process, killed, 0, 2)
    process.kill()
    process.communicate(timeout=600)
    finish_here(command(images, killed, *words, "--resume=latest"))
    assert final_fingerprint(killed) == final_fingerprint(undisturbed)
    assert final_fingerprint(killed)[0] == 80


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run of two iterations on RGBA images of 24x16, ADA with all transforms on."""
    folder = tmp_path_factory.mktemp("rgba")
    images = write_images(folder / "images", (16, 24, 4))
    finish_here(command(images, folder / "runs", *ADA, "--kimg=0.016", "--tick=0.016", "--snap=1"))
    return only_run(folder / "runs")


def test_what_a_run_on_rgba_rectangles_says_and_leaves(run_dir):
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "24x16, RGBA, labels of width 3" in log
    config = TrainingConfig.from_json((run_dir / "training_config.json").read_text(encoding="utf-8"))
    assert (config.dataset.resolution, config.dataset.channels) == ((16, 24), 4)
    for name in ("reals.png", "fakes_init.png", "fakes000000.png"):
        with Image.open(run_dir / name) as grid:  # over a checkerboard
            assert (grid.mode, grid.size) == ("RGB", (3 * 24, 2 * 16)), name
    for source in (run_dir, newest_snapshot(run_dir)):
        G = sg_keras.load(source)["G_ema"]
        assert G.image_shape == (16, 24, 4)


def test_generated_files_have_alpha_and_the_grid_does_not(run_dir, tmp_path):
    assert generate.main([f"--network={run_dir}", f"--outdir={tmp_path}", "--seeds=0-4", "--class=1"]) == 0
    images = []
    for seed in range(5):
        with Image.open(tmp_path / f"seed{seed:04d}.png") as image:
            assert (image.mode, image.size) == ("RGBA", (24, 16))
            images.append(np.asarray(image))
    with Image.open(tmp_path / "grid.png") as grid:
        assert (grid.mode, grid.size) == ("RGB", (3 * 24, 2 * 16))
        np.testing.assert_array_equal(np.asarray(grid)[16:, 24:48], viewable(np.stack(images))[4])


def test_an_export_makes_the_same_rectangles(run_dir, tmp_path):
    G = sg_keras.load(run_dir, ops="reference")["G_ema"]
    model = tf.saved_model.load(str(export_saved_model(G, tmp_path / "model")))
    z, c = tf.random.stateless_normal([2, G.z_dim], [0, 0]), tf.eye(3)[:2]
    found = model.signatures["generate"](z=z, c=c, truncation_psi=tf.constant(1.0))
    assert found["images_uint8"].shape == (2, 16, 24, 4)
    np.testing.assert_allclose(found["images"], G(z, c), atol=1e-5)
