"""A data set and a finished run for all tests of training and checkpoints."""

import pathlib

import pytest

from tests.training.tiny_run import tiny_config, write_images


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Folder with 24 labelled images of 8x8."""
    return write_images(tmp_path_factory.mktemp("data") / "noise")


@pytest.fixture(scope="session")
def finished_run(image_folder: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Directory of a run of 20 iterations that is complete. Not to be changed: copy it."""
    from sg_keras.training.run import run

    outdir = tmp_path_factory.mktemp("runs")
    assert run(tiny_config(image_folder, outdir)) == 0
    (run_dir,) = outdir.iterdir()
    return run_dir
