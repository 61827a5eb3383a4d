"""Runs on arrays of 2 and 5 channels: trained with ADA and all its transforms, stopped and continued, looked at."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import DatasetConfig, ResumeRequest, TrainingConfig
from sg_keras.tools import generate
from sg_keras.training.run import run
from tests.training.tiny_run import IMAGES, only_run, tiny_config


class StopAfterThree(keras.callbacks.Callback):
    """Stops within a tick."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch + 1 == 3


def _config(path: pathlib.Path, outdir: pathlib.Path, channels: int) -> TrainingConfig:
    """Six iterations, a tick every two; p begins high and moves."""
    lengths = {"total_kimg": 0.048, "tick_kimg": 0.016, "snapshot_ticks": 1, "sample_grid": (3, 2)}
    augment = {"p": 0.8, "pipe": "bgcfnc", "ada_kimg": 0.1, "ada_interval": 2}
    config = tiny_config(path, outdir, run=lengths, augment=augment, aug="ada")
    facts = {"resolution": 8, "channels": channels, "c_dim": 3, "num_images": IMAGES}
    return dataclasses.replace(config, dataset=DatasetConfig(path=str(path), name=path.stem, **facts))


@pytest.mark.long
@pytest.mark.parametrize("channels", [2, 5])
def test_trained_and_continued_to_the_same_bits(channels: int, tmp_path: pathlib.Path, capsys):
    pixels = np.random.default_rng(0).integers(0, 256, [IMAGES, 8, 8, channels], np.uint8)
    path = tmp_path / "noise.npz"
    np.savez(path, images=pixels, labels=np.arange(IMAGES) % 3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(_config(path, whole, channels)) == 0
    assert run(_config(path, parts, channels), callbacks=[StopAfterThree()]) == 0
    log = (only_run(parts) / "log.txt").read_text(encoding="utf-8")
    log = " ".join(log.split())  # the summary is as wide as the terminal
    assert f"8x8, {channels} channels" in log and "Stopped by a callback at 0.024 of" in log
    assert run(_config(path, parts, channels), ResumeRequest("latest", str(parts))) == 0
    ends = [checkpoint_fingerprint(saved_checkpoints(only_run(runs) / "checkpoints")[-1]) for runs in (whole, parts)]
    assert ends[0] == ends[1] and ends[0][0] == 48

    shown = pixels[..., :3] if channels == 5 else pixels[..., :1]  # what grids show
    with Image.open(only_run(whole) / "reals.png") as grid:
        assert (grid.mode, grid.size) == ("RGB" if channels == 5 else "L", (3 * 8, 2 * 8))
        corner = np.asarray(grid)[:8, :8].reshape(8, 8, -1)
    assert any(np.array_equal(corner, image) for image in shown)
    G = sg_keras.load(only_run(whole))["G_ema"]
    assert G.image_shape == (8, 8, channels)
    capsys.readouterr()
    assert (
        generate.main([f"--network={only_run(whole)}", f"--outdir={tmp_path / 'out'}", "--seeds=0", "--class=1"]) == 1
    )
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"found {channels} channels, expected 1 (gray), 3 (RGB) or 4 (RGBA)" in error
