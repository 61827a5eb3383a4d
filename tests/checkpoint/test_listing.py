"""The list of checkpoints and the files beside it, where they disagree."""

import shutil

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, SavedState
from sg_keras.checkpoint.listing import checkpoint_number, read_list, take_stock, write_list


def save(folder, state, ticks, keep=9):
    store = CheckpointStore(folder, state, keep)
    for tick in ticks:
        state["cur_nimg"].assign(100 * tick)
        store.save(tick, {"nimg": 100 * tick})
    return store


def ticks(prefixes):
    return [checkpoint_number(prefix) for prefix in prefixes]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_tensorflow_reads_our_list_and_we_read_its(state, tmp_path):
    save(tmp_path / "runs", state, [3, 1])
    assert tf.train.latest_checkpoint(str(tmp_path / "runs")) == str(tmp_path / "runs" / "ckpt-1")
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(state=state), str(tmp_path / "theirs"), None)
    for number in (7, 5):
        manager.save(number)
    assert read_list(tmp_path / "theirs").names == ("ckpt-7", "ckpt-5")
    shutil.move(tmp_path / "theirs", tmp_path / "elsewhere")
    assert ticks(take_stock(tmp_path / "elsewhere").usable) == [7, 5]


@pytest.mark.parametrize("kind", ["of files that are gone", "missing", "empty", "garbled", "truncated", "folder"])
def test_files_count_where_the_list_does_not(state, tmp_path, kind):
    save(tmp_path, state, [0, 1, 2])
    listing = tmp_path / "checkpoint"
    text = listing.read_text(encoding="utf-8")
    changed = {
        "of files that are gone": text.replace("ckpt-", "ckpt-9"),
        "empty": "",
        "garbled": "\0\1 not text \xff",
        "truncated": text[:20],
    }
    listing.unlink()
    if kind in changed:
        listing.write_text(changed[kind], encoding="utf-8")
    elif kind == "folder":
        listing.mkdir()
    stock = take_stock(tmp_path)
    assert ticks(stock.usable) == [0, 1, 2]
    assert stock.notes[0].startswith("WARNING: ")
    assert "ckpt-0, ckpt-1, ckpt-2, not on the list of checkpoints and newer: the newest is used" in stock.notes[-1]


def test_a_list_of_another_machine(state, tmp_path):
    save(tmp_path, state, [0, 1])
    text = (tmp_path / "checkpoint").read_text(encoding="utf-8")
    (tmp_path / "checkpoint").write_text(text.replace('"ckpt', '"/home/other/runs/[a]/ckpt'), encoding="utf-8")
    stock = take_stock(tmp_path)
    assert (ticks(stock.usable), stock.notes) == ([0, 1], ())


def test_newer_files_than_the_list_are_used_and_older_ones_left(state, tmp_path):
    save(tmp_path, state, range(6))
    write_list(tmp_path, [tmp_path / "ckpt-2", tmp_path / "ckpt-3"])
    stock = take_stock(tmp_path)
    assert (ticks(stock.usable), ticks(stock.left_alone)) == ([2, 3, 4, 5], [0, 1])
    assert [note.partition(": ")[2] for note in stock.notes] == [
        "found ckpt-4, ckpt-5, not on the list of checkpoints and newer: the newest is used",
        "found ckpt-0, ckpt-1, not on the list of checkpoints and older: left there",
    ]


def test_newer_is_what_has_seen_more_images_not_the_higher_number(state, tmp_path):
    save(tmp_path, state, [8])
    state["cur_nimg"].assign(900)  # --tick is another now
    CheckpointStore(tmp_path, state, 9).save(3, {})
    write_list(tmp_path, [tmp_path / "ckpt-8"])
    assert ticks(take_stock(tmp_path).usable) == [8, 3]


def test_checkpoints_of_other_networks_are_never_newer(state, tmp_path):
    save(tmp_path, state, [1])
    other = {"cur_nimg": tf.Variable(900, dtype=tf.int64), "G/other": tf.Variable(1.0)}
    CheckpointStore(tmp_path / "other", other, 9).save(9, {})
    for path in (tmp_path / "other").glob("ckpt-9.*"):
        path.rename(tmp_path / path.name)
    stock = take_stock(tmp_path)
    assert (ticks(stock.usable), ticks(stock.left_alone)) == ([1], [9])


def test_parts_are_named_and_not_used(state, tmp_path):
    save(tmp_path, state, [1, 2, 3, 4])
    write_list(tmp_path, [tmp_path / "ckpt-1"])
    (tmp_path / "ckpt-2.index").unlink()
    (tmp_path / "ckpt-3.data-00000-of-00001").unlink()
    (tmp_path / "ckpt-4.index").write_bytes((tmp_path / "ckpt-4.index").read_bytes()[:30])
    before = files(tmp_path)
    stock = take_stock(tmp_path)
    assert ticks(stock.usable) == [1] and stock.left_alone == ()
    (note,) = stock.notes
    assert note.startswith("WARNING: ") and "found parts of ckpt-2, ckpt-3, ckpt-4 alone, which are not used" in note
    CheckpointStore(tmp_path, state, 9)
    assert files(tmp_path) == before  # they may be on their way here


def test_what_was_being_removed_when_the_process_was_killed_is_not_found_again(state, tmp_path):
    save(tmp_path, state, [1, 2, 3])
    write_list(tmp_path, [tmp_path / "ckpt-1"], superseded=[tmp_path / "ckpt-2", tmp_path / "ckpt-3"])
    (tmp_path / "ckpt-3.index").unlink()
    assert take_stock(tmp_path).usable == (tmp_path / "ckpt-1",) and take_stock(tmp_path).notes == ()
    store = CheckpointStore(tmp_path, state, 9)
    assert sorted(files(tmp_path)) == ["checkpoint", "ckpt-1.data-00000-of-00001", "ckpt-1.index", "ckpt-1.json"]
    state["cur_nimg"].assign(200)
    store.save(2, {})
    write_list(tmp_path, [tmp_path / "ckpt-1"])  # killed before the list was written
    assert ticks(take_stock(tmp_path).usable) == [1, 2]


def test_an_empty_folder_and_none(tmp_path):
    assert take_stock(tmp_path).notes == take_stock(tmp_path / "nowhere").notes == ()


def test_names_that_tensorflow_takes_for_patterns(state, tmp_path):
    folder = tmp_path / "cats[512]" / "a*b?" / "back\\slash"
    folder.mkdir(parents=True)
    store = save(folder, state, [1, 2, 3, 4], keep=2)
    assert ticks(take_stock(folder).usable) == [3, 4]
    state["cur_nimg"].assign(0)
    store.restore(folder / "ckpt-3")
    assert state["cur_nimg"].numpy() == 300
    SavedState(folder / "ckpt-4").check()
