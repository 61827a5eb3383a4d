"""Files that are there completely or not at all."""

import pytest

from sg_keras.files.atomic import (
    atomic_file,
    atomic_folder,
    atomic_shared_file,
    remove_partial,
    set_aside,
    write_text,
    write_text_once,
)


def test_a_file_takes_its_place_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with atomic_file(path) as beside:
        beside.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_file(path) as beside:
        beside.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_replaces_an_older_one(tmp_path):
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "snapshot") as beside:
            (beside / text).touch()
            assert not (tmp_path / "snapshot" / text).exists()
    assert [entry.name for entry in (tmp_path / "snapshot").iterdir()] == ["new"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["snapshot"]


def test_an_error_leaves_the_old_folder(tmp_path):
    (tmp_path / "snapshot").mkdir()
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "snapshot") as beside:
        (beside / "half").touch()
        raise RuntimeError
    assert list((tmp_path / "snapshot").iterdir()) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["snapshot"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".partial-a.png").touch()
    (tmp_path / ".partial-b").mkdir()
    (tmp_path / "c").touch()
    remove_partial(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]


def test_an_older_folder_comes_back_where_the_process_was_killed_between_two_renames(tmp_path):
    (tmp_path / ".partial-old-snapshot").mkdir()
    (tmp_path / ".partial-old-snapshot" / "old").touch()
    (tmp_path / ".partial-snapshot").mkdir()
    assert remove_partial(tmp_path) == [tmp_path / ".partial-snapshot"]
    assert (tmp_path / "snapshot" / "old").exists()
    (tmp_path / "snapshot").rename(tmp_path / ".partial-old-snapshot")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "snapshot"):
        raise RuntimeError
    assert (tmp_path / "snapshot" / "old").exists()


def test_what_is_set_aside_takes_no_ones_place(tmp_path):
    for number in (1, 2):
        (tmp_path / "a").touch()
        assert set_aside([tmp_path / "a"], tmp_path / "aside") == tmp_path / f"aside-{number}"
        assert (tmp_path / f"aside-{number}" / "a").exists() and not (tmp_path / "a").exists()


def test_several_processes_may_write_one_file_at_the_same_time(tmp_path):
    path = tmp_path / "network.pkl"
    with atomic_shared_file(path) as one, atomic_shared_file(path) as other:
        one.write_text("whole")
        other.write_text("whole")
        assert one != other and not path.exists()
    assert path.read_text() == "whole" and [entry.name for entry in tmp_path.iterdir()] == ["network.pkl"]
    with pytest.raises(ConnectionResetError), atomic_shared_file(path) as beside:
        beside.touch()
        raise ConnectionResetError(104, "Connection reset by peer")  # no error of the file: it keeps its words
    assert path.read_text() == "whole" and len(list(tmp_path.iterdir())) == 1


def test_the_first_ones_text_stays(tmp_path, monkeypatch):
    write_text_once(tmp_path / "a", "first")
    write_text_once(tmp_path / "a", "second")
    monkeypatch.setattr("os.link", lambda *paths: (_ for _ in ()).throw(PermissionError))  # a file system without links
    write_text_once(tmp_path / "b", "third")
    found = {entry.name: entry.read_text(encoding="utf-8") for entry in tmp_path.iterdir()}
    assert found == {"a": "first", "b": "third"}
