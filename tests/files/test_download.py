"""Files of networks from the web and from object storage."""

import pytest
import tensorflow as tf

import sg_keras
from sg_keras.files.download import fetch
from sg_keras.weights.network_file import write_networks
from tests.served_folder import Requests, served_folder
from tests.weights.test_official_networks import assert_same, tiny_networks

PICKLE = b"\x80\x04 and so on"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """(folder, its address), with an empty cache folder."""
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    with served_folder(tmp_path / "served") as address:
        yield tmp_path / "served", address


@pytest.mark.parametrize(
    "name, typed",
    [
        ("net.pkl", "net.pkl"),
        ("NET.PKL", "NET.PKL?download=true&name=a.zip"),
        ("download", "download#net"),
        ("my näme.pkl", "my näme.pkl"),
        ("my näme.pkl", "my%20n%C3%A4me.pkl"),
    ],
)
def test_addresses_of_any_spelling_are_fetched_once(name, typed, served):
    folder, address = served
    (folder / name).write_bytes(PICKLE)
    path, is_new = fetch(f"{address}/{typed}")
    assert is_new and path.read_bytes() == PICKLE
    assert fetch(f"{address}/{typed}") == (path, False)
    assert len(Requests.paths) == 1


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"<!DOCTYPE html><title>Please sign in</title>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "it is a Git LFS pointer"),
        (b"PK\x03\x04", "it is a zip file"),
        (b"what is this", "it is something else, not a pickle or a .safetensors file"),
        (b"", "it is empty"),
    ],
)
def test_what_is_no_file_of_networks_is_named_and_not_kept(content, reason, served, tmp_path):
    folder, address = served
    (folder / "net.pkl").write_bytes(content)
    with pytest.raises(OSError) as error:
        fetch(f"{address}/net.pkl")
    message = str(error.value)
    assert message.startswith(f"found that {address}/net.pkl cannot be fetched ({reason}") and "\n" not in message
    assert not list((tmp_path / "cache" / "networks").iterdir())


def test_a_server_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(OSError, match=r"found that http://127\.0\.0\.1:1/net\.pkl cannot be fetched \(.+\), expected"):
        fetch("http://127.0.0.1:1/net.pkl")


def test_a_cache_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OSError, match="SG_KERAS_CACHE names another"):
        fetch("http://127.0.0.1:1/net.pkl")


def test_object_storage(tmp_path, monkeypatch):
    """By TensorFlow's file systems, of which every build has the one in memory."""
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    with tf.io.gfile.GFile("ram://bucket/net.pkl", "wb") as file:
        file.write(PICKLE)
    path, is_new = fetch("ram://bucket/net.pkl")
    assert is_new and path.read_bytes() == PICKLE
    with pytest.raises(OSError, match=r"found that ram://bucket/other\.pkl cannot be fetched \(.+\), expected"):
        fetch("ram://bucket/other.pkl")
    with pytest.raises(OSError, match=r"s3://bucket/net\.pkl cannot be fetched \(this TensorFlow has no support"):
        fetch("s3://bucket/net.pkl")


def test_networks_by_their_address(served, tmp_path):
    folder, address = served
    networks = tiny_networks({}, {})
    write_networks(folder / "networks.safetensors", networks)
    (folder / "networks.safetensors").rename(folder / "weights")
    assert_same(sg_keras.load(f"{address}/weights"), networks)
    (folder / "damaged.pkl").write_bytes(PICKLE)
    with pytest.raises(ValueError) as error:
        sg_keras.load(f"{address}/damaged.pkl")
    message = str(error.value)
    assert message.startswith(f"{address}/damaged.pkl: found ") and "without it, it is fetched again" in message
