"""Files that are there completely or not at all."""

import pytest

from sg_keras.checkpoint.whole_files import remove_partial, whole_file, whole_folder, write_text


def test_a_file_takes_its_place_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with whole_file(path) as beside:
        beside.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), whole_file(path) as beside:
        beside.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_replaces_an_older_one(tmp_path):
    for text in ("old", "new"):
        with whole_folder(tmp_path / "snapshot") as beside:
            (beside / text).touch()
            assert not (tmp_path / "snapshot" / text).exists()
    assert [entry.name for entry in (tmp_path / "snapshot").iterdir()] == ["new"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["snapshot"]


def test_an_error_leaves_the_old_folder(tmp_path):
    (tmp_path / "snapshot").mkdir()
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "snapshot") as beside:
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
