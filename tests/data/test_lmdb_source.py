"""LMDBs of several makers as data sets."""

from __future__ import annotations

import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sg_keras.data import open_dataset
from tests.data.conftest import encode, make_pixels

lmdb = pytest.importorskip("lmdb")


def write(path: pathlib.Path, entries: dict[bytes, bytes], subdir: bool = True) -> pathlib.Path:
    environment = lmdb.open(str(path), map_size=1 << 24, subdir=subdir)
    with environment, environment.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key, value)
    return path


def test_images_by_name_with_labels(tmp_path: pathlib.Path):
    names = [f"{i % 2}/{i}.png" for i in range(4)]
    entries = {name.encode(): encode(make_pixels(i)) for i, name in enumerate(names)}
    entries[b"dataset.json"] = json.dumps({"labels": [[name, i] for i, name in enumerate(names)]}).encode()
    dataset = open_dataset(write(tmp_path / "a.lmdb", entries), use_labels=True)
    order = [0, 2, 1, 3]
    assert (dataset.num_images, dataset.c_dim, dataset.has_labels, dataset.notes) == (4, 4, True, ())
    np.testing.assert_array_equal(dataset.labels(np.arange(4)).argmax(1), order)
    np.testing.assert_array_equal(dataset.images(np.arange(4)), np.stack([make_pixels(i) for i in order]))
    dataset.close()


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "PNG"])
def test_lsun_and_a_single_file(file_format: str, tmp_path: pathlib.Path):
    options = {"lossless": True} if file_format == "WEBP" else {}
    files = {f"{index:x}".encode(): encode(make_pixels(index), file_format, **options) for index in range(3)}
    for path in (write(tmp_path / "val_lmdb", files), write(tmp_path / "one.lmdb", files, subdir=False)):
        dataset = open_dataset(path)
        assert (dataset.num_images, dataset.channels, dataset.has_labels) == (3, 3, False)
        if file_format != "JPEG":
            np.testing.assert_array_equal(dataset.image(2), make_pixels(2))
        dataset.close()


def test_numbered_keys_of_the_largest_size(tmp_path: pathlib.Path):
    entries = {f"{side}-{i:05d}".encode(): encode(make_pixels(i, side)) for i in range(3) for side in (8, 16)}
    dataset = open_dataset(write(tmp_path / "a", {**entries, b"length": b"3"}))
    assert (dataset.resolution, dataset.num_images, dataset.notes) == (16, 3, ())
    dataset.close()


def test_several_may_read_one_at_the_same_time(tmp_path: pathlib.Path):
    path = write(tmp_path / "a", {f"{i:02d}".encode(): encode(make_pixels(i)) for i in range(20)})
    first, second = open_dataset(path, max_cached_bytes=0), open_dataset(path, max_cached_bytes=0)
    first.close()
    with ThreadPoolExecutor(4) as pool:
        for index, image in enumerate(pool.map(second.image, list(range(20)) * 3)):
            np.testing.assert_array_equal(image, make_pixels(index % 20))
    second.close()


def test_what_is_no_lmdb_of_images(tmp_path: pathlib.Path, monkeypatch):
    with pytest.raises(ValueError, match=r"a: found no images in it \(1 entries\), expected encoded images by key"):
        open_dataset(write(tmp_path / "a", {b"length": b"0"}))
    with pytest.raises(ValueError, match="found neither a PNG nor a JPEG file"):
        open_dataset(write(tmp_path / "b", {b"x": b"a text that is no image"}))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "data.mdb").write_bytes(b"x" * 9000)
    with pytest.raises(OSError, match=r"c: found an LMDB that cannot be opened .*, expected one"):
        open_dataset(tmp_path / "c")
    path = write(tmp_path / "d", {b"x": b""})
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ValueError, match=r"pip install 'sg-keras\[lmdb\]'"):
        open_dataset(path)
