"""What a typed network is."""

import pytest

from sg_keras.files.network_source import NetworkSource, file_format, format_of_file, parse_network_source

SAFETENSORS = (40).to_bytes(8, "little") + b'{"__metadata__":{}}'


@pytest.fixture
def places(tmp_path):
    run = tmp_path / "runs" / "00003-stylegan2-digits"
    (run / "checkpoints").mkdir(parents=True)
    (run / "training_config.json").write_text("{}")
    for name in ("ckpt-12.index", "ckpt-12.data-00000-of-00001", "ckpt-12.json", "checkpoint"):
        (run / "checkpoints" / name).write_text("")
    snapshot = run / "network-snapshot-000100"
    snapshot.mkdir()
    for name in ("G.keras", "D.keras", "G_ema.keras", "training_config.json"):
        (snapshot / name).write_bytes(b"PK\x03\x04")
    return run


def test_runs(places):
    for typed in (places, f"{places}/", places / "checkpoints", places / "training_config.json"):
        source = parse_network_source(str(typed))
        assert (source.kind, source.tick, source.typed) == ("run_dir", None, str(typed))
        assert source.path.rstrip("/") == str(places)
    assert parse_network_source(str(places / "checkpoints" / "checkpoint")).path == str(places)
    assert parse_network_source(f"{places}@12") == NetworkSource("run_dir", f"{places}@12", str(places), 12)
    assert parse_network_source(places.as_uri()).path == str(places)
    assert parse_network_source(f"{places.as_uri()}@12").tick == 12


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001", ".json"])
def test_checkpoints_by_any_of_their_files(ending, places):
    prefix = str(places / "checkpoints" / "ckpt-12")
    assert parse_network_source(prefix + ending) == NetworkSource("checkpoint", prefix + ending, prefix)


@pytest.mark.parametrize("name", ["", "G.keras", "D.keras", "G_ema.keras", "training_config.json"])
def test_snapshots_by_any_of_their_files(name, places):
    snapshot = places / "network-snapshot-000100"
    source = parse_network_source(str(snapshot / name))
    assert (source.kind, source.path) == ("snapshot", str(snapshot))


@pytest.mark.parametrize(
    "name", ["a.pkl", "a.PKL", "a.Pickle", "a.safetensors", "a.SafeTensors", "odd name@7.pkl", "a#1?.pkl", "ä.pkl"]
)
def test_files_by_their_ending_in_any_letter_case(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    for typed in (str(tmp_path / name), (tmp_path / name).as_uri()):
        assert parse_network_source(typed) == NetworkSource("file", typed, str(tmp_path / name))


@pytest.mark.parametrize(
    "name, content, kind",
    [
        ("network", b"\x80\x04\x95 the rest", "file"),
        ("network.pkl.1", b"\x80\x03}q", "file"),
        ("weights.bin", SAFETENSORS, "file"),
        ("single.keras", b"PK\x03\x04 the rest", "network"),
        ("average.KERAS", b"PK\x03\x04 the rest", "network"),
    ],
)
def test_files_by_their_beginning(name, content, kind, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert parse_network_source(str(tmp_path / name)).kind == kind


def test_formats(tmp_path):
    assert file_format(b"\x80\x04.") == "pickle" and file_format(SAFETENSORS) == "safetensors"
    assert file_format(b"") is None and file_format(b"<!DOCTYPE html>") is None and file_format(b"\x80\x99") is None
    (tmp_path / "weights.bin").write_bytes(SAFETENSORS)
    (tmp_path / "a.PKL").write_bytes(SAFETENSORS)  # the ending decides; the reader says what is wrong
    assert format_of_file(tmp_path / "weights.bin") == "safetensors" and format_of_file(tmp_path / "a.PKL") == "pickle"


@pytest.mark.parametrize(
    "typed",
    [
        "https://example.org/a@1/net.pkl",
        "HTTP://example.org/net.PKL",
        "https://example.org/net.zip?file=net.pkl&x=1",
        "https://example.org/download/42#net",
        "https://user@example.org:8080/net.safetensors",
        "gs://bucket/folder/net.pkl",
    ],
)
def test_addresses_are_kept_as_typed(typed):
    assert parse_network_source(typed) == NetworkSource("address", typed, typed)


@pytest.mark.parametrize(
    "typed, message",
    [
        ("nowhere", "found 'nowhere', which does not exist, expected latest, a run directory"),
        ("nowhere.pkl", "which does not exist"),
        ("nowhere@3", "expected RUN_DIR@TICK with a run directory, which 'nowhere' is not"),
        ("", "found ''"),
        (".", "found '.', expected latest, a run directory"),
        ("notes.txt", "found 'notes.txt', expected latest, a run directory"),
        ("images.zip", "found 'images.zip', expected"),
        ("a\rb\0", r"found 'a\rb\x00', which does not exist"),
        ("ftp://example.org/net.pkl", "expected an address that starts with https://"),
        ("https://", "expected an address of a file such as https://host/network.pkl"),
        ("https://example.org", "expected an address of a file"),
        ("https://[example/net.pkl", "expected an address such as"),
        ("file:///nowhere.pkl", "found 'file:///nowhere.pkl', which does not exist"),
        ("file://elsewhere/net.pkl", "expected an address that starts with https://"),
    ],
)
def test_what_is_refused_is_one_line_with_what_was_typed(typed, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "images.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError) as error:
        parse_network_source(typed, also="latest, ")
    assert message in str(error.value) and "\n" not in str(error.value)
    assert repr(typed) in str(error.value)


def test_a_folder_of_runs_names_the_newest(places):
    with pytest.raises(ValueError, match=r"; in it there is 00003-stylegan2-digits$"):
        parse_network_source(str(places.parent))


def test_what_cannot_be_read_is_one_line():
    with pytest.raises(OSError, match=r"^x+: found a name that is too long \(File name too long\), expected") as caught:
        parse_network_source("x" * 5000)
    assert "\n" not in str(caught.value)
