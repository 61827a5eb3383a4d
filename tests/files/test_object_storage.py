"""Data sets in object storage, for which TensorFlow's ram:// stands in."""

import io
import logging
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sg_keras.data import open_dataset
from sg_keras.files.cache import is_url
from sg_keras.files.object_storage import local_copy


def zipped(value: int, count: int = 3) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for index in range(count):
            encoded = io.BytesIO()
            Image.fromarray(np.full([8, 8, 3], value, np.uint8)).save(encoded, "PNG")
            archive.writestr(f"{index}.png", encoded.getvalue())
    return content.getvalue()


def put(path: str, content: bytes) -> str:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content)
    return path


def test_what_is_remote():
    assert is_url("gs://bucket/a.zip") and is_url("s3://bucket/a.zip")
    assert not any(map(is_url, ("digits", "a.zip", "/data/a.zip", "C:/a.zip", "a:b/c")))


def test_a_remote_zip_is_a_data_set(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path))
    path = put("ram://bucket/grey.zip", zipped(127))
    with caplog.at_level(logging.WARNING, "sg_keras"):
        dataset = open_dataset(path)
    assert (dataset.name, dataset.num_images, dataset.resolution) == ("grey", 3, 8)
    assert np.all(dataset.image(1) == 127)
    assert caplog.messages[0].startswith("copying ram://bucket/grey.zip, ")
    dataset.close()


def test_copied_once_unless_the_original_changes(tmp_path):
    path = put("ram://bucket/once.zip", zipped(1))
    first = local_copy(path, tmp_path)
    written = first.stat().st_mtime_ns
    assert local_copy(path, tmp_path) == first and first.stat().st_mtime_ns == written
    changed = zipped(2, count=4)
    tf.io.gfile.remove(path)  # ram:// goes on at the end of what is there
    put(path, changed)
    second = local_copy(path, tmp_path)
    assert second != first and second.read_bytes() == changed
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    "path, error, said",
    [
        ("ram://bucket/nowhere.zip", OSError, "ram://bucket/nowhere.zip: found nothing to read"),
        ("ram://bucket/folder", ValueError, "found no name that ends in .zip"),
        ("nosuch://bucket/a.zip", ValueError, "found no support for nosuch:// in this TensorFlow"),
    ],
)
def test_what_cannot_be_copied_is_one_line(tmp_path, path, error, said):
    with pytest.raises(error) as caught:
        local_copy(path, tmp_path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
