"""--batch-gpu=auto: smaller micro-batches where memory runs out, from the same state on."""

import json

import pytest
import tensorflow as tf

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.training.run import run
from sg_keras.training.step.stylegan import StyleGAN
from tests.training.tiny_run import only_run, tiny_config

SHORT = {"total_kimg": 0.048, "tick_kimg": 0.016}


def memory_for(monkeypatch, image_folder: int) -> None:
    """Let every phase run out of memory that has more than so many images in a micro-batch."""
    phase_function = StyleGAN._phase_function

    def limited(self, phase):
        function = phase_function(self, phase)

        def call(*args):
            if self.batch_gpu > image_folder:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")
            return function(*args)

        return call

    monkeypatch.setattr(StyleGAN, "_phase_function", limited)


def state_of(outdir) -> str:
    return checkpoint_fingerprint(saved_checkpoints(only_run(outdir) / "checkpoints")[-1])[1]


@pytest.mark.long
def test_halves_until_it_fits(image_folder, tmp_path, monkeypatch):
    options = {"batch": 16, "mbstd_group": 2}
    assert run(tiny_config(image_folder, tmp_path / "small", SHORT, batch_gpu=4, **options)) == 0
    memory_for(monkeypatch, 5)
    assert run(tiny_config(image_folder, tmp_path / "auto", SHORT, batch_gpu="auto", **options)) == 0
    assert state_of(tmp_path / "auto") == state_of(tmp_path / "small")
    run_dir = only_run(tmp_path / "auto")
    saved = json.loads((run_dir / "training_config.json").read_text())
    assert saved["batch_gpu"] == 4 and saved["batch_gpu_auto"]
    log = (run_dir / "log.txt").read_text()
    assert "Out of memory with micro-batches of 16 images: going on from the same state with 8" in log
    assert "Out of memory with micro-batches of 8 images: going on from the same state with 4" in log


@pytest.mark.long
def test_a_continued_run_starts_with_what_fitted(image_folder, tmp_path, monkeypatch):
    from sg_keras.config import ResumeRequest

    memory_for(monkeypatch, 4)
    config = tiny_config(image_folder, tmp_path, SHORT, batch_gpu="auto")
    assert run(config) == 0
    longer = tiny_config(image_folder, tmp_path, {**SHORT, "total_kimg": 0.064}, batch_gpu="auto")
    assert run(longer, ResumeRequest("latest", str(tmp_path))) == 0
    assert (only_run(tmp_path) / "log.txt").read_text().count("Out of memory") == 1


def test_a_size_that_was_asked_for_is_kept(image_folder, tmp_path, monkeypatch):
    memory_for(monkeypatch, 4)
    with pytest.raises(OSError, match="--batch-gpu: found too little memory for micro-batches of this size"):
        run(tiny_config(image_folder, tmp_path, SHORT, batch_gpu=8))


def test_nothing_smaller_is_left(image_folder, tmp_path, monkeypatch):
    memory_for(monkeypatch, 3)
    with pytest.raises(OSError, match="--batch-gpu: found too little memory"):
        run(tiny_config(image_folder, tmp_path, SHORT, batch_gpu="auto"))
