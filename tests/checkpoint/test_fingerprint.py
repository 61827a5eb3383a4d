"""Fingerprints of states, and the tool that prints them."""

import numpy as np
import pytest

from sg_keras.checkpoint import CheckpointStore, checkpoint_fingerprint, fingerprint
from sg_keras.tools.fingerprint import main

BASE = {"a": np.arange(4, dtype=np.float32), "b": np.zeros([2, 3], np.int64)}


def test_order_does_not_matter():
    assert fingerprint(BASE.items()) == fingerprint(reversed(BASE.items()))


@pytest.mark.parametrize(
    "change",
    [
        {"a": np.arange(4, dtype=np.float32) + np.float32(1e-7)},
        {"a": np.arange(4, dtype=np.int32)},
        {"b": np.zeros([3, 2], np.int64)},
        {"c": np.zeros(0)},
        {"a": np.array([-0.0, 1, 2, 3], np.float32)},
    ],
)
def test_names_types_shapes_and_bits_matter(change):
    assert fingerprint({**BASE, **change}.items()) != fingerprint(BASE.items())


def test_of_a_checkpoint_is_that_of_its_variables_however_often_it_was_saved(state, tmp_path):
    expected = fingerprint((name, variable.numpy()) for name, variable in state.items())
    store = CheckpointStore(tmp_path, state, keep=3)
    found = {checkpoint_fingerprint(store.save(tick, {"elapsed_sec": tick})) for tick in (1, 2, 2)}
    assert found == {(8, expected)}


def test_tool_prints_one_line_without_a_path(run_dir, capsys):
    assert main([str(run_dir)]) == 0
    newest = capsys.readouterr().out
    nimg, digest = checkpoint_fingerprint(run_dir / "checkpoints" / "ckpt-4")
    assert newest == f"nimg {nimg} sha256 {digest}\n" and nimg == 136
    for path in (f"{run_dir}@4", f"{run_dir}/checkpoints/ckpt-4", f"{run_dir}/checkpoints/ckpt-4.index"):
        assert main([path]) == 0
        assert capsys.readouterr().out == newest
    assert main([f"{run_dir}@2"]) == 0
    assert capsys.readouterr().out.startswith("nimg 72 sha256 ")


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "found 0 arguments, expected one"),
        (["nowhere"], "RUN_DIR: found 'nowhere', which does not exist, expected a run directory"),
        (["{run_dir}@3"], "found no checkpoint of tick 3 in {run_dir}, expected one of these ticks: 0, 2, 4"),
    ],
)
def test_tool_names_what_is_wrong_in_one_line(run_dir, capsys, words, message):
    assert main([word.format(run_dir=run_dir) for word in words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ") and printed.err.count("\n") == 1
    assert message.format(run_dir=run_dir) in printed.err
