"""Exact checkpoints of a few variables."""

import json
import logging
import pathlib
import resource

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, DamagedCheckpointError, SavedState
from sg_keras.checkpoint.listing import write_list
from sg_keras.checkpoint.manager import checkpoint_number, read_note, saved_checkpoints


def numbers(directory):
    return [checkpoint_number(prefix) for prefix in saved_checkpoints(directory)]


def save_all(store, state, ticks):
    for tick in ticks:
        state["cur_nimg"].assign(100 * tick)
        store.save(tick, {"tick": tick})


def test_everything_comes_back(state, tmp_path):
    prefix = CheckpointStore(tmp_path, state, keep=3).save(5, {"tick": 5, "elapsed_sec": 1.5})
    before = {name: variable.numpy() for name, variable in state.items()}
    for variable in state.values():
        variable.assign(tf.zeros_like(variable))
    CheckpointStore(tmp_path, state, keep=3).restore(prefix)
    for name, variable in state.items():
        np.testing.assert_array_equal(variable.numpy(), before[name])
    assert read_note(prefix) == {"tick": 5, "elapsed_sec": 1.5}
    saved = SavedState(prefix)
    assert saved.names() == sorted(state) and saved.nimg == 8


def test_the_newest_are_kept(state, tmp_path):
    store = CheckpointStore(tmp_path, state, keep=3)
    save_all(store, state, [0, 1, 2, 3, 4])
    assert numbers(tmp_path) == [2, 3, 4]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [f"ckpt-{n}.json" for n in (2, 3, 4)]
    again = CheckpointStore(tmp_path, state, keep=2)
    save_all(again, state, [5])
    assert numbers(tmp_path) == [4, 5]


def test_a_folder_may_be_relative(state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = pathlib.Path("runs") / "checkpoints"
    folder.mkdir(parents=True)
    store = CheckpointStore(folder, state, keep=2)
    save_all(store, state, [0, 1, 2, 3])
    assert store.checkpoints == saved_checkpoints(folder) == [folder / "ckpt-2", folder / "ckpt-3"]
    again = CheckpointStore(folder, state, keep=2)
    again.restore(again.checkpoints[0])
    assert again.forget_after(folder / "ckpt-2") == [folder / "ckpt-3"]
    save_all(again, state, [4, 5])
    assert numbers(folder) == [4, 5]


def test_one_more_is_kept_for_safety_while_a_number_is_saved_anew(state, tmp_path):
    store = CheckpointStore(tmp_path, state, keep=1)
    save_all(store, state, [0, 1])
    state["cur_nimg"].assign(150)
    store.save(1, {})
    assert numbers(tmp_path) == [0, 1]
    assert SavedState(tmp_path / "ckpt-1").nimg == 150


def test_the_newest_is_what_was_saved_last_not_the_highest_number(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=3), state, [7, 8, 3])
    assert numbers(tmp_path) == [7, 8, 3]
    store = CheckpointStore(tmp_path, state, keep=3)
    assert [checkpoint_number(prefix) for prefix in store.checkpoints] == [7, 8, 3]


def test_later_ones_can_be_forgotten(state, tmp_path):
    store = CheckpointStore(tmp_path, state, keep=3)
    save_all(store, state, [1, 2, 3])
    assert store.forget_after(tmp_path / "ckpt-1") == [tmp_path / "ckpt-2", tmp_path / "ckpt-3"]
    assert store.forget_after(tmp_path / "ckpt-1") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint",
        "ckpt-1.data-00000-of-00001",
        "ckpt-1.index",
        "ckpt-1.json",
    ]
    save_all(store, state, [2])
    assert numbers(tmp_path) == [1, 2]


def test_what_a_killed_process_left_is_cleaned_up(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=3), state, [1])
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part-00000-of-00001.data-00000-of-00001").touch()
    for name in ("ckpt-2.data-00000-of-00001", "ckpt-2.index", "ckpt-2.json", ".partial-ckpt-2.json"):
        (tmp_path / name).touch()
    assert numbers(tmp_path) == [1]
    CheckpointStore(tmp_path, state, keep=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint",
        "ckpt-1.data-00000-of-00001",
        "ckpt-1.index",
        "ckpt-1.json",
    ]


def test_whole_files_that_the_list_does_not_know_are_never_removed(state, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    save_all(CheckpointStore(tmp_path, state, keep=9), state, range(6))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("ckpt-*")}
    write_list(tmp_path, [tmp_path / "ckpt-1", tmp_path / "ckpt-2"])
    store = CheckpointStore(tmp_path, state, keep=2)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("ckpt-*")} == before
    assert store.holds(tmp_path / "ckpt-4") and not store.holds(tmp_path / "ckpt-9")
    assert store.forget_after(tmp_path / "ckpt-4") == []  # the run goes on from there: another ckpt-5 will come
    assert [checkpoint_number(prefix) for prefix in store.checkpoints] == [1, 2, 4]
    save_all(store, state, [5, 6, 7])
    for tick in (0, 3):
        SavedState(tmp_path / f"ckpt-{tick}").check()
    assert SavedState(tmp_path / "set-aside-1" / "ckpt-5").nimg == 500
    for text in ("ckpt-5 to", "Removed", "ckpt-1", "ckpt-2: superseded"):
        assert text in caplog.text


def test_going_back_to_one_that_the_list_does_not_know(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=9), state, range(5))
    write_list(tmp_path, [tmp_path / "ckpt-0", tmp_path / "ckpt-3"])
    store = CheckpointStore(tmp_path, state, keep=9)
    assert store.forget_after(tmp_path / "ckpt-1") == [tmp_path / "ckpt-3"]
    assert numbers(tmp_path) == [0, 1]
    assert {path.name for path in (tmp_path / "set-aside-1").iterdir()} == {
        f"ckpt-{tick}.{kind}" for tick in (2, 4) for kind in ("index", "json", "data-00000-of-00001")
    }


def test_damaged_ones_that_were_passed_over_are_set_aside(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=9), state, [1, 2, 3])
    data = tmp_path / "ckpt-3.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-5])  # the rest may still come
    store = CheckpointStore(tmp_path, state, keep=9)
    assert store.forget_after(tmp_path / "ckpt-1") == [tmp_path / "ckpt-2"]
    assert numbers(tmp_path) == [1] and (tmp_path / "set-aside-1" / data.name).exists()


def test_a_file_in_the_way_is_set_aside(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=9), state, [1, 2])
    write_list(tmp_path, [tmp_path / "ckpt-1"])
    store = CheckpointStore(tmp_path, state, keep=9)
    state["cur_nimg"].assign(201)
    store.save(2, {})
    (tmp_path / "ckpt-3.data-00000-of-00001").write_bytes(b"part of one that is still being copied")
    store.save(3, {})
    assert (tmp_path / "set-aside-2" / "ckpt-3.data-00000-of-00001").exists()
    nimgs = [SavedState(folder / "ckpt-2").nimg for folder in (tmp_path, tmp_path / "set-aside-1")]
    assert nimgs == [201, 200]


def test_a_moved_run_and_a_clock_that_went_back(state, tmp_path):
    save_all(CheckpointStore(tmp_path / "old", state, keep=2), state, [1, 2])
    (tmp_path / "old").rename(tmp_path / "new")
    listing = tmp_path / "new" / "checkpoint"
    future = listing.read_text(encoding="utf-8").replace("last_preserved_timestamp: 1", "last_preserved_timestamp: 9")
    listing.write_text(future, encoding="utf-8")
    save_all(CheckpointStore(tmp_path / "new", state, keep=2), state, [3])
    assert numbers(tmp_path / "new") == [2, 3]
    assert not (tmp_path / "new" / "ckpt-1.index").exists()


def test_a_lost_list_is_made_up_from_the_files(state, tmp_path):
    save_all(CheckpointStore(tmp_path, state, keep=3), state, [9, 10, 11])
    (tmp_path / "checkpoint").unlink()
    assert numbers(tmp_path) == [9, 10, 11]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda state: state.pop("G/b4/const"), "missing none, unknown G/b4/const"),
        (lambda state: state.update({"D/bias": tf.Variable(0.0)}), "missing D/bias, unknown none"),
        (
            lambda state: state.update({"G/b4/const": tf.Variable(tf.zeros([7]))}),
            r"\(6,\) of G/b4/const, expected \(7,\)",
        ),
    ],
)
def test_other_variables_are_refused(state, tmp_path, change, message):
    prefix = CheckpointStore(tmp_path, state, keep=3).save(1, {})
    change(state)
    with pytest.raises(ValueError, match=message):
        CheckpointStore(tmp_path, state, keep=3).restore(prefix)


@pytest.mark.parametrize("name", ["ckpt-1.index", "ckpt-1.data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damage_is_found(state, tmp_path, name, damage):
    prefix = CheckpointStore(tmp_path, state, keep=3).save(1, {})
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    else:
        content[10] ^= 255
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match="ckpt-1: found a damaged or incomplete checkpoint"):
        SavedState(prefix).check()


def test_no_such_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"ckpt-3: found no ckpt-3\.index"):
        SavedState(tmp_path / "ckpt-3")


def test_one_of_every_so_many_kimg_is_kept_for_good(state, tmp_path):
    def save(store, ticks):
        for tick in ticks:
            state["cur_nimg"].assign(400 * tick)
            store.save(tick, {"nimg": 400 * tick})

    save(CheckpointStore(tmp_path, state, keep=2, keep_every_kimg=1.0), range(8))
    # The first ones at or after 1000 and 2000 images, and the newest two.
    assert numbers(tmp_path) == [3, 5, 6, 7]
    save(CheckpointStore(tmp_path, state, keep=2, keep_every_kimg=1.0), range(8, 11))
    assert numbers(tmp_path) == [3, 5, 8, 9, 10]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [f"ckpt-{n}.json" for n in (10, 3, 5, 8, 9)]
    save(CheckpointStore(tmp_path, state, keep=2), [11])  # without the option the newest alone stay
    assert numbers(tmp_path) == [10, 11]


def test_checkpoints_of_the_best_snapshots_are_kept(state, tmp_path, caplog):
    def rate(kimg, fid, precision):
        results = {"fid50k_full": fid, "pr50k3_full_precision": precision, "is50k_std": -kimg}
        row = {"metric": "m", "results": results, "total_time": 1.5}
        with (tmp_path / "metric-m.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "snapshot_pkl": f"network-snapshot-{kimg:06d}.pkl"}) + "\n")

    folder = tmp_path / "checkpoints"
    store = CheckpointStore(folder, state, keep=2, metrics_dir=tmp_path)
    ratings = [(9.0, 0.1), (5.0, 0.2), (7.0, 0.9), (float("nan"), 0.3), (5.0, 0.9), (6.0, 0.5)]
    for tick, (fid, precision) in enumerate(ratings):
        rate(tick, fid, precision)
        store.save(tick, {"nimg": 1000 * tick})
    assert numbers(folder) == [1, 2, 4, 5]  # lowest fid, highest precision, the newest two
    with (tmp_path / "metric-m.jsonl").open("a", encoding="utf-8") as file:
        file.write("half a li\n")
    rate(5, 4.0, 0.95)
    store = CheckpointStore(folder, state, keep=2, metrics_dir=tmp_path)
    for tick in (6, 7, 8):
        store.save(tick, {"nimg": 1000 * tick})
    assert numbers(folder) == [5, 7, 8]
    assert "metric-m.jsonl: found line 7 without results and snapshot_pkl" in caplog.text


@pytest.mark.parametrize("limit", [100, 300])  # bytes a file: the note cannot be written, then the checkpoint
def test_a_save_that_fails_leaves_the_others_and_no_rubbish(state, tmp_path, limit):
    state["G/big"] = tf.Variable(tf.zeros([1000]))
    store = CheckpointStore(tmp_path, state, keep=3)
    save_all(store, state, [1])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|cannot be written"):
            store.save(2, {"text": 200 * "x"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    SavedState(tmp_path / "ckpt-1").check()
    store.save(2, {})  # once there is space again
    assert numbers(tmp_path) == [1, 2]
