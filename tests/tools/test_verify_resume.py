"""verify_resume: N + N iterations against 2N, in real processes."""

import pathlib

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore
from sg_keras.tools import verify_resume
from tests.training.tiny_run import command, write_images


def words(image_folder: pathlib.Path, *more: str) -> list[str]:
    return [*command(image_folder, pathlib.Path("unused"), "--ops=reference", *more)[2:]]


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("data") / "noise")


@pytest.mark.long
def test_the_same_bits(image_folder, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert verify_resume.main(words(image_folder, "--kimg=5", "--iterations", "6")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines[:3]] == [
        "12 iterations in one piece",
        "6 iterations",
        "6 + 6 iterations",
    ]
    whole, half, halves = (line.split("nimg ")[1] for line in lines[:3])
    assert whole == halves and whole.startswith("96 sha256 ") and half.startswith("48 sha256 ")
    assert lines[3].startswith("the same bits")
    assert list(tmp_path.iterdir()) == []  # --outdir is not used


def test_other_bits_are_named(image_folder, capsys, monkeypatch):
    def leave_a_checkpoint(outdir, options, images):
        run_dir = outdir / "00000-run"
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "training_config.json").touch()
        weight = tf.Variable([0.0, 0.5 if outdir.name == "halves" else 0.25])
        state = {"cur_nimg": tf.Variable(images, dtype=tf.int64), "G/weight": weight}
        CheckpointStore(run_dir / "checkpoints", state, keep=2).save(images, {})

    monkeypatch.setattr(verify_resume, "_train", leave_a_checkpoint)
    assert verify_resume.main(words(image_folder, "--iterations=1")) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:] == ["DIFFERENT BITS", "1 of 2 variables differ, most of all:", "  G/weight: by 0.25"]


@pytest.mark.parametrize(
    "more, message",
    [
        ((), "--iterations: found nothing"),
        (("--iterations=0",), "--iterations: found 0, expected a whole number, 1 or more"),
        (("--iterations=2", "--resume=latest"), "--resume: found a run to continue"),
        (("--iterations=2", "--gama=1"), "--gama: no such option"),
    ],
)
def test_what_cannot_be_compared_is_one_line(image_folder, capsys, more, message):
    assert verify_resume.main(words(image_folder, *more)) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"Error: {message}") and errors.count("\n") == 1


@pytest.mark.long
def test_a_run_that_fails_is_one_line(image_folder, capsys):
    assert verify_resume.main(words(image_folder, "--iterations=4", "--glr=1e37", "--tick=0.008")) == 1
    errors = capsys.readouterr().err
    assert "a run ended with exit status 1: training stopped: found NaN or Inf" in errors
    assert errors.count("\n") == 1
