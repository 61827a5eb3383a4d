"""The small-GPU recipe as the report typed it: the port's names, an LMDB in its layout, and a run."""

import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from sg_keras.config.sizes import ImageSize
from sg_keras.flags import parse_command_line
from sg_keras.flags.port_names import is_meant
from sg_keras.tools import train

lmdb = pytest.importorskip("lmdb")
BASE = ["--recipe=small-gpu", "--outdir=runs", "--gpus=0"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> pathlib.Path:
    """An LMDB as the port writes it: images in two sizes as JPEG, by size and number."""
    path = tmp_path_factory.mktemp("lmdb") / "faces.lmdb"
    random = np.random.default_rng(0)
    with lmdb.open(str(path), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for index in range(24):
            for side in (8, 16):
                file = io.BytesIO()
                Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).save(file, "JPEG", quality=95)
                transaction.put(f"{side}-{index:05d}".encode(), file.getvalue())
        transaction.put(b"length", b"24")
    return path


def test_its_names_are_ours_with_a_line_each(faces):
    words = ["--n_sample", "25", "--size=16", "--iter", "200000", "--latent", "48", "--lr=1e-3", "--n_mlp", "4"]
    words += ["--r1", "10", "--path_regularize=1", "--mixing", "0.5", "--d_reg_every=8", "--g_reg_every", "2"]
    parsed = parse_command_line([*BASE, *words, "-n", str(faces)])
    config = parsed.config
    assert (config.dataset.path, config.dataset.size) == (str(faces), ImageSize(16, 16))
    assert (config.run.sample_grid, config.run.total_kimg) == ((5, 5), 3200)
    assert (config.generator.z_dim, config.generator.w_dim, config.generator.mapping_layers) == (48, 48, 4)
    assert (config.optimizer.g_lr, config.optimizer.d_lr) == (1e-3, 1e-3)
    loss = config.loss
    assert (loss.r1_gamma, loss.pl_weight, loss.style_mixing_prob) == (10, 1, 0.5)
    assert (loss.d_reg_interval, loss.g_reg_interval) == (8, 2)
    assert parsed.notes[:3] == (
        "--n_sample 25 is --sample-grid=5x5 here",
        "--iter 200000 is --kimg=3200 here",
        "--latent 48 is --z-dim=48 --w-dim=48 here",
    )


@pytest.mark.parametrize(
    "words, message",
    [
        (["--size", "8"], r"--size: found 8, expected 16x16, which the images of --data are \(of several sizes in an"),
        (["--n_sample=many"], "--n_sample: found 'many', expected a whole number, 1 or more"),
        (["--iter=0"], "--iter: found 0, expected a whole number, 1 or more"),
        (["--n_sampl=3"], "--n_sampl: no such option; did you mean --n_sample"),
        (["other.lmdb"], "found the stray word '.*faces.lmdb', expected options alone"),
        (["--r1=1", "--auto_gamma"], "--auto_gamma: found it beside --r1=1, expected one of the two"),
    ],
)
def test_what_is_refused(words, message, faces):
    with pytest.raises(ValueError, match=message) as error:
        parse_command_line([*BASE, *words, str(faces), "-n"])
    assert "\n" not in str(error.value)


def test_only_beside_the_recipe(faces):
    assert is_meant(["--recipe", "small-gpu"]) and not is_meant(["--recipe=cifar10", "small-gpu"])
    with pytest.raises(
        ValueError, match=r"found the stray word .*--n_sample: no such option; did you mean --sample-grid"
    ):
        parse_command_line(["--recipe=cifar10", str(faces), "--n_sample=25"])


@pytest.mark.long
def test_it_runs_as_typed_there(faces, tmp_path, capsys):
    words = ["--recipe=small-gpu", f"--outdir={tmp_path}", "--gpus=0", "--size", "16", "--n_sample", "25"]
    assert train.main([*words, "--batch", "4", "--iter", "2", str(faces)]) == 0
    assert "Note: --iter 2 is --kimg=0.008 here" in capsys.readouterr().out
    (run_dir,) = tmp_path.iterdir()
    with Image.open(run_dir / "fakes_init.png") as sheet:
        assert sheet.size == (5 * 16, 5 * 16)
    assert (run_dir / "network-snapshot-000000" / "G_ema.keras").is_file()
