"""Results that are kept by content: blocks, damage, and folders that cannot be used."""

from __future__ import annotations

import hashlib
import pathlib

import pytest

from sg_keras.curation.content_store import ContentStore
from sg_keras.files.errors import PARTIAL


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def test_what_is_kept_is_found_by_another_process(tmp_path: pathlib.Path):
    store = ContentStore(tmp_path / "a", block=4)
    for number in range(10):
        store.put(key(number), b"x" * number)
    assert store.get(key(9)) == b"x" * 9 and len(list((tmp_path / "a").iterdir())) == 2  # what is new is there, too
    store.flush()
    again = ContentStore(tmp_path / "a")
    assert [again.get(key(number)) for number in range(10)] == [b"x" * number for number in range(10)]
    assert again.get(key("other")) is None and key(3) in again and key("other") not in again


def test_blocks_are_whole_or_not_there(tmp_path: pathlib.Path):
    store = ContentStore(tmp_path, block=2)
    for number in range(4):
        store.put(key(number), b"value")
    first, second = sorted(tmp_path.iterdir())
    assert not first.name.startswith(PARTIAL)
    (tmp_path / f"{PARTIAL}0-a.npz").write_bytes(first.read_bytes())  # of a process that was killed
    content = bytearray(first.read_bytes())
    content[content.index(b"value")] ^= 1  # its check sum is wrong now
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:100])
    again = ContentStore(tmp_path, block=4)
    assert [again.get(key(number)) for number in range(4)] == [None] * 4
    for number in range(4):
        again.put(key(number), b"value")
    assert [ContentStore(tmp_path).get(key(number)) for number in range(4)] == [b"value"] * 4


def test_two_processes_at_a_time(tmp_path: pathlib.Path):
    first, second = ContentStore(tmp_path, block=2), ContentStore(tmp_path, block=2)
    for number in range(4):
        first.put(key(number), b"a")
        second.put(key(number), b"a")
    second.put(key(5), b"b")
    second.flush()
    again = ContentStore(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3 and [again.get(key(number)) for number in (0, 3, 5)] == [b"a", b"a", b"b"]


def test_without_a_folder_nothing_is_kept():
    store = ContentStore(None, block=1)
    store.put(key(0), b"a")
    store.flush()
    assert store.get(key(0)) is None


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: pathlib.Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"found that no files can be kept there .* SG_KERAS_CACHE names another$"):
        ContentStore(tmp_path / "file" / "a")
