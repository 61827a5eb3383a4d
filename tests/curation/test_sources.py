"""Every kind of source gives its images, in their order, with the labels that it has."""

from __future__ import annotations

import gzip
import io
import pathlib
import pickle
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest

from sg_keras.curation.decode import decode_original
from sg_keras.curation.sources import open_originals
from sg_keras.data.tfrecord_format import encode_example, framed
from tests.curation.originals import classes_of_noise, file_of, noise, run, write


def pixels_of(source: Any) -> list[np.ndarray]:
    """All images, decoded; heads are of whole files."""
    for index in range(len(source.names)):
        assert source.read(index).startswith(source.head(index, 8)[:8])
    return [np.asarray(decode_original(source.read(index)).image) for index in range(len(source.names))]


def write_tar(path: pathlib.Path, files: dict[str, bytes], mode: str = "w") -> str:
    """A tar archive with the files in reverse order."""
    with tarfile.open(path, mode) as archive:
        for name in reversed(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive.addfile(info, io.BytesIO(files[name]))
    return str(path)


def write_lmdb(path: pathlib.Path, entries: dict[bytes, bytes]) -> str:
    """An LMDB with the entries."""
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(path), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key, value)
    return str(path)


@pytest.mark.parametrize("kind", ["folder", "zip", "deflated", "tar", "tar.gz", "tar.xz"])
def test_files_in_folders_and_archives(kind: str, tmp_path: pathlib.Path):
    files = {**classes_of_noise(), "notes.txt": b"x", ".hidden.png": b"x"}
    if kind == "folder":
        path = write(tmp_path / "set", files)
    elif kind.startswith("tar"):
        path = write_tar(tmp_path / f"set.{kind}", files, "w:" + kind.partition(".")[2])
    else:
        path = str(tmp_path / "set.zip")
        method = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    source = open_originals(path)
    assert source.names == sorted(classes_of_noise()) and source.other_names == ["notes.txt"]
    assert source.own_labels() is None and "left out (1 .txt)" in source.notes[0]
    for name, found in zip(source.names, pixels_of(source), strict=True):
        np.testing.assert_array_equal(found, noise(int(name[-6:-4]), found.shape[1], found.shape[0]))
    source.close()


def test_lmdb_of_lsun(tmp_path: pathlib.Path):
    entries = {f"{index:040x}".encode(): file_of(noise(index), "WEBP", lossless=True) for index in (5, 3, 9)}
    source = open_originals(write_lmdb(tmp_path / "bedroom_val_lmdb", entries))
    for found, index in zip(pixels_of(source), (3, 5, 9), strict=True):
        np.testing.assert_array_equal(found, noise(index))
    source.close()


def test_lmdb_of_numbered_keys_of_several_sizes(tmp_path: pathlib.Path):
    entries = {
        f"{side}-{index:05d}".encode(): file_of(noise(index, side, side)) for index in (0, 1) for side in (8, 16)
    }
    entries |= {b"16-100000": file_of(noise(7, 16, 16)), b"16-99999": file_of(noise(6, 16, 16)), b"length": b"4"}
    source = open_originals(write_lmdb(tmp_path / "ffhq", entries))
    assert source.names == ["16-00000", "16-00001", "16-99999", "16-100000"]
    assert {found.shape for found in pixels_of(source)} == {(16, 16, 3)}
    source.close()


def write_tfrecords(folder: pathlib.Path, labels: np.ndarray | None) -> list[np.ndarray]:
    """Files as StyleGAN2-ADA makes them, at two levels. Returns the pixels of the higher one."""
    folder.mkdir()
    images = [noise(index, 16, 16) for index in range(3)]
    for level in (3, 4):
        records = []
        for image in images:
            planes = image[: 2**level, : 2**level].transpose(2, 0, 1)
            records.append(framed(encode_example({"shape": list(planes.shape), "data": planes.tobytes()})))
        (folder / f"cats-r{level:02d}.tfrecords").write_bytes(b"".join(records))
    if labels is not None:
        with (folder / "cats-rxx.labels").open("wb") as file:
            np.save(file, labels)
    return images


def test_tfrecords_of_stylegan2_ada(tmp_path: pathlib.Path):
    images = write_tfrecords(tmp_path / "cats", np.eye(3, dtype=np.float32)[[2, 0, 1]])
    source = open_originals(str(tmp_path / "cats"))
    for found, image in zip(pixels_of(source), images, strict=True):
        np.testing.assert_array_equal(found, image)
    labels = source.own_labels()
    assert labels is not None and labels.values == [2, 0, 1]
    source.close()


def cifar_batch(start: int, fine: bool, protocol: int) -> bytes:
    pixels = np.stack([noise(start + i, 32, 32).transpose(2, 0, 1).reshape(-1) for i in range(4)])
    key = b"fine_labels" if fine else b"labels"
    return pickle.dumps({b"data": pixels, key: [3, 1, 2, 0], b"filenames": [b"a.png"] * 4}, protocol=protocol)


@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar(protocol: int, tmp_path: pathlib.Path):
    names = [b"plane", b"car", b"bird", b"cat"]
    ten = {
        "c10/data_batch_1": cifar_batch(0, False, protocol),
        "c10/data_batch_2": cifar_batch(4, False, protocol),
        "c10/test_batch": cifar_batch(8, False, protocol),
        "c10/batches.meta": pickle.dumps({b"label_names": names}, protocol=protocol),
    }
    hundred = {
        "c100/train": cifar_batch(0, True, protocol),
        "c100/test": cifar_batch(4, True, protocol),
        "c100/meta": pickle.dumps({b"fine_label_names": names}, protocol=protocol),
    }
    for name, files, count in (("cifar-10-python.tar.gz", ten, 8), ("cifar-100-python.tar.gz", hundred, 4)):
        source = open_originals(write_tar(tmp_path / name, files, "w:gz"))
        found, labels = pixels_of(source), source.own_labels()
        assert len(found) == count and labels is not None
        assert labels.values == [3, 1, 2, 0] * (count // 4) and labels.class_names == ("plane", "car", "bird", "cat")
        for index, image in enumerate(found):
            np.testing.assert_array_equal(image, noise(index, 32, 32))


#: As Python 2 wrote it: byte strings where Python 3 has bytes and text.
PYTHON_2 = (
    b"\x80\x02}q\x00(U\x04dataq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87R"
    b"(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"\x89T\x00\x0c\x00\x00" + bytes(range(256)) * 12 + b"tbU\x06labels]K\x05au."
)


def test_cifar_as_python_2_wrote_it(tmp_path: pathlib.Path):
    files = {"c/data_batch_1": PYTHON_2, "c/batches.meta": pickle.dumps({"label_names": ["a"] * 6}, protocol=2)}
    source = open_originals(write_tar(tmp_path / "c.tar", files))
    (found,), labels = pixels_of(source), source.own_labels()
    assert labels is not None and labels.values == [5]
    np.testing.assert_array_equal(
        found, np.frombuffer(bytes(range(256)) * 12, np.uint8).reshape(3, 32, 32).transpose(1, 2, 0)
    )


def test_nothing_in_a_pickle_is_run(tmp_path: pathlib.Path):
    harm = tmp_path / "harm"
    bomb = b"\x80\x02cos\nsystem\nU" + bytes([len(str(harm)) + 6]) + f"touch {harm}".encode() + b"\x85R."
    path = write_tar(tmp_path / "c.tar", {"c/data_batch_1": bomb, "c/batches.meta": b"\x80\x02}."})
    with pytest.raises(ValueError, match=r"c/data_batch_1: found the name os.system, .* nothing of the file was run"):
        open_originals(path)
    assert not harm.exists()


@pytest.mark.parametrize("packed", [True, False])
def test_mnist(packed: bool, tmp_path: pathlib.Path):
    def idx(array: np.ndarray) -> bytes:
        head = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        return gzip.compress(head + array.tobytes()) if packed else head + array.tobytes()

    images = np.stack([noise(index, 28, 28, 0) for index in range(3)])
    ending = ".gz" if packed else ""
    (tmp_path / f"train-images-idx3-ubyte{ending}").write_bytes(idx(images))
    (tmp_path / f"train-labels-idx1-ubyte{ending}").write_bytes(idx(np.array([7, 0, 9], np.uint8)))
    source = open_originals(str(tmp_path / f"train-images-idx3-ubyte{ending}"))
    labels = source.own_labels()
    assert labels is not None and labels.values == [7, 0, 9]
    for found, image in zip(pixels_of(source), images, strict=True):
        np.testing.assert_array_equal(found, np.pad(image, 2))


@pytest.mark.parametrize("channels", [0, 1, 3, 4])
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_numpy_files(kind: str, channels: int, tmp_path: pathlib.Path):
    images = np.stack([noise(index, 8, 8, channels) for index in range(3)])
    path = tmp_path / f"set.{kind}"
    if kind == "npz":
        np.savez_compressed(path, images=images, labels=np.array([1, 0, 2]))
    else:
        np.save(path, images)
    source = open_originals(str(path))
    labels = source.own_labels()
    assert (labels.values if labels else None) == ([1, 0, 2] if kind == "npz" else None)
    for found, image in zip(pixels_of(source), images, strict=True):
        np.testing.assert_array_equal(found, image[..., 0] if channels == 1 else image)
    source.close()


def test_numpy_files_of_other_layouts(tmp_path: pathlib.Path):
    np.savez(tmp_path / "a.npz", x_train=np.stack([noise(0, 8, 8).transpose(2, 0, 1)]), y_train=np.array([[1]]))
    np.savez(tmp_path / "b.npz", arr_0=noise(0, 8, 8)[None].astype(np.uint16) << 8)
    for name in ("a.npz", "b.npz"):
        np.testing.assert_array_equal(pixels_of(open_originals(str(tmp_path / name)))[0], noise(0, 8, 8))


def test_parquet_of_a_hub(tmp_path: pathlib.Path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"bytes": file_of(noise(index)), "path": None} for index in range(5)]
    info = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    table = pyarrow.table({"image": rows, "label": [0, 1, 1, 0, 0]}).replace_schema_metadata({b"huggingface": info})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    for path in (tmp_path / "a.parquet", tmp_path):
        source = open_originals(str(path))
        labels = source.own_labels()
        assert labels is not None and (labels.values, labels.class_names) == ([0, 1, 1, 0, 0], ("cat", "dog"))
        for index, found in enumerate(pixels_of(source)):
            np.testing.assert_array_equal(found, noise(index))
        source.close()
    with pytest.raises(ValueError, match="found the columns image, label, expected pic among them"):
        open_originals(str(tmp_path / "a.parquet"), image_column="pic")


def test_addresses_are_on_record(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a.png", file_of(noise(0)))
    monkeypatch.setattr("sg_keras.curation.sources.local_copy", lambda path: tmp_path / "set.zip")
    source = open_originals("gs://bucket/set.zip")
    assert (source.path, source.names) == ("gs://bucket/set.zip", ["a.png"])
    source.close()


def test_digits(tmp_path: pathlib.Path):
    report = run("digits", tmp_path / "digits.zip", size=(16, 16), max_images=20)
    assert (report.images, report.sizes_before) == (20, {"32x32": 20})


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.rar", b"x", "found a file of another kind, expected a folder, zip, tar"),
        ("a.zip", b"x", "found a truncated or damaged zip file"),
        ("a.tar", b"x" * 2000, "expected an intact tar archive"),
        ("a.tar.gz", b"x" * 2000, "expected an intact tar archive"),
        ("a.npz", b"x", "expected uint8 images"),
        ("a.npy", b"x", "expected uint8 images"),
        ("a-ubyte.gz", b"x", "expected an idx3 file of bytes"),
        ("a.tfrecords", b"x" * 40, "found no record at byte 0, expected TFRecords"),
        ("a.tfrecords", b"", "found an empty file"),
        ("none", None, "found nothing there, expected a folder, zip, tar"),
        ("empty", "folder", "found no images"),
    ],
)
def test_what_is_no_source(name: str, content: Any, message: str, tmp_path: pathlib.Path):
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((OSError, ValueError), match=message) as caught:
        open_originals(str(tmp_path / name))
    assert "\n" not in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 8, 8, 5), np.uint8), np.zeros((2, 8, 8), np.float32), np.zeros(3, np.uint8)]
)
def test_arrays_that_are_no_originals(array: np.ndarray, tmp_path: pathlib.Path):
    np.savez(tmp_path / "a.npz", images=array)
    with pytest.raises(ValueError, match=r"a.npz: found a file that cannot be read \(it has .*expected uint8 images"):
        open_originals(str(tmp_path / "a.npz"))
