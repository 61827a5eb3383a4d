"""What people see of augmentation: grids and leaks in TensorBoard, and a line where p stays at 1 or something leaks."""

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sg_keras.config import AugmentConfig
from sg_keras.data import open_dataset
from sg_keras.training.callbacks import augmentation_monitor
from sg_keras.training.callbacks.augmentation_monitor import AugmentationMonitor
from sg_keras.training.run import run
from sg_keras.training.step.augmentation import Augmentation
from sg_keras.training.step.random_streams import PhaseRandom
from tests.training.callbacks.test_status import TICK
from tests.training.tiny_run import tiny_config


class Lines(list):
    """A log that keeps its lines."""

    line = list.append


def make_monitor(config, dataset=None, latest=None):
    image_grids = types.SimpleNamespace(latest=latest, batch_size=lambda: 64)
    lines = Lines()
    monitor = AugmentationMonitor(None, lines, dataset, image_grids, mirror=False, mirrory=False, seed=0)
    augmentation = Augmentation(config, "reference")
    model = types.SimpleNamespace(
        augmentation=augmentation, random=PhaseRandom(tf.constant(3, tf.int64), 4, 0.0), G_ema=None
    )
    monitor.set_model(types.SimpleNamespace(**vars(model), G=types.SimpleNamespace(z_dim=4)))
    return monitor, lines


def test_p_that_stays_at_1_is_told_once():
    monitor, lines = make_monitor(AugmentConfig(mode="ada"))
    told = []
    for p in (0.9, 1.0, 1.0, 1.0, 0.99, 1.0, 1.0):
        monitor.on_tick(dataclasses.replace(TICK, augment_p=p, statistics={"Loss/signs/real": {"mean": 0.9}}))
        told.append(len(lines))
    assert told == [0, 0, 1, 1, 1, 1, 2]
    assert "augment has stayed at 1" in lines[0] and "0.90, target 0.6" in lines[0] and "\n" not in lines[0]


def test_p_is_not_watched_where_it_is_fixed():
    monitor, lines = make_monitor(AugmentConfig(mode="fixed", p=1.0))
    for _ in range(3):
        monitor.on_tick(dataclasses.replace(TICK, augment_p=1.0))
    assert not lines and not monitor.grids


@pytest.mark.parametrize("turned", [False, True])
def test_leaks_are_told_once(turned, monkeypatch):
    dataset = open_dataset("digits", use_labels=True)
    monitor, lines = make_monitor(AugmentConfig(mode="ada", pipe="blit"), dataset, latest=np.zeros([8, 8, 1], np.uint8))
    others = dataset.images(np.arange(512))
    others[::2] = np.rot90(others[::2], axes=(1, 2)) if turned else others[::2]
    monkeypatch.setattr(augmentation_monitor, "generate_images", lambda G, z, labels, batch: others)
    for _ in range(2):
        monitor.on_tick(dataclasses.replace(TICK, augment_p=0.5))
    assert {name: grid.shape for name, grid in monitor.grids.items()} == {
        "augmented_reals": (128, 256, 1),
        "augmented_fakes": (128, 256, 1),
    }
    assert [leak.transform for leak in monitor.leaks] == ["xflip", "rotate90", "xint", "rotate180"]
    assert len(lines) == turned
    if turned:
        assert "about rotate90 " in lines[0] and "docs/augmentation.md" in lines[0] and "\n" not in lines[0]
    monitor.on_tick(dataclasses.replace(TICK, augment_p=0.0))
    assert monitor.grids == {} and monitor.leaks == []


@pytest.mark.long
def test_a_run_shows_augmented_images(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, run={"total_kimg": 0.04}, aug="fixed", p=0.5)
    assert run(config) == 0
    (run_dir,) = tmp_path.iterdir()
    events = EventAccumulator(str(run_dir), size_guidance={"tensors": 0})
    events.Reload()
    assert [event.step for event in events.Tensors("Pictures/augmented_reals")] == [40]
    assert [event.step for event in events.Tensors("Leak/lumaflip")] == [40]
    tags = set(events.Tags()["tensors"])
    assert {"Progress/augment", "Loss/signs/real", "Pictures/augmented_fakes", "Leak/brightness"} <= tags
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "augment 0.500" in log and "fixed, bgc, p 0.5" in log
