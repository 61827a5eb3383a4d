"""Names that TensorFlow cannot take as they are."""

import gc
import os
import pathlib

import pytest
import tensorflow as tf

from sg_keras.files import is_plain, plain_folder, plain_names, plain_prefix

ODD = ["cats[512]", "a*", "what?", "{a,b}", "back\\slash", "two\nlines", "tab\there", os.fsdecode(b"latin-\xe9")]
PLAIN = ["cats", "two words", "-dash", "~tilde", "ünïcode", "a'b\"c", "50%", "a:b", "a#b", "x" * 200]


@pytest.fixture(params=ODD + PLAIN)
def folder(request, tmp_path) -> pathlib.Path:
    """A folder of each name, beside others that its name would match as a pattern."""
    for name in (request.param, "cats5", "ab", "whats", "backslash"):
        (tmp_path / name).mkdir()
    return tmp_path / request.param


def open_descriptors() -> int:
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def test_which_names_are_plain():
    assert not any(is_plain(f"/runs/{name}/checkpoints") for name in ODD)
    assert all(is_plain(f"/runs/{name}/checkpoints") for name in PLAIN)


def test_a_plain_name_stays_as_it_is(tmp_path):
    with plain_folder(tmp_path) as plain:
        assert plain.path == str(tmp_path)


@pytest.mark.parametrize("descriptors", [True, False], ids=["descriptor", "link"])
def test_what_tensorflow_writes_lies_under_its_own_name_and_is_read_again(folder, descriptors, monkeypatch):
    if not descriptors:
        monkeypatch.setattr(plain_names, "_DESCRIPTORS", pathlib.Path("/nowhere"))
    checkpoint = tf.train.Checkpoint(a=tf.Variable([1.0, 2.0]))
    with plain_folder(folder) as plain:
        checkpoint.write(f"{plain.path}/ckpt-1")
        writer = tf.summary.create_file_writer(plain.path)
        with writer.as_default(step=1):
            tf.summary.scalar("a", 1.0)
        writer.close()
        tf.saved_model.save(tf.Module(), f"{plain.path}/model")
    names = sorted(path.name for path in folder.iterdir())
    assert names[:2] == ["ckpt-1.data-00000-of-00001", "ckpt-1.index"] and names[-1] == "model" and len(names) == 4
    with plain_prefix(folder / "ckpt-1") as plain:
        assert tf.train.load_checkpoint(plain.path).get_tensor("a/.ATTRIBUTES/VARIABLE_VALUE").tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["best[1]", "all*", "line\nbreak"])
def test_a_checkpoint_may_have_such_a_name_itself(tmp_path, name):
    tf.train.Checkpoint(a=tf.Variable(3.0)).write(str(tmp_path / "ckpt-1"))
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / path.name.replace("ckpt-1", name))
    with plain_prefix(tmp_path / name) as plain:
        assert tf.train.load_checkpoint(plain.path).get_tensor("a/.ATTRIBUTES/VARIABLE_VALUE") == 3.0


def test_a_relative_name(tmp_path, monkeypatch):
    (tmp_path / "here[1]" / "runs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here[1]")
    tf.train.Checkpoint(a=tf.Variable(3.0)).write("runs/ckpt-1")
    for prefix in ("runs/ckpt-1", pathlib.Path("runs", "ckpt-1"), pathlib.Path("runs/ckpt-1").absolute()):
        with plain_prefix(prefix) as plain:
            assert tf.train.load_checkpoint(plain.path).get_tensor("a/.ATTRIBUTES/VARIABLE_VALUE") == 3.0


def test_a_name_that_is_forgotten_or_closed_holds_nothing(tmp_path):
    (tmp_path / "a[1]").mkdir()
    before = open_descriptors()
    plain = plain_folder(tmp_path / "a[1]")
    assert open_descriptors() == before + 1
    plain.close()
    plain.close()
    assert open_descriptors() == before
    plain = plain_folder(tmp_path / "a[1]")
    del plain
    gc.collect()
    assert open_descriptors() == before


def test_a_folder_that_is_not_there(tmp_path):
    before = open_descriptors()
    with pytest.raises(FileNotFoundError):
        plain_folder(tmp_path / "no[1]")
    assert open_descriptors() == before
