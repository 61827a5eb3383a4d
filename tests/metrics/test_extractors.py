"""Networks that see, by the names and files that options take."""

import hashlib

import pytest

from sg_keras.config.metric_specs import METRICS, parse_metric
from sg_keras.features import published
from sg_keras.metrics.extractors import open_extractor, open_extractors, short_name
from sg_keras.models import Discriminator
from sg_keras.weights import write_snapshot
from tests.served_folder import Requests, served_folder
from tests.stand_in_networks import vgg16_weights, write_inception, write_vgg16
from tests.tiny_generator import tiny_generator


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """No copy of anything is there."""
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_those_that_come_along():
    assert [short_name(open_extractor(name)) for name in ("effnetlite0", "boxes")] == ["effnetlite0", "boxes"]


def test_the_discriminator_of_a_snapshot(tmp_path):
    networks = [tiny_generator(0, 3, name=name) for name in ("G", "G_ema")]
    D = Discriminator(img_resolution=16, channel_base=64, name="D")
    write_snapshot(tmp_path / "snapshot", [*networks, D], None)
    opened = open_extractor(f"discriminator:{tmp_path / 'snapshot'}")
    assert short_name(opened) == "discriminator" and len(opened.fingerprint) == 64


@pytest.mark.parametrize("spec", ["effnet", "boxes:x", "discriminator", "discriminator:", ""])
def test_names_that_are_none(spec):
    with pytest.raises(ValueError, match="expected effnetlite0, boxes or discriminator:RUN"):
        open_extractor(spec)


def test_only_what_scores_need_is_opened(tmp_path):
    graph = str(write_inception(tmp_path / "graph.pb"))
    assert list(open_extractors([METRICS["fid50k_full"], METRICS["is50k"]], inception=graph)) == ["inception"]
    assert list(open_extractors([parse_metric("kd1k")], "boxes")) == ["features"]
    assert open_extractors([METRICS["eqr50k"]]) == {}
    weights = str(write_vgg16(tmp_path / "vgg16.h5", vgg16_weights()))
    specs = [METRICS["ppl2_wend"], METRICS["kid50k"]]
    assert list(open_extractors(specs, inception=graph, vgg16=weights)) == ["vgg16", "inception"]


@pytest.mark.parametrize("name", ["graph.pb", "inception-2015-12-05.tgz"])
def test_an_address_is_fetched_once(name, tmp_path):
    with served_folder(tmp_path / "served") as address:
        write_inception(tmp_path / "served" / name)
        first = open_extractors([METRICS["fid50k"]], inception=f"{address}/{name}")
        again = open_extractors([METRICS["fid50k"]], inception=f"{address}/{name}")
        assert len(Requests.paths) == 1
    assert first["inception"].fingerprint == again["inception"].fingerprint


@pytest.mark.parametrize(
    "name, file, offline", [("fid50k", "INCEPTION_FILE", "fd5k and kd5k"), ("pr50k3", "VGG16_FILE", "precision5k")]
)
def test_without_the_file_one_line_says_what_to_do(name, file, offline, monkeypatch):
    wanted = getattr(published, file)
    nowhere = type(wanted)(wanted.name, "http://127.0.0.1:1/file", wanted.beginnings, wanted.md5)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(published, file, nowhere)
    with pytest.raises(OSError) as error:
        open_extractors([METRICS[name]])
    message = str(error.value)
    assert "\n" not in message and message.startswith(f"{wanted.name}: found that http://127.0.0.1:1/file cannot be")
    assert "=FILE names a copy of http://127.0.0.1:1/file" in message and offline in message


def test_a_web_page_in_its_place_is_not_kept(tmp_path):
    with served_folder(tmp_path / "served") as address:
        (tmp_path / "served" / "graph.pb").write_bytes(b"\n<!DOCTYPE html>")
        with pytest.raises(OSError, match=r"graph\.pb cannot be fetched \(it is a web page, not"):
            open_extractors([METRICS["fid50k"]], inception=f"{address}/graph.pb")
    assert not list((tmp_path / "cache" / "networks").iterdir())


def test_keras_copy_is_used_if_its_checksum_is_right(tmp_path, monkeypatch):
    """A stand-in has another, and so the file is fetched."""
    kept = tmp_path / "keras" / "models" / published.VGG16_FILE.name
    kept.parent.mkdir(parents=True)
    write_vgg16(kept, vgg16_weights())
    right = hashlib.md5(kept.read_bytes(), usedforsecurity=False).hexdigest()
    wanted = published.VGG16_FILE
    for md5 in (right, "0" * 32):
        file = type(wanted)(wanted.name, "http://127.0.0.1:1/file", wanted.beginnings, md5)
        monkeypatch.setattr(published, "VGG16_FILE", file)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        if md5 == right:
            assert open_extractors([METRICS["pr50k3"]])["vgg16"].name == "vgg16_keras"
        else:
            with pytest.raises(OSError, match=r"http://127\.0\.0\.1:1/file cannot be fetched"):
                open_extractors([METRICS["pr50k3"]])
